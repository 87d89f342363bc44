"""The engine, through the real store and the real loops, against a second reading of the language.

``SEGUE_EXAMPLES=20000`` looks deeper than every build does.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import HealthCheck, given, note, settings

from segue.runtime.running import DecisionLine
from segue.runtime.standing import StoreStanding
from segue.store.database import Store
from tests.engine.answered import decide as decide_life
from tests.engine.answered import watched_for
from tests.engine.programs import ADDRESSES, Life, lives
from tests.engine.reference import PREFERENCE, WATCHED, Line, World, moment_of

EXAMPLES = int(os.environ.get("SEGUE_EXAMPLES", "800"))


@pytest.fixture(autouse=True, scope="module")
def project() -> Iterator[None]:
    """Facts from outside the engine: every customer prefers the same channels, and what is watched is watched for days
    after the last event, not for a year."""
    with pytest.MonkeyPatch.context() as patch, watched_for(WATCHED):
        patch.setattr(StoreStanding, "preferred", lambda *_: PREFERENCE)
        yield


def decide(life: Life) -> tuple[list[Line], list[tuple[str, str, int]]]:
    """What the engine decides, in the reference's terms, and the counts it keeps."""
    store = Store(None)
    try:
        lines = decide_life(store, life)
        journeys = dict(
            store.apply(
                lambda tx: tx.rows(
                    "select lower(hex(message.key)), lower(hex(journey.key)) "
                    "from message join journey on journey.id = message.journey"
                )
            )
        )
        tallies = store.apply(lambda tx: tx.rows("select rule, what, sum(n) from tally group by rule, what"))
    finally:
        store.close()
    return in_terms_of_reference(lines, journeys), tallies


def in_terms_of_reference(lines: list[DecisionLine], journeys: Mapping[str, str]) -> list[Line]:
    numbers: dict[str, int] = {}
    entered: Counter[tuple[str, str]] = Counter()
    found = []
    for line in lines:
        if line.decision == "entered":
            entered[line.customer, line.rule] += 1
            numbers[line.key] = entered[line.customer, line.rule]
    for line in lines:
        number = 0 if line.decision == "ignored" else numbers[journeys.get(line.key, line.key)]
        reason = _reason(line)
        found.append(
            Line(
                moment_of(line.at), line.customer, line.rule, number, line.decision, line.channel, line.message, reason
            )
        )
    return found


def _reason(line: DecisionLine) -> str:
    """The kind of reason: the reference has no words for conditions."""
    match line.decision:
        case "exited" if "before the date" in line.reason:
            return "before"
        case "exited" if "date to wait for is missing" in line.reason:
            return "missing"
        case "exited":
            return line.reason.split()[0]
        case "ignored":
            known = {
                "already": "inside",
                "once": "once",
                "the event was": "late",
                "its moment was": "late",
                "the event has no": "per",
                "entries only": "dates",
                "not among": "rollout",
            }
            return next(kind for start, kind in known.items() if line.reason.startswith(start))
        case "skipped":
            if line.reason == "holdout":
                return line.reason
            return "the journey ended" if line.reason.startswith("the journey ended") else "no channel reaches"
        case _:
            return ""


def expect(life: Life) -> list[Line]:
    edit = (moment_of(life.edit[0]), life.edit[1]) if life.edit is not None else None
    world = World(life.rules, life.zone, ADDRESSES, life.answers, life.segments, edit)
    return world.run([(moment_of(received), event) for received, event in life.arrivals])


@pytest.mark.timeout(0 if "SEGUE_EXAMPLES" in os.environ else 120)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(lives())
def test_the_engine_decides_what_the_reference_decides(life: Life) -> None:
    decided, tallies = decide(life)
    expected = expect(life)
    for line in sorted(expected):
        note(f"expected {line}")
    for line in sorted(decided):
        note(f"decided  {line}")
    assert sorted(decided) == sorted(expected)
    counts = Counter({(rule, what): n for rule, what, n in tallies})
    for rule in life.rules:
        ended = sum(counts[rule.name, what] for what in ("finished", "exited", "failed"))
        assert counts[rule.name, "entered"] == ended
        assert counts[rule.name, "failed"] == 0
