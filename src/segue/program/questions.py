"""The seventeen questions that specify a journey, answered from a rule's text; and those that it leaves open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from segue.api import Period
from segue.language import model as m
from segue.program.plain import listed, say, say_count, say_each, say_period, say_turning
from segue.program.telling import say_channel, say_trigger

QUESTIONS: Final = (
    "What starts it?",
    "About how many enter a day?",
    "How often may one customer enter?",
    "Within what time may they enter again?",
    "What do we expect them to do?",
    "How long do we wait for it?",
    "What do we check on the way?",
    "Does the message depend on language and country?",
    "How many touches?",
    "Which channels do they prefer?",
    "What happens on their reactions?",
    "What is personal in the content?",
    "How fast is the first touch?",
    "Where is behaviour tracked?",
    "Is offline data used?",
    "Which goal ends the journey?",
    "In what window does the goal count?",
)


class Answer(msgspec.Struct, frozen=True):
    """``answer`` None: the rule leaves it open, and ``clause`` is what would answer it."""

    number: int
    question: str
    answer: str | None
    clause: str = ""


class Content(msgspec.Struct, frozen=True):
    """What is known of the messages that a rule sends: their languages (``None`` is the one for everyone else) and the
    names their texts read (``customer.first_name``)."""

    locales: frozenset[str | None] = frozenset()
    names: frozenset[str] = frozenset()


def answer(rule: m.Rule, content: Content, most: int, origins: Mapping[str, Sequence[str]]) -> tuple[Answer, ...]:
    """All seventeen, in their order. ``most`` is the most messages that one journey sends, ``origins`` the sources that
    say they bring an event, by the event's name."""
    found = (
        (f"A journey begins when {say_trigger(rule)}.", ""),
        _audience(rule),
        _how_often(rule),
        _how_soon(rule),
        (f"That {say(rule.goal.condition)}.", "") if rule.goal else (None, "goal ordered within 7d"),
        (f"{say_period(rule.goal.within)}, from their entry.", "") if rule.goal else (None, "goal ordered within 7d"),
        _checks(rule),
        _languages(rule, content),
        (f"At most {say_count(most, 'message')} in one journey.", ""),
        _channels(rule),
        _reactions(rule),
        _personal(rule, content),
        _first_touch(rule),
        _tracked(rule, origins),
        _offline(rule),
        _ends(rule),
        (f"Within {say_period(rule.goal.within)}, also after the journey has ended.", "")
        if rule.goal
        else (None, "goal ordered within 7d"),
    )
    return tuple(
        Answer(number, question, told, clause)
        for number, (question, (told, clause)) in enumerate(zip(QUESTIONS, found, strict=True), 1)
    )


_Found = tuple[str | None, str]


def _audience(rule: m.Rule) -> _Found:
    if rule.expect is None:
        return None, "expect 100 per 1d"
    return f"{rule.expect.count} in {say_each(rule.expect.per)}.", ""


def _how_often(rule: m.Rule) -> _Found:
    whose = f" for each {rule.per}" if rule.per else ""
    match rule.once:
        case m.Once(per=None):
            return f"Once{whose}.", ""
        case m.Once(per=period):
            return f"Once{whose} in {say_each(period or Period())}.", ""
        case None:
            return f"Any number of times{whose}, one after the other.", ""


def _how_soon(rule: m.Rule) -> _Found:
    match rule.once:
        case m.Once(per=None):
            return "Never again.", ""
        case m.Once(per=period):
            return f"{say_period(period or Period())} after their last entry.", ""
        case None:
            return None, "once per 30d"


def _checks(rule: m.Rule) -> _Found:
    checks = [f"that {say(condition)}" for condition in dict.fromkeys(conditions_on_the_way(rule.steps))]
    if rule.until is not None:
        checks.insert(0, f"that {say(rule.until)}")
    return (f"{listed(checks)[:1].upper()}{listed(checks)[1:]}.", "") if checks else (None, "wait 1d unless ordered")


def _languages(rule: m.Rule, content: Content) -> _Found:
    named = sorted(one for one in content.locales if one is not None)
    asked = {name for name in _traits(rule) if name in ("country", "language", "locale")}
    if named:
        others = ", and one for everyone else" if None in content.locales else ""
        return f"There are texts for {listed(named)}{others}.", ""
    if asked:
        return f"The rule asks for the customer's {listed(sorted(asked))}.", ""
    return None, "a file for each language: email.fi.txt"


def _channels(rule: m.Rule) -> _Found:
    deliveries = list(all_deliveries(rule.steps))
    channels = list(dict.fromkeys(one.channel for one in deliveries))
    if not channels:
        return None, "send email"
    names = listed(say_channel(channel) for channel in channels)
    if None in channels:
        return f"It goes by {names}.", ""
    return f"It goes by {names}, whatever they prefer; `preferred` would ask.", "send preferred"


