"""Attribution beside tools that this project did not write: mta, marketing-attribution-models (MAM) and do-attribution,
on the paths that mta ships (10,000 of twelve channels; they are ChannelAttribution's) and on paths made at random.

Where a tool means something else by a model, the plugin's README says so, and the tests here say in what.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from segue.api import Credit, Instant, Paths
from segue.api import Path as Taken
from segue.cli.attributing.asking import asked, installed
from segue.cli.main import app
from segue.measure import attribute
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.process import CounterpartMissing

HEURISTIC = 1e-6
EXACT = 1e-9
"""Of removal effects, which lie between 0 and 1; and of figures in proportion to their size."""
HOUR = 3_600_000_000

CHANNELS = st.lists(st.sampled_from(["email", "sms", "ads", "push", "direct"]), min_size=1, max_size=7).map(tuple)
COUNTED = st.lists(
    st.builds(
        lambda channels, won, cents, lost: Taken(channels, won, won * cents / 100, won + lost),
        CHANNELS,
        st.integers(0, 9),
        st.integers(1, 9999),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda path: path.channels,
).map(lambda paths: [*paths, Taken(("email", "ads", "sms", "push", "direct", "email", "ads"), 1, 9.5, 2)])
quick = settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])


def tool(module: str, package: str) -> Any:
    with reported_when_missing():
        try:
            return import_module(module)
        except ImportError as error:
            raise CounterpartMissing(f"{package} is not installed: pip install {package}") from error


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The paths that mta ships, as CSV."""
    packed = Path(tool("mta", "mta").__file__).parent / "data" / "data.csv.gz"
    place = tmp_path_factory.mktemp("shipped") / "paths.csv"
    place.write_bytes(gzip.decompress(packed.read_bytes()))
    return place


@pytest.fixture(scope="module")
def ours(shipped: Path) -> dict[str, dict[str, Any]]:
    """What the command prints of the paths that mta ships: by model and channel."""
    names = ("first", "last", "last-non-direct", "linear", "position-based", "markov", "shapley")
    models = [part for name in names for part in ("--model", name)]
    found = CliRunner().invoke(app, ["attribute", "--paths", str(shipped), "--json", *models])
    assert found.exit_code == 0, found.output
    read: dict[str, dict[str, Any]] = {}
    for line in map(json.loads, found.stdout.splitlines()):
        read.setdefault(line["model"], {})[line["channel"]] = line
    return read


def credits(paths: list[Taken], model: str, *options: str) -> dict[str, Credit]:
    ((spec, chosen),) = asked(installed().models, [model], options).values()
    return {credit.channel: credit for credit in attribute(spec, chosen, Paths.of(paths))}


def conversions(paths: list[Taken], model: str, *options: str) -> dict[str, float]:
    return {channel: credit.conversions for channel, credit in credits(paths, model, *options).items()}


def close(found: Mapping[str, float], theirs: Mapping[str, float], within: float = HEURISTIC) -> None:
    """A channel that gets nothing may be missing from what another tool gives."""
    assert {*theirs} <= {*found}
    assert found == {
        channel: pytest.approx(theirs.get(channel, 0.0), rel=within, abs=within * 1e-3) for channel in found
    }


# mta


def by_mta(data: Any) -> dict[str, dict[str, float]]:
    """Everything that mta says without chance. Unless told to allow loops it takes repeated channels out of paths."""
    known = tool("mta", "mta").MTA(data=data, allow_loops=True, add_timepoints=False)
    found = {}
    for name, key, options in (
        ("first", "first_touch", {}),
        ("last", "last_touch", {}),
        ("linear", "linear", {"share": "proportional"}),
        ("linear per channel", "linear", {"share": "same"}),
        ("position-based", "pos_based", {}),
        ("shapley", "shapley", {}),
        ("markov", "markov", {}),
        ("time-decay", "time_decay", {}),
    ):
        model = {"first": "first_touch", "last": "last_touch", "position-based": "position_based"}
        getattr(known, model.get(name, key))(normalize=False, **options)
        found[name] = dict(known.attribution[key])
    return found


def frame(paths: list[Taken]) -> Any:
    return tool("pandas", "pandas").DataFrame(
        {
            "path": [" > ".join(path.channels) for path in paths],
            "total_conversions": [int(path.conversions) for path in paths],
            "total_null": [int(path.count - path.conversions) for path in paths],
        }
    )


@pytest.fixture(scope="module")
def theirs(shipped: Path) -> dict[str, dict[str, float]]:
    return by_mta(str(shipped))


def test_heuristics_and_shapley_are_those_of_mta_on_its_own_data(
    ours: dict[str, dict[str, Any]], theirs: dict[str, dict[str, float]]
) -> None:
    for name in ("first", "last", "linear", "position-based", "shapley"):
        close({channel: line["conversions"] for channel, line in ours[name].items()}, theirs[name])
    # Nothing in these paths is called direct.
    assert [line["conversions"] for line in ours["last-non-direct"].values()] == [
        line["conversions"] for line in ours["last"].values()
    ]


@quick
@given(paths=COUNTED)
def test_heuristics_and_shapley_are_those_of_mta_on_any_data(paths: list[Taken]) -> None:
    theirs = by_mta(frame(paths))
    for name in ("first", "last", "linear", "position-based", "shapley"):
        close(conversions(paths, name), theirs[name])
    close(conversions(paths, "linear", "per=channel"), theirs["linear per channel"])


def test_mta_leaves_out_walks_that_nobody_took_whole(
    ours: dict[str, dict[str, Any]], theirs: dict[str, dict[str, float]]
) -> None:
    assert ours["markov"]["alpha"]["removal_effect"] == pytest.approx(0.5583994895, abs=EXACT)
    assert theirs["markov"]["alpha"] == pytest.approx(0.0178, abs=1e-4)


