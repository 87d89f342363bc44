"""What is read by column is what is read by row, and what is wrong has a place."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv, parquet

from segue.api import Path as Taken
from segue.api import Paths
from segue.measure import DataError, Journeys, count_paths, read_journey_files, read_path_file, recognising

CHANNELS = st.sampled_from(["email", "sms", "ads ", "“naïve”, Ltd"])
TIMES = st.sampled_from(
    [
        "2026-01-01",
        "2026-01-02T10:00:00Z",
        "2026-01-02T12:00:00+02:00",
        "1767225600",
        "1767225600.5",
        "1767225600500",
        "1767225600000001",
        "1767225600000001000",
        "-86400",
        "2026-01-03 08:00",
    ]
)
TOUCHES = st.lists(st.tuples(st.sampled_from("abcx"), CHANNELS, TIMES, st.sampled_from(["spring", ""])))
COUNTED = st.tuples(st.sampled_from(["a > b", "a>b > a", "", "c"]), st.integers(0, 9), st.integers(0, 9))
JOURNEYS = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.sampled_from(["1", "0", "true"]),
        st.sampled_from(["", "5", "2.5"]),
        st.just("") | TIMES,
    ),
    unique_by=lambda row: row[0],
)


def table(names: str, rows: list[tuple[str, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(names.split())
    return pa.table({name: pa.array(column, pa.string()) for name, column in zip(names.split(), columns, strict=True)})


def seen(found: Journeys) -> tuple[object, ...]:
    labels = found.labels
    return (
        sorted(map(str, found.paths.each())),
        None if labels is None else [labels.names[code] for code in labels.codes],
        found.journeys,
        found.untouched,
        found.unattributed_conversions,
        found.unattributed_value,
        found.late,
        found.unknown,
        found.absent,
    )


@settings(deadline=None, max_examples=40)  # files are written
@given(touches=TOUCHES, journeys=JOURNEYS)
def test_journeys_are_the_same_by_row_and_by_column(
    touches: list[tuple[str, ...]], journeys: list[tuple[str, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("read")
    made = table("journey_id channel ts campaign", touches), table("journey_id converted value ts", journeys)
    for name, one in zip(("touches", "journeys"), made, strict=True):
        csv.write_csv(one, folder / f"{name}.csv")
        parquet.write_table(one, folder / f"{name}.parquet")
    with pytest.MonkeyPatch.context() as patch:
        by_row = read_journey_files(folder / "touches.csv", folder / "journeys.csv", "campaign")
        patch.setattr(recognising, "LARGE", 0)
        by_column = read_journey_files(folder / "touches.csv", folder / "journeys.csv", "campaign")
    assert seen(by_column) == seen(by_row)
    assert seen(read_journey_files(folder / "touches.parquet", folder / "journeys.parquet", "campaign")) == seen(by_row)


@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["a > b", "a>b > a", "", "c"]), st.integers(0, 9), st.integers(0, 9)), min_size=1
    )
)
def test_counted_paths_are_the_same_by_row_and_by_column(
    rows: list[tuple[str, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("read")
    names = ("path", "total_conversions", "total_null")
    columns = list(zip(*rows, strict=True))
    kinds = (pa.string(), pa.int64(), pa.float64())
    made = pa.table([pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)], names=names)
    csv.write_csv(made, folder / "paths.csv")
    parquet.write_table(made, folder / "paths.parquet")
    by_row = read_path_file(folder / "paths.csv")
    by_column = read_path_file(folder / "paths.parquet")
    assert sorted(map(str, count_paths(by_column.paths).each())) == sorted(map(str, count_paths(by_row.paths).each()))
    assert seen(by_column)[2:] == seen(by_row)[2:]


def test_columns_of_numbers_are_instants_by_their_size(tmp_path: Path) -> None:
    seconds = 1_767_225_600
    parquet.write_table(
        pa.table({"journey_id": ["a"], "converted": [1], "value": pa.nulls(1), "ts": pa.nulls(1)}), tmp_path / "j"
    )
    for kind in (pa.int64(), pa.uint64(), pa.float64(), pa.string()):
        times = pa.array([seconds, seconds * 1000, seconds * 10**6, seconds * 10**9]).cast(kind, safe=False)
        touches = {"journey_id": ["a"] * 4, "channel": ["email"] * 4, "ts": times}
        parquet.write_table(pa.table(touches), tmp_path / "t")
        (path,) = read_journey_files(tmp_path / "t", tmp_path / "j").paths.each()
        assert {*path.times} == {seconds * 10**6}


@pytest.mark.parametrize(("delimiter", "packed"), [(";", False), ("\t", True), (",", True)])
@pytest.mark.parametrize("large", [0, 10**9])
def test_csv_comes_compressed_and_with_other_delimiters(
    delimiter: str, packed: bool, large: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recognising, "LARGE", large)
    text = f"\ufeffpath{delimiter}total_conversions{delimiter}total_null\r\na > b{delimiter}3{delimiter}4\r\n"
    (tmp_path / "p").write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    (path,) = read_path_file(tmp_path / "p").paths.each()
    assert (path.channels, path.conversions, path.count) == (("a", "b"), 3, 7)


def test_csv_that_excel_calls_unicode_text_is_read(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes("path\ttotal_conversions\r\ncafé > b\t3\r\n".encode("utf-16"))
    assert read_path_file(tmp_path / "p").paths.names == ("café", "b")


@pytest.mark.parametrize("cut", [30, -3])
def test_a_compressed_file_that_is_cut_off_is_refused_in_words(cut: int, tmp_path: Path) -> None:
    packed = gzip.compress(b"path,total_conversions\n" + b"".join(b"a%d > b,1\n" % n for n in range(99)))
    (tmp_path / "p").write_bytes(packed[:cut])
    with pytest.raises(DataError, match=r"p, line 1: cannot be unpacked"):
        read_path_file(tmp_path / "p")


@pytest.mark.parametrize("large", [0, 10**9])
def test_a_journey_that_is_told_twice_counts_once(large: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognising, "LARGE", large)
    (tmp_path / "j").write_text("journey_id,converted,value,ts\nb,1,5,\na,1,2,9\nb,true,5.0,\na,1,2,9\nc,0,,\n")
    (tmp_path / "t").write_text("journey_id,channel,ts\na,email,1\nb,sms,1\nc,ads,1\n")
    found = read_journey_files(tmp_path / "t", tmp_path / "j")
    assert (found.journeys, found.repeated) == (3, 2)
    assert {path.channels: path.value for path in found.paths.each()} == {("sms",): 5, ("email",): 2, ("ads",): 0}


def test_types_of_parquet_mean_what_they_say(tmp_path: Path) -> None:
    day = 86_400_000_000
    touches = pa.table(
        {
            "JOURNEY_ID": pa.array([7, 7, 8]),
            "channel": pa.array(["ads", "email", "ads"]).dictionary_encode(),
            "ts": pa.array([2 * day // 1000, day // 1000, day // 1000], pa.timestamp("ms")),
        }
    )
    journeys = pa.table(
        {
            "journey_id": pa.array(["7", "8"]),
            "converted": pa.array([True, False]),
            "value": pa.array([12.5, None]),
            "ts": pa.array([3 * 86_400, None], pa.int64()),
        }
    )
    parquet.write_table(touches, tmp_path / "touches.bin")
    parquet.write_table(journeys, tmp_path / "journeys.bin")
    found = read_journey_files(tmp_path / "touches.bin", tmp_path / "journeys.bin")
    assert [(path.channels, path.conversions, path.value, path.times) for path in found.paths.each()] == [
        (("email", "ads"), 1, 12.5, (day, 2 * day)),
        (("ads",), 0, 0, (day,)),
    ]
    assert next(iter(found.paths.each())).converted_at == 3 * day


@pytest.mark.parametrize(
    ("columns", "row", "words"),
    [
        ({"path": ["a", "a > > b"]}, 2, "path is “a > > b”"),
        ({"total_conversions": [1.0, -1.0]}, 2, "total_conversions is “-1.0”"),
        ({"total_conversions": [float("nan"), 1.0]}, 1, "total_conversions is “nan”"),
        (
            {"total_conversions": [1.0, 1e18]},
            2,
            "total_conversions is “1e+18”; it must be a number, 0 or more, and",
        ),
        ({"path": [["a"], ["b"]]}, 1, "path is of type list<element: string>; write one text, with > between channels"),
        ({"total_conversions": ["1", "many"]}, 2, "total_conversions is “many”"),
    ],
)
def test_what_is_wrong_in_parquet_has_its_row(
    columns: dict[str, list[object]], row: int, words: str, tmp_path: Path
) -> None:
    parquet.write_table(pa.table({"path": ["a", "b"], "total_conversions": [1, 2]} | columns), tmp_path / "p")
    with pytest.raises(DataError) as caught:
        read_path_file(tmp_path / "p")
    assert f"row {row}: {words}" in str(caught.value)


def test_what_is_wrong_in_a_large_file_of_csv_has_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognising, "LARGE", 0)
    (tmp_path / "p.csv").write_text("path,total_conversions\n\na,1\nb,-3\n")
    with pytest.raises(DataError, match=r"p\.csv, line 4: total_conversions is “-3”"):
        read_path_file(tmp_path / "p.csv")
    (tmp_path / "j.csv").write_text("journey_id,converted,value,ts\na,1,5,\na,1,6,\n")
    (tmp_path / "t.csv").write_text("journey_id,channel,ts\n")
    with pytest.raises(DataError, match=r"j\.csv, line 3: journey a is there a second time"):
        read_journey_files(tmp_path / "t.csv", tmp_path / "j.csv")


def test_a_file_that_only_begins_like_parquet_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(DataError, match="cannot be read"):
        read_path_file(tmp_path / "p")


def test_without_pyarrow_parquet_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recognising, "find_spec", lambda name: None)
    (tmp_path / "p").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"pip install 'segue\[parquet\]'"):
        read_path_file(tmp_path / "p")


def test_equal_paths_are_counted_together() -> None:
    paths = [
        Taken(("a", "b"), 1, 2.0, 3),
        Taken(("b",), 0, 0.0),
        Taken(("a", "b"), 2, 1.0, 2),
        Taken(("b", "a"), 0, 0.0),
    ]
    found = {path.channels: (path.conversions, path.value, path.count) for path in count_paths(Paths.of(paths)).each()}
    assert found == {("a", "b"): (3, 3, 5), ("b",): (0, 0, 1), ("b", "a"): (0, 0, 1)}
