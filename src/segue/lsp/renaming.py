"""Renaming across a rule book, so that the book means afterwards what it meant before.

What would break is mended on the way: an event keeps the name under which sources send it, a rule that was named after
its event keeps its name, and a message that took its name from the rule keeps its content. The result is checked in
memory before it is handed over; a name that is taken, reserved or would mean two things is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from typing import Final

import msgspec

from segue.language import tree as t
from segue.language.book import errors_about
from segue.language.keywords import is_reserved
from segue.language.occurrences import Meaning, Occurrence
from segue.language.rereading import Edit, Read, read_edited
from segue.language.triggers import name_of
from segue.lsp.draft import Draft

_NAME: Final = re.compile(r"[^\W\d]\w*")
_MESSAGE: Final = re.compile(r'[^"/\\\n.][^"/\\\n]*')
_RENAMED: Final = ("event", "field", "trait", "segment", "rule", "message", "arm")


class Renaming(msgspec.Struct, frozen=True):
    """The edits of each file, in the order of places, and the folders of messages that move."""

    edits: dict[str, tuple[Edit, ...]]
    folders: tuple[tuple[str, str], ...] = ()


class RenameRefused(Exception):
    """Why a name stays as it is, in a sentence."""


def renamed_at(draft: Draft, path: str, offset: int) -> Occurrence:
    """What would be renamed at a place. Raises RenameRefused where nothing can be."""
    found = draft.at(path, offset)
    if not found:
        raise RenameRefused("there is no name here that could be changed")
    one = next((one for one in found if not one.implied), found[0])
    meaning = one.meaning
    if meaning.what == "channel":
        raise RenameRefused(f"`{meaning.name}` is a channel; its name stands in segue.toml: [channels.{meaning.name}]")
    if meaning.what not in _RENAMED:
        raise RenameRefused(f"`{meaning.name}` belongs to the language and cannot be renamed")
    plugins = draft.brought_by(meaning)
    if plugins:
        raise RenameRefused(f"`{meaning.name}` comes from the plugin {plugins[0]} and cannot be renamed here")
    if one.quoted and one.written != meaning.name:
        raise RenameRefused(f"“{one.written}” is the name that sources send; change it where they send it")
    defined = any(other.defines for _, other in draft.everywhere(meaning))
    if not defined and meaning.what != "message":
        raise RenameRefused(f"`{meaning.name}` is declared nowhere in this rule book")
    if meaning.what == "rule" and any(other.implied for _, other in draft.everywhere(meaning)):
        raise RenameRefused(
            f"this rule is named after its trigger; give it a name first: put `rule {meaning.name}` before it"
        )
    return one


def rename(draft: Draft, path: str, offset: int, new: str) -> Renaming:
    """The edits that give a name another spelling everywhere. Raises RenameRefused, with the reason."""
    meaning = renamed_at(draft, path, offset).meaning
    new = unicodedata.normalize("NFC", new.strip())
    _refuse_bad_name(meaning, new)
    if new == meaning.name:
        return Renaming({})
    edits: defaultdict[str, set[Edit]] = defaultdict(set)
    for place, one in draft.everywhere(meaning):
        if one.implied:
            continue
        if not one.quoted or one.written == meaning.name:
            _refuse_shared(draft, place, one)
            edits[place].add(Edit(one.start, one.end, new))
    for place in draft.paths:
        for item in draft.tree(place).items:
            edits[place].update(_mended(draft, item, meaning))
    done = {place: tuple(sorted(found)) for place, found in edits.items() if found}
    folders: tuple[tuple[str, str], ...] = ()
    if meaning.what == "message":
        folders = _folders(draft, meaning.name, new)
    else:
        _refuse_new_mistakes(draft, done, meaning.name, new)
    return Renaming(done, folders)


def _refuse_bad_name(meaning: Meaning, new: str) -> None:
    if meaning.what in ("message", "arm"):
        if _MESSAGE.fullmatch(new) is None:
            raise RenameRefused(f"“{new}” cannot be the name of a {meaning.what}")
        return
    if _NAME.fullmatch(new) is None:
        raise RenameRefused(f"`{new}` is no name: letters, digits and _, and a letter first")
    if is_reserved(new):
        raise RenameRefused(f"`{new}` is a word of the language and cannot be a name")


def _refuse_shared(draft: Draft, path: str, one: Occurrence) -> None:
    """A field that several events of a trigger have is one word for all of them."""
    for other in draft.at(path, one.start):
        same = other.start == one.start and other.meaning.what == one.meaning.what
        if same and other.meaning != one.meaning:
            raise RenameRefused(
                f"`{one.meaning.name}` stands for a field of `{other.meaning.owner}` too, in a rule that both begin"
            )


def _mended(draft: Draft, item: t.Item, meaning: Meaning) -> list[Edit]:
    """What else must change in an item so that it goes on meaning the same."""
    lexicon, _ = draft.known()
    match item:
        case t.EventDeclaration() if meaning.what == "event" and item.name.text == meaning.name and not item.sent_as:
            # Sources go on sending the old name.
            return [Edit(item.name.end, item.name.end, f' is "{meaning.name}"')]
        case t.Rule(name=None) if meaning.what in ("event", "segment", "trait"):
            if name_of(item, lexicon) == meaning.name:
                return [Edit(item.start, item.start, f"rule {meaning.name}\n  ")]
        case t.Rule(name=t.Name(text=name)) if meaning.what == "rule" and name == meaning.name:
            return [Edit(place, place, f' "{name}"') for place in _sends_by_the_rules_name(item.steps)]
        case _:
            pass
    return []


def _sends_by_the_rules_name(steps: tuple[t.Step, ...]) -> list[int]:
    """Where a `send` would have to say which message it means, if the rule were called otherwise."""
    found: list[int] = []
    for step in steps:
        match step:
            case t.Send(parts=parts):
                first = parts[0].groups[0].deliveries[0]
                if first.message is None:
                    found.append(first.place.end)
            case t.If(branches=branches, otherwise=otherwise):
                for branch in branches:
                    found += _sends_by_the_rules_name(branch.steps)
                found += _sends_by_the_rules_name(otherwise)
            case t.Split(arms=arms):
                for arm in arms:
                    found += _sends_by_the_rules_name(arm.steps)
            case t.Repeat(steps=inner):
                found += _sends_by_the_rules_name(inner)
            case _:
                pass
    return found


def _folders(draft: Draft, old: str, new: str) -> tuple[tuple[str, str], ...]:
    """The folder of a message's content, and where it moves."""
    if draft.homes(new):
        raise RenameRefused(f"there is a message “{new}” already")
    return tuple((str(home), str(home.parent / new)) for home in draft.homes(old))


def _refuse_new_mistakes(draft: Draft, edits: dict[str, tuple[Edit, ...]], old: str, new: str) -> None:
    """Check what holds either name, before and after."""

    def about(tree: t.File, item: t.Item) -> bool:
        text = tree.text[item.start : item.end]
        # A name may be written with its marks apart.
        return old in text or new in text or not text.isascii()

    def edited(path: str, text: str) -> Read:
        return read_edited(draft.read(path, text), edits[path]) if path in edits else draft.read(path, text)

    snapshot = draft.snapshot()
    after = errors_about(snapshot.sources, snapshot.words, edited, about)
    if not after:
        return
    before = [one.code for one in errors_about(snapshot.sources, snapshot.words, snapshot.read, about)]
    for one in after:
        if one.code not in before:
            raise RenameRefused(f"`{new}` would be wrong: {one.message}")
        before.remove(one.code)
