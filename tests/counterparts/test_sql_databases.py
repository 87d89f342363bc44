"""Polling against real servers: ties, late commits, deletions, restarts, other columns, and SQL in every string."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

import segue_sql.source
from segue.api import Event, Fetched, SourceSpec, SourceTools
from segue.api.mapping import Mapping
from segue.testing import FetchingSourceConformance
from segue_sql import SQL, Config, SqlSource
from segue_sql.systems import Unreached
from tests.counterparts.databases import NAME, PASSWORD, USER, MariaDb, PostgreSql, running
from tests.counterparts.missing import reported_when_missing

Server = PostgreSql | MariaDb

TABLE = {
    "postgresql": "create table purchase (id bigint primary key, customer text, total numeric(10, 2), note text, "
    "changed timestamptz(6))",
    "mariadb": "create table purchase (id bigint primary key, customer text, total decimal(10, 2), note text, "
    "changed datetime(6) null)",
}
MAP = Mapping(
    event="ordered",
    user="$.customer",
    fields={"order_id": "$.id", "total": "$.total", "note": "$.note", "extra": "$.extra"},
)


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with reported_when_missing(), running(request.param) as found:
        yield found


@pytest.fixture
def shop(server: Server) -> Iterator[Shop]:
    with contextlib.closing(Shop(server)) as found:
        yield found


class Shop:
    """The shop's side: a table, and those who write into it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._hosts: list[Host] = []
        self._connection = server.connect()
        self.run("drop table if exists purchase")
        self.run(TABLE[server.system])

    def close(self) -> None:
        for host in self._hosts:
            asyncio.run(host.source.close())
        self._connection.close()

    def run(self, statement: str, *values: Any) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)

    def buy(self, *ids: int, at: str = "2025-03-01 10:00:00", note: str = "", customer: str = "ann") -> None:
        for number in ids:
            self.run("insert into purchase values (%s, %s, 9.50, %s, %s)", number, customer, note, at + self.zone)

    @property
    def zone(self) -> str:
        return "+00" if self.server.system == "postgresql" else ""

    def poll(self, **more: Any) -> Host:
        """Segue's side, until the shop closes."""
        self._hosts.append(Host(self.config(**more)))
        return self._hosts[-1]

    def config(self, **more: Any) -> Config:
        settings: dict[str, Any] = {
            "system": self.server.system,
            "database": NAME,
            "user": USER,
            "password": PASSWORD,
            "port": self.server.port,
            "socket": self.server.socket,
            "query": "select * from purchase",
            "watermark": "changed",
            "row_id": "id",
            "map": MAP,
            "every": 1,
        }
        return Config(**settings | more)


