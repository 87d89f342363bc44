"""Which name stands where in a file, and what it means there: the index behind renaming, going to a definition, finding
uses and explaining a word.

The walk follows the same reading as the checks (`segue.language.names`), but never reports: a name that means nothing
is left out. A name that means several things at once (a field that all events of a trigger have) is listed for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from segue.language import tree as t
from segue.language.triggers import event_of, name_of
from segue.language.vocabulary import Lexicon

What = Literal["event", "field", "trait", "channel", "segment", "rule", "message", "reaction", "kind", "arm"]


class Meaning(msgspec.Struct, frozen=True):
    """What a name stands for. ``owner`` is the event of a field and the rule of an arm, else empty."""

    what: What
    name: str
    owner: str = ""


class Occurrence(msgspec.Struct, frozen=True):
    """A name at a place. ``start`` and ``end`` are offsets, quotes excluded where it stands in quotes.

    ``written`` is the name as it stands there: an event may be called by the name that sources send (``quoted``).
    ``defines``: the declaration itself. ``implied``: a rule without a head, which is defined by its trigger's name.
    """

    meaning: Meaning
    start: int
    end: int
    written: str
    defines: bool = False
    quoted: bool = False
    implied: bool = False


class _Scope(msgspec.Struct, frozen=True):
    """The events of the trigger, the rule, and inside the brackets of `where (…)` the event looked at."""

    rule: str = ""
    events: tuple[str, ...] = ()
    event: str | None = None


def occurrences(tree: t.File, lexicon: Lexicon, groups: Mapping[str, What]) -> tuple[Occurrence, ...]:
    """Every name of a file that means something, in the order of places. ``groups`` says which names are segments and
    which are rules (see `groups_of`)."""
    walk = _Walk(lexicon, groups)
    for item in tree.items:
        walk.item(item)
    return tuple(sorted(walk.found, key=lambda one: (one.start, one.end, one.implied)))


def groups_of(tree: t.File, lexicon: Lexicon) -> Iterator[tuple[str, What]]:
    """The segments and rules that a file defines, in its order."""
    for item in tree.items:
        if isinstance(item, t.Segment):
            yield item.name.text, "segment"
        elif isinstance(item, t.Rule):
            yield name_of(item, lexicon), "rule"


class _Walk:
    def __init__(self, lexicon: Lexicon, groups: Mapping[str, What]) -> None:
        self._lexicon = lexicon
        self._groups = groups
        self.found: list[Occurrence] = []

    def item(self, item: t.Item) -> None:
        match item:
            case t.EventDeclaration():
                self._add("event", item.name, defines=True)
                for field in item.fields:
                    self._add("field", field.name, item.name.text, defines=True)
                if item.sent_as is not None:
                    self._quoted(Meaning("event", item.name.text), item.sent_as)
            case t.CustomerDeclaration():
                for trait in item.traits:
                    self._add("trait", trait.name, defines=True)
            case t.Segment():
                self._add("segment", item.name, defines=True)
                self._expression(item.condition, _Scope())
            case t.Policy():
                self._add("kind", item.kind)
                for line in item.lines:
                    if isinstance(line, t.Limit):
                        self._channel(line.channel)
            case t.Rule():
                self._rule(item)
            case t.Test():
                self._test(item)
            case t.Edition() | t.Broken():
                pass

    # Rules

    def _rule(self, rule: t.Rule) -> None:
        name = name_of(rule, self._lexicon)
        if rule.name is not None:
            self._add("rule", rule.name, defines=True)
        events: tuple[str, ...] = ()
        match rule.trigger:
            case t.OnEvent(events=written):
                for event in written:
                    self._event(event)
                events = tuple(found for event in written if (found := event_of(event, self._lexicon)) is not None)
                self._implied(rule, name, written[0])
            case t.OnMembership(segment=segment):
                self._group(segment)
                self._implied(rule, name, segment)
            case t.OnChange(trait=trait) | t.OnOffset(trait=trait):
                self._add("trait", trait.name)
                self._implied(rule, name, trait.name)
            case t.OnSchedule(recurrence=recurrence):
                if isinstance(recurrence, t.Yearly):
                    self._add("trait", recurrence.trait.name)
                    self._implied(rule, name, recurrence.trait.name)
            case t.OnDate():
                pass
        scope = _Scope(rule=name, events=events)
        for clause in rule.clauses:
            match clause:
                case t.Where(condition=condition):
                    self._expression(condition, scope)
                case t.Per(field=field):
                    self._field_of_trigger(field, scope)
                case t.Audience(name=audience):
                    self._group(audience)
                    if name == audience.text and isinstance(rule.trigger, (t.OnSchedule, t.OnDate)):
                        self._implied(rule, name, audience)
        for line in rule.headers:
            self._header(line, scope)
        self._steps(rule.steps, scope)

    def _implied(self, rule: t.Rule, name: str, place: t.Name | t.Text) -> None:
        """A rule without a head is defined where the name is that it takes."""
        if rule.name is not None or not name:
            return
        quoted = isinstance(place, t.Text)
        start, end = (place.start + 1, place.end - 1) if quoted else (place.start, place.end)
        written = place.value if isinstance(place, t.Text) else place.text
        self.found.append(Occurrence(Meaning("rule", name), start, end, written, True, quoted, True))

    def _header(self, line: t.Header, scope: _Scope) -> None:
        match line:
            case t.Goal():
                before = len(self.found)
                self._expression(line.condition, scope)
                named = dict.fromkeys(one.meaning.name for one in self.found[before:] if one.meaning.what == "event")
                for event in named:
                    if line.worth is not None and line.worth.text in self._lexicon.fields(event):
                        self._add("field", line.worth, event)
            case t.As(kind=kind):
                self._add("kind", kind)
            case t.Until(condition=condition):
                self._expression(condition, scope)
            case _:
                pass

    def _steps(self, steps: tuple[t.Step, ...], scope: _Scope) -> None:
        for step in steps:
            match step:
                case t.Send(parts=parts):
                    for together in parts:
                        for group in together.groups:
                            for delivery in group.deliveries:
                                self._delivery(delivery, scope)
                case t.If(branches=branches, otherwise=otherwise):
                    for branch in branches:
                        self._expression(branch.condition, scope)
                        self._steps(branch.steps, scope)
                    self._steps(otherwise, scope)
                case t.Split(arms=arms):
                    self._expression(step.towards, scope)
                    for arm in arms:
                        if arm.name is not None:
                            self._quoted(Meaning("arm", arm.name.value, scope.rule), arm.name, defines=True)
                        self._steps(arm.steps, scope)
                case t.Repeat(until=until, steps=inner):
                    self._expression(until, scope)
                    self._steps(inner, scope)
                case t.Set(trait=trait, value=value):
                    self._add("trait", trait.name)
                    self._expression(value, scope)
                case t.Emit(event=event, values=values):
                    self._event(event)
                    for assignment in values:
                        if assignment.name.text in self._lexicon.fields(event.text):
                            self._add("field", assignment.name, event.text)
                        self._expression(assignment.value, scope)
                case t.Wait() | t.WaitUntil() | t.WaitFor() | t.Stop():
                    self._expression(step, scope)

    def _delivery(self, delivery: t.Delivery, scope: _Scope) -> None:
        if delivery.channel is not None:
            self._channel(delivery.channel)
        if delivery.message is not None:
            self._quoted(Meaning("message", delivery.message.value), delivery.message)
        for assignment in delivery.values or ():
            self._expression(assignment.value, scope)
        if delivery.kind is not None:
            self._add("kind", delivery.kind)

    # Conditions and values

    def _expression(self, node: object, scope: _Scope) -> None:
        """Whatever stands in a condition, a value, a moment or a wait."""
        match node:
            case t.Path():
                self._path(node, scope)
            case t.TraitPath(name=name):
                self._add("trait", name)
            case t.History():
                self._history(node, scope)
            case t.Reaction():
                self._add("reaction", node.name)
                if node.channel is not None:
                    self._channel(node.channel)
                if node.message is not None:
                    self._quoted(Meaning("message", node.message.value), node.message)
            case t.InsideTest(name=name):
                self._group(name)
            case t.CanGetTest(channel=channel):
                self._channel(channel)
            case t.Call(arguments=arguments):
                for argument in arguments:
                    self._expression(argument, scope)
            case tuple():
                for part in node:
                    self._expression(part, scope)
            case t.Syntax():
                for field in node.__struct_fields__:
                    self._expression(getattr(node, field), scope)
            case _:
                pass

    def _history(self, node: t.History, scope: _Scope) -> None:
        self._expression(node.path, scope)
        event = node.path.names[0].text if isinstance(node.path, t.Path) else None
        if node.where is not None:
            self._expression(node.where, msgspec.structs.replace(scope, event=event) if event else scope)

    def _path(self, path: t.Path, scope: _Scope) -> None:
        first, *rest = path.names
        if scope.event is not None:
            if not rest and first.text in self._lexicon.fields(scope.event):
                self._add("field", first, scope.event)
            return
        if rest:
            if first.text == "trigger":
                self._field_of_trigger(rest[0], scope)
            elif self._lexicon.is_event(first.text):
                self._add("event", first)
                if rest[0].text in self._lexicon.fields(first.text):
                    self._add("field", rest[0], first.text)
            return
        if not self._field_of_trigger(first, scope):
            if self._lexicon.is_event(first.text):
                self._add("event", first)
            elif first.text in self._lexicon.reactions:
                self._add("reaction", first)

    def _field_of_trigger(self, name: t.Name, scope: _Scope) -> bool:
        """For each event of the trigger that has the field; whether any has."""
        owners = [event for event in scope.events if name.text in self._lexicon.fields(event)]
        for event in dict.fromkeys(owners):
            self._add("field", name, event)
        return bool(owners)

    # Tests

    def _test(self, test: t.Test) -> None:
        rule = test.rule
        if rule is not None:
            self._group(rule)
        for line in test.lines:
            match line:
                case t.GivenCustomer(facts=facts):
                    for fact in facts:
                        self._add("trait", fact.name)
                case t.GivenArm(arm=arm):
                    self._quoted(Meaning("arm", arm.value, rule.text if rule else ""), arm)
                case t.Happens():
                    self._happens(line)
                case t.Fails(channel=channel):
                    self._channel(channel)
                case t.ExpectNone(what=what) | t.ExpectCount(what=what):
                    self._channel(what)
                case t.ExpectOne(what=what, message=message):
                    self._channel(what)
                    if message is not None:
                        self._quoted(Meaning("message", message.value), message)

    def _happens(self, line: t.Happens) -> None:
        event = event_of(line.name, self._lexicon)
        if event is None and isinstance(line.name, t.Name) and line.name.text in self._lexicon.reactions:
            self._add("reaction", line.name)
        else:
            self._event(line.name)
        if line.message is not None:
            self._quoted(Meaning("message", line.message.value), line.message)
        for fact in line.facts:
            if event is not None and fact.name.text in self._lexicon.fields(event):
                self._add("field", fact.name, event)

    # Names

    def _event(self, written: t.Name | t.Text) -> None:
        event = event_of(written, self._lexicon)
        if event is None:
            return
        if isinstance(written, t.Text):
            self._quoted(Meaning("event", event), written)
        else:
            self._add("event", written)

    def _group(self, name: t.Name) -> None:
        what = self._groups.get(name.text)
        if what is not None:
            self._add(what, name)

    def _channel(self, name: t.Name) -> None:
        if name.text in self._lexicon.channels:
            self._add("channel", name)

    def _add(self, what: What, name: t.Name, owner: str = "", *, defines: bool = False) -> None:
        self.found.append(Occurrence(Meaning(what, name.text, owner), name.start, name.end, name.text, defines))

    def _quoted(self, meaning: Meaning, text: t.Text, *, defines: bool = False) -> None:
        self.found.append(Occurrence(meaning, text.start + 1, text.end - 1, text.value, defines, True))
