"""Rule files made up by hypothesis from the whole grammar: every trigger, header line, step, condition, declaration,
policy and test. They parse without a mistake; what their names mean is not looked at.

A file is a list of items, an item a list of words. `written` puts white space and comments between them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final, TypeVar

from hypothesis import strategies as st

Words = list[str]
T = TypeVar("T")

_NAMES: Final = (
    *("ordered", "cart_abandoned", "total", "email", "sms", "items", "lapsed", "x", "opened"),
    *("ostoskori_hylätty", "hyla\u0308tty", "заказ", "注文", "day", "local", "text", "first", "messages", "least"),
    *("a_name_that_is_so_long_that_rows_have_to_break_somewhere_else", "limit", "repeat_1", "endless"),
)
_TEXTS: Final = (
    '""',
    '"a"',
    '"cart_reminder"',
    '"Win back carts"',
    '"# no comment"',
    '"ä ö  ü"',
    '"when x send y end"',
    '"a text that goes on and on until nobody who reads it knows any more how it began"',
)
_ZONES: Final = ("local", "Europe/Helsinki", "America/Argentina/Buenos_Aires", "UTC")
_DATES: Final = ("2026-11-27", "2028-02-29", "1999-12-31")
_CLOCKS: Final = ("09:00", "9:00", "23:59", "00:00", "0:05")
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_REMARKS: Final = ("#", "# why", "#tight", "# when x send y", '# "open', "#  spaces at its end  ", "# päivä end")
_WORDLY: Final = re.compile(r"[\w%]\Z")


class _Author:
    """Draws one item. ``depth`` bounds how deep conditions and blocks nest."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw

    def one_of(self, *options: T) -> T:
        chosen: T = self._draw(st.sampled_from(options))
        return chosen

    def maybe(self) -> bool:
        return bool(self._draw(st.booleans()))

    def count(self, low: int, high: int) -> int:
        return int(self._draw(st.integers(low, high)))

    def optional(self, words: Callable[[], Words]) -> Words:
        return words() if self.maybe() else []

    def several(self, low: int, high: int, words: Callable[[], Words], between: str = "") -> Words:
        found: Words = []
        for place in range(self.count(low, high)):
            found += [between] if between and place else []
            found += words()
        return found

    # Words

    def name(self) -> str:
        return self.one_of(*_NAMES)

    def text(self) -> str:
        return self.one_of(*_TEXTS)

    def zone(self) -> Words:
        return [self.one_of(*_ZONES)]

    def clock(self) -> str:
        return self.one_of(*_CLOCKS)

    def number(self) -> str:
        return self.one_of("0", "1", "7", "007", "100", "123456789")

    def duration(self) -> Words:
        return self.one_of(
            ["1d"], ["2d"], ["30min"], ["1w", "3d"], ["1w3d"], ["1mo", "2h30min"], ["01h", "0s"], ["90d"]
        )

    def trait(self) -> Words:
        return ["customer", ".", self.name()]

    def path(self) -> Words:
        if self.maybe():
            return self.trait()
        return [self.name(), *self.several(0, 2, lambda: [".", self.name()])]

    def literal(self) -> Words:
        match self.count(0, 8):
            case 0:
                return [self.number()]
            case 1:
                return [self.one_of("0.5", "12.50", "00.1")]
            case 2:
                return [self.one_of("40", "12.50"), self.one_of("EUR", "USD")]
            case 3:
                return [self.text()]
            case 4:
                return [self.one_of(*_WEEKDAYS)]
            case 5:
                return self.duration()
            case 6:
                return [self.one_of(*_DATES)]
            case 7:
                return [self.clock()]
            case _:
                return [self.one_of("true", "false")]

    def value(self) -> Words:
        sign = [self.one_of("+", "-")] if self.count(0, 4) == 0 else []
        return [*sign, *self.literal()]

    # Conditions

    def expression(self, depth: int) -> Words:
        match self.count(0, 9 if depth > 0 else 3):
            case 0 | 1:
                return self.path()
            case 2:
                return self.literal()
            case 3:
                return ["now"]
            case 4 | 5:
                signs = ("+", "-", "*", "/")
                return [
                    *self.expression(depth - 1),
                    *self.several(1, 4, lambda: [self.one_of(*signs), *self.expression(depth - 2)]),
                ]
            case 6:
                return [self.name(), "(", *self.several(0, 3, lambda: self.condition(depth - 1), ","), ")"]
            case 7:
                return ["(", *self.condition(depth - 1), ")"]
            case 8:
                return [self.one_of("+", "-"), *self.atom(depth)]
            case _:
                return self.path()

    def atom(self, depth: int) -> Words:
        if depth > 0 and self.maybe():
            return ["(", *self.condition(depth - 1), ")"]
        return self.path() if self.maybe() else self.literal()

    def condition(self, depth: int) -> Words:
        if depth <= 0:
            return self.test(0)
        match self.count(0, 5):
            case 0:
                return self.several(2, 5, lambda: self.negation(depth - 1), "and")
            case 1:
                return self.several(2, 5, lambda: self.negation(depth - 1), "or")
            case 2:
                return [*self.condition(depth - 1), self.one_of("and", "or"), *self.condition(depth - 1)]
            case _:
                return self.negation(depth)

    def negation(self, depth: int) -> Words:
        return ["not", *self.negation(depth - 1)] if depth >= 0 and self.count(0, 4) == 0 else self.test(depth)

    def test(self, depth: int) -> Words:
        match self.count(0, 12):
            case 0 | 1:
                op = self.one_of("=", "!=", "<", "<=", ">", ">=")
                return [*self.expression(depth), op, *self.expression(depth)]
            case 2:
                return [*self.expression(depth), "between", *self.expression(depth), "and", *self.expression(depth)]
            case 3:
                return [*self.expression(depth), "in", "[", *self.several(1, 5, self.value, ","), "]"]
            case 4:
                return [*self.expression(depth), "in", *self.path()]
            case 5 | 6:
                return self.history(depth)
            case 7:
                return [self.name(), self.text()]
            case 8:
                return [self.name(), self.name()]
            case 9:
                return ["time", "between", self.clock(), "and", self.clock(), *self.optional(self.zone)]
            case 10:
                return ["in", self.name()]
            case 11:
                return ["can", "get", self.name()]
            case _:
                return self.expression(depth)

    def history(self, depth: int) -> Words:
        where = self.optional(lambda: ["where", "(", *self.condition(depth - 1), ")"]) if depth > 0 else []
        times = self.optional(lambda: ["at", "least", self.one_of("1", "2", "010"), "times"])
        window = self.optional(lambda: self.one_of(["ever"], ["in", "last", *self.duration()]))
        return [*self.path(), *(where + times + window or ["ever"])]

    # Steps

    def steps(self, depth: int, most: int = 4) -> Words:
        return self.several(1, most, lambda: self.step(depth))

    def unless(self) -> Words:
        return self.optional(lambda: ["unless", *self.condition(2)])

    def step(self, depth: int) -> Words:
        match self.count(0, 9 if depth > 0 else 6):
            case 0:
                return ["wait", *self.duration(), *self.unless()]
            case 1:
                return ["wait", "until", *self.moment(), *self.unless()]
            case 2:
                following = self.optional(lambda: ["next"])
                return ["wait", "for", *following, *self.condition(2), "up", "to", *self.duration(), *self.unless()]
            case 3:
                return ["send", *self.several(1, 2, self.together, "then")]
            case 4:
                return ["set", *self.trait(), "=", *self.expression(2)]
            case 5:
                return ["emit", self.name(), *self.optional(self.with_)]
            case 6:
                return ["stop"]
            case 7:
                others = self.several(0, 2, lambda: ["else", "if", *self.condition(2), *self.steps(depth - 1, 2)])
                otherwise = self.optional(lambda: ["else", *self.steps_after_else(depth - 1)])
                return ["if", *self.condition(2), *self.steps(depth - 1, 2), *others, *otherwise, "end"]
            case 8:
                name = self.optional(lambda: [self.text()])
                towards = self.optional(lambda: ["towards", *self.condition(1)])
                return ["split", *name, *towards, *self.several(1, 3, lambda: self.arm(depth - 1)), "end"]
            case _:
                until = self.optional(lambda: ["until", *self.condition(1)])
                return ["repeat", self.one_of("2", "03"), "times", *until, *self.steps(depth - 1, 2), "end"]

    def steps_after_else(self, depth: int) -> Words:
        """An `if` right after `else` would be an `else if`."""
        return [*self.step(0), *self.several(0, 1, lambda: self.step(depth))]

    def arm(self, depth: int) -> Words:
        share = self.one_of("50%", "33.3%", "0%", "100%", "05%")
        return [share, *self.optional(lambda: [self.text()]), *self.several(0, 2, lambda: self.step(depth))]

    def moment(self) -> Words:
        match self.count(0, 6):
            case 0:
                return self.expression(2)
            case 1:
                return [self.clock(), *self.zone()]
            case 2:
                return [self.one_of(*_WEEKDAYS, "tomorrow", *_DATES), self.clock(), *self.optional(self.zone)]
            case 3:
                return [*self.duration(), *self.side(), *self.expression(1), *self.at_clock()]
            case 4:
                return ["time", "between", self.clock(), "and", self.clock(), *self.optional(self.zone)]
            case 5:
                return ["best", "time"]
            case _:
                return [self.clock()]

    def side(self) -> Words:
        return [self.one_of("before", "after")]

    def at_clock(self) -> Words:
        return self.optional(lambda: ["at", self.clock(), *self.optional(self.zone)])

    def together(self) -> Words:
        return self.several(1, 2, lambda: self.several(1, 2, self.delivery, "or"), "and")

    def delivery(self) -> Words:
        channel = self.one_of("email", "sms", "push", "preferred")
        rest = [self.with_, lambda: ["as", self.name()], lambda: ["within", *self.duration()]]
        chosen: Sequence[Callable[[], Words]] = self._draw(st.permutations(rest))
        following = [word for words in chosen[: self.count(0, 3)] for word in words()]
        return [channel, *self.optional(lambda: [self.text()]), *following]

    def with_(self) -> Words:
        names = self._draw(st.lists(st.sampled_from(_NAMES[:9]), min_size=1, max_size=4, unique=True))
        found = ["with"]
        for place, name in enumerate(names):
            found += [*([","] if place else []), name, "=", *self.expression(2)]
        return found

    # Rules

    def rule(self) -> Words:
        head = self.optional(lambda: ["rule", self.name(), *self.optional(lambda: [self.text()])])
        headers: Words = []
        for line in self._draw(st.lists(st.sampled_from(range(9)), max_size=5, unique=True)):
            headers += self.header(line)
        return [*head, *self.trigger(), *self.clauses(), *headers, *self.steps(2)]

    def sentence(self) -> Words:
        """A rule that may stand on one line."""
        return ["when", self.name(), *self.several(1, 3, lambda: self.step(0))]

    def trigger(self) -> Words:
        match self.count(0, 10):
            case 0 | 1:
                return ["when", *self.several(1, 3, lambda: [self.one_of(self.name(), self.text())], "or")]
            case 2:
                return ["when", "customer", self.one_of("enters", "leaves"), self.name()]
            case 3:
                return ["when", *self.trait(), "changes", *self.optional(lambda: ["to", *self.value()])]
            case 4:
                return ["when", *self.duration(), *self.side(), *self.trait(), *self.at_clock()]
            case 5:
                return ["every", "day", *self.at_clock()]
            case 6:
                return ["every", *self.several(1, 3, lambda: [self.one_of(*_WEEKDAYS)]), *self.at_clock()]
            case 7:
                return ["every", "month", self.one_of("1", "031"), *self.at_clock()]
            case 8:
                return ["every", "year", "on", *self.trait(), *self.at_clock()]
            case 9:
                return ["every", "year", *self.duration(), *self.side(), *self.trait(), *self.at_clock()]
            case _:
                return ["on", self.one_of(*_DATES), *self.at_clock()]

    def clauses(self) -> Words:
        chosen = self._draw(st.lists(st.sampled_from(("where", "per", "for")), max_size=3, unique=True))
        return [word for each in chosen for word in [each, *(self.condition(3) if each == "where" else [self.name()])]]

    def header(self, line: int) -> Words:
        match line:
            case 0:
                return ["once", *self.optional(lambda: ["per", *self.duration()])]
            case 1:
                return ["on", "repeat", self.one_of("ignore", "restart")]
            case 2:
                return ["on", "edit", self.one_of("finish", "follow")]
            case 3:
                return ["until", *self.condition(3)]
            case 4:
                worth = self.optional(lambda: ["worth", self.name()])
                return ["goal", *self.condition(2), "within", *self.duration(), *worth]
            case 5:
                return ["expect", self.number(), "per", *self.duration()]
            case 6:
                return [self.one_of("rollout", "holdout"), self.one_of("5%", "12.5%")]
            case 7:
                return ["from", self.one_of(*_DATES), *self.optional(lambda: ["to", self.one_of(*_DATES)])]
            case _:
                return ["as", self.name()]

    # Declarations and tests

    def fields(self) -> Words:
        return self.several(0, 4, lambda: [self.name(), self.one_of("text", "money", "list")])

    def item(self) -> Words:
        match self.count(0, 9):
            case 0:
                return ["event", self.name(), *self.optional(lambda: ["is", self.text()]), *self.fields()]
            case 1:
                return ["customer", *self.fields()]
            case 2:
                return ["segment", self.name(), *self.optional(lambda: [self.text()]), "where", *self.condition(3)]
            case 3:
                return ["policy", self.name(), *self.several(1, 4, self.policy_line)]
            case 4:
                return self.test_of_rule()
            case 5:
                return self.sentence()
            case _:
                return self.rule()

    def overflow(self) -> Words:
        return self.optional(lambda: self.one_of(["drop"], ["defer"], ["defer", *self.duration()]))

    def policy_line(self) -> Words:
        match self.count(0, 3):
            case 0:
                return ["quiet", self.clock(), "to", self.clock(), *self.optional(self.zone), *self.overflow()]
            case 1:
                return ["limit", self.number(), self.name(), "per", *self.duration(), *self.overflow()]
            case 2:
                return ["space", *self.duration(), *self.overflow()]
            case _:
                return ["budget", "200", "EUR", "per", *self.duration(), *self.overflow()]

    def test_of_rule(self) -> Words:
        rule = self.optional(lambda: ["for", self.name()])
        given = self.several(0, 4, self.given)
        return ["test", self.text(), *rule, *given, *self.several(1, 3, self.expected)]

    def given(self) -> Words:
        match self.count(0, 5):
            case 0:
                return ["given", "customer", *self.several(1, 3, self.fact, ",")]
            case 1:
                return ["given", "arm", self.text()]
            case 2:
                return ["at", *self.moment_of_test(), "email", "fails"]
            case 3:
                return ["at", *self.moment_of_test(), "customer", *self.several(1, 3, self.fact, ",")]
            case _:
                what = [self.one_of(self.name(), self.text()), *self.optional(lambda: [self.text()])]
                return ["at", *self.moment_of_test(), *what, *self.several(0, 3, self.fact, ",")]

    def fact(self) -> Words:
        return [self.name(), *self.value()]

    def moment_of_test(self) -> Words:
        if self.maybe():
            return self.duration()
        return [self.one_of(*_DATES), *self.optional(lambda: [self.clock()])]

    def expected(self) -> Words:
        match self.count(0, 2):
            case 0:
                return ["expect", "no", self.name()]
            case 1:
                at = self.optional(lambda: ["at", *self.moment_of_test()])
                return ["expect", self.name(), *self.optional(lambda: [self.text()]), *at]
            case _:
                return ["expect", self.number(), self.name()]


