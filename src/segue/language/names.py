"""What a name means: a field of the trigger, a trait, an event, a reaction, a channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from segue.api import FieldType
from segue.language import model
from segue.language import tree as t
from segue.language.keywords import is_reserved
from segue.language.nearest import listed, nearest
from segue.language.operators import Typed
from segue.language.report import Report
from segue.language.slips_of_words import HELPING
from segue.language.unknown_names import tell_unknown
from segue.language.vocabulary import EVERY_CHANNEL, USUAL, Lexicon

_CUSTOMERS: Final = frozenset(("user", "profile", "contact", "person", "client", "subscriber", "member"))
"""What other tools call the customer."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What bare names mean at a place.

    ``fields``    of the trigger; ``clashing`` are those to which its events give different types
    ``since``     where history begins when nothing is said: ``entry`` in a rule, ``ever`` in its trigger's `where`
    ``reactions`` whether there can be any yet
    ``open``      the trigger is broken or unknown, so a name that is not known may well be one of its fields
    ``began_by``  what begins the journey: an event, a trait's change, a moment of the calendar or of a segment; None in
                  a segment's own condition, where there is no journey
    ``event``     inside the brackets of `where (…)`: the event looked at, whose fields are then ``event_fields``
    """

    fields: Mapping[str, FieldType]
    clashing: frozenset[str] = frozenset()
    since: Literal["entry", "ever"] = "entry"
    reactions: bool = True
    open: bool = False
    began_by: Literal["event", "change", "moment"] | None = "event"
    event: str | None = None
    event_fields: Mapping[str, FieldType] = {}

    def inside(self, event: str, fields: Mapping[str, FieldType]) -> Scope:
        return msgspec.structs.replace(self, event=event, event_fields=fields)


class Names:
    """Looks names up, and says which known one is nearest when there is none."""

    def __init__(self, lexicon: Lexicon, report: Report, scope: Scope) -> None:
        self._lexicon = lexicon
        self._report = report
        self._scope = scope

    def path(self, path: t.Path) -> Typed | None:
        if len(path.names) == 1:
            return self._bare(path.names[0])
        first, second = path.names[0], path.names[1]
        if len(path.names) > 2:
            self._report.add("E0302", path, f"`{second.text}` has no parts of its own", hint="write at most one dot")
            return None
        if first.text == "trigger":
            return self._trigger_field(second)
        if self._scope.event is not None:
            self._report.add(
                "E0406",
                path,
                "inside the brackets only this event's own fields can be asked",
                hint=f"write `{second.text}` for the field of `{self._scope.event}`",
            )
            return None
        if first.text in _CUSTOMERS and not self._lexicon.is_event(first.text):
            self._report.add(
                "E0301",
                first,
                f"I don't know `{first.text}`",
                label="write `customer`",
                hint=f"traits are always written with `customer.`: `customer.{second.text}`",
                write="customer",
                safe=self._lexicon.trait(second.text) is not None,
            )
            return None
        event = self.event(first)
        if event is None:
            return None
        type_ = self.field(event, second)
        if type_ is None:
            return None
        return Typed(model.Aggregate("last", event, second.text, type_, model.Window(self._scope.since)), type_)

    def _bare(self, name: t.Name) -> Typed | None:
        text = name.text
        if text == "weekday":
            return Typed(model.Weekday(), "weekday")
        if text == "trigger":
            self._report.add("E0302", name, "`trigger` needs a field", hint="write for instance `trigger.total`")
            return None
        if self._scope.event is not None:
            return self._field_of_event(name, self._scope.event)
        is_field = text in self._scope.fields or text in self._scope.clashing
        is_event, is_reaction = self._lexicon.is_event(text), text in self._lexicon.reactions
        if is_field and (is_event or is_reaction):
            other = "an event" if is_event else "a reaction"
            self._report.add(
                "E0306",
                name,
                f"`{text}` is a field of the trigger and {other}: it could mean either",
                label="which of the two?",
                hint=f"write `trigger.{text}` for the field"
                + (f", or `{text} at least 1 times` for the event" if is_event else ""),
            )
            return None
        if is_field:
            return self._trigger_field(name)
        if is_event:
            return Typed(model.Happened(text, model.Window(self._scope.since)), "boolean")
        if is_reaction:
            return self._reacted(name, None, None, name)
        self._unknown(name)
        return None

    def _field_of_event(self, name: t.Name, event: str) -> Typed | None:
        type_ = self._scope.event_fields.get(name.text)
        if type_ is not None:
            return Typed(model.EventField(name.text, type_), type_)
        if event in self._lexicon.unreadable or is_reserved(name.text):
            return None
        near = nearest(name.text, self._scope.event_fields)
        hint = f"inside the brackets bare names are fields of `{event}`: {listed(self._scope.event_fields)}"
        self._report.unknown("E0302", name, f"`{event}` has no field `{name.text}`", near, hint)
        return None

    def _trigger_field(self, name: t.Name) -> Typed | None:
        if name.text in self._scope.clashing:
            self._report.add(
                "E0306",
                name,
                f"the events of this trigger give `{name.text}` different types",
                hint="make two rules, or declare the field with one type",
            )
            return None
        type_ = self._scope.fields.get(name.text)
        if type_ is not None:
            return Typed(model.TriggerField(name.text, type_), type_)
        if self._scope.began_by is None:
            self._report.add(
                "E0406",
                name,
                "a segment is asked of every customer at any time, so there is no trigger whose field could be asked",
                label="no trigger here",
                hint="ask for a trait (`customer.`) or for past events",
            )
        elif not self._scope.open and not is_reserved(name.text):
            near = nearest(name.text, self._scope.fields)
            what = {"event": "the event that begins", "change": "the change that begins", "moment": "what begins"}
            hint = f"its fields are {listed(self._scope.fields)}"
            self._report.unknown(
                "E0302", name, f"{what[self._scope.began_by]} this journey has no field `{name.text}`", near, hint
            )
        return None

    def _unknown(self, name: t.Name) -> None:
        if not (self._scope.open or name.text in self._lexicon.unreadable or is_reserved(name.text)):
            tell_unknown(name, self._lexicon, self._report, self._scope.fields, begun=self._scope.began_by is not None)

    def trait(self, path: t.TraitPath) -> Typed | None:
        type_ = self.trait_type(path)
        return Typed(model.Trait(path.name.text, type_), type_) if type_ else None

    def trait_type(self, path: t.TraitPath, likely: FieldType = "text") -> FieldType | None:
        """The type of a trait, None (and told) where there is none; ``likely`` is what it would be declared as."""
        name = path.name.text
        type_ = self._lexicon.trait(name)
        if type_ is None and not is_reserved(name) and not self._lexicon.traits_open:
            near = nearest(name, self._lexicon.trait_names())
            hint = f"declare it in a `customer` block, for instance `{name} {likely}`"
            self._report.unknown("E0303", path.name, f"customers have no trait `{name}`", near, hint)
        return type_

    def event(self, name: t.Name) -> str | None:
        """A name that must be an event."""
        text = name.text
        if self._lexicon.is_event(text):
            return text
        if text in self._lexicon.unreadable or is_reserved(text):
            return None
        near = nearest(text, self._lexicon.event_names())
        if text in self._lexicon.reactions:
            message = f"`{text}` is a reaction to a message, not an event"
        elif text in self._scope.fields:
            message = f"`{text}` is a field of the trigger, not an event"
        else:
            message = f"I don't know the event `{text}`"
        self._report.unknown("E0301", name, message, near, f"if sources send it, declare it: `event {text}`")
        return None

    def field(self, event: str, name: t.Name) -> FieldType | None:
        """The type of a field of an event."""
        fields = self._lexicon.fields(event)
        if name.text in fields:
            return fields[name.text]
        if event not in self._lexicon.unreadable and not is_reserved(name.text):
            hint = f"its fields are {listed(fields)}; a new one is declared under `event {event}`"
            self._report.unknown(
                "E0302", name, f"`{event}` has no field `{name.text}`", nearest(name.text, fields), hint
            )
        return None

    def event_with_history(self, path: t.Path | t.TraitPath) -> str | None:
        """The event before `in last`, `ever`, `at least` or `where (…)`."""
        written = self._report.text(path)
        if self._scope.event is not None:
            self._report.add(
                "E0406", path, "inside the brackets only this event's fields can be asked, not other history"
            )
            return None
        if isinstance(path, t.TraitPath):
            self._report.add(
                "E0406",
                path,
                f"`{written}` is a trait, and traits keep no history",
                hint="only events can be counted or looked back at",
            )
            return None
        if len(path.names) > 1:
            hint = f"to look at a field over time write for instance `last({written} in last 30d)`"
            self._report.add("E0406", path, f"`{written}` is a field: only an event happens", hint=hint)
            return None
        name = path.names[0]
        if name.text in self._lexicon.reactions and not self._lexicon.is_event(name.text):
            hint = f"write `{name.text}` alone, or `{name.text} email`"
            self._report.add(
                "E0406", path, f"`{name.text}` is a reaction to this journey's messages and takes no window", hint=hint
            )
            return None
        return self.event(name)

    def segment(self, name: t.Name) -> bool:
        """A name that must be a segment."""
        text = name.text
        if self._lexicon.is_segment(text):
            return True
        if text in self._lexicon.unreadable or is_reserved(text):
            return False
        near = nearest(text, self._lexicon.segment_names())
        rule = self._lexicon.rules.get(text)
        # Without a head a rule is called by its trigger: perhaps after the very segment that is missing.
        has_head = rule is not None and rule.end - rule.start == name.end - name.start
        message = f"`{text}` is a rule, not a segment" if has_head else f"I don't know the segment `{text}`"
        self._report.unknown("E0313", name, message, near, f"declare it: `segment {text} where …`")
        return False

    def inside(self, written: t.InsideTest) -> Typed | None:
        """`in NAME`: of a segment and a rule with one name it is the segment."""
        name = written.name
        if self._scope.event is not None:
            self._report.add(
                "E0406", written, "inside the brackets only this event's fields can be asked, not segments or rules"
            )
            return None
        if self._lexicon.is_segment(name.text):
            return Typed(model.InSegment(name.text), "boolean")
        if name.text in self._lexicon.rules:
            return Typed(model.InRule(name.text), "boolean")
        if name.text in self._lexicon.unreadable | self._lexicon.broken_rules or is_reserved(name.text):
            return None
        near = nearest(name.text, {*self._lexicon.segment_names(), *self._lexicon.rules})
        self._report.unknown(
            "E0313",
            name,
            f"I don't know a segment or rule `{name.text}`",
            near,
            f'declare a segment: `segment {name.text} where …`; a value stands in a list: `in ["…"]`',
        )
        return None

    def channel(self, name: t.Name) -> bool:
        if name.text in self._lexicon.channels:
            return True
        if not is_reserved(name.text):
            near = nearest(name.text, self._lexicon.channels)
            hint = (
                f"the channels are {listed(self._lexicon.channels)}"
                if self._lexicon.channels
                else "no channel is set up in segue.toml"
            )
            self._report.unknown("E0304", name, f"there is no channel `{name.text}`", near, hint)
        return False

    def reaction(self, written: t.Reaction) -> Typed | None:
        if written.name.text not in self._lexicon.reactions:
            if not is_reserved(written.name.text):
                if written.name.text in HELPING:
                    self._report.add(
                        "E0301",
                        written.name,
                        f"`{written.name.text}` is not needed",
                        label="delete it",
                        hint="what happened is asked by its name alone: `unless ordered`",
                        write="",
                    )
                    return None
                near = nearest(written.name.text, self._lexicon.reactions)
                hint = f"the reactions are {listed(self._lexicon.reactions)}"
                self._report.unknown("E0301", written.name, f"there is no reaction `{written.name.text}`", near, hint)
            return None
        if written.channel is not None and not self.channel(written.channel):
            return None
        return self._reacted(written.name, written.channel, written.message, written)

    def _reacted(
        self, name: t.Name, channel: t.Name | None, message: t.Text | None, place: t.Name | t.Reaction
    ) -> Typed | None:
        if not self._scope.reactions or self._scope.event is not None:
            self._report.add(
                "E0406",
                place,
                f"`{name.text}` asks for a reaction to this journey's messages, and "
                + ("a segment has no journey" if self._scope.began_by is None else "there are none yet when it begins"),
                hint="ask for it in a rule, after a `send`",
            )
            return None
        if channel is not None:
            words = self._lexicon.channels[channel.text]
            if name.text not in words.reactions and name.text not in EVERY_CHANNEL:
                self._report.add(
                    "W0706",
                    place,
                    f"the channel `{channel.text}` never reports `{name.text}`, so this is never true",
                    label="never true",
                    hint=f"it reports {listed((*words.reactions, *EVERY_CHANNEL))}",
                )
        elif name.text in USUAL and not any(name.text in words.reactions for words in self._lexicon.channels.values()):
            self._report.add(
                "W0706",
                place,
                f"no channel of this project reports `{name.text}` yet, so this is never true",
                label="never true",
                hint="it becomes true once a channel that reports it is set up in segue.toml",
            )
        return Typed(
            model.Reacted(name.text, channel.text if channel else None, message.value if message else None), "boolean"
        )
