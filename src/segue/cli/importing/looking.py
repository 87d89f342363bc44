"""What is in a file, without importing it: events by name, the time they span, traits, and what would be refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from segue.api import Event, Instant, SourceFile, to_rfc3339
from segue.api.rejected import RejectedRows
from segue.cli.importing.files import Given, Unreadable

_MOST: Final = 1000
"""Names that are told apart; a file that has more of them has put something else in their place."""


class Content(msgspec.Struct):
    """What a file holds. ``events`` are counted by the name that rules use, ``unnamed`` are those that no rule can name
    yet, ``traits`` are rows that bring one."""

    file: str
    read: int = 0
    refused: int = 0
    first: Instant | None = None
    last: Instant | None = None
    events: Counter[str] = msgspec.field(default_factory=Counter)
    unnamed: Counter[str] = msgspec.field(default_factory=Counter)
    traits: Counter[str] = msgspec.field(default_factory=Counter)
    report: str | None = None


def look_into(given: Given, names: Mapping[str, str], told: Callable[[int, int], None]) -> Content:
    """Read a file to its end. ``names`` are the names of events in rules by those that sources send. Raises
    Unreadable."""
    found = Content(str(given.path))
    report = RejectedRows(given.report_folder, given.path.name)
    try:
        with given.path.open("rb") as content:
            for piece in given.read(SourceFile(given.path.name, content, given.modified), None):
                for event in piece.events:
                    _count(found, event, names)
                found.read += len(piece.events) + len(piece.rejections)
                report.add(piece.rejections)
                told(content.tell(), found.read)
    except (ValueError, OSError) as error:
        raise Unreadable(f"{given.path}: {error}") from None
    finally:
        report.close()
    found.refused = report.count
    found.report = str(report.path) if report.count else None
    return found


def _count(found: Content, event: Event, names: Mapping[str, str]) -> None:
    at = event.timestamp
    found.first = at if found.first is None or at < found.first else found.first
    found.last = at if found.last is None or at > found.last else found.last
    if event.name is not None:
        known = names.get(event.name)
        _add(found.events if known is not None else found.unnamed, known or event.name)
    for trait in event.traits:
        _add(found.traits, trait)


def _add(counts: Counter[str], name: str) -> None:
    counts[name if name in counts or len(counts) < _MOST else "…"] += 1


def as_record(found: Content) -> dict[str, Any]:
    """The same as `--json` prints it."""
    return {
        "file": found.file,
        "read": found.read,
        "refused": found.refused,
        "first": to_rfc3339(found.first) if found.first is not None else None,
        "last": to_rfc3339(found.last) if found.last is not None else None,
        "events": dict(found.events.most_common()),
        "unnamed": dict(found.unnamed.most_common()),
        "traits": dict(found.traits.most_common()),
        "report": found.report,
    }
