"""Usual slips in names and declarations: names of two words or in quotes, beginnings, fields, segments, tests."""

from __future__ import annotations

import re
from typing import Final

from segue.language.keywords import KEYWORDS
from segue.language.slip import Place, Slip

_NAME: Final = re.compile(r"[^\W\d]\w*")
_VERBS: Final = frozenset(("is", "has", "exists", "starts", "ends", "contains", "includes", "equals", "like"))
_FACT: Final = frozenset(("STRING", "DURATION", "CLOCK"))


def beginning(place: Place) -> Slip | None:
    """``if cart_abandoned …`` and ``on cart_abandoned …`` where a rule begins."""
    if not place.earlier.strip() and place.word == "if":
        return place.slip("a rule begins with what happened", "write `when`", write="when")
    if not place.earlier.strip() and place.word in ("trait", "attribute", "property"):
        return place.slip(
            "traits are declared in a `customer` block", "write `customer` and below it, one a line, `country text`"
        )
    if place.earlier.strip() == "on" and _NAME.fullmatch(place.word) and place.word not in KEYWORDS:
        begin = place.start - len(place.earlier) + place.earlier.index("on")
        hint = f"write `when {place.word}`; `on` begins a rule on one day, such as `on 2026-11-27`"
        return Slip(begin, begin + 2, "an event begins a rule with `when`", hint, "write `when`", "when")
    return None


def two_words(place: Place) -> Slip | None:
    """``when cart abandoned``, ``customer.first name``: a name is one word."""
    found = re.search(r"(?:\bwhen\s+|\bcustomer\s*\.\s*)([^\W\d_]+)[ \t]+$", place.earlier)
    if found is None or found.group(1) in KEYWORDS or place.word in KEYWORDS | _VERBS:
        return None
    if found.group().startswith("when") and not _goes_on(place):
        return None
    name = f"{found.group(1)}_{place.word}"
    begin = place.start - len(place.earlier) + found.start(1)
    cure = f"write `{name}`"
    return Slip(begin, place.end, "a name is one word", cure, cure, name)


def _goes_on(place: Place) -> bool:
    following = place.later.split()[:1]
    return bool(following) and following[0] in KEYWORDS


def quoted_name(place: Place) -> Slip | None:
    """``for "vip"``, ``rule "Win back"``."""
    if not place.word.startswith('"') or "NAME" not in place.accepts or "STRING" in place.accepts:
        return None
    inner = place.word.strip('"')
    name = "_".join(re.findall(r"\w+", inner.casefold())) or "my_rule"
    name = name if _NAME.fullmatch(name) and name not in KEYWORDS else f"my_{name}"
    if place.before == "rule":
        return place.slip(
            "a rule has a name of one word before its title",
            f"write `rule {name} {place.word}`",
            write=f"{name} {place.word}",
        )
    sure = _NAME.fullmatch(inner) is not None and inner not in KEYWORDS
    write = inner if sure else name
    return place.slip("a name stands without quotes", f"write `{write}`", write=write, safe=sure)


def arm(place: Place) -> Slip | None:
    """``split 50% a …`` and ``split a …``."""
    if _NAME.fullmatch(place.word) is None or place.word in KEYWORDS:
        return None
    if place.before.endswith("%") and "STRING" in place.accepts:
        cure = f'write `"{place.word}"`'
        return place.slip("the name of an arm stands in quotes", cure, write=f'"{place.word}"', safe=True)
    if place.before == "split" and "PERCENT" in place.accepts:
        return place.slip("every arm begins with its share", f'write for instance `split 50% "{place.word}" …`')
    return None


def segment(place: Place) -> Slip | None:
    """``segment vip count(ordered) > 3`` and ``segment vip is …``."""
    if "WHERE" not in place.accepts or re.match(r"\s*segment\b", place.earlier) is None:
        return None
    if place.word in ("is", "if", "has", "="):
        return place.slip("who is in a segment is said with `where`", "write `where`", write="where", safe=True)
    return place.slip(
        "who is in a segment is said with `where`", "put `where` before it", write=f"where {place.word}", safe=True
    )


def bracketed_fields(place: Place) -> Slip | None:
    """``event ordered (total money)``."""
    if place.word == "(" and re.match(r"\s*event\s+\w+\s*$", place.earlier):
        return place.slip(
            "the fields of an event stand without brackets", "write them below it, one a line, such as `total money`"
        )
    return None


def fact(place: Place) -> Slip | None:
    """In a test: ``at 0h ordered total = 60``, ``at 9:00 …``, an event after what is expected."""
    if re.match(r"\s*test\b", place.earlier) is None:
        return None
    if place.word in ("=", ":") and place.accepts >= _FACT:
        return place.takes_away(f"no `{place.word}` is needed here", "write for instance `total 60`")
    if re.fullmatch(r"\d{1,2}:\d\d", place.word) and place.before == "at":
        return place.slip(
            "the first moment of a test is `0h`",
            f"write for instance `at 0h` and `at 2h`, or a day with its clock time: `at 2026-11-27 {place.word}`",
        )
    if "EXPECT" in place.accepts and place.word not in KEYWORDS and re.search(r"\bat\s+\S+\s*$", place.earlier):
        return place.slip("what happens stands before what is expected", "move this line above the first `expect`")
    return None
