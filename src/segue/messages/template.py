"""One message on one channel in one language, laid out and ready to be filled in for a customer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec

from segue.messages.attaching import report_days

_NAME: Final = re.compile(r"\b(?:customer|event)\.[^\W\d]\w*")
_BRAND: Final = re.compile(r"\bbrand\b")
_NOW: Final = re.compile(r"\{[{%](?:(?![%}]\}).)*?\b(?:now|today)\b", re.DOTALL)

BODIES = ("text", "html")
"""Parts that may run over several lines; every other part is one line (``subject``, ``preview`` …)."""


class House(msgspec.Struct, frozen=True, array_like=True):
    """What all messages of a project have in common: its locale, the zone of customers whose own is not known, the
    currency of bare numbers, and ``brand``, as templates read it (`segue.messages.brand.Brand`)."""

    locale: str = "en"
    zone: str = "UTC"
    currency: str = ""
    brand: dict[str, Any] = {}


PLAIN: Final = House()


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a message for one channel; make one with `template_of`.

    ``locale`` is None for the content without a language of its own. ``parts`` holds Liquid source by part
    (``subject``, ``text``, ``html``), laid out already: an MJML file is HTML here. ``made`` are those parts that were
    made from another one, as text is from HTML. ``hash`` names the content: equal content, equal hash. ``lines`` says
    on which line of its file a part begins, 0 where the lines of the file are not those of the part; it serves error
    messages and is no part of the content.
    """

    name: str
    channel: str
    locale: str | None
    parts: dict[str, str]
    hash: str
    house: House = PLAIN
    made: tuple[str, ...] = ()
    lines: dict[str, int] = {}

    def __hash__(self) -> int:
        return hash(self.hash)

    @property
    def language(self) -> str:
        """The language that it is written in: where no file says, that of the project."""
        return self.locale or self.house.locale

    @property
    def report_days(self) -> int | None:
        """Of how many days the project's report goes with the message; None where none does."""
        return report_days(self.parts)

    def reads(self) -> frozenset[str]:
        """The names of the customer and of the event that the text mentions: ``customer.first_name``."""
        return frozenset(name for source in self.parts.values() for name in _NAME.findall(source))

    def reads_now(self) -> bool:
        """Whether the text asks what time it is: ``{{ now }}``, ``{{ "today" | date: "long" }}``. A report does: which
        days it is about."""
        return self.report_days is not None or any(
            ("now" in source or "today" in source) and _NOW.search(source) is not None for source in self.parts.values()
        )


class _Content(msgspec.Struct, frozen=True, array_like=True):
    """What the hash covers, in the order in which it is written."""

    name: str
    channel: str
    locale: str | None
    parts: tuple[tuple[str, str], ...]
    house: House = PLAIN
    made: tuple[str, ...] = ()


def template_of(
    name: str,
    channel: str,
    locale: str | None,
    parts: Mapping[str, str],
    lines: Mapping[str, int] | None = None,
    *,
    house: House = PLAIN,
    made: tuple[str, ...] = (),
) -> Template:
    """The template of these parts, with its hash. Of the house it keeps what its parts can show."""
    if house.brand and not any(_BRAND.search(source) for source in parts.values()):
        house = msgspec.structs.replace(house, brand={})
    content = _Content(name, channel, locale, tuple(sorted(parts.items())), house, tuple(sorted(made)))
    return _from_content(content, msgspec.json.encode(content), dict(lines or {}))


def to_canonical(template: Template) -> bytes:
    """The bytes that the hash is of: store these to render the same message after its files have changed."""
    return msgspec.json.encode(
        _Content(
            template.name,
            template.channel,
            template.locale,
            tuple(sorted(template.parts.items())),
            template.house,
            template.made,
        )
    )


def from_canonical(data: bytes) -> Template:
    """The template that `to_canonical` wrote. Raises msgspec.DecodeError when the bytes are nothing of the kind."""
    return _from_content(msgspec.json.decode(data, type=_Content), data, {})


def _from_content(content: _Content, data: bytes, lines: dict[str, int]) -> Template:
    return Template(
        name=content.name,
        channel=content.channel,
        locale=content.locale,
        parts=dict(content.parts),
        hash=blake2b(data, digest_size=16).hexdigest(),
        house=content.house,
        made=content.made,
        lines=lines,
    )
