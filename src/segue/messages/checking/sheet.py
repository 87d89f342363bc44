"""The content of one message for one channel and locale, as the checks look at it, and what they find in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from segue.api import FieldType, Kind, Money
from segue.api.channels import ChannelSpec, ContentPart, address_of
from segue.diagnostics import Diagnostic, Lines, Span, severity
from segue.messages.catalogue import Origin
from segue.messages.template import BODIES, Template

Medium = Literal["email", "sms", "push", "other"]
"""What a channel is like for those who get its messages."""


def medium_of(channel: str, address: str | None) -> Medium:
    """What a channel is like, by its name in rules and the trait by which it reaches customers."""
    match address:
        case "email":
            return "email"
        case "phone":
            return "sms" if channel not in ("whatsapp", "rcs", "viber", "voice") else "other"
        case "push_token" | "web_push_token":
            return "push"
        case _:
            return "other"


class ChannelFacts(msgspec.Struct, frozen=True):
    """A channel as its content is checked: what it is like, which parts it carries (none: it can do without content),
    and what a message costs."""

    medium: Medium
    parts: tuple[ContentPart, ...] = ()
    cost: Money | None = None


def facts_of_channels(specs: Mapping[str, ChannelSpec], costs: Mapping[str, Money]) -> dict[str, ChannelFacts]:
    """The facts of a project's channels, by their names in rules; ``costs`` are those of a message."""
    return {
        name: ChannelFacts(
            medium=medium_of(name, spec.address if spec.address is not None else address_of(name)),
            parts=spec.content,
            cost=costs.get(name),
        )
        for name, spec in specs.items()
    }


class Sending(msgspec.Struct, frozen=True):
    """A rule that sends a message by a channel. ``given`` are likely values of what stands in ``with``, ``fields``
    those of the events that begin the rule, ``always`` the names that all of these events have."""

    rule: str
    kind: Kind
    given: Mapping[str, Any] = {}
    fields: Mapping[str, FieldType] = {}
    always: frozenset[str] = frozenset()


class Sheet:
    """One template under check. ``found`` is what was found; ``sources`` are the parts as their author wrote them, each
    once, though more than one part may be made of it."""

    def __init__(
        self,
        template: Template,
        origins: Mapping[str, Origin],
        channel: ChannelFacts,
        sendings: tuple[Sending, ...],
        lines: Mapping[str, Lines],
        longest: Mapping[str, str],
        shortest: Mapping[str, str],
    ) -> None:
        """``lines`` are those of the content files by path; ``longest`` are the parts with values of a likely length,
        ``shortest`` those for a customer of whom nothing is known; both are empty where the template fails."""
        self.template = template
        self.channel = channel
        self.sendings = sendings
        self.longest = longest
        self.shortest = shortest
        self.found: list[Diagnostic] = []
        self.sources = _each_once(origins)
        self._origins = origins
        self._lines = lines

    @property
    def title(self) -> str:
        """The message and its channel, in words."""
        language = f" in {self.template.locale}" if self.template.locale else ""
        return f'the message "{self.template.name}" by {self.template.channel}{language}'

    def written(self, part: str) -> str:
        """What a part was made of, as its author wrote it."""
        return self._origins[part].source if part in self._origins else ""

    def add(
        self, code: str, part: str, place: tuple[int, int] | None, message: str, label: str = "", hint: str = ""
    ) -> None:
        """Note something at a stretch of a part as it was written; None is its first line."""
        source = self.written(part)
        start, end = place if place is not None else (0, len(source.partition("\n")[0]))
        self.found.append(
            Diagnostic(
                severity=severity(code),
                code=code,
                message=message,
                primary=self.span(part, start, end),
                label=label,
                hint=hint,
            )
        )

    def span(self, part: str, start: int, end: int) -> Span:
        """Where a stretch of a part's source stands in its file."""
        origin = self._origins.get(part)
        if origin is None:
            return Span("", 0, 0, 1, 1)
        known = self._lines.get(origin.path)
        if known is None:
            return Span(origin.path, 0, 0, origin.line + origin.source.count("\n", 0, start), 1)
        begin = known.start(origin.line)
        if part not in BODIES or origin.form == "toml":
            # A line of front matter holds the name of its part before the value.
            begin = max(known.text.find("=" if origin.form == "toml" else ":", begin), begin)
        offset = max(known.text.find(origin.source, begin), begin)
        return known.span(offset + start, offset + end)


def _each_once(origins: Mapping[str, Origin]) -> dict[str, Origin]:
    found: dict[tuple[str, int], tuple[str, Origin]] = {}
    for part, origin in origins.items():
        found.setdefault((origin.path, origin.line), (part, origin))
    return dict(found.values())
