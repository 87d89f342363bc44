"""The record of processing activities (GDPR, article 30), put together from the rules and settings of a project.

What neither of them says is left blank, and shown as blank: a record that guesses is worse than one with gaps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from segue.api.values import DAY
from segue.host.privacy import Privacy, Retention
from segue.language import model as m
from segue.language.looking import nodes
from segue.messages.catalogue import Catalogue
from segue.program.questions import all_deliveries
from segue.program.telling import say_trigger
from segue.runtime.assembly import Assembly, CheckedBook


class Purpose(msgspec.Struct, frozen=True):
    """One rule: what it is for, on what basis it writes by which channel, and what it reads of a customer."""

    rule: str
    title: str
    begins: str
    kinds: tuple[str, ...]
    channels: tuple[str, ...]
    basis: tuple[str, ...]
    traits: tuple[str, ...]
    events: tuple[str, ...]


class Category(msgspec.Struct, frozen=True):
    """A sort of data: a trait, or an event with those of its fields that are read, and what reads it."""

    name: str
    fields: tuple[str, ...]
    read_by: tuple[str, ...]


class Recipient(msgspec.Struct, frozen=True):
    """A channel: the plugin that serves it, the machines it hands data to, and by what it reaches a customer.
    ``keeps``: its provider keeps data, and is asked to delete them when a customer is erased."""

    channel: str
    plugin: str
    hosts: tuple[str, ...]
    address: str
    keeps: bool


class Origin(msgspec.Struct, frozen=True):
    """A source of data: the plugin that serves it, and the machines it fetches from."""

    source: str
    plugin: str
    hosts: tuple[str, ...]


class ProcessingRecord(msgspec.Struct, frozen=True):
    """The record. ``retention`` says for each sort of rows how long it is kept, in words."""

    privacy: Privacy
    purposes: tuple[Purpose, ...]
    traits: tuple[Category, ...]
    events: tuple[Category, ...]
    recipients: tuple[Recipient, ...]
    sources: tuple[Origin, ...]
    retention: tuple[tuple[str, str], ...]
    measures: tuple[str, ...]


def draw_up(assembly: Assembly, book: CheckedBook) -> ProcessingRecord:
    """The record of a project, by its rules as they are on disk."""
    project, checked = assembly.project, book.checked.book
    segments = {one.name: one for one in checked.segments}
    reads = {rule.name: _Reads(rule, segments, book.content) for rule in checked.rules}
    return ProcessingRecord(
        privacy=project.privacy,
        purposes=tuple(_purpose(assembly, rule, reads[rule.name]) for rule in checked.rules),
        traits=_categories(
            {name: dict.fromkeys(one.traits, ()) for name, one in reads.items()}
            | {
                f"channel {name}": {how.address: ()}
                for name, how in assembly.setting.reach.channels.items()
                if how.address
            }
        ),
        events=_categories({name: one.events for name, one in reads.items()}),
        recipients=tuple(
            Recipient(
                name,
                settings.use,
                _hosts(settings.settings),
                assembly.setting.reach.channels[name].address or "their id",
                spec.keeps,
            )
            for name, (spec, settings) in assembly.channels.items()
        ),
        sources=tuple(
            Origin(name, settings.use, _hosts(settings.settings)) for name, (_, settings) in assembly.sources.items()
        ),
        retention=_kept(project.retention),
        measures=_measures(assembly),
    )


class _Reads:
    """What a rule, the segments it names and its messages read of a customer."""

    def __init__(self, rule: m.Rule, segments: Mapping[str, m.Segment], catalogue: Catalogue) -> None:
        self.traits: set[str] = set()
        self.events: dict[str, tuple[str, ...]] = {}
        fields: dict[str, set[str]] = {event: set() for event in rule.events}
        if rule.per is not None:
            for event in rule.events:
                fields[event].add(rule.per)
        for part in _with_segments(rule, segments):
            match part:
                case m.Trait(name=name):
                    self.traits.add(name)
                case m.TriggerField(name=name):
                    for event in rule.events:
                        fields[event].add(name)
                case m.Aggregate(event=event, field=field):
                    fields.setdefault(event, set()).update({field} if field else ())
                case m.Happened(event=event, where=where):
                    found = {one.name for one in nodes(where) if isinstance(one, m.EventField)} if where else set()
                    fields.setdefault(event, set()).update(found)
                case _:
                    pass
        for name in _read_by_messages(rule, catalogue):
            of, _, what = name.partition(".")
            if of == "customer":
                self.traits.add(what)
            else:
                for event in rule.events:
                    fields[event].add(what)
        self.events = {event: tuple(sorted(names)) for event, names in fields.items()}


def _with_segments(rule: m.Rule, segments: Mapping[str, m.Segment]) -> Iterator[m.Node]:
    """The parts of a rule, and of the segments that it names, however many lie between."""
    seen: set[str] = set()
    waiting: list[object] = [rule]
    while waiting:
        for part in nodes(waiting.pop()):
            yield part
            name = part.name if isinstance(part, m.InSegment) else getattr(part, "segment", None)
            if isinstance(name, str) and name in segments and name not in seen:
                seen.add(name)
                waiting.append(segments[name].condition)
    if rule.audience is not None and rule.audience in segments and rule.audience not in seen:
        yield from _with_segments(
            msgspec.structs.replace(rule, audience=None, where=segments[rule.audience].condition), segments
        )


def _read_by_messages(rule: m.Rule, catalogue: Catalogue) -> set[str]:
    wanted = {(one.message, one.channel) for one in all_deliveries(rule.steps)}
    return {
        name
        for template in catalogue.templates.values()
        if (template.name, template.channel) in wanted or (template.name, None) in wanted
        for name in template.reads()
    }


def _purpose(assembly: Assembly, rule: m.Rule, reads: _Reads) -> Purpose:
    deliveries = list(all_deliveries(rule.steps))
    channels = sorted({one.channel or "preferred" for one in deliveries})
    pairs = {(one.kind, one.channel) for one in deliveries}
    return Purpose(
        rule=rule.name,
        title=rule.title or "",
        begins=say_trigger(rule),
        kinds=tuple(sorted({one.kind for one in deliveries})),
        channels=tuple(channels),
        basis=tuple(dict.fromkeys(_basis(assembly, kind, channel) for kind, channel in sorted(pairs, key=str))),
        traits=tuple(sorted(reads.traits)),
        events=tuple(sorted(reads.events)),
    )


CONTRACT: Final = "performance of a contract, article 6(1)(b)"
CONSENT: Final = "consent, article 6(1)(a)"
INTEREST: Final = "legitimate interest, article 6(1)(f), until the customer objects"


def _basis(assembly: Assembly, kind: str, channel: str | None) -> str:
    """What a message of a kind rests on: transactional ones on the contract, others on consent where a channel asks for
    it, and else on an interest that ends with an objection."""
    if kind == "transactional":
        return f"{kind}: {CONTRACT}"
    if channel is None:
        return f"{kind} by the preferred channel: as that channel's"
    reach = assembly.setting.reach.channels.get(channel)
    return f"{kind} by {channel}: {CONSENT if reach is not None and reach.consent == 'opt-in' else INTEREST}"


def _categories(reads: Mapping[str, Mapping[str, Collection[str]]]) -> tuple[Category, ...]:
    fields: dict[str, set[str]] = {}
    by: dict[str, list[str]] = {}
    for rule, found in reads.items():
        for name, read in found.items():
            fields.setdefault(name, set()).update(read)
            by.setdefault(name, []).append(rule)
    return tuple(Category(name, tuple(sorted(fields[name])), tuple(by[name])) for name in sorted(fields))


def _hosts(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The machines that a plugin's settings name: hosts of addresses, and what is called a host or server."""
    return tuple(dict.fromkeys(_hosts_in(settings.items())))


