"""Every case of `tests.acceptance.cases`, three ways that must decide alike: through the daemon's loops on a store file
that is closed and opened between every two inputs, by replay in memory, and, where only events happen, by
`segue replay --json`. Those that look back decide alike, too, where every history is long enough for aggregates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from segue.runtime import long_history
from segue.runtime.running import as_json
from tests.acceptance.cases import (
    Case,
    calendar,
    carts,
    clocks,
    conditions,
    dates,
    delivery,
    edits,
    entry,
    event_time,
    guards,
    header,
    people,
    policy,
    segments,
    sentence,
    waits,
)
from tests.acceptance.drivers import by_command, in_replay, in_store
from tests.acceptance.stories import identities, read_story, shown, written

THEMES = (
    sentence,
    entry,
    event_time,
    segments,
    carts,
    dates,
    calendar,
    header,
    people,
    waits,
    clocks,
    guards,
    conditions,
    delivery,
    policy,
    edits,
)


LOOK_BACK = (conditions, event_time, segments, entry)


def _cases(themes: Iterable[Any]) -> list[Any]:
    return [
        pytest.param(each, id=re.sub(r"\W+", "_", each.name).strip("_")) for theme in themes for each in theme.CASES
    ]


@pytest.mark.parametrize("told", _cases(LOOK_BACK))
def test_case_with_a_long_history(told: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_history, "MOST_SCANNED", 0)
    daemon = in_store(read_story(told.rules, told.story, told.edits), tmp_path)
    assert shown(daemon.lines, rule=told.rule_shown) == written(told.expect)


@pytest.mark.parametrize("told", _cases(THEMES))
def test_case(told: Case, tmp_path: Path) -> None:
    story = read_story(told.rules, told.story, told.edits)
    daemon = in_store(story, tmp_path)
    assert shown(daemon.lines, rule=told.rule_shown) == written(told.expect)
    scripted = any(each.what in ("channel", "report") for each in story.inputs)
    record = tmp_path / "record.jsonl" if scripted else None
    replayed = in_replay(story, record)
    assert replayed == in_replay(story, record, span=1)
    assert identities(replayed) == identities(daemon.lines)
    if story.plain and not re.search(r"\b(rcs|letter|budget)\b", told.rules):
        printed = by_command(story, tmp_path)
        assert sorted(printed, key=str) == sorted((as_json(line) for line in daemon.lines), key=str)
