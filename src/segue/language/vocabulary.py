"""What the names in rules mean: the words of plugins and of the files' own declarations, joined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, cast

import msgspec

from segue.api import EventSpec, FieldSpec, FieldType, Vocabulary
from segue.diagnostics import Diagnostic, Label, Span
from segue.language import model
from segue.language import tree as t
from segue.language.keywords import TYPES, is_reserved
from segue.language.nearest import listed, nearest
from segue.language.report import Report

_TYPES_ELSEWHERE: Final = {
    **dict.fromkeys(("string", "str", "varchar", "char"), "text"),
    **dict.fromkeys(("int", "integer", "float", "double", "decimal", "numeric"), "number"),
    **dict.fromkeys(("bool", "flag"), "boolean"),
    **dict.fromkeys(("datetime", "timestamp", "day"), "date"),
    **dict.fromkeys(("array", "set", "strings"), "list"),
    **dict.fromkeys(("currency", "amount", "price"), "money"),
}
"""What other tools call the types."""

EVERY_EVENT: Final[dict[str, FieldType]] = {"source": "text", "timestamp": "date"}
"""Fields that every event has."""

EVERY_CHANNEL: Final = ("delivered", "undelivered", "bounced")
"""Reactions that any channel may report."""

USUAL: Final = ("opened", "clicked", "replied")
"""Reactions that the language knows by itself, so that a rule which asks for one reads the same before and after a
channel that reports it is set up."""


class ChannelWords(msgspec.Struct, frozen=True):
    """A channel as rules see it: the reactions it reports beside `EVERY_CHANNEL`, whether a message for it needs
    content, whether what it sends stands until taken back, and whether customers must agree first (``unsettled``:
    nobody has said, and then it is opt-out). ``doubtful`` are reactions that machines make as often as customers."""

    reactions: tuple[str, ...] = ()
    needs_content: bool = True
    stands: bool = False
    consent: Literal["opt-in", "opt-out", "unsettled"] = "opt-out"
    doubtful: tuple[str, ...] = ()


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a book may use without declaring it.

    ``vocabularies``  what plugins bring, each with the plugin's name
    ``channels``      the channels that exist, by their name in rules
    ``currency``      the project's, for amounts written without one
    ``messages``      for each channel, the names of the messages that have content for it; None when that is not to
    be checked
    ``unusable``      for a channel and a message, the file whose content cannot be used
    ``kept``          how long events are kept, by name, ``""`` for all others; None for one that is kept for good
    """

    vocabularies: tuple[tuple[str, Vocabulary], ...] = ()
    channels: Mapping[str, ChannelWords] = {}
    currency: str = "EUR"
    messages: Mapping[str, frozenset[str]] | None = None
    languages: Mapping[tuple[str, str], frozenset[str | None]] = {}
    unusable: Mapping[tuple[str, str], str] = {}
    locale: str = "en"
    kept: Mapping[str, int | None] = {}

    def kept_for(self, event: str) -> int | None:
        """How long what happened of an event is kept, in microseconds; None: for good."""
        return self.kept.get(event, self.kept.get(""))


class _Declared(msgspec.Struct):
    """Who says what type a field has."""

    type: FieldType
    by: str
    span: Span | None


