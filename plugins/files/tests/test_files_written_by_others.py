"""Files as polars, DuckDB and pyarrow write them, three dialects each, read alike."""

from __future__ import annotations

import datetime
import gzip
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from segue.api import Event, Fetched, Instant, SourceFile, SourceTools
from segue_files import Config, read_file

pytest.importorskip("pyarrow", reason="pip install 'segue[test]'")
duckdb = pytest.importorskip("duckdb", reason="pip install 'segue[test]'")
pl = pytest.importorskip("polars", reason="pip install 'segue[test]'")

import pyarrow as pa  # noqa: E402
import pyarrow.csv  # noqa: E402
import pyarrow.parquet  # noqa: E402

AT = datetime.datetime(2025, 3, 1, 10, 0, 0, tzinfo=datetime.UTC)
ROWS: dict[str, list[Any]] = {
    "user_id": ["ann", "bob", "00123"],
    "event": ["Order Completed"] * 3,
    "timestamp": [AT, AT + datetime.timedelta(microseconds=1), AT + datetime.timedelta(days=1)],
    "order_id": ["o1", "o2", "o3"],
    "total": [Decimal("60.50"), Decimal("7.00"), None],
    "note": ['said "hi", twice', "a;b\nsecond line", "Ääkkönen 😀"],
    "gift": [True, False, None],
}
COMMENTS = ROWS["note"]


def read(path: Path, **settings: Any) -> tuple[list[Event], list[str]]:
    """The events of a file, and the reasons of its rejections."""
    pieces = read_pieces(path, Config(**settings), None)
    events = [event for piece in pieces for event in piece.events]
    return events, [one.reason for piece in pieces for one in piece.rejections]


def read_pieces(path: Path, config: Config, position: str | None) -> list[Fetched]:
    with path.open("rb") as content:
        return list(read_file(SourceFile(path.name, content, Instant(5)), config, SourceTools(source="pos"), position))


def require_orders(events: list[Event], rejections: list[str]) -> None:
    assert rejections == []
    assert [event.user_id for event in events] == ["ann", "bob", "00123"]
    assert [event.name for event in events] == ["Order Completed"] * 3
    assert [event.timestamp for event in events] == [
        1_740_823_200_000_000,
        1_740_823_200_000_001,
        1_740_909_600_000_000,
    ]
    assert [event.properties["note"] for event in events] == COMMENTS
    assert [event.properties.get("gift") for event in events] == [True, False, None]
    totals = [event.properties.get("total") for event in events]
    assert [Decimal(str(total)) if total is not None else None for total in totals] == ROWS["total"]
    assert {event.source for event in events} == {"pos"}


def frame() -> Any:
    return pl.DataFrame(ROWS, schema_overrides={"total": pl.Decimal(10, 2)})


def table() -> pa.Table:
    return pa.table(ROWS, schema=pa.schema([(n, t) for n, t in zip(ROWS, TYPES, strict=True)]))


TYPES = [
    pa.string(),
    pa.string(),
    pa.timestamp("us", "UTC"),
    pa.string(),
    pa.decimal128(10, 2),
    pa.string(),
    pa.bool_(),
]