@st.composite
def items(draw: st.DrawFn, most: int = 4) -> list[Words]:
    """The words of some items."""
    author = _Author(draw)
    edition = [["edition", "2026"]] if author.count(0, 9) == 0 else []
    return edition + [author.item() for _ in range(author.count(0, most))]


def written(items: Sequence[Words], random: Random, gaps: Sequence[str], *, remarks: float = 0.0) -> str:
    """Words as text, with any of ``gaps`` between them, and with a comment after every so manieth word (``remarks`` is
    their share). Where two words would run together and the gap is empty, there is a space."""
    parts: list[str] = []
    for word in (word for item in items for word in item):
        gap = random.choice(gaps)
        if random.random() < remarks:
            gap += random.choice(_REMARKS) + random.choice(("\n", "\r\n", "\n\n", "\n    "))
        elif parts and not gap and _WORDLY.search(parts[-1]) and re.match(r"\w", word):
            gap = " "
        parts += (gap, word)
    return "".join(parts) + random.choice(gaps)


GAPS: Final = (" ", " ", " ", "  ", "\n", "\n  ", "\t", "\r\n", "\n\n", "\n\n\n", "\f")


@st.composite
def rule_files(draw: st.DrawFn, most: int = 4, *, remarks: float = 0.1) -> str:
    """Texts of rule files without mistakes, with white space and comments wherever they may stand."""
    return written(draw(items(most)), draw(st.randoms(use_true_random=False)), ("", *GAPS), remarks=remarks)
