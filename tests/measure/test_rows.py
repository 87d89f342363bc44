from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Instant, Path
from segue.measure import DataError, Journeys
from segue.measure.rows import read_aggregated, read_journeys

JOURNEYS = ["journey_id,converted,value,ts\n", "a,1,30.5,2026-01-03T00:00:00Z\n", "b,0,,\n", "c,1,10,\n"]
TOUCHES = [
    "journey_id,channel,ts\n",
    "a,sms,2026-01-02T00:00:00Z\n",
    "b,ads,2026-01-01T00:00:00Z\n",
    "a,email,2026-01-01T00:00:00Z\n",
]


def read(touches: list[str], journeys: list[str]) -> Journeys:
    return read_journeys(touches, journeys)


def paths_of(found: Journeys) -> list[Path]:
    return list(found.paths.each())


def test_touches_are_put_in_order_of_time() -> None:
    found = read(TOUCHES, JOURNEYS)
    assert [(path.channels, path.conversions, path.value) for path in paths_of(found)] == [
        (("email", "sms"), 1, 30.5),
        (("ads",), 0, 0),
    ]
    day = 86_400_000_000
    new_year = 1_767_225_600_000_000
    assert paths_of(found)[0].times == (new_year, new_year + day)
    assert paths_of(found)[0].converted_at == new_year + 2 * day
    assert paths_of(found)[1].converted_at is None


def test_conversions_without_a_touch_are_counted_as_unattributed() -> None:
    found = read(TOUCHES, JOURNEYS)
    assert (found.journeys, found.untouched) == (3, 1)
    assert (found.unattributed_conversions, found.unattributed_value) == (1, 10)


def test_touches_after_the_conversion_have_no_part_in_it() -> None:
    touches = [*TOUCHES, "a,push,2026-01-03T00:00:00Z\n", "a,late,2026-01-03T00:00:01Z\n"]
    found = read(touches, JOURNEYS)
    assert paths_of(found)[0].channels == ("email", "sms", "push")
    assert found.late == 1


def test_a_conversion_before_all_touches_is_unattributed() -> None:
    found = read(["journey_id,channel,ts", "a,sms,2026-05-01"], ["journey_id,converted,value,ts", "a,1,5,2026-01-01"])
    assert paths_of(found) == []
    assert (found.unattributed_conversions, found.unattributed_value, found.late) == (1, 5, 1)


def test_touches_of_unknown_journeys_are_counted() -> None:
    assert read([*TOUCHES, "nobody,sms,2026-01-01\n"], JOURNEYS).unknown == 1


def test_touches_of_one_instant_stay_in_the_order_of_the_file() -> None:
    touches = ["journey_id,channel,ts", *(f"a,{channel},2026-01-01" for channel in ("z", "a", "m"))]
    assert paths_of(read(touches, JOURNEYS))[0].channels == ("z", "a", "m")


def test_instants_come_with_an_offset_without_one_or_in_unix_seconds() -> None:
    written = ["2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00Z", "2026-01-01 00:00:00", "2026-01-01", "1767225600"]
    touches = ["journey_id,channel,ts", *(f"b,sms,{ts}" for ts in written)]
    assert set(paths_of(read(touches, JOURNEYS))[0].times) == {Instant(1_767_225_600_000_000)}


def test_the_value_of_a_journey_that_did_not_convert_does_not_count() -> None:
    found = read(["journey_id,channel,ts", "a,sms,2026-01-01"], ["journey_id,converted,value,ts", "a,0,50,2025-01-01"])
    assert paths_of(found) == [Path(("sms",), 0, 0.0, times=(Instant(1_767_225_600_000_000),))]


def test_columns_may_stand_in_any_order_among_others() -> None:
    found = read(
        ["TS, note ,channel,journey_id", '2026-01-01,"a, b",sms,a'], ["x,ts,value,converted,journey_id", ",,1,true,a"]
    )
    assert paths_of(found)[0].channels == ("sms",)


