"""The channels of a `send`: written to checked."""

from __future__ import annotations

from typing import cast

from segue.api import Kind
from segue.language import model
from segue.language import tree as t
from segue.language.expressions import Expressions
from segue.language.headers import positive
from segue.language.keywords import KINDS
from segue.language.kinds import read_kind
from segue.language.names import Names
from segue.language.nearest import nearest
from segue.language.report import Report
from segue.language.sends import Filled, fill
from segue.language.vocabulary import Lexicon

Values = tuple[tuple[str, model.Expression], ...]


class Deliveries:
    """Reads the sends of one rule. ``kind`` is that of messages without one of their own."""

    def __init__(
        self, lexicon: Lexicon, report: Report, expressions: Expressions, names: Names, rule: str, kind: Kind
    ) -> None:
        self._lexicon = lexicon
        self._report = report
        self._expressions = expressions
        self._names = names
        self._rule = rule
        self._kind = kind

    def read(self, step: t.Send) -> list[model.Step]:
        line = self._report.line(step)
        values: dict[int, Values] = {}
        sends: list[model.Step] = []
        for part in fill(step, self._rule):
            together = []
            for group in part:
                deliveries = [self._delivery(filled, values) for filled in group]
                together.append(tuple(delivery for delivery in deliveries if delivery is not None))
            sends.append(model.Send(tuple(together), line))
        return sends

    def _delivery(self, filled: Filled, read: dict[int, Values]) -> model.Delivery | None:
        written = filled.written
        if written.kind is not None:
            read_kind(written.kind, self._report)
        if written.within is not None:
            positive(written.within, "`within`", self._report, "it says how late the message may still go")
        kind = cast(Kind, filled.kind.text) if filled.kind is not None and filled.kind.text in KINDS else self._kind
        # Values that hold for several channels are read, and what is wrong with them told, once.
        key = filled.values[0].start if filled.values else -1
        if key not in read:
            read[key] = self._values(filled.values)
        if written.channel is None:
            self._content_for_any(filled)
            return model.Delivery(None, filled.message, read[key], kind, filled.within)
        if not self._names.channel(written.channel):
            return None
        channel = written.channel.text
        self._content(filled, channel)
        return model.Delivery(channel, filled.message, read[key], kind, filled.within)

    def _values(self, written: tuple[t.Assignment, ...]) -> Values:
        values = []
        for assignment in written:
            node = self._value(assignment.value)
            if node is not None:
                values.append((assignment.name.text, node))
        return tuple(values)

    def _value(self, written: t.Expression) -> model.Expression | None:
        match written:
            case t.Call(name=t.Name(text="coupon"), arguments=(t.Text(value=pool),)) if pool.strip():
                return model.Coupon(pool)
            case t.Call(name=t.Name(text="coupon")):
                self._report.add(
                    "E0407",
                    written,
                    "`coupon` takes a code from a pool, and needs the pool's name",
                    label="from which pool?",
                    hint='write for instance `coupon("CART10")`',
                )
                return None
            case _:
                value = self._expressions.value(written)
                return value.node if value is not None else None

    # Content

    def _content_for_any(self, filled: Filled) -> None:
        """`preferred` takes a channel that has content for the message, so one of them must."""
        messages = self._lexicon.words.messages
        if messages is None:
            return
        known = {name for names in messages.values() for name in names}
        if filled.message in known or not any(words.needs_content for words in self._lexicon.channels.values()):
            return
        self._lacking(filled, "has no content for any channel", known, "CHANNEL")

    def _content(self, filled: Filled, channel: str) -> None:
        messages = self._lexicon.words.messages
        if messages is None or not self._lexicon.channels[channel].needs_content:
            return
        known = messages.get(channel, frozenset())
        if filled.message not in known:
            self._lacking(filled, f"has no content for the channel `{channel}`", known, channel)

    def _lacking(self, filled: Filled, lacks: str, known: frozenset[str] | set[str], channel: str) -> None:
        written = filled.written
        broken = self._lexicon.words.unusable.get((channel, filled.message))
        near = nearest(filled.message, known) if written.message is not None and broken is None else None
        source = "" if filled.named else " (the rule's name, since the `send` names none)"
        self._report.add(
            "E0503",
            written.message or written.place,
            f'the message "{filled.message}"{source} {lacks}',
            label=f'did you mean "{near}"?' if near else "no content" if broken is None else "its file cannot be used",
            hint=f"mend {broken}, of which E0504 says what is wrong"
            if broken is not None
            else f"put its content into messages/{filled.message}/{channel}.txt beside the rule, "
            "or into a file with another ending that the channel knows",
            write=f'"{near}"' if near else None,
        )
