"""Advice about reactions: those that nothing can cause, those that could be to several messages, and those that say
little."""

from __future__ import annotations

from typing import Final

from segue.diagnostics import Label
from segue.language import model
from segue.language import tree as t
from segue.language.advice.guards import Asked
from segue.language.looking import nodes, parts
from segue.language.nearest import listed, nearest
from segue.language.rules import CheckedRule
from segue.language.vocabulary import EVERY_CHANNEL, Lexicon

Message = tuple[str | None, str]
"""A channel, None for `preferred`, and the name of a message."""

Went = tuple[int, t.Step]
"""The send by which a message went, by its identity, and the step that is written."""


def advise_on_reactions(checked: CheckedRule, asked: tuple[Asked, ...], lexicon: Lexicon) -> None:
    """What can be said about the reactions that one rule asks for."""
    reacted = [(each, node) for each in asked for node in nodes(each.condition) if isinstance(node, model.Reacted)]
    if not reacted:
        return
    sent = _messages(checked.rule.steps)
    for each, node in reacted:
        _nothing_causes(checked, each, node, sent)
        if each.use in _WAYS:
            _says_little(checked, each, node, sent, lexicon)
    _several(checked, lexicon)


_WAYS: Final = frozenset({"if", "wait for", "unless", "until", "repeat until", "towards"})
"""Uses of a condition that decide what a customer gets."""


def _says_little(
    checked: CheckedRule, asked: Asked, node: model.Reacted, sent: list[Message], lexicon: Lexicon
) -> None:
    """A reaction that machines make as often as customers do: an email that was opened."""
    channels = {
        channel
        for channel, message in sent
        if channel is not None and node.channel in (None, channel) and node.message in (None, message)
    }
    doubtful = sorted(name for name in channels if node.reaction in lexicon.channels[name].doubtful)
    if not doubtful:
        return
    message = f' "{node.message}"' if node.message is not None else ""
    checked.report.add(
        "W0723",
        _place(asked.written, node),
        f"whether {listed(doubtful)} was `{node.reaction}` says little: machines fetch its picture, many people do not",
        label="what customers get hangs on this",
        hint=f"a click is a person's: `clicked{message}`",
    )


def _messages(steps: object) -> list[Message]:
    return [(node.channel, node.message) for node in nodes(steps) if isinstance(node, model.Delivery)]


def _nothing_causes(checked: CheckedRule, asked: Asked, node: model.Reacted, sent: list[Message]) -> None:
    channels = {channel for channel, _ in sent}
    place = _place(asked.written, node)
    if node.message is not None and node.message not in {message for _, message in sent}:
        near = nearest(node.message, {message for _, message in sent})
        spot = place.message if isinstance(place, t.Reaction) and place.message is not None else place
        checked.report.add(
            "W0709",
            spot,
            f'this rule sends no message "{node.message}", so nobody can have {node.reaction} it',
            label=f'did you mean "{near}"?' if near else "never true",
            hint="a reaction is one to this journey's own messages",
            write=f'"{near}"' if near and spot is not place else None,
        )
    elif node.channel is not None and node.channel not in channels and None not in channels:
        checked.report.add(
            "W0709",
            place,
            f"this rule sends nothing by {node.channel}, so nobody can have {node.reaction} it",
            label="never true",
            hint="a reaction is one to this journey's own messages",
        )
    elif not sent:
        checked.report.add(
            "W0709",
            place,
            f"this rule sends no message, so nobody can have {node.reaction} one",
            label="never true",
            hint="a reaction is one to this journey's own messages",
        )


def _place(written: t.Expression, node: model.Reacted) -> t.Syntax:
    """Where a reaction is asked for."""
    for part in parts(written):
        match part:
            case t.Reaction(name=name, channel=channel, message=message):
                if (
                    name.text == node.reaction
                    and (channel.text if channel else None) == node.channel
                    and (message.value if message else None) == node.message
                ):
                    return part
            case t.Path(names=(name,)) if name.text == node.reaction and node.channel is None and node.message is None:
                return part
            case _:
                pass
    return written


# Several messages that a reaction could be to. Guards are left out: they mean any of them.


def _several(checked: CheckedRule, lexicon: Lexicon) -> None:
    made: dict[int, list[model.Step]] = {}
    for written, understood in checked.made:
        made.setdefault(id(written), []).append(understood)
    _walk(checked, checked.written.steps, {}, made, lexicon)


def _walk(
    checked: CheckedRule,
    steps: tuple[t.Step, ...],
    before: dict[Message, Went],
    made: dict[int, list[model.Step]],
    lexicon: Lexicon,
) -> None:
    """``before`` are the messages that may have gone."""
    for step in steps:
        match step:
            case t.Send():
                for send in made[id(step)]:
                    for message in _messages(send):
                        before.setdefault(message, (id(send), step))
            case t.WaitFor(condition=condition):
                (understood,) = made[id(step)]
                if isinstance(understood, model.WaitFor):
                    _which(checked, condition, understood.condition, before, lexicon)
            case t.If(branches=branches, otherwise=otherwise):
                (understood,) = made[id(step)]
                reached = dict(before)
                for place, branch in enumerate(branches):
                    if isinstance(understood, model.If):
                        _which(checked, branch.condition, understood.branches[place].condition, before, lexicon)
                    inside = dict(before)
                    _walk(checked, branch.steps, inside, made, lexicon)
                    reached |= inside
                _walk(checked, otherwise, before, made, lexicon)
                before |= reached
            case t.Split(arms=arms):
                reached = dict(before)
                for arm in arms:
                    inside = dict(before)
                    _walk(checked, arm.steps, inside, made, lexicon)
                    reached |= inside
                before |= reached
            case t.Repeat(steps=inner):
                _walk(checked, inner, before, made, lexicon)
            case _:
                pass


def _which(
    checked: CheckedRule,
    written: t.Expression,
    condition: model.Expression,
    before: dict[Message, Went],
    lexicon: Lexicon,
) -> None:
    for node in nodes(condition):
        if not isinstance(node, model.Reacted) or node.message is not None or node.reaction in EVERY_CHANNEL:
            continue
        possible: dict[str, Went] = {}
        for (channel, message), went in before.items():
            reports = channel is None or node.reaction in lexicon.channels[channel].reactions
            if reports and node.channel in (None, channel):
                possible.setdefault(message, went)
        # Alternatives and channels of one `send` are one message to the customer.
        if len({send for send, _ in possible.values()}) < 2:
            continue
        names = list(possible)
        checked.report.add(
            "W0711",
            _place(written, node),
            f"`{node.reaction}` could be to any of {len(names)} messages sent before",
            label="to which message?",
            hint=f'name the message: `{node.reaction} "{names[-1]}"`',
            also=tuple(
                Label(checked.report.span(step), f'"{name}" goes here')
                for name, (_, step) in list(possible.items())[:3]
            ),
        )