@pytest.mark.parametrize(
    ("touches", "journeys", "file", "line", "words"),
    [
        (["journey_id,ts"], JOURNEYS, "touches", 1, "no column channel"),
        ([], JOURNEYS, "touches", 1, "no column journey_id"),
        (TOUCHES, ["journey_id"], "journeys", 1, "no column converted and no column value"),
        ([*TOUCHES, "a,sms,yesterday"], JOURNEYS, "touches", 5, "yesterday"),
        ([*TOUCHES, "a,sms,"], JOURNEYS, "touches", 5, "ts is empty"),
        ([*TOUCHES, "a,,2026-01-01"], JOURNEYS, "touches", 5, "channel is empty"),
        ([*TOUCHES, "a,sms"], JOURNEYS, "touches", 5, "2 cells, but the header has 3"),
        ([*TOUCHES, 'a,"sms,2026-01-01'], JOURNEYS, "touches", 5, "not CSV"),
        (TOUCHES, [*JOURNEYS, "d,1,much,"], "journeys", 5, "value is “much”"),
        (TOUCHES, [*JOURNEYS, "d,1,nan,"], "journeys", 5, "value is “nan”"),
        (TOUCHES, [*JOURNEYS, "d,1,-5,"], "journeys", 5, "0 or more"),
        (TOUCHES, [*JOURNEYS, "d,maybe,5,"], "journeys", 5, "converted is “maybe”"),
        (TOUCHES, [*JOURNEYS, "a,1,5,"], "journeys", 5, "second time"),
        (TOUCHES, [*JOURNEYS, "d,1,5,1e999"], "journeys", 5, "ts is “1e999”"),
        (TOUCHES, [*JOURNEYS, "d,1,5,17672256000000000000"], "journeys", 5, "write an instant such as"),
        (TOUCHES, [*JOURNEYS, "d,1,1e18,"], "journeys", 5, "below 10^18"),
        (TOUCHES, [*JOURNEYS, f"d,1,{'9' * 400},"], "journeys", 5, f"value is “{'9' * 59}…”"),
        (JOURNEYS, TOUCHES, "journeys", 1, "no column converted and no column value; the columns are journey_id, "),
        (JOURNEYS, TOUCHES, "journeys", 1, "and the file has journey_id, channel, ts"),
        (["journey_id,channel,ts,ts"], JOURNEYS, "touches", 1, "two columns ts"),
    ],
)
def test_an_error_names_file_and_line(
    touches: list[str], journeys: list[str], file: str, line: int, words: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(touches, journeys)
    assert (caught.value.file, caught.value.line) == (file, line)
    assert words in caught.value.message


PATHS = ["path,total_conversions,total_conversion_value,total_null\n"]


def test_aggregated_paths_are_read() -> None:
    found = read_aggregated([*PATHS, "email > ads>email,3,30.5,7\n", "sms,0,0,5\n"])
    assert paths_of(found) == [
        Path(("email", "ads", "email"), 3, 30.5, count=10),
        Path(("sms",), 0, 0, count=5),
    ]
    assert (found.journeys, found.absent) == (15, ())


def test_an_empty_path_is_unattributed() -> None:
    found = read_aggregated([*PATHS, ",3,30,7\n"])
    assert paths_of(found) == []
    assert (found.untouched, found.unattributed_conversions, found.unattributed_value) == (10, 3, 30)


def test_optional_columns_that_are_absent_are_named() -> None:
    found = read_aggregated(["path,total_conversions", "email,3"])
    assert paths_of(found) == [Path(("email",), 3, 0, count=3)]
    assert found.absent == ("total_conversion_value", "total_null")


@pytest.mark.parametrize(
    ("line", "words"),
    [("email > > ads,1,1,1", "email > > ads"), ("email,x,1,1", "total_conversions is “x”"), ("email,1,inf,1", "inf")],
)
def test_a_wrong_path_is_named_with_its_line(line: str, words: str) -> None:
    with pytest.raises(DataError, match="line 2") as caught:
        read_aggregated([*PATHS, line])
    assert words in caught.value.message


def test_rows_are_read_one_at_a_time() -> None:
    taken = 0

    def lines() -> Iterator[str]:
        nonlocal taken
        yield "journey_id,channel,ts"
        for number in range(1_000_000):
            taken += 1
            yield f"a,sms,{number}" if number < 10 else "a,sms,wrong"

    with pytest.raises(DataError):
        read_journeys(lines(), JOURNEYS)
    assert taken == 11


TOUCH_ROWS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["email", "sms", "ads"]), st.integers(0, 9)))
JOURNEY_ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 100), st.none() | st.integers(0, 9)),
    unique_by=lambda row: row[0],
)


@given(TOUCH_ROWS, JOURNEY_ROWS)
def test_no_conversion_and_no_touch_is_lost_on_the_way(
    touches: list[tuple[int, str, int]], journeys: list[tuple[int, bool, int, int | None]]
) -> None:
    found = read(
        ["journey_id,channel,ts", *(f"{name},{channel},{ts}" for name, channel, ts in touches)],
        [
            "journey_id,converted,value,ts",
            *(f"{name},{int(won)},{value},{'' if ts is None else ts}" for name, won, value, ts in journeys),
        ],
    )
    won = [value for _, converted, value, _ in journeys if converted]
    assert sum(path.conversions for path in paths_of(found)) + found.unattributed_conversions == len(won)
    assert sum(path.value for path in paths_of(found)) + found.unattributed_value == sum(won)
    assert len(paths_of(found)) + found.untouched == found.journeys == len(journeys)
    assert sum(len(path.channels) for path in paths_of(found)) + found.late + found.unknown == len(touches)
    for path in paths_of(found):
        assert list(path.times) == sorted(path.times)
        assert path.converted_at is None or path.times[-1] <= path.converted_at
