"""Advice about consent: channels for which nobody said whether it is needed, and those for which nobody asks."""

from __future__ import annotations

from collections.abc import Iterator

from segue.language import model
from segue.language import tree as t
from segue.language.items import Items
from segue.language.looking import nodes
from segue.language.rules import CheckedRule
from segue.language.vocabulary import Lexicon

SUBSCRIBED = "subscribed"
"""The event by which a customer agrees to a channel's messages."""


def advise_on_consent(items: Items, lexicon: Lexicon) -> None:
    """Once for each channel, at the first message that hangs on it."""
    told: set[str] = set()
    asked: frozenset[str] | None = None
    for checked in items.rules:
        for written, channel in _needing(checked):
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
            if channel not in asked:
                told.add(channel)
                checked.report.add(
                    "W0716",
                    written.place,
                    f"messages by {channel} go only to customers who agreed, and nothing here asks them to agree",
                    label="who has agreed?",
                    hint=f"ask with `can get {channel}` and send those who can't be reached something else; "
                    f"where your forms ask, declare what they send: `event {SUBSCRIBED}`",
                )


def _needing(checked: CheckedRule) -> Iterator[tuple[t.Delivery, str]]:
    """The channels of a rule's messages that need consent, where it is asked for at all."""
    understood: dict[int, list[model.Delivery]] = {}
    for written, made in checked.made:
        if isinstance(made, model.Send):
            understood.setdefault(id(written), []).extend(delivery for group in made.together for delivery in group)
    seen: set[int] = set()
    for written, made in checked.made:
        if not isinstance(written, t.Send) or not isinstance(made, model.Send) or id(written) in seen:
            continue
        seen.add(id(written))
        places = [delivery for part in written.parts for group in part.groups for delivery in group.deliveries]
        if len(places) != len(understood[id(written)]):
            continue
        for place, delivery in zip(places, understood[id(written)], strict=True):
            if delivery.channel is not None and delivery.kind != "transactional":
                yield place, delivery.channel


def _asked_for(items: Items, lexicon: Lexicon) -> frozenset[str]:
    """The channels whose consent the book deals with: all of them where it knows the event that gives it."""
    if lexicon.is_event(SUBSCRIBED):
        return frozenset(lexicon.channels)
    holders: list[model.Node] = [checked.rule for checked in items.rules]
    holders += [checked.segment for checked in items.segments]
    return frozenset(node.channel for holder in holders for node in nodes(holder) if isinstance(node, model.CanGet))
