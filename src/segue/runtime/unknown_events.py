"""Events that segue.toml names and nobody knows: a slip there would keep, or spare, what nobody meant."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from segue.host.project import FILE
from segue.host.tables import lines_of_keys
from segue.language import model as m
from segue.language.nearest import nearest
from segue.runtime.assembly import Assembly
from segue.runtime.running import words_of
from segue.store.customers import load_names
from segue.store.database import read_only
from segue.store.errors import StoreError


class UnknownEvent(msgspec.Struct, frozen=True):
    """A name in segue.toml that is no event which rules or plugins know, or that ever arrived: its place, what is said
    of it, and what to do."""

    place: str
    found: str
    advice: str

    def __str__(self) -> str:
        return f"{self.place}: {self.found}; {self.advice}"


def unknown_events(assembly: Assembly, book: m.Book) -> list[UnknownEvent]:
    """The events under ``[retention]`` and of ``erase_on`` that nobody knows. ``book`` is what the rules on disk say; a
    store that there is not yet, or that cannot be read, knows none."""
    project = assembly.project
    named = [(("retention", name), name) for name in project.retention.by_event]
    named += [(("privacy", "erase_on"), name) for name in project.privacy.erase_on]
    unknown = [(path, name) for path, name in named if name not in book.events]
    if not unknown:
        return []
    arrived = _arrived(assembly)
    file = project.root / FILE
    lines = lines_of_keys(file.read_text("utf-8"))
    sent = words_of(book).names
    return [
        UnknownEvent(
            f"{file}:{lines[path]}" if path in lines else str(file),
            f"{'retention' if path[0] == 'retention' else '.'.join(path)} names {name}, an event that no rule and no "
            "plugin knows and that never arrived",
            _advise(name, sent, (*book.events, *arrived)),
        )
        for path, name in unknown
        if name not in arrived
    ]


def _advise(name: str, sent: dict[str, str], known: Iterable[str]) -> str:
    if (meant := sent.get(name) or nearest(name, known)) is not None:
        return f"did you mean {meant}?"
    return f"mend it, or declare it in your rules where it is still to come: event {name}"


def _arrived(assembly: Assembly) -> frozenset[str]:
    """The names of all events that ever arrived."""
    path = assembly.project.database
    if not path.exists():
        return frozenset()
    try:
        with read_only(path) as tx:
            return load_names(tx)
    except StoreError:
        return frozenset()