class Lexicon:
    """The joined vocabulary. ``events`` and ``traits`` are what the book will hold; ``segments`` and ``rules`` are the
    book's own, each with its place; ``unreadable`` are events and segments whose declaration is broken,
    ``broken_rules`` the names of such rules: they are known, and nothing more is said about them."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.currency = words.currency
        self.channels = words.channels
        self.unreadable: set[str] = set()
        self.broken_rules: set[str] = set()
        self.segments: dict[str, Span] = {}
        self.rules: dict[str, Span] = {}
        self.traits_open = False
        self.found: list[Diagnostic] = []
        self._fields: dict[str, dict[str, _Declared]] = {}
        self._traits: dict[str, _Declared] = {}
        self._spellings: dict[str, dict[str, str]] = {}
        self._sent: dict[str, tuple[str, Span | None]] = {}
        self._declared_at: dict[str, Span] = {}
        self.reactions: set[str] = {*EVERY_CHANNEL, *USUAL}
        for channel in words.channels.values():
            self.reactions.update(channel.reactions)
        joined: list[Vocabulary] = []
        for plugin, vocabulary in words.vocabularies:
            if vocabulary not in joined:  # every source of a shop brings the same words
                joined.append(vocabulary)
                self._add_plugin(plugin, vocabulary)

    # Looking up

    def is_event(self, name: str) -> bool:
        return name in self._fields

    def declares(self, event: str) -> bool:
        """Whether the book's own files declare an event, whatever plugins bring."""
        return event in self._declared_at

    def event_names(self) -> Iterable[str]:
        return self._fields.keys()

    def sent_names(self) -> Iterable[str]:
        return self._sent.keys()

    def event_sent_as(self, name: str) -> str | None:
        """The event that sources send under this name."""
        found = self._sent.get(name)
        return found[0] if found else None

    def fields(self, event: str) -> dict[str, FieldType]:
        """The fields of an event, those that every event has among them."""
        return EVERY_EVENT | {name: field.type for name, field in self._fields.get(event, {}).items()}

    def is_segment(self, name: str) -> bool:
        return name in self.segments

    def segment_names(self) -> Iterable[str]:
        return self.segments.keys()

    def trait(self, name: str) -> FieldType | None:
        declared = self._traits.get(name)
        return declared.type if declared else None

    def trait_names(self) -> Iterable[str]:
        return self._traits.keys()

    def events(self) -> dict[str, model.EventType]:
        sent: dict[str, list[str]] = {event: [] for event in self._fields}
        for name, (event, _) in self._sent.items():
            sent[event].append(name)
        return {
            event: model.EventType(event, self.fields(event), tuple(sorted(sent[event])), self._spelled(event))
            for event in sorted(sent)
        }

    def _spelled(self, event: str) -> dict[str, str]:
        fields = self._fields[event]
        return {spelling: field for spelling, field in self._spellings.get(event, {}).items() if spelling not in fields}

    def traits(self) -> dict[str, FieldType]:
        return {name: self._traits[name].type for name in sorted(self._traits)}

    # Joining

    def _add_plugin(self, plugin: str, vocabulary: Vocabulary) -> None:
        self.reactions.update(reaction.name for reaction in vocabulary.reactions)
        for event in vocabulary.events:
            self._add_event_of_plugin(plugin, event)
        for trait in vocabulary.traits:
            self._add_field(self._traits, trait, plugin, f"customer.{trait.name}")

    def _add_event_of_plugin(self, plugin: str, event: EventSpec) -> None:
        if is_reserved(event.name):
            self._plugin_problem(
                "E0202", f"plugin {plugin} brings an event `{event.name}`, which is a word of the language"
            )
            return
        fields = self._fields.setdefault(event.name, {})
        for name in (event.name, *event.sent_as):
            self._add_sent_name(name, event.name, None, f"plugin {plugin}")
        for field in event.fields:
            self._add_field(fields, field, plugin, f"{event.name}.{field.name}")
            for spelling in field.sent_as:
                self._spellings.setdefault(event.name, {}).setdefault(spelling, field.name)

    def _add_field(self, fields: dict[str, _Declared], field: FieldSpec, plugin: str, full: str) -> None:
        if is_reserved(field.name):
            self._plugin_problem(
                "E0202", f"plugin {plugin} brings `{full}`, and `{field.name}` is a word of the language"
            )
            return
        known = fields.setdefault(field.name, _Declared(field.type, f"plugin {plugin}", None))
        if known.type != field.type:
            self._plugin_problem(
                "E0309",
                f"`{full}` is {known.type} for {known.by} and {field.type} for plugin {plugin}",
                "set one of the two plugins aside",
            )

    def _plugin_problem(self, code: str, message: str, hint: str = "tell the plugin's author") -> None:
        self.found.append(Diagnostic(severity="error", code=code, message=message, primary=None, hint=hint))

    def _add_sent_name(self, name: str, event: str, span: Span | None, by: str) -> None:
        other, at = self._sent.setdefault(name, (event, span))
        if other == event:
            return
        if name == event:
            # An event's own name is its own, whatever others send under it.
            self._sent[name] = (event, span)
        if at is None and span is not None and name != other:
            # The project knows what its own sources send better than a plugin does.
            self._sent[name] = (event, span)
            return
        also = (Label(at, f"`{other}` is declared here"),) if at else ()
        self.found.append(
            Diagnostic(
                severity="error",
                code="E0310",
                message=f'"{name}" would mean two events: `{other}` and `{event}` (by {by})',
                primary=span,
                label="already means another event" if span else "",
                secondary=also,
                hint=f'give only one of them the name "{name}"',
            )
        )

    # Declarations in files

    def declare_event(self, event: t.EventDeclaration, report: Report) -> None:
        name = event.name.text
        span = report.span(event.name)
        if is_reserved(name):
            return
        if name in self._declared_at:
            report.add(
                "E0308",
                event.name,
                f"the event `{name}` is declared twice",
                label="the second time",
                hint="put all its fields into one declaration",
                also=(Label(self._declared_at[name], "the first time"),),
            )
            return
        if name in self.reactions:
            report.add(
                "E0308",
                event.name,
                f"`{name}` is a reaction to messages already",
                label="already means a reaction",
                hint="give the event another name",
            )
            return
        self._declared_at[name] = span
        fields = self._fields.setdefault(name, {})
        self._add_sent_name(name, name, span, "this declaration")
        if event.sent_as:
            self._add_sent_name(event.sent_as.value, name, report.span(event.sent_as), "this declaration")
        self._declare_fields(fields, event.fields, report, name)

    def declare_traits(self, customer: t.CustomerDeclaration, report: Report) -> None:
        self._declare_fields(self._traits, customer.traits, report, "customer")

    def _declare_fields(
        self, known: dict[str, _Declared], fields: tuple[t.Field, ...], report: Report, owner: str
    ) -> None:
        here: dict[str, t.Field] = {}
        for field in fields:
            name = field.name.text
            if is_reserved(name):
                continue
            if name in here:
                report.add(
                    "E0308",
                    field.name,
                    f"`{owner}.{name}` is declared twice",
                    label="the second time",
                    hint="keep one of the two lines",
                    also=(Label(report.span(here[name].name), "the first time"),),
                )
                continue
            here[name] = field
            if field.type.text not in TYPES:
                if not is_reserved(field.type.text):
                    near = _TYPES_ELSEWHERE.get(field.type.text.casefold()) or nearest(field.type.text, TYPES)
                    report.unknown(
                        "E0311",
                        field.type,
                        f"there is no type `{field.type.text}`",
                        near,
                        f"the types are {listed(TYPES)}",
                    )
                known.setdefault(name, _Declared("text", "this file", report.span(field)))
                continue
            type_ = cast(FieldType, field.type.text)
            general = EVERY_EVENT.get(name) if owner != "customer" else None
            mine = _Declared(general or type_, "every event" if general else "this file", report.span(field))
            other = known.get(name)
            if other is None or other.span is None:
                # The project's own word on its data goes before a plugin's.
                known[name] = other = mine
            if other.type != type_:
                by = other.by if other.span is None or general else "another declaration"
                also = (Label(other.span, f"declared as {other.type} here"),) if other.span and not general else ()
                report.add(
                    "E0309",
                    field,
                    f"`{owner}.{name}` is {other.type} for {by} and {type_} here",
                    label=f"declared as {type_}",
                    hint=f"write `{name} {other.type}`, or give the field another name",
                    also=also,
                )
