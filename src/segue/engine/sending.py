"""Sends: which channel a message takes, and what follows when it fails for good."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from segue.engine.journey import Decide, Pass, Sending, mint
from segue.engine.passage import Passage
from segue.program import program as p
from segue.program.calendar import add_elapsed
from segue.program.values import to_json

_MANY = 20
"""Sends kept per journey before those that nothing can call back any more are dropped: a `repeat` makes many."""

PREFERRED = "preferred"
"""Stands in a channel's place where `preferred` found none."""


def begin_send(passage: Passage, send: p.Send) -> None:
    """Decide one message for each group: on the first channel that reaches the customer."""
    journey = passage.journey
    for number, group in enumerate(send.together):
        refusals: list[str] = []
        for place, alternative in enumerate(group):
            channel = _choose(passage, alternative, refusals)
            if channel is not None:
                _decide(passage, (journey.step, journey.visit, number, place), alternative, channel)
                break
        else:
            reason = "; ".join(dict.fromkeys(refusals))
            _pass_over(passage, (journey.visit, number, 0), group[0], group[0].channel or PREFERRED, reason)


def fall_back(passage: Passage, sending: Sending, *, skipped: bool = False) -> bool:
    """Decide the next alternative of a message that failed for good; False where there is none.
    Each is tried once. Where ``preferred`` took a channel by which it was ``skipped`` in time, that one does not reach
    the customer after all: the next of those that are preferred is asked before the next alternative."""
    journey = passage.journey
    group = _group_of(passage, sending)
    tried = [one for one in journey.sends if one.visit == sending.visit and one.group == sending.group]
    if any(one.alternative > sending.alternative for one in tried):
        return False
    once_more = skipped and passage.now < sending.until and group and group[sending.alternative].channel is None
    for number in range(sending.alternative + (not once_more), len(group)):
        alternative = group[number]
        channel = _choose(passage, alternative, [], tried)
        if channel is not None:
            settle(passage, sending)
            _decide(passage, (sending.step, sending.visit, sending.group, number), alternative, channel)
            return True
    return False


def _group_of(passage: Passage, sending: Sending) -> Sequence[p.Alternative]:
    if sending.step < 0:  # an edit removed the send, or gave it other channels
        return ()
    send = passage.program.steps[sending.step]
    return send.together[sending.group] if isinstance(send, p.Send) else ()


def find(passage: Passage, key: str) -> Sending | None:
    """The journey's message of a key, while it may still matter."""
    return next((sending for sending in passage.journey.sends if sending.key == key), None)


def settle(passage: Passage, sending: Sending) -> None:
    """Note that a hand-over is settled."""
    settled = msgspec.structs.replace(sending, settled=True)
    passage.journey.sends = tuple(settled if one.key == sending.key else one for one in passage.journey.sends)


def under_way(passage: Passage) -> bool:
    """Whether a message of the current visit is not settled yet."""
    visit = passage.journey.visit
    for sending in passage.journey.sends:  # noqa: SIM110 - a generator costs as much as the whole check
        if sending.visit == visit and not sending.settled:
            return True
    return False


def _choose(
    passage: Passage, alternative: p.Alternative, refusals: list[str], tried: Sequence[Sending] = ()
) -> str | None:
    """The channel that an alternative takes, None where none reaches the customer; why not is added to ``refusals``."""
    customer, kind, channel = passage.customer, alternative.kind, alternative.channel
    channels: Sequence[str] = (
        (channel,) if channel is not None else customer.standing.preferred(kind, alternative.message)
    )
    if not channels:
        refusals.append("no channel has content for it")
    for channel in channels:
        if tried and _was_tried(passage, channel, tried):
            continue
        refusal = customer.refusal(channel, kind)
        if refusal is None:
            return channel
        refusals.append(refusal)
    return None


def _was_tried(passage: Passage, channel: str, tried: Sequence[Sending]) -> bool:
    return any(one.key == _key(passage, (one.visit, one.group, one.alternative), channel) for one in tried)


def _decide(passage: Passage, where: tuple[int, int, int, int], alternative: p.Alternative, channel: str) -> None:
    """``where``: step, visit, group and place in it."""
    number, visit, group, place = where
    if passage.journey.holdout:
        _pass_over(passage, (visit, group, place), alternative, channel, "holdout")
        return
    now, journey = passage.now, passage.journey
    expires = add_elapsed(now, alternative.within, passage.customer.zone)
    key = _key(passage, (visit, group, place), channel)
    values = {}
    if alternative.values:
        scene = passage.scene()
        values = {name: to_json(value(scene)) for name, value in alternative.values}
    sends = journey.sends
    if len(sends) >= _MANY:
        sends = tuple(one for one in sends if not one.settled or one.until >= now)
    journey.sends = (*sends, Sending(key, number, visit, group, place, expires))
    passage.effects.append(
        Decide(key, channel, alternative.message, alternative.kind, expires, values, alternative.coupons)
    )


def _pass_over(
    passage: Passage, where: tuple[int, int, int], alternative: p.Alternative, channel: str, reason: str
) -> None:
    key = _key(passage, where, channel)
    passage.effects.append(Pass(key, channel, alternative.message, alternative.kind, reason))


def _key(passage: Passage, where: tuple[int, int, int], channel: str) -> str:
    visit, group, place = where
    return mint("message", passage.journey.key, visit, group, place, channel)
