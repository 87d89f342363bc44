"""Reading funnels from a project's store, beside a daemon that may be running."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from functools import partial
from typing import Final

import msgspec

from segue.api import Instant
from segue.cli.ending import USAGE, fail
from segue.cli.segments.progress import Telling
from segue.language.nearest import nearest
from segue.measure.funnels.counting import Funnel
from segue.measure.funnels.courses import Books
from segue.measure.period import Period
from segue.messages.template import Template
from segue.runtime.assembly import Assembly
from segue.store.database import read_only
from segue.store.errors import StoreError
from segue.store.funnels import Found, Look, count_programs, find_rules, load_templates, read_courses, rules_entered

_TRIES: Final = 3
"""Times that journeys are counted, where rules are published meanwhile."""


class Read(msgspec.Struct, frozen=True):
    """A rule's funnel, with its books of all time, and the contents of its messages by hash."""

    funnel: Funnel
    books: Books
    templates: dict[str, Template]


def read_funnels(
    assembly: Assembly, rule: str | None, period: Period, now: Instant, *, by_customer: bool = False
) -> list[Read]:
    """The funnel of a rule, or of all that were ever entered, of the journeys entered in a period. Ends the command
    where there is no such rule."""
    look = partial(read_only, assembly.project.database, much=True)
    try:
        for _ in range(_TRIES):
            with look() as tx:
                known = rules_entered(tx)
                found = find_rules(tx, known if rule is None else [rule])
                programs = count_programs(tx)
            if rule is not None and rule not in found:
                fail(f"no rule {rule} was ever published to this store{_hint(rule, known)}", USAGE)
            funnels = _count(look, found, assembly.setting.zone, period, now, by_customer=by_customer)
            with look() as tx:
                if count_programs(tx) != programs:
                    continue  # journeys may have gone over to a text that was not known when this began
                hashes = {name: {one.template for one in funnel.letters} for name, funnel in funnels.items()}
                return [
                    Read(funnel, found[name].books, load_templates(tx, sorted(hashes[name])))
                    for name, funnel in sorted(funnels.items())
                ]
        fail("rules were published each time while journeys were counted: try again")
    except StoreError as error:
        fail(str(error))


def _hint(rule: str, known: Sequence[str]) -> str:
    near = nearest(rule, known)
    return f"; did you mean {near}?" if near else f"; there are {', '.join(known)}" if known else ""


def _count(
    look: Look, found: Mapping[str, Found], zone: tzinfo, period: Period, now: Instant, *, by_customer: bool
) -> dict[str, Funnel]:
    funnels = {name: Funnel(name, one.versions, zone, by_customer=by_customer) for name, one in found.items()}
    of = {row: funnels[name] for name, one in found.items() for row in one.versions}
    versions = {row: version for one in found.values() for row, version in one.versions.items()}
    newest = max((one.newest for one in found.values()), default=0)
    with Telling("at journeys", of="journeys") as tell, _no_collection():
        for course in read_courses(look, versions, newest, period, tell):
            of[course.version].take(course, now)
    return funnels


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without looks for cycles: a million journeys, of which none is in one, are looked through again and again, for a
    fifth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