def _reactions(rule: m.Rule) -> _Found:
    found = [say(one) for one in dict.fromkeys(_of(rule, m.Reacted))]
    return (f"The rule looks whether {listed(found, 'or')}.", "") if found else (None, "if opened … end")


def _personal(rule: m.Rule, content: Content) -> _Found:
    names = sorted(name for name in content.names if name.startswith(("customer.", "event.")))
    given = sorted({name for one in all_deliveries(rule.steps) for name, _ in one.values})
    told = [*names, *given]
    return (f"It reads {listed(told)}.", "") if told else (None, "{{ customer.first_name }} in the message")


def _first_touch(rule: m.Rule) -> _Found:
    waited: list[str] = []
    for step in rule.steps:
        match step:
            case m.Wait(period=period):
                waited.append(say_period(period))
            case m.WaitUntil():
                waited.append("the moment waited for")
            case m.WaitFor(up_to=up_to):
                waited.append(f"at most {say_period(up_to)}")
            case m.Send():
                return (f"After {listed(waited)}." if waited else "At once."), ""
            case m.If() | m.Split() | m.Repeat():
                return f"After {listed([*waited, 'what the way taken waits'])}.", ""
            case m.Set() | m.Emit() | m.Stop():
                pass
    return None, "send email"


def _tracked(rule: m.Rule, origins: Mapping[str, Sequence[str]]) -> _Found:
    sources = sorted({source for event in events_of(rule) for source in origins.get(event, ())})
    if any(name in ("source", "timestamp") for name in _fields(rule)):
        return "The rule asks for the event's source.", ""
    return (
        (f"Wherever {listed(sources, 'or')} sends the events from.", "") if sources else (None, 'where source = "app"')
    )


def _offline(rule: m.Rule) -> _Found:
    if "source" in _fields(rule):
        return "The rule asks for the event's source, so that a shop's till can be told from the site.", ""
    return None, 'events of tills and of the CRM count like any others; `where source = "till"` tells them apart'


def _ends(rule: m.Rule) -> _Found:
    ends = [say_turning(one) for one in dict.fromkeys(_guards(rule))]
    if not ends:
        return None, "until ordered"
    return f"It ends as soon as {listed(ends, 'or')}.", ""


# What stands in a rule


def all_steps(steps: Sequence[m.Step]) -> Iterator[m.Step]:
    """Every step, those inside blocks among them, in the order of the text."""
    for step in steps:
        yield step
        for block in _blocks(step):
            yield from all_steps(block)


def _blocks(step: m.Step) -> Iterator[tuple[m.Step, ...]]:
    match step:
        case m.If(branches=branches, otherwise=otherwise):
            yield from (branch.steps for branch in branches)
            yield otherwise
        case m.Split(arms=arms):
            yield from (arm.steps for arm in arms)
        case m.Repeat(steps=steps):
            yield steps
        case _:
            pass


def all_deliveries(steps: Sequence[m.Step]) -> Iterator[m.Delivery]:
    """Every channel of every send."""
    for step in all_steps(steps):
        if isinstance(step, m.Send):
            for group in step.together:
                yield from group


def conditions_on_the_way(steps: Sequence[m.Step]) -> Iterator[m.Expression]:
    """What guards, branches and waits ask for."""
    for step in all_steps(steps):
        match step:
            case m.Wait(unless=m.Node() as unless) | m.WaitUntil(unless=m.Node() as unless):
                yield unless
            case m.WaitFor(condition=condition, unless=unless):
                yield condition
                if unless is not None:
                    yield unless
            case m.If(branches=branches):
                yield from (branch.condition for branch in branches)
            case m.Repeat(until=m.Node() as until):
                yield until
            case _:
                pass


def _guards(rule: m.Rule) -> Iterator[m.Expression]:
    if rule.until is not None:
        yield rule.until
    for step in all_steps(rule.steps):
        if isinstance(step, (m.Wait, m.WaitUntil, m.WaitFor)) and step.unless is not None:
            yield step.unless


def _nodes(value: object) -> Iterator[m.Node]:
    if isinstance(value, m.Node):
        yield value
        for field in value.__struct_fields__:
            yield from _nodes(getattr(value, field))
    elif isinstance(value, tuple):
        for part in value:
            yield from _nodes(part)


def _of(rule: m.Rule, kind: type[m.Reacted]) -> Iterator[m.Reacted]:
    return (node for node in _nodes(rule) if isinstance(node, kind))


def _traits(rule: m.Rule) -> set[str]:
    return {node.name for node in _nodes(rule) if isinstance(node, m.Trait)}


def _fields(rule: m.Rule) -> set[str]:
    return {node.name for node in _nodes(rule) if isinstance(node, (m.TriggerField, m.EventField))}


def events_of(rule: m.Rule) -> tuple[str, ...]:
    """The events that a rule begins with or asks for."""
    named = [node.event for node in _nodes(rule) if isinstance(node, (m.Happened, m.Aggregate))]
    return tuple(dict.fromkeys((*rule.events, *named)))