def duck(statement: str, path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.register("orders", table())
        connection.execute(statement.replace("PATH", str(path)))


def as_bytes(write: Callable[[Any], None], path: Path, encoding: str, before: bytes = b"") -> None:
    """Text that a tool writes in UTF-8, in another encoding."""
    buffer = io.BytesIO()
    write(buffer)
    path.write_bytes(before + buffer.getvalue().decode("utf-8").encode(encoding))


CSV: dict[str, tuple[Callable[[Path], None], dict[str, Any]]] = {
    "polars": (lambda path: frame().write_csv(path), {}),
    "polars, semicolons, everything quoted, a mark": (
        lambda path: frame().write_csv(path, separator=";", quote_style="always", include_bom=True),
        {},
    ),
    "polars, its own times": (
        lambda path: frame().write_csv(path, separator="\t", datetime_format="%d.%m.%Y %H:%M:%S.%6f"),
        {"time_format": "%d.%m.%Y %H:%M:%S.%f"},
    ),
    "duckdb": (lambda path: duck("copy orders to 'PATH' (header)", path), {}),
    "duckdb, bars, backslashes": (
        lambda path: duck("copy orders to 'PATH' (header, delimiter '|', escape '\\', force_quote (note))", path),
        {"escape": "\\"},
    ),
    "duckdb, packed, single quotes": (
        lambda path: duck("copy orders to 'PATH' (header, quote '''', escape '''', compression gzip)", path),
        {"quote": "'"},
    ),
    "pyarrow": (lambda path: pyarrow.csv.write_csv(table(), path), {}),
    "pyarrow, UTF-16": (
        lambda path: as_bytes(lambda sink: pyarrow.csv.write_csv(table(), sink), path, "utf-16"),
        {},
    ),
    "pyarrow, semicolons, all quoted": (
        lambda path: pyarrow.csv.write_csv(
            table(), path, pyarrow.csv.WriteOptions(delimiter=";", quoting_style="all_valid", batch_size=1)
        ),
        {},
    ),
}


@pytest.mark.parametrize("written", CSV)
def test_csv_is_read_alike(written: str, tmp_path: Path) -> None:
    write, settings = CSV[written]
    path = tmp_path / ("orders.csv.gz" if "packed" in written else "orders.csv")
    write(path)
    if "packed" in written:
        assert gzip.decompress(path.read_bytes()).startswith(b"user_id")
    require_orders(*read(path, **settings))


PARQUET: dict[str, Callable[[Path], None]] = {
    "polars": lambda path: frame().write_parquet(path),
    "polars, categories, nanoseconds, small groups": lambda path: (
        frame()
        .with_columns(pl.col("event").cast(pl.Categorical), pl.col("timestamp").dt.cast_time_unit("ns"))
        .write_parquet(path, row_group_size=1, compression="snappy")
    ),
    "polars, times elsewhere": lambda path: (
        frame()
        .with_columns(pl.col("timestamp").dt.convert_time_zone("Asia/Kolkata"))
        .write_parquet(path, compression="gzip")
    ),
    "duckdb": lambda path: duck("copy orders to 'PATH' (format parquet)", path),
    "duckdb, brotli, second version": lambda path: duck(
        "copy orders to 'PATH' (format parquet, codec brotli, parquet_version v2)", path
    ),
    "duckdb, times without a zone, doubles, an enum": lambda path: duck(
        "copy (select user_id, event::enum('Order Completed') as event, timestamp::timestamp as timestamp, order_id, "
        "total::double as total, note, gift from orders) to 'PATH' (format parquet, codec zstd)",
        path,
    ),
    "pyarrow": lambda path: pyarrow.parquet.write_table(table(), path),
    "pyarrow, dictionaries, old times": lambda path: pyarrow.parquet.write_table(
        table(), path, use_dictionary=True, use_deprecated_int96_timestamps=True, version="1.0", row_group_size=2
    ),
    "pyarrow, plain, lz4": lambda path: pyarrow.parquet.write_table(
        table(), path, use_dictionary=False, compression="lz4", data_page_version="2.0", write_page_index=True
    ),
}


@pytest.mark.parametrize("written", PARQUET)
def test_parquet_is_read_alike(written: str, tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    PARQUET[written](path)
    require_orders(*read(path))


def test_a_row_has_the_same_id_in_every_file(tmp_path: Path) -> None:
    ids = set()
    for number, (write, settings) in enumerate(CSV.values()):
        path = tmp_path / (f"{number}.csv.gz" if "quote" in settings else f"{number}.csv")
        write(path)
        ids.add(tuple(event.message_id for event in read(path, **settings)[0]))
    for number, save in enumerate(PARQUET.values()):
        path = tmp_path / f"{number}.parquet"
        save(path)
        ids.add(tuple(event.message_id for event in read(path)[0]))
    assert len(ids) == 1
    assert len(set(ids.pop())) == 3


def test_values_of_parquet_become_those_of_json(tmp_path: Path) -> None:
    path = tmp_path / "all.parquet"
    one = {
        "user_id": [7],
        "properties": [
            {"total": Decimal("12.345"), "items": ["a", "b"], "at": datetime.datetime.fromisoformat("2025-01-01")}
        ],
        "traits.born": [datetime.date(1990, 2, 28)],
        "traits.awake": [datetime.time(7, 30)],
        "traits.big": [Decimal("12345678901234567890.12")],
        "traits.whole": [Decimal("5.00")],
        "traits.odd": [float("nan")],
        "traits.raw": [b"plain"],
        "event": ["Seen"],
        "timestamp": [1_740_823_200],
        "properties.kind": pa.array(["x"]).dictionary_encode(),
    }
    pyarrow.parquet.write_table(pa.table(one), path)
    (event,), rejections = read(path)
    assert rejections == []
    assert event.user_id == "7"
    assert event.properties == {
        "total": 12.345,
        "items": ["a", "b"],
        "at": "2025-01-01T00:00:00Z",
        "kind": "x",
    }
    assert event.traits == {
        "born": "1990-02-28",
        "awake": "07:30:00",
        "big": "12345678901234567890.12",
        "whole": 5,
        "raw": "plain",
    }
    assert event.timestamp == 1_740_823_200_000_000


@pytest.mark.parametrize("suffix", ["csv", "parquet", "csv.gz"])
def test_reading_goes_on_from_every_position(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"many.{suffix}"
    many = pl.DataFrame({"user_id": [f"c{n}" for n in range(3500)], "email": ["a\nb"] * 3500})
    if suffix == "parquet":
        many.write_parquet(path, row_group_size=700)
    else:
        data = many.write_csv().encode()
        path.write_bytes(gzip.compress(data) if suffix.endswith("gz") else data)
    whole = read_pieces(path, Config(), None)
    assert [len(piece.events) for piece in whole] == [1000, 1000, 1000, 500]
    for number, piece in enumerate(whole):
        assert read_pieces(path, Config(), piece.position)[: len(whole) - number - 1] == whole[number + 1 :]
