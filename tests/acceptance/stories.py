"""Stories about customers, and the decisions expected of Segue, as text.

A story has one line for each thing that happens: when it arrives (UTC unless an offset stands), whom it concerns, and
what it is::

    03-02 10:00        ann      cart_abandoned total=60 #m1        an event, with its fields and perhaps its message id
    03-02 10:00        ann      ordered @03-01T08:00               one that happened earlier than it arrived
    03-02 10:00        ann      is vip=true timezone=Asia/Tokyo    traits
    03-02 10:00        dev1~    cart_viewed                        a device of which nobody is known yet
    03-02 10:00        dev1~ann signed_in                          the same device, with the customer it belongs to
    03-02 10:00        nobody   back_in_stock product_id=P1        an event that names no customer
    03-02 10:00        channel  email rejects "no such box"        from now on; see `drivers.Daemon`
    03-02 10:00        channel  email sends after=2min             … each perhaps with a delay
    03-02 10:00        report   ann push undelivered gone          what a provider says of the customer's last message
    03-02 10:00        rules    v2                                 another version of the rules is published
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from segue.api import Instant, from_datetime, to_rfc3339
from segue.api.values import to_datetime
from segue.runtime.running import DecisionLine

YEAR: Final = 2026

_LINE: Final = re.compile(r"(?:(\d{4})-)?(\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?")


class Input(msgspec.Struct, frozen=True):
    """One line of a story. ``line`` is the Segment call of an event."""

    at: Instant
    what: str
    line: bytes = b""
    words: tuple[str, ...] = ()


class Story(msgspec.Struct, frozen=True):
    """A rule book, what happens, and further versions of the book by name."""

    rules: str
    inputs: tuple[Input, ...]
    edits: Mapping[str, str] = {}

    @property
    def plain(self) -> bool:
        """Whether only events happen, which is what a file of recorded events can say."""
        return all(each.what == "event" for each in self.inputs)


def read_story(rules: str, story: str, edits: Mapping[str, str] | None = None) -> Story:
    """A story from its lines."""
    inputs = [_read_line(number, line) for number, line in enumerate(story.strip().splitlines()) if line.strip()]
    return Story(rules, tuple(sorted(inputs, key=lambda each: each.at)), edits or {})


def read_time(text: str) -> tuple[Instant, str]:
    """An instant at the beginning of a text, and the rest of it."""
    found = _LINE.match(text)
    assert found is not None, f"no time in {text!r}"
    year, day, clock, offset = found.groups()
    moment = datetime.fromisoformat(f"{year or YEAR}-{day}T{clock}{offset or '+00:00'}")
    return from_datetime(moment), text[found.end() :]


def _read_line(number: int, line: str) -> Input:
    at, rest = read_time(line.strip())
    who, *words = shlex.split(rest)
    if who in ("channel", "report", "rules"):
        return Input(at, who, words=tuple(words))
    call: dict[str, Any] = {"messageId": f"message-{number}", "timestamp": to_rfc3339(at), "receivedAt": to_rfc3339(at)}
    device, mark, user = who.partition("~")
    if not mark:
        device, user = "", who
    if device:
        call["anonymousId"] = device
    if user and user != "nobody":
        call["userId"] = user
    what, *words = words
    values: dict[str, Any] = {}
    for word in words:
        if word.startswith("#"):
            call["messageId"] = word[1:]
        elif word.startswith("@"):
            call["timestamp"] = to_rfc3339(read_time(word[1:])[0])
        else:
            name, _, written = word.partition("=")
            values[name] = _value(written)
    if what == "is":
        call |= {"type": "identify", "traits": values}
    elif what == "alias":
        call |= {"type": "alias", "previousId": values["was"]}
    else:
        call |= {"type": "track", "event": what, "properties": values}
    return Input(at, "event", line=msgspec.json.encode(call))


def _value(written: str) -> Any:
    try:
        return msgspec.json.decode(written.encode())
    except msgspec.DecodeError:
        return written


# Showing


def show(line: DecisionLine, *, rule: bool) -> str:
    """A decision as expectations write it."""
    parts = [_shown_time(line.at), line.customer, line.rule if rule else "", line.decision, line.channel]
    parts += [f'"{line.message}"' if line.message else "", f"({line.reason})" if line.reason else ""]
    return " ".join(part for part in parts if part)


def _shown_time(at: Instant) -> str:
    moment = to_datetime(at)
    text = moment.strftime("%m-%d %H:%M")
    if moment.second or moment.microsecond:
        text += moment.strftime(":%S")
    if moment.microsecond:
        text += moment.strftime(".%f")
    return text if moment.year == YEAR else f"{moment.year}-{text}"


def shown(lines: Iterable[DecisionLine], *, rule: bool = False) -> list[str]:
    """Decisions in the order of time; those of one instant by their words."""
    return sorted(show(line, rule=rule) for line in lines)


def written(expected: str) -> list[str]:
    """Expectations as `shown` gives decisions. A line that begins with the reason goes on with the one before it."""
    whole = re.sub(r"\n\s*\(", " (", expected.strip())
    return sorted(" ".join(line.split()) for line in whole.splitlines() if line.strip())


def identities(lines: Iterable[DecisionLine]) -> list[DecisionLine]:
    """Decisions with everything that identifies them, in an order that does not hang on how they were made."""
    return sorted(lines, key=lambda line: (line.at, line.customer, line.rule, line.key, line.decision, line.reason))
