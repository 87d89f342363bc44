"""Words that a plugin brings to the rule language, declared as frozen records."""

from __future__ import annotations

from typing import Literal

import msgspec

FieldType = Literal["text", "number", "money", "boolean", "date", "time", "list"]


class FieldSpec(msgspec.Struct, frozen=True):
    """A field of an event, or a trait of a customer: its name in rules, its type, and what it means.

    ``sent_as`` lists further spellings that sources use for it (``firstName`` for ``first_name``).
    """

    name: str
    type: FieldType
    doc: str = ""
    sent_as: tuple[str, ...] = ()


class EventSpec(msgspec.Struct, frozen=True):
    """An event by its name in rules; ``sent_as`` lists the names that sources send ("Order Completed")."""

    name: str
    fields: tuple[FieldSpec, ...] = ()
    sent_as: tuple[str, ...] = ()
    doc: str = ""


class ReactionSpec(msgspec.Struct, frozen=True):
    """What a customer, or a provider, does with a message: ``opened``, ``clicked``, ``delivered`` …"""

    name: str
    doc: str = ""


class Vocabulary(msgspec.Struct, frozen=True):
    """Everything one plugin adds. Two plugins may declare the same word; its fields are then joined,
    and a field with two types is an error that names both distributions."""

    events: tuple[EventSpec, ...] = ()
    traits: tuple[FieldSpec, ...] = ()
    reactions: tuple[ReactionSpec, ...] = ()
