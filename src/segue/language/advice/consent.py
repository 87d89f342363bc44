"""Advice about consent: channels for which nobody said whether it is needed, and those for which nobody asks."""

from __future__ import annotations

from collections.abc import Iterator

from segue.language import model
from segue.language import tree as t
from segue.language.advice.structure import sends_in
from segue.language.items import Items
from segue.language.looking import nodes
from segue.language.rules import CheckedRule
from segue.language.sends import fill
from segue.language.vocabulary import Lexicon

SUBSCRIBED = "subscribed"
"""The event by which a customer agrees to a channel's messages."""


def advise_on_consent(items: Items, lexicon: Lexicon) -> None:
    """Once for each channel, at the first message that hangs on it."""
    told: set[str] = set()
    asked: frozenset[str] | None = None
    for checked in (checked for checked in items.rules if checked.sound):
        for written, channel, alone in _needing(checked):
            words = lexicon.channels.get(channel)
            if words is None or channel in told or words.consent == "opt-out":
                continue
            if words.consent == "unsettled":
                told.add(channel)
                checked.report.add(
                    "W0715",
                    written.place,
                    f"nobody has said whether customers must agree before they get messages by {channel}: "
                    "they go out until a customer says no",
                    label="opt-out, since nothing is set",
                    hint=f'settle it in segue.toml, under [channels.{channel}]: consent = "opt-in" or "opt-out"',
                )
                continue
            if asked is None:
                asked = _asked_for(items, lexicon)
            if alone and channel not in asked:
                told.add(channel)
                checked.report.add(
                    "W0716",
                    written.place,
                    f"messages by {channel} go only to customers who agreed, and nothing here asks them to agree",
                    label="who has agreed?",
                    hint=f"ask with `can get {channel}` and send those who can't be reached something else; "
                    f"where a form of yours asks, declare what it sends: `event {SUBSCRIBED}`",
                )


def _needing(checked: CheckedRule) -> Iterator[tuple[t.Delivery, str, bool]]:
    """The channels of a rule's messages that may need consent, and whether no other stands beside them."""
    kind = checked.rule.kind
    for step in sends_in(checked.written.steps):
        for group in (group for part in fill(step, checked.rule.name) for group in part):
            for filled in group:
                written = filled.written
                if written.channel is not None and (filled.kind.text if filled.kind else kind) != "transactional":
                    yield written, written.channel.text, len(group) == 1


def _asked_for(items: Items, lexicon: Lexicon) -> frozenset[str]:
    """The channels whose consent the book deals with: all of them where it speaks of the event that gives it."""
    channels: set[str] = set()
    speaks = lexicon.declares(SUBSCRIBED)
    holders: list[model.Node] = [checked.rule for checked in items.rules]
    holders += [checked.segment for checked in items.segments]
    for holder in holders:
        speaks = speaks or (isinstance(holder, model.Rule) and SUBSCRIBED in holder.events)
        for node in nodes(holder):
            match node:
                case model.CanGet(channel=channel):
                    channels.add(channel)
                case model.Happened(event=event) | model.Aggregate(event=event) | model.Emit(event=event):
                    speaks = speaks or event == SUBSCRIBED
                case _:
                    pass
    return frozenset(lexicon.channels) if speaks else frozenset(channels)
