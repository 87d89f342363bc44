"""Tests of rules: written to checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Literal, assert_never

from segue.api import FieldType
from segue.diagnostics import Label
from segue.language import model
from segue.language import tree as t
from segue.language.expressions import Expressions
from segue.language.keywords import is_reserved
from segue.language.looking import nodes
from segue.language.names import Names, Scope
from segue.language.nearest import listed, nearest
from segue.language.report import Report
from segue.language.rules import CheckedRule
from segue.language.triggers import event_of
from segue.language.vocabulary import Lexicon

Decision = Literal["messages", "entry", "exit", "finish", "conversion", "skip", "deferral", "failure", "retraction"]

_NOTHING: Final = ("nothing", "none", "silence")

EXPECTED: Final[Mapping[str, Decision]] = {
    "message": "messages",
    "messages": "messages",
    "entry": "entry",
    "entries": "entry",
    "exit": "exit",
    "exits": "exit",
    "finish": "finish",
    "finishes": "finish",
    "conversion": "conversion",
    "conversions": "conversion",
    "skip": "skip",
    "skips": "skip",
    "deferral": "deferral",
    "deferrals": "deferral",
    "failure": "failure",
    "failures": "failure",
    "retraction": "retraction",
    "retractions": "retraction",
}
"""What `expect` may name beside a channel, and how the model calls it."""

DECIDED: Final[Mapping[Decision, str]] = {
    "messages": "sent",
    "entry": "entered",
    "exit": "exited",
    "finish": "finished",
    "conversion": "converted",
    "skip": "skipped",
    "deferral": "deferred",
    "failure": "undelivered",
    "retraction": "retracted",
}
"""The decision, as it is printed, that each of these means."""

_OF_MESSAGES: Final = ("messages", "skip", "deferral", "failure", "retraction")
_SCOPE: Final = Scope(fields={})


def check_test(
    test: t.Test,
    here: tuple[CheckedRule, ...],
    rules: Mapping[str, CheckedRule],
    lexicon: Lexicon,
    report: Report,
    file: str,
) -> model.Test | None:
    """The checked test, None when something keeps it from running; what that is stands in ``report``.

    ``here`` are the rules of the test's own file, ``rules`` those of the book by name.
    """
    rule = _rule(test, here, rules, lexicon, report)
    return _Check(test, rule, lexicon, report).read(file)


def _rule(
    test: t.Test,
    here: tuple[CheckedRule, ...],
    rules: Mapping[str, CheckedRule],
    lexicon: Lexicon,
    report: Report,
) -> CheckedRule | None:
    if test.rule is not None:
        name = test.rule.text
        if name in rules:
            return rules[name]
        if not (is_reserved(name) or name in lexicon.broken_rules or name in lexicon.rules):
            near = nearest(name, lexicon.rules)
            message = f"`{name}` is a segment, not a rule" if lexicon.is_segment(name) else f"there is no rule `{name}`"
            report.unknown("E0313", test.rule, message, near, "a test names the rule that it tries out")
        return None
    if len(here) == 1:
        return here[0]
    if not here and len(rules) == 1:
        return next(iter(rules.values()))
    if here or not lexicon.rules:
        where = "this file has several rules" if here else "there is no rule"
    else:
        where = "this file has no rule"
    report.add(
        "E0801",
        (test.start, test.title.end),
        f"this test does not say which rule it tries out, and {where}",
        label="which rule?",
        hint=f"add the rule's name: `test {report.text(test.title)} for {next(iter(lexicon.rules), 'my_rule')}`",
        also=tuple(Label(each.report.span(each.written.trigger), "one of them") for each in here[:2]),
    )
    return None


class _Check:
    def __init__(self, test: t.Test, rule: CheckedRule | None, lexicon: Lexicon, report: Report) -> None:
        self._test = test
        self._rule = rule.rule if rule is not None else None
        self._lexicon = lexicon
        self._report = report
        self._names = Names(lexicon, report, _SCOPE)
        self._values = Expressions(lexicon, report, _SCOPE)

    def read(self, file: str) -> model.Test | None:
        traits: dict[str, model.Expression] = {}
        arms: list[str] = []
        happens: list[model.Happens | model.Reacts | model.Alters | model.Fails] = []
        expects: list[model.ExpectNone | model.ExpectOne | model.ExpectCount] = []
        for line in self._test.lines:
            match line:
                case t.GivenCustomer(facts=facts):
                    for fact in facts:
                        value = self._trait(fact, traits)
                        if value is not None:
                            traits[fact.name.text] = value
                case t.GivenArm(arm=arm):
                    self._arm(arm)
                    arms.append(arm.value)
                case t.Happens():
                    happened = self._happens(line)
                    if happened is not None:
                        happens.append(happened)
                case t.Alters(at=at, facts=facts):
                    altered: dict[str, model.Expression] = {}
                    for fact in facts:
                        value = self._trait(fact, altered)
                        if value is not None:
                            altered[fact.name.text] = value
                    happens.append(model.Alters(_moment(at), tuple(altered.items()), self._report.line(line)))
                case t.Fails(at=at, channel=channel):
                    if self._names.channel(channel):
                        happens.append(model.Fails(_moment(at), channel.text, self._report.line(line)))
                case t.ExpectNone() | t.ExpectOne() | t.ExpectCount():
                    expected = self._expect(line)
                    if expected is not None:
                        expects.append(expected)
                case _:
                    assert_never(line)
        if self._rule is None:
            return None
        self._begins(self._rule, happens)
        return model.Test(
            title=self._test.title.value,
            rule=self._rule.name,
            traits=tuple(traits.items()),
            arms=tuple(arms),
            happens=tuple(happens),
            expects=tuple(expects),
            file=file,
            line=self._report.line(self._test),
        )

    # What is given

    def _trait(self, fact: t.Fact, before: Mapping[str, object]) -> model.Expression | None:
        name = fact.name.text
        if name in before:
            self._report.add(
                "E0210",
                fact,
                f"`customer.{name}` is given twice in this test",
                label="the second time",
                hint="keep one of them",
            )
        type_ = self._names.trait_type(t.TraitPath(fact.name.start, fact.name.end, fact.name))
        return self._given(fact, type_, f"`customer.{name}`")

    def _arm(self, arm: t.Text) -> None:
        if self._rule is None:
            return
        known = [
            each.name for split in nodes(self._rule.steps) if isinstance(split, model.Split) for each in split.arms
        ]
        if arm.value in known:
            return
        near = nearest(arm.value, known)
        self._report.add(
            "E0802",
            arm,
            f'the rule `{self._rule.name}` has no arm "{arm.value}"',
            label=f'did you mean "{near}"?' if near else "unknown",
            hint=f"its arms are {listed(known)}" if known else "there is no `split` in this rule: leave the line out",
            write=f'"{near}"' if near else None,
        )

    # What happens

    def _happens(self, line: t.Happens) -> model.Happens | model.Reacts | None:
        name = line.name
        is_reaction = isinstance(name, t.Name) and name.text in self._lexicon.reactions
        event = event_of(name, self._lexicon)
        if event is None and is_reaction and isinstance(name, t.Name):
            return self._reacts(line, name)
        if event is None:
            self._unknown(name)
            return None
        if line.message is not None:
            self._report.add(
                "E0802",
                line.message,
                f"`{event}` is an event, and only a reaction such as `opened` has a message",
                hint='a field of the event is written with its name: `order_id "X1"`',
            )
            return None
        fields = tuple(
            (fact.name.text, value) for fact in line.facts if (value := self._field(event, fact)) is not None
        )
        return model.Happens(_moment(line.at), event, fields, self._report.line(line))

    def _unknown(self, name: t.Name | t.Text) -> None:
        if isinstance(name, t.Name):
            known: Iterable[str] = (*self._lexicon.event_names(), *self._lexicon.reactions)
            if not (is_reserved(name.text) or name.text in self._lexicon.unreadable):
                near = nearest(name.text, known)
                hint = f"in a test events and reactions happen; an event is declared: `event {name.text}`"
                self._report.unknown("E0301", name, f"I don't know the event `{name.text}`", near, hint)
            return
        near = nearest(name.value, self._lexicon.sent_names())
        self._report.add(
            "E0301",
            name,
            f'I don\'t know an event that is sent as "{name.value}"',
            label=f'did you mean "{near}"?' if near else "unknown",
            hint=f'if sources send it, declare it: `event my_name is "{name.value}"`',
            write=f'"{near}"' if near else None,
        )

    def _reacts(self, line: t.Happens, name: t.Name) -> model.Reacts | None:
        if line.facts:
            self._report.add(
                "E0802",
                line.facts[0],
                f"`{name.text}` is a reaction to a message, and has no fields",
                hint=f'name the message, or nothing for the latest: `{name.text} "cart_reminder"`',
            )
            return None
        if line.message is not None:
            self._message(line.message)
        message = line.message.value if line.message is not None else None
        return model.Reacts(_moment(line.at), name.text, message, self._report.line(line))

    def _field(self, event: str, fact: t.Fact) -> model.Expression | None:
        type_: FieldType | None = self._names.field(event, fact.name)
        return self._given(fact, type_, f"`{event}.{fact.name.text}`")

    def _given(self, fact: t.Fact, type_: FieldType | None, what: str) -> model.Expression | None:
        """A value as a source would send it. A moment has no literal of its own, so a date may be text, as it is in
        JSON: ``"2026-11-27T10:00:00Z"``."""
        if type_ is None:
            return None
        written = fact.value
        if type_ == "date" and isinstance(written, t.Text) and _is_moment(written.value):
            value = self._values.value(written)
            return value.node if value is not None else None
        return self._values.fitting(written, type_, what)

    def _message(self, message: t.Text) -> None:
        """A message that is named must be one that the rule sends."""
        if self._rule is None:
            return
        known = {each.message for each in nodes(self._rule.steps) if isinstance(each, model.Delivery)}
        if message.value in known:
            return
        near = nearest(message.value, known)
        quoted = ", ".join(f'"{each}"' for each in sorted(known)[:8])
        self._report.add(
            "E0802",
            message,
            f'the rule `{self._rule.name}` sends no message "{message.value}"',
            label=f'did you mean "{near}"?' if near else "unknown",
            hint=f"it sends {quoted}" if known else "it sends no message at all",
            write=f'"{near}"' if near else None,
        )

    def _begins(
        self, rule: model.Rule, happens: list[model.Happens | model.Reacts | model.Alters | model.Fails]
    ) -> None:
        """A rule that nothing begins does nothing, and a test that expects nothing of it always passes."""
        if not rule.events or any(isinstance(each, model.Happens) and each.event in rule.events for each in happens):
            return
        if any(d for d in self._report.found if d.is_error and d.primary and self._inside(d.primary.start)):
            return
        event = rule.events[0]
        self._report.add(
            "W0803",
            (self._test.start, self._test.title.end),
            f"nothing in this test begins the rule `{rule.name}`",
            label="no journey begins",
            hint=f"let its event happen: `at 0h {event}`",
        )

    def _inside(self, start: int) -> bool:
        return self._test.start <= start < self._test.end

    # What is expected

    def _expect(
        self, line: t.ExpectNone | t.ExpectOne | t.ExpectCount
    ) -> model.ExpectNone | model.ExpectOne | model.ExpectCount | None:
        what = self._what(line.what)
        number = self._report.line(line)
        match line:
            case t.ExpectNone():
                return model.ExpectNone(what, number) if what is not None else None
            case t.ExpectCount(count=count):
                return model.ExpectCount(count, what, number) if what is not None else None
            case t.ExpectOne(message=message, at=at):
                if message is not None and what is not None:
                    if what in self._lexicon.channels or what in _OF_MESSAGES:
                        self._message(message)
                    else:
                        self._report.add(
                            "E0802",
                            message,
                            f"`{line.what.text}` is about the journey, not about a message",
                            hint=f"write `expect {line.what.text}` without the message's name",
                        )
                if what is None:
                    return None
                moment = _moment(at) if at is not None else None
                return model.ExpectOne(what, message.value if message else None, moment, number)
            case _:
                assert_never(line)

    def _what(self, name: t.Name) -> str | None:
        text = name.text
        if text in self._lexicon.channels:
            return text
        if text in EXPECTED:
            return EXPECTED[text]
        if not is_reserved(text):
            known = (*self._lexicon.channels, *dict.fromkeys(EXPECTED.values()))
            near = "no messages" if text in _NOTHING else nearest(text, (*known, *EXPECTED))
            self._report.unknown(
                "E0802", name, f"a test cannot expect `{text}`", near, f"it can expect {listed(known, most=20)}"
            )
        return None


def _moment(at: t.TestMoment) -> model.TestMoment:
    return model.TestMoment(
        at.after.period if at.after is not None else None,
        model.Day(at.date.iso) if at.date is not None else None,
        model.Clock(at.clock.minute) if at.clock is not None else None,
    )


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
