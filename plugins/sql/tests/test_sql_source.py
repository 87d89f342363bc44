"""Statements, marks and rounds, without a database: a list of rows answers in the order that is asked for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segue_sql.source
from segue.api import Fetched, SourceTools
from segue.api.mapping import Mapping
from segue_sql import Config, SqlSource
from segue_sql.config import check
from segue_sql.marks import before, decode_mark, encode_mark
from segue_sql.questions import Statement, page
from segue_sql.systems import Answer

PRESENT = datetime(2026, 11, 27, 8, tzinfo=UTC)


def config(**more: Any) -> Config:
    known: dict[str, Any] = {
        "system": "postgresql",
        "database": "crm",
        "query": "select * from purchase",
        "watermark": "changed",
        "row_id": "id",
        "map": Mapping(event="ordered", user="$.id"),
        "every": 1,
    }
    return Config(**known | more)


def ask(query: str, since: Any = None, after: tuple[Any, Any] | None = None) -> Statement:
    return page(query, "changed", "id", lambda name: f'"{name}"', 10, since, after)


def test_a_page_is_asked_for_in_the_order_of_watermark_and_key() -> None:
    text, values = ask("select 1;", since=5, after=(6, "a"))
    assert text == (
        'select * from (\nselect 1\n) as rows_of_segue where "changed" is not null and '
        '"changed" >= %(mark)s and ("changed" > %(mark)s or "id" > %(key)s) order by "changed", "id" limit %(limit)s'
    )
    assert values == {"limit": 10, "mark": 6, "key": "a"}


@pytest.mark.parametrize(
    ("query", "inner"),
    [
        ("select a from t where c > :since", "select a from t where c > %(since)s"),
        (
            "select ':since', \":since\", `:since`, c::since, a%b",
            "select ':since', \":since\", `:since`, c::since, a%%b",
        ),
        ("select 'it''s :since' || :since", "select 'it''s :since' || %(since)s"),
        ("select 'x\\' :since' , :sincere", "select 'x\\' :since' , :sincere"),
        ("select a -- don't :since\n, :since", "select a -- don't :since\n, %(since)s"),
        ("select a /* don't\n:since */, :since", "select a /* don't\n:since */, %(since)s"),
        ("select '100%' -- note", "select '100%%' -- note"),
    ],
)
def test_since_is_a_value_outside_of_strings_only(query: str, inner: str) -> None:
    text, values = ask(query, since=7)
    assert text.startswith(f"select * from (\n{inner}\n) as")
    assert values["since"] == 7


@pytest.mark.parametrize(
    "value",
    [
        *(5, -3, Decimal("1.50"), "text", "'; --", b"\x00\xff", date(2026, 2, 28)),
        *(datetime(2026, 11, 27, 8, 0, 0, 5), datetime(2026, 11, 27, 8, tzinfo=UTC)),  # noqa: DTZ001
    ],
)
def test_a_mark_is_what_it_was(value: Any) -> None:
    mark = encode_mark(value)
    assert mark is not None
    assert decode_mark(mark) == value
    assert type(decode_mark(mark)) is type(value)


def test_what_nothing_can_be_ordered_by_is_no_mark() -> None:
    assert encode_mark(None) is None
    assert encode_mark(True) is None
    assert encode_mark(UUID(int=5)) == ("text", str(UUID(int=5)))


def test_an_overlap_is_seconds_of_a_time_days_of_a_date_and_so_many_of_a_number() -> None:
    assert before(PRESENT, 60) == datetime(2026, 11, 27, 7, 59, tzinfo=UTC)
    assert before(date(2026, 11, 27), 60) == date(2026, 11, 26)
    assert before(100, 60) == 40
    assert before("a", 60) == "a"
    earliest = datetime.min.replace(tzinfo=UTC)
    assert before(earliest, 60) == earliest


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"watermark": "changed; drop"}, "`watermark` should name a column"),
        ({"row_id": ""}, "`row_id` should name a column"),
        ({"query": "delete from t"}, "`query` should be a select"),
        ({"query": "select " + "x" * 200_000}, "`query` has 200,007 characters"),
        ({"port": 70_000}, "`port` should be"),
        ({"every": 0}, "`every` should be from 0.1"),
        ({"overlap": -1}, "`overlap` should be from 0"),
        ({"zone": "Mars"}, "`zone` 'Mars' is not a time zone"),
        ({"tls": "none", "ca": "x.pem"}, "`ca` is for encrypted"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check(config(**more))


class Table:
    """A database of one table, whose rows are an id and a watermark."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, datetime]] = []

    def quote(self, name: str) -> str:
        return name

    def ask(self, statement: Statement) -> Answer:
        values = statement[1]
        found = sorted(self.rows, key=lambda row: (row[1], row[0]))
        if "mark" in values:
            found = [row for row in found if (row[1], row[0]) > (values["mark"], values["key"])]
        elif "since" in values:
            found = [row for row in found if row[1] >= values["since"]]
        return Answer(["id", "changed"], [1, 2], list(found[: values["limit"]]))

    def present(self, *, zoned: bool) -> Any:
        return PRESENT

    def close(self) -> None:
        return


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 5), st.integers(0, 1)),
        st.sampled_from([("fetch",), ("lost",), ("reopen",), ("fetch",)]),
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(steps=_STEPS, overlap=st.sampled_from([60.0, 600.0]))
def test_every_row_is_found_once_however_rows_and_restarts_come(steps: list[Any], overlap: float) -> None:
    """A row is written at most ``overlap`` behind the newest; what is found again has the same message id."""
    table, position = Table(), None
    found: dict[str, int] = {}
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setattr(segue_sql.source, "PAGE", 3)
        patch.setattr(segue_sql.source, "open_system", lambda _: table)

        def opened() -> SqlSource:
            return SqlSource(config(overlap=overlap), SourceTools(source="till"))

        def fetch(source: SqlSource, keep: bool = True) -> Fetched:
            nonlocal position
            fetched = runner.run(source.fetch(position))
            if keep:
                for event in fetched.events:
                    found[event.message_id] = found.get(event.message_id, 0) + 1
                position = fetched.position if fetched.position is not None else position
                runner.run(source.settle(fetched))
            return fetched

        source, second, reopened = opened(), 0, 0
        for step in steps:
            match step:
                case ("write", int(back), int(ahead)):
                    second += ahead
                    moment = datetime(2026, 3, 1, 10, tzinfo=UTC).timestamp() + second * 7 - back
                    table.rows.append((len(table.rows), datetime.fromtimestamp(moment, UTC)))
                case ("fetch",):
                    fetch(source)
                case ("lost",):
                    fetch(source, keep=False)
                case _:
                    source, reopened = opened(), reopened + 1
        for _ in range(200):
            if fetch(source).again and fetch(source).again:
                break
        fetch(source)
    assert len(found) == len(table.rows)
    assert max(found.values(), default=0) <= 1 + reopened


def test_no_driver_is_imported_before_a_source_is_opened() -> None:
    script = "import sys, segue_sql; print([name for name in ('psycopg', 'pymysql') if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