class Host:
    """Segue's side: it commits, then settles."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.source = SqlSource(config, SourceTools(source="till"))
        self.position: str | None = None
        self.events: list[Event] = []
        self.rejected: list[tuple[str, str]] = []

    def fetch(self) -> Fetched:
        fetched = asyncio.run(self.source.fetch(self.position))
        self.events += fetched.events
        self.rejected += [(one.place, one.reason) for one in fetched.rejections]
        self.position = fetched.position if fetched.position is not None else self.position
        asyncio.run(self.source.settle(fetched))
        return fetched

    def round(self) -> list[str]:
        """One round, to its end; the ids that it brought."""
        before = len(self.events)
        for _ in range(100):
            if self.fetch().again:
                return [str(event.properties["order_id"]) for event in self.events[before:]]
        raise AssertionError("the round has no end")

    def restart(self) -> None:
        asyncio.run(self.source.close())
        self.source = SqlSource(self.config, SourceTools(source="till"))

    @property
    def message_ids(self) -> set[str]:
        return {event.message_id for event in self.events}


@pytest.fixture
def host(shop: Shop) -> Host:
    return shop.poll()


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segue_sql.source, "PAGE", 3)


def test_a_row_becomes_an_event(shop: Shop, host: Host) -> None:
    shop.buy(7, note="Ääkkönen 😀", at="2025-03-01 10:00:00.25")
    assert host.round() == ["7"]
    (event,) = host.events
    assert event.name == "ordered"
    assert event.user_id == "ann"
    assert event.properties == {"order_id": 7, "total": 9.5, "note": "Ääkkönen 😀"}
    assert event.timestamp == 1_740_823_200_250_000
    assert event.source == "till"
    assert event.message_id.startswith("till:7@2025-03-01T10:00:00.25")


def test_rows_of_one_moment_are_neither_lost_nor_doubled_between_pages(
    shop: Shop, host: Host, small_pages: None
) -> None:
    shop.buy(*range(1, 9))
    shop.buy(9, at="2025-03-01 10:00:01")
    assert host.round() == [str(n) for n in range(1, 10)]
    assert host.round() == []
    host.restart()
    shop.buy(20, at="2025-03-01 10:00:01")
    again = host.round()
    assert "20" in again
    assert len(host.message_ids) == 10


def test_a_page_in_the_middle_of_a_moment_goes_on_after_a_restart(shop: Shop, host: Host, small_pages: None) -> None:
    shop.buy(*range(1, 9))
    host.fetch()
    host.restart()
    host.fetch()
    host.restart()
    host.round()
    assert len(host.events) == 8
    assert len(host.message_ids) == 8


def test_rows_that_come_while_it_polls_are_found(shop: Shop, host: Host, small_pages: None) -> None:
    shop.buy(*range(1, 6))
    host.fetch()
    shop.buy(50, at="2025-03-01 10:00:05")
    shop.buy(3000, at="2025-03-01 09:59:59")  # behind the page already: the next round finds it
    assert "50" in host.round()
    assert host.round() == ["3000"]


def test_a_transaction_that_commits_late_is_found_by_the_overlap(shop: Shop, host: Host) -> None:
    with contextlib.closing(shop.server.connect()) as late, late.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute(f"insert into purchase values (1, 'bob', 1, '', '2025-03-01 10:00:00{shop.zone}')")
        shop.buy(2, at="2025-03-01 10:04:00")
        assert host.round() == ["2"]
        cursor.execute("commit")
    assert host.round() == ["1"]
    shop.buy(3, at="2025-03-01 09:00:00")  # an hour before: later than the overlap allows for
    assert host.round() == []


def test_a_row_that_changes_is_another_event_and_one_that_is_deleted_takes_none_with_it(
    shop: Shop, host: Host, small_pages: None
) -> None:
    shop.buy(*range(1, 8))
    host.fetch()
    shop.run("delete from purchase where id in (3, 4)")
    shop.run(f"update purchase set changed = '2025-03-01 10:01:00{shop.zone}', total = 1 where id = 1")
    assert host.round() == ["5", "6", "7", "1"]
    assert len(host.message_ids) == 7
    assert host.round() == []


def test_a_watermark_in_the_far_future_hides_nothing(shop: Shop, host: Host) -> None:
    shop.buy(1, at="2999-01-01 00:00:00")
    assert host.round() == ["1"]
    shop.buy(2, at="2025-03-01 10:00:00")
    shop.run("insert into purchase values (3, 'ann', 1, '', current_timestamp)")
    assert host.round() == ["3"]  # the second is an hour and more behind what was seen as the present


def test_rows_without_a_watermark_wait_until_they_have_one(shop: Shop, host: Host) -> None:
    shop.run("insert into purchase values (1, 'ann', 1, '', null)")
    assert host.round() == []
    shop.run(f"update purchase set changed = '2025-03-01 10:00:00{shop.zone}'")
    assert host.round() == ["1"]


def test_a_watermark_that_is_a_number_has_an_overlap_of_so_many(shop: Shop) -> None:
    host = shop.poll(watermark="id", row_id="id", overlap=5)
    shop.buy(1, 2, 10)
    assert host.round() == ["1", "2", "10"]
    shop.buy(7, 3)
    assert host.round() == ["7"]


def test_since_in_a_query_narrows_it_and_stays_text_in_strings(shop: Shop) -> None:
    narrowed = (
        "select id, customer, total, ':since 100%' as note, changed from purchase where changed >= :since or id < 3"
    )
    host = shop.poll(query=narrowed)
    shop.buy(1, 5)
    assert host.round() == ["1"]  # before the first round nothing is known of a watermark
    assert host.events[0].properties["note"] == ":since 100%"
    shop.buy(6, at="2025-03-01 10:01:00")
    assert host.round() == ["5", "6"]


def test_sql_in_every_string_stays_a_string(shop: Shop, small_pages: None) -> None:
    evil = ["'; drop table purchase; --", "\\'; drop table purchase; --", '"; --', "%s %(x)s", "`", "\\", "😀'"]
    shop.run("drop table purchase")
    shop.run("create table purchase (id varchar(100) primary key, customer text, changed varchar(100))")
    for text in evil:
        shop.run("insert into purchase values (%s, %s, %s)", text, text, text)
    host = shop.poll(row_id="id", watermark="changed", query="select * from purchase -- %s")
    for _ in range(10):
        if host.fetch().again:
            break
    assert {event.user_id for event in host.events} == set(evil)
    assert len(host.events) == len(evil)


@pytest.mark.parametrize("name", ["x'; drop table purchase; --", "%s %(x)s", "{0} $1 ?", ":since"])
def test_sql_in_the_name_of_a_column_stays_a_name(shop: Shop, name: str) -> None:
    mark = '"' if shop.server.system == "postgresql" else "`"
    shop.run("drop table purchase")
    shop.run(f"create table purchase (order_id int, customer varchar(10), changed int, {mark}{name}{mark} varchar(50))")
    shop.run("insert into purchase values (1, 'ann', 5, %s)", name)
    host = shop.poll(row_id="order_id", map=Mapping(event="ordered", user="$.customer"))
    assert host.round() == ["1"]
    assert host.events[0].properties[name] == name
    shop.run("insert into purchase values (2, 'ann', 6, %s)", name)
    assert host.round() == ["2"]
    with pytest.raises(ValueError, match="should name a column"):
        shop.poll(watermark=name)


def test_a_column_more_is_a_field_more_and_a_column_less_is_said(shop: Shop, host: Host) -> None:
    shop.buy(1)
    host.round()
    shop.run("alter table purchase add column extra text")
    shop.run(f"insert into purchase values (2, 'ann', 1, '', '2025-03-01 10:00:01{shop.zone}', 'new')")
    host.round()
    assert host.events[-1].properties["extra"] == "new"
    shop.run("alter table purchase drop column changed")
    with pytest.raises(Unreached, match="changed"):
        host.fetch()
    shop.run("alter table purchase add column changed bigint")
    shop.run("update purchase set changed = 5")
    host.restart()
    with pytest.raises((ValueError, Unreached), match=r"give the source another name|operator does not exist"):
        host.fetch()


def test_a_row_that_is_no_event_is_refused_and_the_others_are_not(shop: Shop, host: Host) -> None:
    shop.buy(1, 3)
    shop.buy(2, customer="x" * 2000)
    host.round()
    assert len(host.events) == 2
    ((place, reason),) = host.rejected
    assert place.startswith("id 2, changed 2025-03-01T10:00:00")
    assert "2,000 characters" in reason


def test_it_only_reads(shop: Shop) -> None:
    shop.buy(1)
    writing = {
        "postgresql": "with gone as (delete from purchase returning *) select * from gone",
        "mariadb": "select * from purchase; drop table purchase",
    }
    host = shop.poll(query=writing[shop.server.system])
    with pytest.raises(Unreached):
        host.fetch()
    assert shop.poll().round() == ["1"]


def test_a_query_that_takes_too_long_is_ended(shop: Shop) -> None:
    shop.buy(1)
    slow = {"postgresql": "pg_sleep(20)::text", "mariadb": "sleep(20)"}[shop.server.system]
    host = shop.poll(query=f"select *, {slow} as slow from purchase", timeout=0.5)
    with pytest.raises(Unreached):
        host.fetch()


def test_it_goes_on_after_the_server_was_restarted_in_the_middle(server: Server, small_pages: None) -> None:
    with contextlib.closing(Shop(server)) as shop:
        shop.buy(*range(1, 8))
        config = shop.config()
    host = Host(config)
    host.fetch()
    server.stop()
    with pytest.raises(Unreached):
        host.fetch()
    server.start()
    host.restart()
    host.round()
    assert len(host.message_ids) == 7
    asyncio.run(host.source.close())


def test_an_encrypted_connection_is_to_whom_the_certificate_names(shop: Shop) -> None:
    shop.buy(1)
    server = shop.server
    verified = shop.poll(socket="", host="127.0.0.1", tls="verify", ca=str(server.certificate))
    assert verified.round() == ["1"]
    assert shop.poll(socket="", tls="require").round() == ["1"]
    stranger = shop.poll(socket="", tls="verify")
    with pytest.raises(Unreached):
        stranger.fetch()


def test_a_wrong_password_is_not_in_what_is_said(shop: Shop) -> None:
    host = shop.poll(password="hunter2-wrong", socket="", tls="none")
    with pytest.raises(Unreached) as refused:
        host.fetch()
    assert "hunter2" not in str(refused.value)


class TestConformance(FetchingSourceConformance):
    """The suite that every source passes which fetches."""

    shop: Shop
    fed: int

    @pytest.fixture(autouse=True)
    def _at_a_shop(self, shop: Shop) -> None:
        self.shop, self.fed = shop, 0

    def make(self) -> tuple[SourceSpec, msgspec.Struct]:
        return SQL, self.shop.config(every=0.1, overlap=0)

    def feed(self, count: int) -> None:
        self.shop.buy(*range(self.fed, self.fed + count), at=f"2025-03-01 10:00:{self.fed % 60:02}")
        self.fed += count
