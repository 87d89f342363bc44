"""A rule book: the texts of all its files, checked together."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence

import msgspec

from segue.diagnostics import Diagnostic, Label, Lines, in_order
from segue.language import model
from segue.language import tree as t
from segue.language.advice import advise
from segue.language.items import CheckedTest, Items
from segue.language.keywords import is_reserved
from segue.language.parser import parse
from segue.language.policies import Policies
from segue.language.report import Report
from segue.language.rules import CheckedRule, check_rule
from segue.language.segments import check_segment, find_circles, segments_named
from segue.language.tests import check_test
from segue.language.triggers import name_of, named_after_segment
from segue.language.vocabulary import Lexicon, Words

Reader = Callable[[str, str], tuple[t.File, tuple[Diagnostic, ...]]]
"""Path and text to tree and diagnostics, as `segue.language.parser.parse` does."""


class Source(msgspec.Struct, frozen=True):
    """The text of a rule file, and the path by which diagnostics call it."""

    path: str
    text: str


class Checked(msgspec.Struct, frozen=True):
    """A book after its check. ``book`` holds the rules without errors; ``diagnostics`` say what is wrong with the
    others, in the order of files and places; ``trees`` are the files, in the order given."""

    book: model.Book
    diagnostics: tuple[Diagnostic, ...]
    trees: tuple[t.File, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no error; there may be warnings."""
        return not any(diagnostic.is_error for diagnostic in self.diagnostics)

    @property
    def texts(self) -> dict[str, str]:
        """The files' texts by path, for `segue.diagnostics.render_full`."""
        return {tree.path: tree.text for tree in self.trees}


def check_book(sources: Sequence[Source], words: Words, read: Reader = parse) -> Checked:
    """Parse and check files as one book. Never raises for what stands in them. ``read`` is what makes the trees: an
    editor keeps those of files that have not changed."""
    look = _Look(sources, words, read)
    advise(look.items, look.lexicon)
    diagnostics = look.found()
    return Checked(_book(look.items, diagnostics, look.lexicon), diagnostics, look.trees)


def errors_about(
    sources: Sequence[Source], words: Words, read: Reader, about: Callable[[t.File, t.Item], bool]
) -> tuple[Diagnostic, ...]:
    """The errors of a book, quickly: without advice, and of its rules and tests only where ``about`` says so. Names,
    declarations, segments and policies are looked at as a whole. ``read`` may give another text's tree than it was
    given, for a book that is not written yet."""
    return tuple(one for one in _Look(sources, words, read, about).found() if one.is_error)


class _Look:
    """Files, read and checked as one book. ``about``: which rules and tests are checked; None: all."""

    def __init__(
        self,
        sources: Sequence[Source],
        words: Words,
        read: Reader,
        about: Callable[[t.File, t.Item], bool] | None = None,
    ) -> None:
        self._found: list[Diagnostic] = []
        self._files: list[tuple[t.File, Report]] = []
        for source in sources:
            tree, problems = read(source.path, source.text)
            self._found += problems
            self._files.append((tree, Report(Lines(tree.path, tree.text), problems)))
        self.lexicon = Lexicon(words)
        for tree, report in self._files:
            _declare(tree, report, self.lexicon)
        names = _take_names(self._files, self.lexicon)
        wanted = None if about is None else _wanted(self.trees, names, about)
        self.items = _check_items(self._files, names, self.lexicon, wanted)

    @property
    def trees(self) -> tuple[t.File, ...]:
        return tuple(tree for tree, _ in self._files)

    def found(self) -> tuple[Diagnostic, ...]:
        """What is wrong, in the order of files and places."""
        reports = [one for _, report in self._files for one in report.found]
        return in_order((*self._found, *self.lexicon.found, *reports))


def _wanted(
    trees: Sequence[t.File], names: Mapping[int, str], about: Callable[[t.File, t.Item], bool]
) -> frozenset[int]:
    """The rules and tests to check, by identity: those asked for, and the rules that such tests are about."""
    wanted: set[int] = set()
    tested: set[str] = set()
    for tree in trees:
        asked = [item for item in tree.items if isinstance(item, t.Rule | t.Test) and about(tree, item)]
        wanted |= set(map(id, asked))
        tests = [item for item in asked if isinstance(item, t.Test)]
        tested |= {test.rule.text for test in tests if test.rule is not None}
        if any(test.rule is None for test in tests):
            wanted |= {id(item) for item in tree.items if isinstance(item, t.Rule)}
    return frozenset(wanted | {rule for rule, name in names.items() if name in tested})


def _declare(tree: t.File, report: Report, lexicon: Lexicon) -> None:
    for item in tree.items:
        match item:
            case t.EventDeclaration():
                lexicon.declare_event(item, report)
            case t.CustomerDeclaration():
                lexicon.declare_traits(item, report)
            case t.Broken(begins="customer"):
                lexicon.traits_open = True
            case t.Broken(begins="event" | "segment", name=str() as name):
                lexicon.unreadable.add(name)
            case t.Broken(begins="rule" | "when", name=str() as name):
                lexicon.broken_rules.add(name)
            case _:
                pass


# Names


def _take_names(files: list[tuple[t.File, Report]], lexicon: Lexicon) -> dict[int, str]:
    """Give every segment and rule its name, before any condition asks for one. The names of rules by the rule's
    identity, since a rule may have none of its own."""
    names: dict[int, str] = {}
    for tree, report in files:
        for item in tree.items:
            if isinstance(item, t.Segment):
                _take(item.name.text, item, lexicon, report)
    for tree, report in files:
        for item in tree.items:
            if isinstance(item, t.Rule):
                names[id(item)] = name_of(item, lexicon)
                _take(names[id(item)], item, lexicon, report)
    return names


