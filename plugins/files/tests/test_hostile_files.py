"""What no shop writes: each is refused with a sentence, and the rest of the file goes on where there is one."""

from __future__ import annotations

import gzip
import os
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from segue.api import Event, Fetched, Instant, SourceFile, SourceTools
from segue_files import Config, read_file
from segue_files.rows import Unreadable

HEAD = "user_id,event,timestamp,total\n"
GOOD = "ann,Order Completed,2025-03-01T10:00:00Z,60\n"


def read(path: Path, **settings: Any) -> list[Fetched]:
    with path.open("rb") as content:
        file = SourceFile(path.name, content, Instant(1_740_000_000_000_000))
        return list(read_file(file, Config(**settings), SourceTools(source="pos"), None))


def pieces_of(name: str, content: BinaryIO) -> Iterator[Fetched]:
    return read_file(SourceFile(name, content, Instant(1)), Config(), SourceTools(source="pos"), None)


def written(tmp_path: Path, text: str | bytes, name: str = "a.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def events_of(path: Path, **settings: Any) -> list[Event]:
    return [event for piece in read(path, **settings) for event in piece.events]


def reasons_of(path: Path, **settings: Any) -> list[str]:
    return [one.reason for piece in read(path, **settings) for one in piece.rejections]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "is empty"),
        (b"\n\n \n", "is empty"),
        (",".join(f"c{n}" for n in range(1_000_000)).encode(), "begins with a line of over 1,000,000 characters"),
        (",".join(f"c{n}" for n in range(20_000)).encode(), "has 20,000 columns; a table may have 2,000"),
        (b"user_id\0,b\nx,y\n", "has a NUL byte in its first line"),
        ("user_id,käse\nx,y\n".encode("latin-1"), 'say what it is: encoding = "windows-1252"'),
        (b"user_id,email,email\nx,y,z\n", "names a column twice: email"),
        (b",,\nx,y,z\n", "has no names of columns"),
        (b"colour,size\nred,3\n", "has no column that says whose its rows are"),
    ],
)
def test_a_file_without_a_usable_head_is_refused_with_a_sentence(text: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=said):
        read(written(tmp_path, text))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("ann,Order Completed,2025-03-01T10:00:00Z\n", "has 3 cells of 4"),
        ("ann,Order Completed,2025-03-01T10:00:00Z,6,7\n", "has 5 cells, and the first line names 4 columns"),
        ("ann,Order Completed,yesterday,6\n", "`timestamp` is 'yesterday'"),
        ("ann,Order Completed,,6\n", "`timestamp` is empty"),
        ("ann,Order Completed,1969-01-01T00:00:00Z,6\n", "before 1970"),
        ("ann,,2025-03-01T10:00:00Z,6\n", "`event` is empty"),
        (",Order Completed,2025-03-01T10:00:00Z,6\n", "`user_id` is empty"),
        (f"{'x' * 2000},Order Completed,2025-03-01T10:00:00Z,6\n", "`user_id` has 2,000 characters"),
        (f"ann,{'x' * 2000},2025-03-01T10:00:00Z,6\n", "`event` has 2,000 characters"),
        ("ann,Order\0Completed,2025-03-01T10:00:00Z,6\n", "holds a NUL byte"),
        ('ann,"Order" Completed,2025-03-01T10:00:00Z,6\n', "has text after a closing quote"),
        (f"ann,{'x' * 200_000},2025-03-01T10:00:00Z,6\n", "is no CSV row|opens a quote"),
        (f"ann,{'x' * 3_000_000},2025-03-01T10:00:00Z,6\n", "the line has over 1,000,000 characters"),
    ],
)
def test_a_row_that_is_no_event_is_refused_and_the_next_is_not(row: str, said: str, tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + GOOD + row + GOOD.replace("ann", "bob"))
    assert [event.user_id for event in events_of(path)] == ["ann", "bob"]
    (reason,) = reasons_of(path)
    assert re.search(said, reason), reason


def test_bytes_of_another_encoding_refuse_their_row_only(tmp_path: Path) -> None:
    path = written(tmp_path, b"user_id,city\nann,K\xf6ln\nbob,Oulu\n")
    assert [event.user_id for event in events_of(path)] == ["bob"]
    assert reasons_of(path) == ["is not utf-8 text"]
    assert [event.traits for event in events_of(path, encoding="windows-1252")] == [{"city": "Köln"}, {"city": "Oulu"}]


