"""What ``segue bench`` measures, in miniature: that it measures what it says, and shows it as documented. No speeds."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from segue.api import Instant
from segue.cli import bench as command
from segue.cli.benchmarks import compared, over_http, segments_shown, sending_shown
from segue.cli.benchmarks.backlog import measure_backlog
from segue.cli.benchmarks.checking import measure_checking
from segue.cli.benchmarks.editing import measure_editing
from segue.cli.benchmarks.figures import Figure, Sizes
from segue.cli.benchmarks.histories import measure_histories
from segue.cli.benchmarks.over_http import NoSource, measure_over_http
from segue.cli.benchmarks.replaying import measure_replaying
from segue.cli.benchmarks.segments import Kept, Rebuilt, Result, measure_segments
from segue.cli.benchmarks.sending import Sending, measure_sending
from segue.cli.benchmarks.spine import daemon, feed, measure_spine
from segue.cli.benchmarks.workload import Shop, book
from segue.clock.yardstick import JobRates, MissingLibrary, measure_jobs
from segue.host import Plugins
from segue.store.sweeps import count_rules

NOON = Instant(1_800_000_000_000_000)
TINY = Sizes(customers=300, mixed=300, over_http=150, waiting=300, jobs=6, rules=8, replayed=60, past=2_000)

app = typer.Typer()
app.command()(command.bench)


def test_the_rule_is_the_canonical_one() -> None:
    (rule,) = book().rules
    assert rule.events == ("cart_abandoned",)
    assert len(rule.steps) == 3


def test_half_of_the_customers_order_and_some_events_come_again() -> None:
    stream = list(Shop().stream(0, 1000, at=NOON))
    distinct = {event.message_id: event for event in stream}
    carts = [event for event in distinct.values() if event.name == "cart_abandoned"]
    orders = [event for event in distinct.values() if event.name == "ordered"]
    assert (len(carts), len(orders)) == (1000, 500)
    assert 0.01 <= 1 - len(distinct) / len(stream) <= 0.05


def test_the_same_seed_gives_the_same_customers() -> None:
    assert list(Shop(3).stream(0, 50, at=NOON)) == list(Shop(3).stream(0, 50, at=NOON))
    assert Shop(3).message_id() != Shop(4).message_id()


@pytest.mark.asyncio
async def test_the_daemon_that_is_measured_decides_the_stream(tmp_path: Path) -> None:
    stream = list(Shop().stream(0, 200, at=NOON))
    async with daemon(tmp_path / "one.db", publish=True) as one:
        now = one.clock.look()
        await feed(one, list(Shop().stream(0, 200, at=now)))
        assert one.counts.events == 300
        assert one.counts.duplicates == len(stream) - 300
        (counts,) = one.store.write(count_rules).result()
    assert (counts.entered, counts.inside, counts.exited) == (200, 100, 100)


@pytest.mark.asyncio
async def test_the_spine_gives_three_rates(tmp_path: Path) -> None:
    spine = await measure_spine(tmp_path, customers=300, mixed=200)
    assert (spine.customers, spine.waits) == (300, 300)
    assert spine.events > 300
    assert min(spine.journeys, spine.decided, spine.fired) > 0


def test_the_bare_loop_gives_the_same_three_rates(tmp_path: Path) -> None:
    bare = compared.measure_bare(tmp_path, customers=300, mixed=200)
    assert min(bare.journeys, bare.events, bare.waits) > 0


def test_a_job_for_each_wait_is_measured_beside_it(tmp_path: Path) -> None:
    rates = measure_jobs(tmp_path, [f"customer-{number}" for number in range(6)])
    assert min(rates.journeys, rates.events, rates.waits) > 0


def test_a_started_process_tells_its_memory_and_when_it_fired(tmp_path: Path) -> None:
    backlog = measure_backlog(tmp_path, waiting=300)
    assert backlog.waiting == 300
    assert backlog.disk > 0
    assert 10 < backlog.memory < 1000
    assert 0 < backlog.ready < 60


@pytest.mark.asyncio
async def test_messages_are_handed_to_a_gateway_and_their_time_is_parted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEGUE_BENCH", "no-secret")
    found = await measure_sending(tmp_path, "http", 60, lambda what: None)
    assert found.messages == 60
    assert found.seconds > 0
    assert set(found.parts) == {"claim", "outcome", "hand-over"}
    assert sum(found.parts.values()) <= found.cpu + 0.1
    assert found.sink_cpu is not None


@pytest.mark.asyncio
async def test_every_event_over_http_is_acknowledged(tmp_path: Path) -> None:
    result = await measure_over_http(tmp_path, customers=150)
    assert result.events > 225
    assert result.decided > 0


@pytest.mark.asyncio
async def test_a_missing_source_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = Plugins(channels={}, sources={}, models={}, vocabularies=(), distributions=(), problems=())
    monkeypatch.setattr(over_http, "discover", lambda: empty)
    with pytest.raises(NoSource, match="pip install segue-segment"):
        await measure_over_http(tmp_path, customers=1)


def test_the_book_that_is_checked_has_so_many_rules_and_no_fault(tmp_path: Path) -> None:
    checking = measure_checking(tmp_path, rules=30)
    assert checking.rules == 30
    assert checking.parsed > checking.checked > 0
    assert len(list(tmp_path.glob("*.rules"))) == 3


def test_the_long_file_that_is_edited_is_answered_in(tmp_path: Path) -> None:
    editing = measure_editing(tmp_path, lines=200, keys=2)
    assert 150 < editing.lines <= 200
    assert {"completion", "formatting", "renaming an event"} <= {one.kind for one in editing.answers}
    assert all(0 < one.median <= one.worst for one in editing.answers)
    assert editing.parsed > 0


def test_the_month_that_is_replayed_comes_in_order_and_half_of_it_orders(tmp_path: Path) -> None:
    month = list(Shop().month(100, at=NOON))
    assert [event.timestamp for event in month] == sorted(event.timestamp for event in month)
    assert sum(event.name == "ordered" for event in month) == 50
    replaying = measure_replaying(tmp_path, customers=100)
    assert replaying.events == 150
    assert replaying.decoded > replaying.replayed > 0


def test_an_event_is_measured_after_few_and_after_many_of_the_same_customer(tmp_path: Path) -> None:
    costs = measure_histories(tmp_path, (3, 300))
    assert [one.past for one in costs] == [3, 300]
    assert all(one.taken > 0 and one.looked_through > 0 for one in costs)


def test_a_run_gives_every_figure_and_leaves_nothing_behind(tmp_path: Path) -> None:
    told: list[str] = []
    result = compared.measure(TINY, told.append, tmp_path)
    assert list(dict.fromkeys(one.name.split(":")[0] for one in result.figures)) == [
        "journeys",
        "events",
        "waits",
        "http",
        "replay",
        "history",
        "check",
        "editing",
        "filling",
        "memory",
        "disk",
        "ready",
    ]
    (note,) = result.notes
    assert "load of the machine" in note
    assert len(told) == 9
    assert list(tmp_path.iterdir()) == []


def test_without_sqlalchemy_the_rest_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> JobRates:
        raise MissingLibrary("SQLAlchemy is not installed")

    monkeypatch.setattr(compared, "measure_jobs", refuse)
    result = compared.measure(TINY, lambda _: None, tmp_path)
    assert result.notes[0] == "SQLAlchemy is not installed"
    assert all(one.scheduler is None for one in result.figures)
    assert result.figures[0].bare is not None


def test_ratios_say_how_segue_compares() -> None:
    figure = Figure("waits", "waits", "1/s", 10, segue=30_000, bare=120_000, scheduler=1_500, good=30_000, aim=100_000)
    assert figure.to_bare() == 0.25
    assert figure.to_scheduler() == 20
    assert figure.reached == "good"
    assert Figure("disk", "disk", "MB", 10, segue=600, good=800, aim=500).reached == "good"
    assert Figure("ready", "start", "s", 10, segue=5, good=4, aim=1).reached == ""


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = (
        Figure("journeys", "journeys started", "1/s", 100, 40_000, 100_000, 500, 20_000, 50_000),
        Figure("disk", "disk", "MB", 100, 44.0),
    )
    monkeypatch.setattr(compared, "measure", lambda *_: compared.Result(figures, ("something is missing",)))
    monkeypatch.setattr("segue.runtime.process.settle", lambda: None)
    monkeypatch.setattr("segue.cli.logs.configure", lambda **_: None)


@pytest.mark.usefixtures("measured")
def test_json_gives_one_line_for_each_figure() -> None:
    outcome = CliRunner().invoke(app, ["--json"])
    lines = [json.loads(line) for line in outcome.stdout.splitlines()]
    assert outcome.exit_code == 0
    assert lines[0] == {
        "figure": "journeys",
        "unit": "1/s",
        "count": 100,
        "segue": 40_000,
        "bare_loop": 100_000,
        "apscheduler": 500,
        "to_bare_loop": 0.4,
        "to_apscheduler": 80,
        "reached": "good",
    }
    assert lines[1]["bare_loop"] is None
    assert lines[2] == {"note": "something is missing"}


@pytest.mark.usefixtures("measured")
def test_the_table_has_ratios_and_says_where_the_gap_comes_from() -> None:
    outcome = CliRunner().invoke(app, [])
    text = " ".join(outcome.stdout.split())
    assert outcome.exit_code == 0
    assert "journeys started 40,000/s 100,000/s 40% 500/s 80 good" in text
    assert "group commit" in text
    assert "something is missing" in text


def test_a_folder_that_is_not_there_is_wrong_usage() -> None:
    outcome = CliRunner().invoke(app, ["--folder", "nowhere/at/all"])
    assert outcome.exit_code == 2
    assert "there is no such folder" in outcome.stderr


def test_segments_are_found_kept_and_crossed(tmp_path: Path) -> None:
    result = measure_segments(1_000, lambda what: None, tmp_path)
    rebuilt, (kept,) = result.rebuilt, result.kept
    assert (rebuilt.customers, rebuilt.segments, rebuilt.alone) == (1_000, 50, 0)
    assert rebuilt.members > 5_000
    assert kept.rows > rebuilt.members  # whoever is in none may be tomorrow, and that is noted too
    assert kept.looks > kept.crossed > 0
    assert list(tmp_path.iterdir()) == []


def test_figures_of_segments_are_shown_and_printed_as_documented(capsys: pytest.CaptureFixture[str]) -> None:
    rebuilt = Rebuilt(1_000_000, 50, 13_000_000, 0, 40.0, 80.0, 2, 400.0)
    few = Kept(10_000, 1.0, 150_000, 4.0, 9.0, 400.0, 5_000, 8_000.0, 4_000, 1.0, 40.0)
    result = Result(rebuilt, (few, msgspec.structs.replace(few, customers=1_000_000, event=500.0)))
    segments_shown.show(result, json=True)
    first, *rest = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (first["figure"], first["seconds"], first["to_bare_loop"]) == ("rebuild", 40.0, 0.5)
    assert [(one["customers"], one["event_to_fewest"]) for one in rest] == [(10_000, 1.0), (1_000_000, 1.25)]
    segments_shown.show(result, json=False)
    assert "1,000,000 customers in 50 segments in 40.0 s" in capsys.readouterr().out


def test_sending_is_shown_by_the_core_with_the_rest_of_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    parts = {"claim": 0.1, "outcome": 0.1, "hand-over": 0.5}
    one = Sending("smtp", 1000, 2.0, 1.0, 0.1, 0.6, 0.5, parts, 0)
    sending_shown.show([one], json=True)
    line = json.loads(capsys.readouterr().out)
    assert (line["a_minute"], line["a_core_minute"], line["to_bare_loop"]) == (30_000, 60_000, 0.5)
    assert line["reached"] is True
    assert line["microseconds"]["render, sign, and the daemon's loop"] == 300
    sending_shown.show([one], json=False)
    assert "50% of the bare loop" in capsys.readouterr().out