def _take(name: str, item: t.Rule | t.Segment, lexicon: Lexicon, report: Report) -> None:
    """Rules and segments share one name space. A rule without a head may share the name of the segment that begins
    it."""
    place = item.name or (item.trigger if isinstance(item, t.Rule) else item)
    if not name or is_reserved(name):
        # A schedule with nothing to be named after does not say for whom either, and that is what it is told.
        return
    shares = isinstance(item, t.Rule) and named_after_segment(item)
    taken = lexicon.rules.get(name) or (None if shares else lexicon.segments.get(name))
    mine = lexicon.segments if isinstance(item, t.Segment) else lexicon.rules
    if taken is None:
        mine[name] = report.span(place)
        return
    other = "rule" if name in lexicon.rules else "segment"
    also = (Label(taken, f"the {other} `{name}`"),)
    if item.name is None:
        second = "a second rule would be named" if other == "rule" else "this rule would be named like the segment"
        report.add(
            "E0307",
            place,
            f"{second} `{name}` after its trigger",
            label="needs a name of its own",
            hint="put a name before it: `rule my_name` and then the trigger",
            also=also,
        )
    else:
        report.add(
            "E0307",
            place,
            f"there is a {other} named `{name}` already",
            label="the name is taken",
            hint="rules and segments share their names; choose another one",
            also=also,
        )


# Checking


def _check_items(
    files: list[tuple[t.File, Report]], names: Mapping[int, str], lexicon: Lexicon, wanted: frozenset[int] | None
) -> Items:
    """Check segments, rules, policies and tests; of rules and tests those that are ``wanted``, None: all."""
    items = Items()
    policies = Policies(lexicon)
    of_file: dict[str, list[CheckedRule]] = {}
    for tree, report in files:
        for item in tree.items:
            match item:
                case t.Segment():
                    segment = check_segment(item, lexicon, report, tree.path)
                    if segment is not None:
                        items.segments.append(segment)
                case t.Rule() if wanted is None or id(item) in wanted:
                    rule = check_rule(item, names[id(item)], lexicon, report, tree.path)
                    if rule is not None:
                        items.rules.append(rule)
                        of_file.setdefault(tree.path, []).append(rule)
                case t.Policy():
                    policy = policies.check(item, report, tree.path)
                    if policy is not None:
                        items.policies.append(policy)
                case _:
                    pass
    find_circles(items.segments)
    by_name = {checked.rule.name: checked for checked in reversed(items.rules)}
    for tree, report in files:
        here = tuple(of_file.get(tree.path, ()))
        for item in tree.items:
            if isinstance(item, t.Test) and (wanted is None or id(item) in wanted):
                test = check_test(item, here, by_name, lexicon, report, tree.path)
                if test is not None:
                    items.tests.append(CheckedTest(item, test, report))
    return items


def _book(items: Items, diagnostics: tuple[Diagnostic, ...], lexicon: Lexicon) -> model.Book:
    """What stands without an error, and names nothing that has one."""
    errors = _Errors(diagnostics)
    segments = _good_segments(items, errors)
    rules = tuple(
        checked.rule
        for checked in items.rules
        if not errors.within(checked.rule.file, checked.written) and segments.keys() >= _segments_of(checked.rule)
    )
    known = {rule.name for rule in rules}
    return model.Book(
        rules=rules,
        events=lexicon.events(),
        traits=lexicon.traits(),
        currency=lexicon.currency,
        segments=tuple(segments.values()),
        policies=tuple(
            checked.policy for checked in items.policies if not errors.within(checked.policy.file, checked.written)
        ),
        tests=tuple(
            checked.test
            for checked in items.tests
            if checked.test.rule in known and not errors.within(checked.test.file, checked.written)
        ),
    )


def _good_segments(items: Items, errors: _Errors) -> dict[str, model.Segment]:
    """The segments without an error, in their own text or in that of one they hang on."""
    good = {
        checked.segment.name: checked.segment
        for checked in items.segments
        if not errors.within(checked.segment.file, checked.written)
    }
    named_by: dict[str, list[str]] = {}
    for name, segment in good.items():
        for other in segments_named(segment):
            named_by.setdefault(other, []).append(name)
    broken = [name for name in named_by if name not in good]
    while broken:
        for name in named_by.get(broken.pop(), ()):
            if good.pop(name, None) is not None:
                broken.append(name)
    return good


def _segments_of(rule: model.Rule) -> set[str]:
    """The segments without which a rule cannot be carried out."""
    named = set(segments_named(rule))
    if rule.audience is not None:
        named.add(rule.audience)
    if isinstance(rule.trigger, model.OnMembership):
        named.add(rule.trigger.segment)
    return named


class _Errors:
    """The places of all errors, by file."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        self._starts: dict[str, list[int]] = {}
        for diagnostic in diagnostics:
            if diagnostic.is_error and diagnostic.primary:
                self._starts.setdefault(diagnostic.primary.file, []).append(diagnostic.primary.start)
        for starts in self._starts.values():
            starts.sort()

    def within(self, file: str, item: t.Syntax) -> bool:
        """Whether an error stands in the text of ``item``."""
        starts = self._starts.get(file, [])
        first = bisect_left(starts, item.start)
        return first < len(starts) and starts[first] < item.end