def test_time_decay_of_mta_counts_places_and_not_time() -> None:
    paths = [Taken(("email", "ads", "sms"), 6, 0.0, 7)]
    assert by_mta(frame(paths))["time-decay"] == pytest.approx({"email": 1, "ads": 2, "sms": 3})


# marketing-attribution-models


def mam(paths: list[Taken], *, by_value: bool) -> Any:
    """Counted paths as MAM takes them: one row for those who converted, and one for those who did not."""
    polars = tool("polars", "polars")
    rows = [
        (" > ".join(path.channels), won, int(count), path.value if won else 0.0)
        for path in paths
        for won, count in ((True, path.conversions), (False, path.count - path.conversions))
        if count
    ]
    table = polars.DataFrame(rows, ("path", "won", "occurrences", "value"), orient="row")
    value = {"conversion_value_colname": "value"} if by_value else {}
    return tool("mam", "marketing-attribution-models").MAM(
        table, "grouped_journey", "path", "won", occurrences_colname="occurrences", **value
    )


def by_mam(known: Any) -> Iterator[tuple[str, dict[str, float]]]:
    for name, run in (
        ("first", known.run_first_click),
        ("last", known.run_last_click),
        ("linear", known.run_linear),
        ("position-based", known.run_position_based),
    ):
        yield name, dict(run().to_polars().iter_rows())


def of_file(file: Path) -> list[Taken]:
    _, *lines = file.read_text().splitlines()
    rows = (line.rsplit(",", 3) for line in lines)
    return [
        Taken(tuple(path.split(" > ")), int(won), float(value), int(won) + int(lost)) for path, won, value, lost in rows
    ]


def test_heuristics_and_removal_effects_are_those_of_mam_on_the_shipped_data(
    shipped: Path, ours: dict[str, dict[str, Any]]
) -> None:
    paths = of_file(shipped)
    for column in ("conversions", "value"):
        known = mam(paths, by_value=column == "value")
        for name, theirs in by_mam(known):
            close({channel: line[column] for channel, line in ours[name].items()}, theirs)
        for loops in (True, False):
            effects = known.run_markov(transition_to_same_state=loops).metadata["removal_effect"]["removal_effect"]
            assert {channel: line["removal_effect"] for channel, line in ours["markov"].items()} == pytest.approx(
                effects.to_dict(), abs=EXACT
            )


@quick
@given(paths=COUNTED)
def test_heuristics_and_removal_effects_are_those_of_mam_on_any_data(paths: list[Taken]) -> None:
    known = mam(paths, by_value=False)
    for name, theirs in by_mam(known):
        close(conversions(paths, name), theirs)
    for name, theirs in by_mam(mam(paths, by_value=True)):
        close({channel: credit.value for channel, credit in credits(paths, name).items()}, theirs)
    effects = known.run_markov().metadata["removal_effect"]["removal_effect"].to_dict()
    found = {channel: credit.removal_effect for channel, credit in credits(paths, "markov").items()}
    assert found == pytest.approx(effects, abs=EXACT)


TIMED = st.lists(
    st.lists(st.tuples(st.sampled_from(["email", "sms", "ads"]), st.integers(0, 90 * 24 * 4)), min_size=1, max_size=6),
    min_size=1,
    max_size=6,
)


@quick
@given(journeys=TIMED, hours=st.sampled_from([1, 36, 168]))
def test_time_decay_is_that_of_mam(journeys: list[list[tuple[str, int]]], hours: int) -> None:
    # MAM is told by quarters of an hour how long each touch was before the end.
    polars = tool("polars", "polars")
    ordered = [sorted(journey, key=lambda touch: touch[1]) for journey in journeys]
    table = polars.DataFrame(
        {
            "journey": [str(place) for place in range(len(ordered))],
            "path": [" > ".join(channel for channel, _ in journey) for journey in ordered],
            "hours": [" > ".join(str((journey[-1][1] - at) / 4) for _, at in journey) for journey in ordered],
            "won": [True] * len(ordered),
        }
    )
    known = tool("mam", "marketing-attribution-models").MAM(
        table, "journey", "path", "won", user_id_colname="journey", time_till_conv_colname="hours"
    )
    theirs = dict(known.run_time_decay(half_life_hours=float(hours)).to_polars().iter_rows())
    paths = [
        Taken(
            tuple(channel for channel, _ in journey),
            1,
            0.0,
            times=tuple(Instant(at * HOUR // 4) for _, at in journey),
        )
        for journey in ordered
    ]
    close(conversions(paths, "time-decay", f"half_life={hours}h"), theirs)


# do-attribution


@pytest.mark.parametrize("order", [1, 2, 3])
def test_removal_effects_are_those_of_do_attribution_on_the_shipped_data(order: int, shipped: Path) -> None:
    # Of the higher orders it makes thousands of states, and as many rows of a frame for each channel.
    paths = of_file(shipped)[: 10_000 if order == 1 else 1000]
    rows = [
        (" > ".join(path.channels), won, count)
        for path in paths
        for won, count in ((1, path.conversions), (0, path.count - path.conversions))
        if count
    ]
    model = tool("do_attribution", "do-attribution").MarkovAttribution(order=order, removal_strategy="redirect_to_null")
    theirs = model.fit(*map(list, zip(*rows, strict=True)))
    found = credits(paths, "markov", f"order={order}")
    assert {channel: credit.removal_effect for channel, credit in found.items()} == pytest.approx(
        theirs["removal_effects"], abs=EXACT
    )
    won = sum(path.conversions for path in paths)
    assert {channel: credit.conversions / won for channel, credit in found.items()} == pytest.approx(
        theirs["attribution"], abs=EXACT
    )
