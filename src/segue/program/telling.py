"""A rule told in plain sentences: what begins it, what holds for all of it, and what happens step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

import msgspec

from segue.api import Period
from segue.language import model as m
from segue.language.keywords import WEEKDAYS
from segue.program.plain import (
    listed,
    say,
    say_count,
    say_each,
    say_moment,
    say_period,
    say_share,
    say_turning,
    say_value,
    say_zone,
)
from segue.program.wording import word_clock


class Sentence(msgspec.Struct, frozen=True):
    """One sentence, and those that belong under it (the branches of an `if`, the steps of a branch).
    ``line`` is the rule's line it tells of."""

    text: str
    under: tuple[Sentence, ...] = ()
    line: int = 0


class Told(msgspec.Struct, frozen=True):
    """A rule in sentences: ``beginning`` says who enters and how often, ``terms`` what holds throughout,
    ``steps`` what happens, in order."""

    rule: str
    title: str | None
    beginning: tuple[Sentence, ...]
    terms: tuple[Sentence, ...]
    steps: tuple[Sentence, ...]


def tell(rule: m.Rule) -> Told:
    """The rule in plain sentences."""
    return Told(
        rule=rule.name,
        title=rule.title,
        beginning=tuple(Sentence(text, line=rule.line) for text in _beginning(rule)),
        terms=tuple(Sentence(text, line=rule.line) for text in _terms(rule)),
        steps=_block(rule.steps),
    )


def say_trigger(rule: m.Rule) -> str:
    """What begins a journey, as a clause: ``cart_abandoned happens``."""
    match rule.trigger:
        case None:
            return f"{listed(rule.events, 'or')} happens"
        case m.OnMembership(change="enters", segment=segment):
            return f"a customer comes to be in the segment {segment}"
        case m.OnMembership(segment=segment):
            return f"a customer is no longer in the segment {segment}"
        case m.OnChange(trait=trait, to=None):
            return f"a customer's {trait} changes"
        case m.OnChange(trait=trait, to=to):
            return f"a customer's {trait} changes to {say_value(to) if to is not None else ''}"
        case m.OnOffset(period=period, direction=direction, trait=trait, clock=clock, zone=zone):
            at = f", at {word_clock(clock)} {say_zone(zone)}" if clock is not None else ""
            return f"it is {say_period(period)} {direction} a customer's {trait}{at}"
        case m.OnSchedule(recurrence=recurrence, clock=clock, zone=zone):
            return f"it is {word_clock(clock)} {_recurrence(recurrence)}, {say_zone(zone)}"
        case m.OnDate(day=day, clock=clock, zone=zone):
            return f"it is {day.iso} at {word_clock(clock)}, {say_zone(zone)}"
        case _:
            assert_never(rule.trigger)


def _recurrence(recurrence: m.Weekdays | m.Monthly | m.Yearly) -> str:
    match recurrence:
        case m.Weekdays(days=days) if len(days) == len(WEEKDAYS):
            return "on any day"
        case m.Weekdays(days=days):
            return f"on a {listed((WEEKDAYS[day].title() for day in days), 'or')}"
        case m.Monthly(day=day):
            return f"on day {day} of a month" + (" (or its last day)" if day > 28 else "")
        case m.Yearly(trait=trait, period=None):
            return f"on the anniversary of a customer's {trait}"
        case m.Yearly(trait=trait, period=period, direction=direction):
            return f"{say_period(period or Period())} {direction} the anniversary of a customer's {trait}"
        case _:
            assert_never(recurrence)


def _beginning(rule: m.Rule) -> Iterator[str]:
    where = f", if {say(rule.where)}" if rule.where is not None else ""
    audience = f", for customers in the segment {rule.audience}" if rule.audience is not None else ""
    yield f"A journey begins when {say_trigger(rule)}{where}{audience}."
    if rule.per is not None:
        yield f"There is one journey for each {rule.per}: events that carry another {rule.per} do not reach it."
    if rule.active is not None:
        last = f" to {rule.active.last.iso}" if rule.active.last is not None else " on"
        yield f"It begins only from {rule.active.first.iso}{last}, by the customer's own calendar."
    if rule.rollout is not None:
        yield f"Only {say_share(rule.rollout)} of the customers enter, always the same ones."
    yield _again(rule)
    if rule.on_repeat == "restart":
        yield "If it begins again while they are inside, the journey starts over."
    if rule.expect is not None:
        count, per = rule.expect.count, say_each(rule.expect.per)
        yield (
            f"About {count} are expected in {per}: under a third or over three times as many warns, "
            f"and over {10 * count} pauses entries."
        )


