"""What a test expects, held against what was decided: facts that must hold, each by itself.

What no line mentions is allowed. A line with a moment holds where it happened in that very second; the same line twice
means that it happened twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Final, assert_never

import msgspec

from segue.api import Instant
from segue.language import model as m
from segue.language.tests import DECIDED, EXPECTED
from segue.runtime.running import DecisionLine
from segue.scenario.moments import means, word_after, word_moment

MESSAGES: Final = "messages"
"""What stands for messages on any channel; every word that means no decision is a channel's name."""

Expectation = m.ExpectNone | m.ExpectOne | m.ExpectCount

_MEANING: Final[Mapping[str, str]] = {str(word): decision for word, decision in DECIDED.items()}


def is_decision(what: str) -> bool:
    """Whether an expectation's word stands for a decision, on whatever channel; every other is a channel's name."""
    return what in _MEANING


def word_what(what: str, count: int) -> str:
    """What is expected so many times: ``1 message``, ``2 entries``, ``2 email``."""
    words = [word for word, meaning in EXPECTED.items() if meaning == what]
    return what if not words else words[0] if count == 1 else words[-1]


class Unmet(msgspec.Struct, frozen=True):
    """An expectation that did not come true: which of the test's, its line, its words, and what happened instead."""

    number: int
    line: int
    text: str
    reason: str


def judge(test: m.Test, decisions: Sequence[DecisionLine], start: Instant, own: tzinfo) -> tuple[Unmet, ...]:
    """The expectations of a test that its rule's decisions do not meet."""
    unmet = []
    repeated: Counter[str] = Counter()
    for number, expected in enumerate(test.expects):
        text = word_expectation(expected)
        repeated[text] += 1
        reason = _why_unmet(expected, repeated[text], decisions, start, own)
        if reason is not None:
            unmet.append(Unmet(number, expected.line, text, reason))
    return tuple(unmet)


def meeting(
    expected: Expectation, decisions: Sequence[DecisionLine], start: Instant, own: tzinfo, *, timed: bool = True
) -> list[DecisionLine]:
    """The decisions that an expectation is about. Without ``timed`` at whatever moment they were made."""
    moment = expected.at if isinstance(expected, m.ExpectOne) and timed else None
    message = expected.message if isinstance(expected, m.ExpectOne) else None
    return [
        line
        for line in decisions
        if is_about(line, expected.what)
        and (message is None or line.message == message)
        and (moment is None or means(moment, line.at, start, own))
    ]


def is_about(line: DecisionLine, what: str) -> bool:
    """Whether a decision is one that an expectation's word stands for."""
    decision = _MEANING.get(what)
    return line.decision == decision if decision is not None else line.decision == "sent" and line.channel == what


def _why_unmet(
    expected: Expectation, times: int, decisions: Sequence[DecisionLine], start: Instant, own: tzinfo
) -> str | None:
    found = meeting(expected, decisions, start, own)
    match expected:
        case m.ExpectNone():
            return _listed(found, start, own) if found else None
        case m.ExpectCount(count=count):
            if len(found) == count:
                return None
            return (
                f"there {'was' if len(found) == 1 else 'were'} {len(found)}: {_listed(found, start, own)}"
                if found
                else (f"there was none: {_instead(expected, decisions, start, own)}")
            )
        case m.ExpectOne():
            if len(found) >= times:
                return None
            if found:
                return "it happened only once" if len(found) == 1 else f"it happened only {len(found)} times"
            elsewhen = meeting(expected, decisions, start, own, timed=False)
            if elsewhen:
                return f"it happened {_moments(elsewhen, start, own)}"
            return f"it did not happen: {_instead(expected, decisions, start, own)}"
        case _:
            assert_never(expected)


def _moments(lines: Sequence[DecisionLine], start: Instant, own: tzinfo) -> str:
    said = [f"at {word_after(line.at, start, own)}" for line in lines]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def _listed(lines: Sequence[DecisionLine], start: Instant, own: tzinfo) -> str:
    return ", ".join(f"{word_decision(line)} at {word_after(line.at, start, own)}" for line in lines)


def _instead(expected: Expectation, decisions: Sequence[DecisionLine], start: Instant, own: tzinfo) -> str:
    """The decision that explains best why something did not happen."""
    entered = [line for line in decisions if line.decision == "entered"]
    if not entered:
        ignored = next((line for line in decisions if line.decision == "ignored"), None)
        why = f": {ignored.reason}" if ignored is not None else ""
        return f"no journey began{why}"
    message = expected.message if isinstance(expected, m.ExpectOne) else None
    if expected.what == MESSAGES or not is_decision(expected.what):
        for line in decisions:
            if (
                line.decision in ("skipped", "undelivered", "deferred")
                and expected.what in (MESSAGES, line.channel)
                and message in (None, line.message)
            ):
                return f"at {word_after(line.at, start, own)} {word_decision(line)}"
        other = [line for line in decisions if is_about(line, expected.what)]
        if other:
            return f"there was {_listed(other, start, own)}"
    ended = [line for line in decisions if line.decision in ("exited", "finished", "failed")]
    if ended:
        return f"the journey {word_decision(ended[-1])} at {word_after(ended[-1].at, start, own)}"
    return "the journey was still inside at the end"


def word_decision(line: DecisionLine) -> str:
    """A decision in a few words, with its reason: ``skipped sms "x" (no phone)``."""
    what = " ".join(part for part in (line.channel, f'"{line.message}"' if line.message else "") if part)
    reason = f" ({line.reason})" if line.reason else ""
    if line.decision == "sent":
        return f"{what}{reason}"
    return f"{line.decision} {what}".rstrip() + reason


def word_expectation(expected: Expectation) -> str:
    """An expectation as it is written, in the formatter's style."""
    match expected:
        case m.ExpectNone(what=what):
            return f"expect no {word_what(what, 2 if what == MESSAGES else 1)}"
        case m.ExpectCount(count=count, what=what):
            return f"expect {count} {word_what(what, count)}"
        case m.ExpectOne(what=what, message=message, at=at):
            named = f' "{message}"' if message else ""
            when = f" at {word_moment(at)}" if at is not None else ""
            return f"expect {word_what(what, 1)}{named}{when}"
        case _:
            assert_never(expected)
