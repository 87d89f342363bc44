"""A database of an earlier schema opens with everything that was in it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import apsw
import pytest

from segue.api import Instant
from segue.customers.consent import Stand
from segue.store import books
from segue.store.consent import list_suppressed, load_statements
from segue.store.customers import load_customers
from segue.store.database import Store, migrations, read_only
from segue.store.errors import StoreUnavailable


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A store as the first schema had it, with customers and a publication."""
    path = tmp_path / "segue.db"
    number, sql = next(iter(migrations()))
    assert number == 1
    with contextlib.closing(apsw.Connection(str(path))) as connection:
        connection.execute(f"begin;\n{sql}\npragma user_version = 1;\ncommit;")
        connection.executemany(
            "insert into customer (id, key, traits) values (?, ?, ?)",
            [
                (1, "u:ann", b'{"timezone":"Europe/Helsinki","email":"ann@example.com"}'),
                (2, "u:bob", b'{"timezone":"Middle/Earth"}'),
                (3, "a:dev", None),
            ],
        )
        connection.execute(
            "insert into publication (at, who, book) values (5, 'eve', ?)", (b'{"names":{"paid":"paid"}}',)
        )
        connection.execute("insert into program (hash, rule, body) values ('00', 'r', x'7b7d')")
        connection.execute("insert into book (rule, program) values ('r', 1)")
    return path


def test_customers_get_the_zone_that_their_traits_name(first: Path) -> None:
    with contextlib.closing(Store(first)) as store:
        assert store.apply(lambda tx: tx.rows("select id, zone, seed from customer order by id")) == [
            (1, "Europe/Helsinki", None),
            (2, None, None),
            (3, None, None),
        ]
        found = store.apply(lambda tx: load_customers(tx, [1, 3]))
        assert found[1].traits["email"] == "ann@example.com"
        assert found[3].seed == ""


def test_an_earlier_publication_is_listed_without_what_it_changed(first: Path) -> None:
    with contextlib.closing(Store(first)) as store:
        (one,) = store.apply(books.load_publications)
        assert (one.number, one.at, one.who, one.changes) == (1, 5, "eve", None)
        assert store.apply(lambda tx: books.load_sources(tx, 1)) is None
        assert store.apply(books.load_book) == {"r": "00"}


def test_a_kill_in_the_middle_of_an_upgrade_leaves_the_earlier_schema_whole(first: Path) -> None:
    with contextlib.closing(apsw.Connection(str(first))) as connection:
        connection.create_scalar_function("known_zone", lambda *_: 1 / 0, 1)
        number, sql = list(migrations())[1]
        with pytest.raises(ZeroDivisionError):
            connection.execute(f"begin immediate;\n{sql}\npragma user_version = {number};\ncommit;")
    with contextlib.closing(Store(first)) as store:
        assert store.apply(lambda tx: tx.row("select count(*) from customer")) == (3,)
        assert store.apply(lambda tx: tx.row("select zone from customer where id = 1")) == ("Europe/Helsinki",)


def test_what_was_said_before_is_summed_up_by_its_time_and_a_dead_address_is_suppressed(tmp_path: Path) -> None:
    path = tmp_path / "segue.db"
    with contextlib.closing(apsw.Connection(str(path))) as connection:
        for name, values in (("known_zone", 1), ("derived_zone", 1), ("address_key", 2)):
            connection.create_scalar_function(name, lambda *_: None, values)
        for number, sql in migrations():
            if number < 5:
                connection.execute(f"begin;\n{sql}\npragma user_version = {number};\ncommit;")
        consent = b'{"email/promotional":"granted","gone/email":"Ann@Example.com","sms/promotional":"withdrawn"}'
        connection.execute("insert into customer (id, key, traits, consent) values (1, 'u:ann', '{}', ?)", (consent,))
        connection.executemany(
            "insert into consent (customer, channel, kind, state, at, source) values (1, ?, ?, ?, ?, ?)",
            [
                ("email", "promotional", "withdrawn", 30, "shop"),  # said last, arrived first
                ("email", "promotional", "granted", 20, "shop"),
                ("sms", "promotional", "granted", 40, "shop"),
                ("sms", "promotional", "withdrawn", 40, "inbound sms"),
                ("email", "", "address gone: 550 no such mailbox", 50, "provider"),
            ],
        )
    with contextlib.closing(Store(path)) as store:
        ann = store.apply(lambda tx: load_customers(tx, [1]))[1]
        assert ann.consent == {
            "email/promotional": Stand("withdrawn", Instant(30)),
            "sms/promotional": Stand("withdrawn", Instant(40)),
        }
        ((_, dead),) = store.apply(list_suppressed)
        assert (dead.sort, dead.address, dead.reason, dead.since) == ("email", "ann@example.com", "bounced", 50)
        assert dead.detail == "550 no such mailbox"
        said = store.apply(lambda tx: load_statements(tx, 1))
        assert [(one.at, one.state, one.basis) for one in said] == [
            (20, "granted", "consent"),
            (30, "withdrawn", ""),
            (40, "granted", "consent"),
            (40, "withdrawn", ""),
        ]


def test_who_reads_beside_a_daemon_of_another_version_is_told_so(first: Path) -> None:
    newest = max(number for number, _ in migrations())
    said = f"has schema 1, and this version of Segue reads {newest}: start"
    with pytest.raises(StoreUnavailable, match=said), read_only(first) as tx:
        tx.rows("select 1 from exposure")
