"""The records of ``segue test --json``: one for each test, one for each rule's coverage."""

from __future__ import annotations

from typing import Any

from segue.api import to_rfc3339
from segue.runtime.running import as_json
from segue.scenario.coverage import Covered
from segue.scenario.moments import word_after
from segue.scenario.trials import Outcome


def test_record(outcome: Outcome, seconds: float) -> dict[str, Any]:
    """One test: what was expected in vain, and everything that was decided."""
    return {
        "test": outcome.test.title,
        "rule": outcome.test.rule,
        "file": outcome.test.file,
        "line": outcome.test.line,
        "outcome": "passed" if outcome.passed else "failed",
        "problem": outcome.problem,
        "unmet": [{"line": one.line, "expected": one.text, "reason": one.reason} for one in outcome.unmet],
        "began": to_rfc3339(outcome.start),
        "decisions": [
            {"after": word_after(line.at, outcome.start, outcome.zone), **as_json(line)} for line in outcome.decisions
        ],
        "seconds": round(seconds, 4),
    }


def coverage_record(covered: Covered) -> dict[str, Any]:
    """One rule's coverage."""
    return {
        "coverage": covered.rule,
        "file": covered.file,
        "tests": covered.tests,
        "steps": covered.steps,
        "steps_taken": covered.steps_taken,
        "ways": covered.ways,
        "ways_taken": covered.ways_taken,
        "steps_missed": [{"line": line} for line in covered.steps_missed],
        "ways_missed": [{"line": way.line, "way": way.text} for way in covered.ways_missed],
    }