def test_a_quote_that_does_not_close_takes_no_other_row_with_it(tmp_path: Path) -> None:
    quotes = ['"' if n % 7 == 0 else "" for n in range(100)]
    rows = "".join(f"c{n},Seen,2025-03-01T10:00:00Z,{quote}{n}\n" for n, quote in enumerate(quotes))
    path = written(tmp_path, HEAD + rows)
    found = events_of(path)
    assert len(found) + len(reasons_of(path)) >= 93
    assert all(event.properties["total"].isdecimal() for event in found if "\n" not in event.properties["total"])


def test_a_bomb_is_refused_before_it_takes_memory_or_time(tmp_path: Path) -> None:
    path = written(tmp_path, gzip.compress(b"user_id,email\n" + bytes(300_000_000)), "a.csv.gz")
    assert path.stat().st_size < 1_000_000
    with pytest.raises(Unreadable, match="over 200 times its size"):
        read(path)


@pytest.mark.parametrize("cut", [5, 30])
def test_a_gzip_file_that_is_cut_off_gives_what_it_has(cut: int, tmp_path: Path) -> None:
    data = gzip.compress((HEAD + "".join(GOOD.replace("ann", os.urandom(8).hex()) for _ in range(3000))).encode())
    path = written(tmp_path, data[: -cut * 100], "a.csv.gz")
    given: list[Fetched] = []
    with path.open("rb") as content, pytest.raises(Unreadable, match="damaged gzip file"):
        given.extend(pieces_of(path.name, content))
    assert 0 < sum(len(piece.events) for piece in given) < 3000


def test_a_formula_in_a_cell_is_text(tmp_path: Path) -> None:
    path = written(tmp_path, 'user_id,note\nann,"=HYPERLINK(""http://x"")"\n')
    assert events_of(path)[0].traits == {"note": '=HYPERLINK("http://x")'}


def test_names_that_reach_into_objects_stay_within_them(tmp_path: Path) -> None:
    path = written(tmp_path, "user_id,traits.a.b,traits.__class__.x,traits.a\nann,1,2,3\n")
    assert reasons_of(path) == []
    path = written(tmp_path, "user_id,traits.a,traits.a.b\nann,1,2\n")
    assert reasons_of(path) == ["`a` is both a value and an object"]


@pytest.mark.parametrize("name", ["a.parquet", "A.PARQUET"])
def test_what_is_no_parquet_file_is_said_to_be_none(name: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pip install 'segue[test]'")
    for content in (
        b"",
        b"PAR1",
        b"PAR1" + struct.pack("<I", 2**31 - 1) + b"PAR1",
        os.urandom(5000),
        b"PAR1\0\0\0\0PAR1",
    ):
        with pytest.raises(Unreadable, match="is no Parquet file"):
            read(written(tmp_path, content, name))


def test_a_parquet_file_that_is_damaged_gives_a_sentence(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="pip install 'segue[test]'")
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"user_id": [f"c{n}" for n in range(5000)], "email": ["x@y"] * 5000}), path, row_group_size=1000
    )
    data = bytearray(path.read_bytes())
    for place in range(len(data) // 2, len(data) // 2 + 400):
        data[place] ^= 0xFF
    path.write_bytes(bytes(data))
    given: list[Fetched] = []
    with path.open("rb") as content, pytest.raises(Unreadable, match=r"is damaged after row|is no Parquet file"):
        given.extend(pieces_of(path.name, content))


def test_a_table_with_too_many_columns_is_refused(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="pip install 'segue[test]'")
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({f"c{n}": [1] for n in range(2001)}), path)
    with pytest.raises(Unreadable, match="has 2,001 columns"):
        read(path)


def test_csv_is_read_where_pyarrow_is_not_installed(tmp_path: Path) -> None:
    written(tmp_path, HEAD + GOOD)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    script = """
import sys
sys.modules["pyarrow"] = None
from segue.api import Instant, SourceFile, SourceTools
from segue_files import Config, read_file
for name in ("a.csv", "a.parquet"):
    with open(name, "rb") as content:
        try:
            pieces = list(read_file(SourceFile(name, content, Instant(1)), Config(), SourceTools(source="x"), None))
            print(sum(len(piece.events) for piece in pieces))
        except ValueError as error:
            print(error)
"""
    said = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stdout == "1\nis Parquet, which pyarrow reads: pip install 'segue-files[parquet]'\n"
