"""The seventeen questions that specify a journey, each with what was counted."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final

from segue.measure.funnels.cohorts import expected_each_day, usual_entries
from segue.measure.funnels.counting import Funnel, values_of
from segue.measure.funnels.courses import ANSWERED, CLICKED, OPENED, REPLIED
from segue.measure.funnels.rates import counted, quantiles
from segue.measure.funnels.results import FEWEST, judge_window, newest
from segue.measure.funnels.tables import EXITED, STATES
from segue.measure.table import Column, Table
from segue.messages.template import Template
from segue.program.plain import listed
from segue.program.questions import Answer

LATEST: Final = 10_000
"""Entries whose source is looked at."""
_SECOND: Final = 1_000_000
_MOST: Final = 4
"""Of what there may be many, so many are named."""

SayDuration = Callable[[float], str]
"""A duration in seconds, in words."""


def questions_table(
    funnel: Funnel,
    answers: Sequence[Answer],
    templates: Mapping[str, Template],
    sources: Mapping[str, int],
    say_duration: SayDuration,
    *,
    through: date | None = None,
    ignored: int = 0,
) -> Table:
    """What the rule says to each question beside what was counted. ``sources`` are entries by the source of the event
    that began them, of those that were looked at. ``through`` is the last day that is asked about, ``ignored`` how many
    triggers began nothing."""
    found = _Answering(funnel, templates, sources, say_duration, through, ignored).all()
    rows = tuple(
        (
            funnel.rule,
            one.number,
            one.question,
            one.answer,
            one.clause or None,
            told,
        )
        for one, told in zip(answers, found, strict=True)
    )
    return Table(
        "questions",
        "The seventeen questions",
        (
            Column("rule", "Rule"),
            Column("number", "", "count"),
            Column("question", "Question"),
            Column("says", "The rule says"),
            Column("clause", "It could say"),
            Column("counted", "What was counted"),
        ),
        rows,
    )


class _Answering:
    """One answer a method, in the order of the questions; None where there is nothing to count."""

    def __init__(
        self,
        funnel: Funnel,
        templates: Mapping[str, Template],
        sources: Mapping[str, int],
        say_duration: SayDuration,
        through: date | None,
        ignored: int,
    ) -> None:
        self.funnel = funnel
        self.templates = templates
        self.sources = sources
        self.say = say_duration
        self.through = through
        self.ignored = ignored
        self.each = funnel.entries_by_customer()
        self.sent = {letter: count for letter, count in funnel.letters.items() if letter.fate == "sent"}
        self.messages = sum(self.sent.values())

    def all(self) -> tuple[str | None, ...]:
        places = self.where()
        return (
            self.entered(),
            self.a_day(),
            self.how_often(),
            self.again(),
            self.expected(),
            self.how_long(),
            self.checks(),
            self.languages(),
            self.touches(),
            self.channels(),
            self.reactions(),
            self.personal(),
            self.first_touch(),
            places,
            places,
            self.ends(),
            self.window(),
        )

    def entered(self) -> str | None:
        if not self.funnel.journeys and not self.ignored:
            return None
        beside = f"; {self.ignored:,} more triggers began none" if self.ignored else ""
        return f"{counted(self.funnel.journeys, 'journey')} began{beside}."

    def a_day(self) -> str | None:
        usual, expected = usual_entries(self.funnel, self.through), expected_each_day(self.funnel)
        if usual is None:
            return None
        number, words = usual
        beside = f", {_share(number, expected)} of what is expected" if expected else ""
        return f"{_few(number)} {words}{beside}."

    def how_often(self) -> str | None:
        if not len(self.each):
            return None
        who, most = counted(len(self.each), "customer"), int(self.each.max())
        if most == 1:
            return f"{who}, each once."
        return f"{who}, {self.each.mean():.1f} times each on average, one of them {most:,} times."

    def again(self) -> str | None:
        if not len(self.each):
            return None
        again = int((self.each > 1).sum())
        told = f"{_share(again, len(self.each))} of the customers entered more than once"
        (half,) = quantiles(self.funnel.times_between_entries(), (0.5,))
        return f"{told}, half of the times within {self.say(half / _SECOND)}." if half is not None else f"{told}."

    def expected(self) -> str | None:
        if not self._aims():
            return None
        told = [self._did(held_out=False), self._did(held_out=True)]
        return " ".join(
            f"{who}{_share(did, entered)} did: {did:,} of {entered:,}."
            for who, (did, entered) in zip(("", "Of those held out "), told, strict=True)
            if entered
        )

    def _did(self, *, held_out: bool) -> tuple[int, int]:
        """How many met the goal, and of how many."""
        ours = [(one.converted, count) for one, count in self.funnel.reaches.items() if one.held_out == held_out]
        return sum(count for converted, count in ours if converted), sum(count for _, count in ours)

    def how_long(self) -> str | None:
        if self._aims() and not self.funnel.to_goal:
            return "Nobody did yet."
        return self._times("Of those who did, half within {} and nine of ten within {}.", self.funnel.to_goal)

    def _aims(self) -> bool:
        """Whether the rule has a goal, and anybody entered."""
        version = newest(self.funnel)
        return version is not None and version.program.goal is not None and self.funnel.journeys > 0

    def checks(self) -> str | None:
        left = Counter[str]()
        for place, count in self.funnel.places.items():
            if place.state == EXITED:
                left[place.reason] += count
        told = [f"{count:,} {reason}" for reason, count in left.most_common(_MOST)]
        return f"Left on the way: {listed(told)}." if told else None

    def languages(self) -> str | None:
        counts = Counter[str]()
        for letter, count in self.sent.items():
            if (template := self.templates.get(letter.template)) is not None:
                counts[template.language] += count
        return f"Sent in {_parts(counts)}." if counts else None

    def touches(self) -> str | None:
        journeys = sum(count for reach, count in self.funnel.reaches.items() if not reach.held_out)
        if not journeys:
            return None
        customers = self.funnel.touches_by_customer()
        return (
            f"{_few(self.messages / journeys)} a journey on average, at most "
            f"{max(reach.touches for reach in self.funnel.reaches):,}; one customer got {max(customers):,}."
        )

    def channels(self) -> str | None:
        sent, answered = Counter[str](), Counter[str]()
        for letter, count in self.sent.items():
            sent[letter.channel] += count
            answered[letter.channel] += count if letter.persons & ANSWERED else 0
        told = [f"{channel} {_share(answered[channel], count)}" for channel, count in sent.most_common(_MOST)]
        return f"Answered: {listed(told)} of what was sent." if told else None

    def reactions(self) -> str | None:
        if not self.messages:
            return None
        told = []
        for name, bit in (("opened", OPENED), ("clicked", CLICKED), ("replied", REPLIED)):
            count = sum(count for letter, count in self.sent.items() if letter.persons & bit)
            told.append(f"{_share(count, self.messages)} {name}")
        return f"Of the messages {listed(told)}."

    def personal(self) -> str | None:
        names = {
            name
            for letter in self.sent
            if (template := self.templates.get(letter.template)) is not None
            for name in template.reads()
        }
        if names:
            return f"What was sent reads {listed(sorted(names))}."
        return "What was sent reads nothing of the customer." if any(one.template for one in self.sent) else None

    def first_touch(self) -> str | None:
        first = self._times("First message: half within {}, nine of ten within {}.", self.funnel.first_touch)
        goal = self._times("Goal: half within {}, nine of ten within {}.", self.funnel.to_goal)
        return " ".join(filter(None, (first, goal))) or None

    def where(self) -> str | None:
        if not self.sources:
            return None
        which = "Entries" if self.funnel.journeys <= LATEST else "The latest entries"
        return f"{which} by events of {_parts(self.sources)}."

    def ends(self) -> str | None:
        if not self.funnel.journeys:
            return None
        counts = Counter[int]()
        for place, count in self.funnel.places.items():
            counts[place.state] += count
        told = [f"{_share(counts[state], self.funnel.journeys)} {name}" for state, name in enumerate(STATES)]
        return f"{listed(told)}."

    def window(self) -> str | None:
        if not self._aims():
            return None
        return judge_window(self.funnel) or f"Too few met it in time to tell: it takes {FEWEST}."

    def _times(self, text: str, times: Mapping[int, array[int]]) -> str | None:
        half, most = quantiles(values_of(times), (0.5, 0.9))
        if half is None or most is None:
            return None
        return text.format(self.say(half / _SECOND), self.say(most / _SECOND))


def _few(number: float) -> str:
    return f"{number:.2g}" if number < 10 else f"{number:,.0f}"


def _share(part: float, whole: float) -> str:
    rate = part / whole if whole else 0.0
    return f"{rate:.1%}" if 0 < rate < 0.1 else f"{rate:.0%}"


def _parts(counts: Mapping[str, int]) -> str:
    whole = sum(counts.values())
    return listed(f"{name} ({_share(count, whole)})" for name, count in Counter(counts).most_common(_MOST))