def _hosts_in(pairs: Iterable[tuple[str, Any]]) -> Iterator[str]:
    for name, value in pairs:
        if isinstance(value, dict):
            yield from _hosts_in(value.items())
        elif isinstance(value, list):
            yield from _hosts_in((name, one) for one in value)
        elif isinstance(value, str):
            try:
                host = urlsplit(value).hostname if "://" in value else None
            except ValueError:
                host = None
            if host is None and name in ("host", "hosts", "server", "servers", "broker", "brokers"):
                host = value
            if host:
                yield host


def _kept(retention: Retention) -> tuple[tuple[str, str], ...]:
    rows = [
        ("events", retention.events),
        *((f"event {name}", span) for name, span in retention.by_event.items()),
        ("messages", retention.messages),
        ("journeys that ended", retention.journeys),
        ("triggers that began nothing", retention.ignored),
    ]
    said = [(name, _span(span)) for name, span in rows]
    return (*said, ("traits, identifiers and consent", "until the customer is erased"))


def _span(micros: int | None) -> str:
    if micros is None:
        return "until the customer is erased"
    days = micros // DAY
    if days % 365 == 0:
        return f"{days // 365} year{'' if days == 365 else 's'}"
    return f"{days:,} day{'' if days == 1 else 's'}" if days else "less than a day"


def _measures(assembly: Assembly) -> tuple[str, ...]:
    """What protects the data, as far as the settings say it."""
    project = assembly.project
    local = project.http.host in ("127.0.0.1", "::1", "localhost")
    clear = project.privacy.log_ids == "clear"
    erasing = ", ".join(project.privacy.erase_on)
    return tuple(
        filter(
            None,
            (
                "Consent is looked at in the moment in which a message goes; a withdrawal always wins.",
                "Customers stand in the log by their ids." if clear else "Customers stand in the log as keyed hashes.",
                "Erased customers are not brought back by what happened before; of them only keyed hashes remain.",
                f"These events erase their customer: {erasing}." if erasing else "",
                "What is deleted is overwritten in the database file.",
                "Secrets stand in no setting, only references to them.",
                f"Segue listens on {project.http.host} only." if local else f"Segue listens on {project.http.host}.",
            ),
        )
    )
