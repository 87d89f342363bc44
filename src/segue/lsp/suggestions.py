"""What an editor offers while one writes: the words that can stand there, and the names that mean something there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

import msgspec

from segue.language.ahead import Ahead, Word, look_ahead
from segue.language.explained import explain_word
from segue.language.keywords import AGGREGATES, KINDS, STEPS, TOP_LEVEL, TYPES
from segue.language.occurrences import Meaning, What
from segue.language.vocabulary import EVERY_CHANNEL, Lexicon
from segue.lsp.draft import Draft
from segue.lsp.wording import describe

Kind = Literal["word", "snippet", "unit", "function", "type", "zone"] | What

_VALUE: Final = frozenset(("MONEY", "INT", "STRING", "NAME"))
_ZONES: Final = ("Europe/Helsinki", "Europe/London", "America/New_York", "UTC")
_SNIPPETS: Final[Mapping[str, tuple[str, str]]] = {
    "rule": ("rule … when …", 'rule ${1:name} "${2:What it is for}"\n  when ${3:event}\n\n  $0'),
    "if": ("if … end", "if ${1:condition}\n  $0\nend"),
    "split": ("split … end", 'split\n  50% "${1:a}"\n    $0\n  50% "${2:b}"\n    \nend'),
    "repeat": ("repeat … end", "repeat ${1:3} times\n  $0\nend"),
    "event": ("event … is …", 'event ${1:name} is "${2:Name That Sources Send}"\n  ${3:field} ${4:text}$0'),
    "segment": ("segment … where …", 'segment ${1:name} "${2:Who they are}"\n  where $0'),
    "policy": (
        "policy …",
        "policy ${1:promotional}\n  quiet ${2:21:00} to ${3:08:00} local\n  limit ${4:2} email per ${5:7d}$0",
    ),
    "test": ("test …", 'test "${1:what should happen}" for ${2:rule}\n  at 0h ${3:event}\n  expect $0'),
}
_SAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "DURATION": ("1h", "4h", "1d", "3d", "1w", "30d", "1mo"),
    "CLOCK": ("09:00", "12:00", "18:00", "20:00"),
    "PERCENT": ("5%", "10%", "50%"),
}


class Suggestion(msgspec.Struct, frozen=True):
    """``text`` is what is written, with places to fill in where ``snippet``; ``rank`` orders: lower comes first."""

    label: str
    kind: Kind
    text: str
    detail: str = ""
    doc: str = ""
    snippet: bool = False
    rank: int = 5


class Suggestions(msgspec.Struct, frozen=True):
    """What can stand at a place; it replaces the text from ``start`` on."""

    start: int
    found: tuple[Suggestion, ...]


def suggest(draft: Draft, path: str, offset: int) -> Suggestions:
    """What can stand at a place of a file."""
    text = draft.text(path)
    ahead = look_ahead(text, offset)
    if ahead.inside == "comment":
        return Suggestions(offset, ())
    lexicon, groups = draft.lately_known()
    offer = _Offer(draft, lexicon, groups, ahead)
    found: Iterable[Suggestion] = offer.texts() if ahead.inside == "text" else offer.words()
    unique = {(one.label, one.snippet): one for one in sorted(found, key=lambda one: -one.rank)}
    return Suggestions(ahead.start, tuple(sorted(unique.values(), key=lambda one: (one.rank, one.label))))


class _Offer:
    def __init__(self, draft: Draft, lexicon: Lexicon, groups: Mapping[str, What], ahead: Ahead) -> None:
        self._draft = draft
        self._lexicon = lexicon
        self._groups = groups
        self._ahead = ahead
        self._before = ahead.before
        self._last = ahead.before[-1] if ahead.before else Word("", "")
        self._last_but_one = ahead.before[-2] if len(ahead.before) > 1 else Word("", "")

    # Inside quotes

    def texts(self) -> Iterator[Suggestion]:
        last = self._last
        if last.kind in ("WHEN", "OR") and not self._has("SEND") and not self._in_condition():
            yield from self._sent_names()
        elif last.kind == "ARM":
            for meaning in self._meanings("arm"):
                yield self._named(meaning)
        elif "with" in self._ahead.words or last.text in self._lexicon.reactions or self._begins("test"):
            channel = last.text if last.text in self._lexicon.channels else None
            for name in self._messages(channel):
                yield self._named(Meaning("message", name))

    def _sent_names(self) -> Iterator[Suggestion]:
        for name in self._lexicon.sent_names():
            event = self._lexicon.event_sent_as(name)
            if event and name != event:
                yield Suggestion(name, "event", name, f"event {event}")

    def _messages(self, channel: str | None) -> list[str]:
        found = {name for name, of, _ in self._draft.content.templates if channel is None or of == channel}
        return sorted(found or {name for name, _, _ in self._draft.content.templates})

    # Words and names

    def words(self) -> Iterator[Suggestion]:
        ahead = self._ahead
        if self._last.kind == "DOT":
            yield from self._after_dot()
            return
        if not self._before and not ahead.begins:
            yield from self._top()
            return
        if "NAME" in ahead.accepts:
            yield from self._names()
        for word in ahead.words:
            yield from self._word(word)
        for kind, samples in _SAMPLES.items():
            if kind in ahead.accepts and not (kind == "CLOCK" and ahead.accepts >= _VALUE):
                for sample in samples:
                    yield Suggestion(sample, "unit", sample, rank=6)
        if "ZONE" in ahead.accepts:
            for zone in dict.fromkeys((self._draft.assembly.project.zone, *_ZONES)):
                yield Suggestion(zone, "zone", zone, rank=7)
        if "STRING" in ahead.accepts and self._wants_message():
            for name in self._messages(self._last.text if self._last.text in self._lexicon.channels else None):
                yield Suggestion(f'"{name}"', "message", f'"{name}"', "message", rank=2)
        if not ahead.accepts:  # what stands before cannot be read: whatever begins something is of use
            for word in STEPS:
                yield from self._word(word)
        if ahead.complete or not ahead.accepts:
            yield from self._top()

    def _top(self) -> Iterator[Suggestion]:
        for word in TOP_LEVEL:
            if word != "edition" or not self._before:
                for one in self._word(word):
                    yield msgspec.structs.replace(one, rank=one.rank + 3)

    def _word(self, word: str) -> Iterator[Suggestion]:
        explained = explain_word(word)
        doc = explained.sentence if explained else ""
        if word == "customer" and not self._ahead.complete:
            yield Suggestion("customer.", "word", "customer.", "a trait of the customer", doc, rank=3)
            if self._last.kind in ("WHEN", "GIVEN"):
                yield Suggestion(word, "word", word, "", doc, rank=4)
            return
        yield Suggestion(word, "word", word, "", doc, rank=4)
        snippet = _SNIPPETS.get(word)
        if snippet and not (word == "repeat" and self._last.kind == "ON"):
            label, text = snippet
            yield Suggestion(label, "snippet", text, "", doc, snippet=True, rank=5)

    def _after_dot(self) -> Iterator[Suggestion]:
        owner = self._last_but_one
        if owner.kind == "CUSTOMER":
            for name in self._lexicon.trait_names():
                yield self._named(Meaning("trait", name))
        elif owner.text == "trigger":
            yield from self._fields_of_trigger()
        else:
            yield from self._fields((owner.text,))

    def _names(self) -> Iterator[Suggestion]:
        accepts, last = self._ahead.accepts, self._last
        if "PREFERRED" in accepts or last.kind == "CAN_GET":
            yield from self._channels()
        elif accepts >= _VALUE:
            yield from self._in_value()
        elif last.kind in ("ENTERS", "LEAVES"):
            yield from self._of("segment")
        elif last.kind == "FOR":
            yield from self._of("rule" if self._begins("test") else "segment")
        elif last.kind in ("AS", "POLICY"):
            for kind in KINDS:
                yield self._named(Meaning("kind", kind))
        elif last.kind == "PER":
            yield from self._fields_of_trigger()
        elif last.kind == "WORTH":
            yield from self._fields(self._events_since("GOAL"))
        elif last.kind in ("WITH", "COMMA") and self._has("EMIT") and not self._has("SEND"):
            yield from self._fields(self._events_since("EMIT"))
        elif last.kind in ("EVENT", "SEGMENT", "RULE", "WITH"):
            return  # a new name
        elif self._begins("test"):
            yield from self._in_test()
        elif self._begins("policy"):
            yield from self._channels()
            yield Suggestion("messages", "word", "messages", "of all channels together", rank=3)
        elif self._begins("event") or self._begins("customer"):
            yield from self._types()
        elif last.kind == "IN" and "LSQB" in accepts:
            yield from self._in_value(lists=True)
        elif last.kind == "IN":
            yield from self._of("segment")
            yield from self._of("rule")
        elif last.text in self._lexicon.reactions:
            yield from self._channels()
        elif last.kind in ("WHEN", "OR", "EMIT"):
            yield from self._events()

    def _types(self) -> Iterator[Suggestion]:
        # Names and types take turns; after a name comes its type.
        names = [word for word in self._before if word.kind == "NAME"]
        if len(names) % 2 == (0 if self._begins("event") else 1):
            for type_ in TYPES:
                yield Suggestion(type_, "type", type_, "type", rank=1)

    def _in_value(self, *, lists: bool = False) -> Iterator[Suggestion]:
        inside = self._event_in_brackets()
        if inside is not None:
            yield from self._fields((inside,))
            return
        yield from self._fields_of_trigger()
        if lists:
            return
        if self._last.kind == "IN":
            yield from self._of("segment")
            yield from self._of("rule")
            return
        yield from self._events()
        for name in sorted(self._lexicon.reactions):
            yield self._named(Meaning("reaction", name), rank=3)
        for function in AGGREGATES:
            yield Suggestion(function, "function", f"{function}($0)", "function", snippet=True, rank=4)

    def _in_test(self) -> Iterator[Suggestion]:
        kinds = [word.kind for word in self._before]
        line = next((kind for kind in reversed(kinds) if kind in ("GIVEN", "AT", "EXPECT")), "")
        if line == "GIVEN":
            for name in self._lexicon.trait_names():
                yield self._named(Meaning("trait", name))
        elif line == "EXPECT":
            yield from self._channels()
            for what in ("messages", "exit"):
                yield Suggestion(what, "word", what, rank=3)
        elif self._last.kind == "DURATION":
            yield from self._events()
            for name in sorted(self._lexicon.reactions):
                yield self._named(Meaning("reaction", name), rank=3)
            for one in self._channels():
                yield msgspec.structs.replace(one, rank=4)
        else:
            yield from self._fields(self._events_since("AT"))

    # Kinds of names

    def _events(self) -> Iterator[Suggestion]:
        for name in self._lexicon.event_names():
            yield self._named(Meaning("event", name), rank=2)

    def _channels(self) -> Iterator[Suggestion]:
        for name in self._lexicon.channels:
            yield self._named(Meaning("channel", name))

    def _of(self, what: What) -> Iterator[Suggestion]:
        for name, kind in self._groups.items():
            if kind == what:
                yield self._named(Meaning(what, name), rank=2 if what == "rule" else 1)

    def _meanings(self, what: What) -> Iterator[Meaning]:
        for path in self._draft.paths:
            for one in self._draft.index(path):
                if one.meaning.what == what and one.defines:
                    yield one.meaning

    def _fields(self, events: Iterable[str]) -> Iterator[Suggestion]:
        for event in dict.fromkeys(events):
            if self._lexicon.is_event(event):
                for name in self._lexicon.fields(event):
                    yield self._named(Meaning("field", name, event))

    def _fields_of_trigger(self) -> Iterator[Suggestion]:
        yield from self._fields(self._events_of_trigger())

    def _named(self, meaning: Meaning, rank: int = 1) -> Suggestion:
        detail, doc = describe(self._draft, meaning, where=False)
        return Suggestion(meaning.name, meaning.what, meaning.name, detail, doc, rank=rank)

    # Looking back

    def _has(self, kind: str) -> bool:
        return any(word.kind == kind for word in self._before)

    def _begins(self, word: str) -> bool:
        return self._ahead.begins == word

    def _in_condition(self) -> bool:
        return any(word.kind in ("WHERE", "UNLESS", "UNTIL", "GOAL", "IF") for word in self._before)

    def _wants_message(self) -> bool:
        return self._last.text in self._lexicon.channels or self._last.text in {
            *(reaction for channel in self._lexicon.channels.values() for reaction in channel.reactions),
            *EVERY_CHANNEL,
        }

    def _events_of_trigger(self) -> list[str]:
        """The events between `when` and what follows it."""
        found: list[str] = []
        started = False
        for word in self._before:
            if word.kind == "WHEN":
                started = True
            elif started and word.kind in ("NAME", "STRING"):
                event = self._lexicon.event_sent_as(word.text.strip('"')) if word.kind == "STRING" else word.text
                found += [event] if event else []
            elif started and word.kind != "OR":
                break
        return found

    def _events_since(self, kind: str) -> list[str]:
        place = max((n for n, word in enumerate(self._before) if word.kind == kind), default=0)
        return [word.text for word in self._before[place:] if word.kind == "NAME" and self._lexicon.is_event(word.text)]

    def _event_in_brackets(self) -> str | None:
        """The event whose fields are asked where a bracket of `where (` is open, `ordered.total where (` included."""
        depth = 0
        for place in range(len(self._before) - 1, 0, -1):
            kind = self._before[place].kind
            if kind == "RPAR":
                depth += 1
            elif kind == "LPAR" and depth:
                depth -= 1
            elif kind == "LPAR" and self._before[place - 1].kind == "WHERE":
                names = [word.text for word in self._before[: place - 1]]
                dotted = len(names) > 2 and names[-2] == "."
                return names[-3] if dotted else names[-1] if names else None
        return None
