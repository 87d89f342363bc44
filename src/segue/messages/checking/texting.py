"""SMS: in how many parts a text goes, what that costs, and the characters that make it dearer than need be."""

from __future__ import annotations

import unicodedata
from typing import Final

from segue.api import Money
from segue.api.sms import Parts, TextError, outside_gsm, readable_text, split_text, transliterate
from segue.messages.checking.sheet import Sheet

NEARLY: Final = 20
"""A text that is longer than whole parts by no more than this can be made a part shorter by changing a few words."""
MANY: Final = {"gsm-7": 2, "ucs-2": 3}
"""From so many parts on what a text costs is told, however it fills them: most languages of UCS-2 need two."""
_OF_PART: Final = {"gsm-7": (160, 153), "ucs-2": (70, 67)}


def check_text(sheet: Sheet) -> None:
    """Note what makes an SMS dearer than its words are worth."""
    if sheet.channel.medium != "sms" or "text" not in sheet.longest:
        return
    texts = []
    for parts in (sheet.longest, sheet.shortest):
        try:
            texts.append(readable_text(parts["text"]))
        except TextError:
            continue
    if not texts:
        return
    text = max(texts, key=lambda one: split_text(one).units)
    found = split_text(text)
    if not _dearer(sheet, text, found):
        _several(sheet, found)


def _dearer(sheet: Sheet, text: str, found: Parts) -> bool:
    """Whether a few characters cost whole parts."""
    if found.alphabet == "gsm-7":
        return False
    plain = split_text(plainly(text))
    source = sheet.sources["text"].source
    by = [character for character in outside_gsm(text) if character in source]
    if plain.alphabet != "gsm-7" or plain.count >= found.count or not by:
        return False
    place = source.index(by[0])
    shown = ", ".join(map(_named, by[:6]))
    sheet.add(
        "W1018",
        "text",
        (place, place + 1),
        f"{shown} {'is' if len(by) == 1 else 'are'} not in the alphabet of SMS (GSM-7): {sheet.title} goes in "
        f"{found.count} parts instead of {plain.count}{costs(sheet.channel.cost, found.count)}",
        label=_instead(by[0]),
        hint="a text with any such character goes as UCS-2, of which a part holds 67 instead of 153",
    )
    return True


def plainly(text: str) -> str:
    """The text with plain punctuation, and without signs that are no letters, such as emoji."""
    kept = "".join(
        character
        for character in transliterate(text, "punctuation")
        if character in "\n"
        or unicodedata.category(character) not in ("So", "Sk", "Mn", "Cf")
        or not outside_gsm(character)
    )
    return transliterate(kept, "punctuation")


def _named(character: str) -> str:
    """A character as it can be read: one that shows nothing by its name."""
    if unicodedata.category(character) in ("Zs", "Zl", "Zp", "Cf", "Cc", "Mn"):
        name = unicodedata.name(character, "a control character").lower()
        return f"U+{ord(character):04X} ({name})"
    return f"“{character}”"


def _instead(character: str) -> str:
    plain = transliterate(character, "punctuation")
    return f"write {plain}" if plain not in ("", character) else "leave it out"


def _several(sheet: Sheet, found: Parts) -> None:
    alone, each = _OF_PART[found.alphabet]
    room = alone if found.count == 2 else each * (found.count - 1)
    over = found.units - room
    if found.count == 1 or (over > NEARLY and found.count < MANY[found.alphabet]):
        return
    fewer = (
        f"{over} character{'s' if over > 1 else ''} shorter it goes in {'one' if found.count == 2 else found.count - 1}"
    )
    sheet.add(
        "W1017",
        "text",
        None,
        f"{sheet.title} goes in about {found.count} parts ({found.alphabet.upper()})"
        f"{costs(sheet.channel.cost, found.count)}",
        label=f"about {found.units} characters",
        hint=fewer if over <= NEARLY else "say less, or send what is so long by email",
    )


def costs(cost: Money | None, parts: int) -> str:
    """What a text of so many parts costs, in words; nothing where that is not known."""
    if cost is None:
        return ""
    return f", which cost {(cost.amount * parts).normalize():f} {cost.currency}"