def _again(rule: m.Rule) -> str:
    whose = f" for the same {rule.per}" if rule.per is not None else ""
    match rule.once:
        case None:
            return f"A customer may enter again{whose} as soon as their journey has ended."
        case m.Once(per=None):
            return f"A customer enters once{whose}, and never again."
        case m.Once(per=per):
            return f"A customer enters at most once{whose} in {say_each(per or Period())}, counted from their entry."


def _terms(rule: m.Rule) -> Iterator[str]:
    if rule.until is not None:
        yield f"Whatever happens, the journey ends as soon as {say_turning(rule.until)}."
    if rule.goal is not None:
        worth = f", and is worth its {rule.goal.worth}" if rule.goal.worth is not None else ""
        yield (
            f"It has reached its goal when {say_turning(rule.goal.condition)} within {say_period(rule.goal.within)} "
            f"of the beginning{worth}. That is counted also after it has ended, and does not end it."
        )
    if rule.holdout is not None:
        yield f"{say_share(rule.holdout)} of those who enter are sent nothing, to be compared with the others."
    if rule.kind != "promotional":
        yield f"Its messages are {rule.kind}."
    yield (
        "When the rule is edited, customers inside are moved to the new text."
        if rule.on_edit == "follow"
        else "When the rule is edited, customers inside finish the text they began with."
    )


# Steps


def _block(steps: Sequence[m.Step]) -> tuple[Sentence, ...]:
    return tuple(sentence for step in steps for sentence in _step(step))


def _step(step: m.Step) -> Iterator[Sentence]:
    line = step.line
    match step:
        case m.Wait(period=period, unless=unless):
            yield Sentence(f"Wait {say_period(period)}.", _guarded(unless, line), line)
        case m.WaitUntil(moment=moment, unless=unless):
            yield Sentence(f"Wait until {say_moment(moment)}.", _guarded(unless, line), line)
        case m.WaitFor(condition=condition, up_to=up_to, next=forward, unless=unless):
            since = ", counted from here on" if forward else ""
            told = f"Wait until {say_turning(condition)}{since}, but {say_period(up_to)} at the longest."
            yield Sentence(told, _guarded(unless, line), line)
        case m.Send():
            yield from _send(step)
        case m.If(branches=branches, otherwise=otherwise):
            for number, branch in enumerate(branches):
                asked = say(branch.condition)
                yield Sentence(f"{'If' if number == 0 else 'Else, if'} {asked}:", _block(branch.steps), line)
            if otherwise:
                yield Sentence("Otherwise:", _block(otherwise), line)
        case m.Split(arms=arms, towards=towards):
            grows = f", and the way after which {say_turning(towards)} more often grows" if towards is not None else ""
            yield Sentence(
                f"Customers are divided by chance, and stay where they are{grows}:",
                tuple(
                    Sentence(
                        f'{say_share(arm.percent)} go the way "{arm.name}"{":" if arm.steps else "."}',
                        _block(arm.steps),
                    )
                    for arm in arms
                ),
                line,
            )
        case m.Repeat(times=times, steps=steps, until=until):
            ends = f", or until {say_turning(until)}" if until is not None else ""
            yield Sentence(f"Up to {say_count(times, 'time')}{ends}:", _block(steps), line)
        case m.Set(trait=trait, value=value):
            yield Sentence(f"Note for the customer: {trait} is now {say_value(value)}.", line=line)
        case m.Emit(event=event, values=values):
            told = listed(f"{name} {say_value(value)}" for name, value in values)
            yield Sentence(f"Let the event {event} happen{', with ' + told if values else ''}.", line=line)
        case m.Stop():
            yield Sentence("The journey ends here.", line=line)
        case _:
            assert_never(step)


def _guarded(unless: m.Expression | None, line: int) -> tuple[Sentence, ...]:
    if unless is None:
        return ()
    return (Sentence(f"From here on in this block, the journey ends as soon as {say_turning(unless)}.", line=line),)


def _send(step: m.Send) -> Iterator[Sentence]:
    first = step.together[0][0]
    groups = [
        listed((say_channel(one.channel) for one in group), "or, if that cannot reach them,") for group in step.together
    ]
    messages = dict.fromkeys(f'"{one.message}"' for group in step.together for one in group)
    late = f", at most {say_period(first.within)} late"
    kind = "" if first.kind == "promotional" else f" as {first.kind}"
    values = listed(f"{name} {say_value(value)}" for name, value in first.values)
    told = (
        f"Send {listed(messages, 'and')} by {listed(groups)}{kind}{', with ' + values if first.values else ''}{late}."
    )
    yield Sentence(told, line=step.line)


def say_channel(channel: str | None) -> str:
    """A channel by its name in rules; the preferred one."""
    return channel if channel is not None else "the channel they prefer"
