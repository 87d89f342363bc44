"""``segue import``: once, whatever the file is called, whoever holds the store, and wherever it was cut off."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.harness import Daemon, Project, identify, track, wait_until

DAY = "2025-03-01T10:00:00Z"


def past_order(user: str, number: int) -> dict[str, Any]:
    return track(user, "Order Completed", f"o{number}", total=number) | {"timestamp": DAY}


def write_past(path: Path, orders: int, first: int = 0) -> Path:
    """A customer, and so many orders of theirs in the past."""
    calls = [identify("ann", first_name="Ann", email="ann@example.com") | {"timestamp": DAY}]
    calls += [past_order("ann", n) for n in range(first, first + orders)]
    return write_calls(path, calls)


def write_calls(path: Path, calls: Iterable[Any]) -> Path:
    text = "".join(f"{call if isinstance(call, str) else json.dumps(call)}\n" for call in calls)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def stored(project: Project) -> int:
    return int(project.rows("select count(*) from event")[0][0])


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "shop")


def test_a_file_is_imported_once_and_its_events_are_known_under_other_names(project: Project) -> None:
    past = write_past(project.root / "past.jsonl", 30)
    first = project.command("import", past, "--json")
    assert first.code == 0, first.err
    assert first.records[-1] | {"seconds": 0, "ended": ""} == {
        "file": str(past),
        "state": "done",
        "read": 31,
        "accepted": 31,
        "known": 0,
        "erased": 0,
        "refused": 0,
        "seconds": 0,
        "ended": "",
        "report": None,
    }
    assert project.command("import", past, "--json").records[-1]["state"] == "known"
    other = write_past(project.root / "other.ndjson.gz", 32)
    again = project.command("import", other, "--json").records[-1]
    assert (again["accepted"], again["known"]) == (2, 31)
    assert stored(project) == 33
    names = project.rows("select distinct name.name from event join name on name.id = event.name")
    assert names == [("ordered",)]


def test_what_was_imported_before_the_first_rules_is_history_to_them(project: Project) -> None:
    assert project.command("import", write_past(project.root / "past.jsonl", 1)).code == 0
    project.write_rules("when cart_abandoned where ordered ever send email\n")
    with Daemon(project):
        project.send(track("bob", "Cart Abandoned"), track("ann", "Cart Abandoned"))
        wait_until(lambda: project.rows("select 1 from journey"), what="a journey of ann's")
    entered = "select customer.key from journey join customer on customer.id = journey.customer"
    assert project.rows(entered) == [("u:ann",)]


def test_a_customer_who_was_erased_is_not_brought_back(project: Project) -> None:
    assert project.command("import", write_past(project.root / "past.jsonl", 2)).code == 0
    assert project.command("publish").code == 0
    erased = project.command("customer", "erase", "ann", "--yes")
    assert erased.code == 0, erased.err
    project.command("import", write_past(project.root / "again.jsonl", 3, first=1))
    other = write_calls(project.root / "other.jsonl", [past_order("ann", 77), past_order("bob", 78)])
    done = project.command("import", other, "--json").records[-1]
    assert (done["accepted"], done["erased"]) == (1, 1)
    # Not by a date after the erasure either: a file is no new relation.
    later = past_order("ann", 79) | {"timestamp": (datetime.now(UTC) + timedelta(minutes=1)).isoformat()}
    done = project.command("import", write_calls(project.root / "later.jsonl", [later]), "--json").records[-1]
    assert (done["accepted"], done["erased"]) == (0, 1)
    assert project.rows("select key from customer") == [("u:bob",)]


def test_rows_that_are_no_events_are_reported_and_the_others_are_kept(project: Project) -> None:
    endless = track("ann", "Order Completed", "o2", products=["X1"] * 2_001) | {"timestamp": DAY}
    calls = [past_order("ann", 1), "{", '{"type": "track", "event": "=1+1"}', endless]
    past = write_calls(project.root / "past.jsonl", calls)
    done = project.command("import", past)
    assert done.code == 1
    assert re.search(r"1 event imported in \d\.\d\d s, 3 rows refused: see .*past\.jsonl\.rejected\.csv", done.out)
    with (project.root / "past.jsonl.rejected.csv").open(encoding="utf-8", newline="") as report:
        rows = list(csv.reader(report))
    assert [row[:2] for row in rows] == [["file", "place"], *(["past.jsonl", f"line {n}"] for n in (2, 3, 4))]
    assert "not valid JSON" in rows[1][2]
    assert rows[2][3] == '{"type": "track", "event": "=1+1"}'
    assert "2,001 lines" in rows[3][2]


def test_looking_into_a_file_imports_nothing(project: Project) -> None:
    calls = [
        track("ann", "Order Completed", "o1") | {"timestamp": DAY},
        track("ann", "Dog Fed", "d1") | {"timestamp": DAY},
    ]
    past = write_calls(project.root / "past.jsonl", calls)
    looked = project.command("import", past, "--check", "--json")
    assert looked.code == 0
    assert looked.records == [
        {
            "file": str(past),
            "read": 2,
            "refused": 0,
            "first": "2025-03-01T10:00:00Z",
            "last": "2025-03-01T10:00:00Z",
            "events": {"ordered": 1},
            "unnamed": {"Dog Fed": 1},
            "traits": {},
            "report": None,
        }
    ]
    shown = project.command("import", past, "--check").out
    assert "events that no rule can name yet: declare them with `event`:" in shown
    assert not project.database.exists()


@pytest.mark.parametrize("times", [1, 4])
def test_an_import_that_was_killed_goes_on_where_it_was(project: Project, times: int) -> None:
    past = write_past(project.root / "past.jsonl", 6000)
    with past.open("a") as lines:
        lines.write("{\n")
    killed = subprocess.run(
        [sys.executable, "-m", "segue.cli.main", "import", str(past)],
        cwd=project.root,
        env=os.environ | {"SEGUE_KILL_AT": f"in-import:{times}", "WRITE_KEY": "k"},
        check=False,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL
    assert stored(project) < 6001
    done = project.command("import", past, "--json").records[-1]
    assert (done["read"], done["accepted"], done["known"], done["refused"]) == (6002, 6001, 0, 1)
    assert stored(project) == 6001
    assert len((project.root / "past.jsonl.rejected.csv").read_text("utf-8").splitlines()) == 2


def test_a_running_daemon_takes_the_events_in_and_goes_on_with_its_own(project: Project) -> None:
    past = write_past(project.root / "past.jsonl", 3000)
    with Daemon(project) as daemon:
        importing = project.command("import", past)
        assert importing.code == 0, importing.err
        assert f"the running Segue (process {daemon.pid}) takes the events in" in importing.err
        assert stored(project) == 3001
        project.send(track("bob", "Cart Abandoned"))
        wait_until(lambda: project.rows("select 1 from journey"), what="a journey of bob's")
    assert project.rows("select count(*) from journey") == [(1,)]


def test_an_import_outlives_the_daemon_that_it_began_with(project: Project) -> None:
    past = write_past(project.root / "past.jsonl", 20_000)
    with Daemon(project) as daemon:
        importing = subprocess.Popen(
            [sys.executable, "-m", "segue.cli.main", "import", str(past), "--json"],
            cwd=project.root,
            env=os.environ | {"WRITE_KEY": "k"},
            stdout=subprocess.PIPE,
        )
        wait_until(lambda: stored(project) > 0, what="the first events")
        daemon.kill()
        out, _ = importing.communicate(timeout=60)
        assert importing.returncode == 0
    assert json.loads(out.splitlines()[-1])["accepted"] == 20_001
    assert stored(project) == 20_001


def test_events_that_are_young_begin_journeys_where_that_is_asked_for(project: Project) -> None:
    young = write_calls(project.root / "young.jsonl", [track("ann", "Cart Abandoned") | {"timestamp": DAY}])
    unpublished = project.command("import", young, "--start-journeys")
    assert unpublished.code == 1
    assert "`segue publish` first" in unpublished.err
    assert project.command("publish").code == 0
    assert project.command("import", young, "--start-journeys").code == 0
    ignored = project.rows("select reason from ignored")
    assert len(ignored) == 1
    assert "old" in ignored[0][0] or "late" in ignored[0][0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["past.pdf"], "the name does not say what is in it"),
        (["missing.jsonl"], "No such file"),
        (["rules"], "is not a file"),
        (["past.jsonl", "--as", "till"], "segue.toml has no such source; it has segment"),
        (["past.jsonl", "--as", "segment", "--mapping", "m.toml"], "give one of them"),
        (["past.jsonl", "--mapping", "m.toml"], "No such file"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_done(
    project: Project, arguments: list[str], said: str
) -> None:
    write_past(project.root / "past.jsonl", 1)
    (project.root / "past.pdf").write_bytes(b"%PDF")
    refused = project.command("import", *arguments)
    assert refused.code == 2
    assert said in refused.err
    assert not project.database.exists()


def test_a_gzip_file_that_is_cut_off_brings_what_it_has_and_says_so(project: Project) -> None:
    past = write_past(project.root / "past.jsonl.gz", 5000)
    past.write_bytes(past.read_bytes()[:-2000])
    done = project.command("import", past)
    assert done.code == 1
    assert "the gzip file is damaged after line" in done.err
    assert 0 < stored(project) < 5001


def test_a_line_without_an_end_takes_no_memory_to_speak_of(project: Project) -> None:
    past = project.root / "past.jsonl"
    with past.open("wb") as lines:
        lines.write(b'{"type": "' + b"x" * 30_000_000 + b"\n")
        lines.write(json.dumps(track("ann", "Order Completed", "o1") | {"timestamp": DAY}).encode())
    done = project.command("import", past, "--json").records[-1]
    assert (done["accepted"], done["refused"]) == (1, 1)
