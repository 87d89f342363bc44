"""Usual slips: what people write who know what they want and not yet how it is written.

Each is recognised at the word where the sentence stops making sense, and answered with how to write it. What is not
recognised here gets the general explanation of `segue.language.mistakes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from segue.language import slips_of_marks as marks
from segue.language import slips_of_names as names
from segue.language import slips_of_times as times
from segue.language import slips_of_words as words
from segue.language.keywords import KEYWORDS, STEPS, TOP_LEVEL
from segue.language.slip import Place, Slip
from segue.language.slips_of_values import compared, contains, fraction, money, sum_in_place, unbracketed, zone

_BEFORE_A_BEGINNING: Final = re.compile(r"(^|\n)([ \t]*|\s*rule\s+\w+(\s+\"[^\"\n]*\")?\s*)$")
_UNITS: Final = {"second": "s", "minute": "min", "hour": "h", "day": "d", "week": "w", "month": "mo", "year": "12mo"}
_ARTICLES: Final = frozenset(("a", "an", "the"))
_WHEN_TO_SEND: Final = frozenset(("at", "after", "before", "in"))
_WHOM_TO: Final = frozenset(("to", "for", "customer", "everyone", "all"))


def find_slip(place: Place) -> Slip | None:
    """The slip at a place, None where it is none of the usual ones."""
    for recognise in _SLIPS:
        slip = recognise(place)
        if slip is not None:
            return slip
    return None


def missing_limit(place: Place) -> Slip | None:
    """``wait for ordered send …`` and ``goal ordered send …``: the time is missing. Also asked where the text ends."""
    last = re.search(r"\b(wait\s+for(?:\s+next)?|goal)\s+(.*)$", place.earlier, re.DOTALL)
    if last is None:
        return None
    asked = " ".join(last.group(2).split())
    if last.group(1) == "goal" and "WITHIN" in place.accepts:
        return place.slip(
            "this `goal` does not say by when", f"add how long after entry it counts: `goal {asked} within 7d`"
        )
    if last.group(1) != "goal" and "UP" in place.accepts:
        if re.fullmatch(r"(\d+(mo|min|w|d|h|s)\s*)+", asked):
            return place.slip(
                f"`wait for` waits for something to happen, and `{asked}` is a length", f"write `wait {asked}`"
            )
        opening = " ".join(last.group(1).split())
        return place.slip(
            "this `wait for` does not say how long to wait at the most", f"add a limit: `{opening} {asked} up to 2d`"
        )
    return None


def _limit(place: Place) -> Slip | None:
    ends_it = place.word in STEPS | {"unless", "end", "else"} or place.word in KEYWORDS
    return missing_limit(place) if ends_it else None


def _big_letters(place: Place) -> Slip | None:
    small = place.word.lower()
    if place.word != small and small in KEYWORDS:
        return place.slip(
            f"`{place.word}` is written `{small}`",
            "words of the language have small letters only",
            write=small,
            # In the middle of a line such a word would begin another rule.
            safe=small not in TOP_LEVEL or _BEFORE_A_BEGINNING.search(place.earlier) is not None,
        )
    return None


def _else_if(place: Place) -> Slip | None:
    if place.word.lower() in ("elseif", "elsif", "elif"):
        return place.slip("`else if` is two words", "write `else if`", write="else if", safe=True)
    return None


def _then(place: Place) -> Slip | None:
    if place.word == "then":
        return place.takes_away(
            "`then` stands only between two channels of one `send`", "steps follow each other without it: delete it"
        )
    return None


def _article(place: Place) -> Slip | None:
    if place.before not in _ARTICLES or not re.search(r"\bsend\s+\w+\s*$", place.earlier):
        return None
    begin = place.start - (len(place.earlier) - place.earlier.rstrip().rfind(place.before))
    message = f"`{place.before}` is not needed"
    return Slip(begin, place.start, message, f"write `send {place.word}`", "delete it", "", safe=True)


def _after_channel(place: Place) -> Slip | None:
    if not re.search(r"\b(send|then|and|or)\s+\w+\s*$", place.earlier) or "STRING" not in place.accepts:
        return None
    if place.word in _WHOM_TO:
        return place.slip("a message always goes to the customer of the journey", f"leave `{place.word} …` out")
    if place.word in _WHEN_TO_SEND:
        return place.slip(
            "when a message goes is not said in the `send`",
            "put a step before it, such as `wait 2d` or `wait until 09:00`",
        )
    if place.word.isdigit() and place.later.split()[:1] == ["times"]:
        return place.slip(
            "how often is not said in the `send`", f"write `repeat {place.word} times` before it and `end` after it"
        )
    if re.fullmatch(r"[^\W\d][\w-]*", place.word) and place.word not in KEYWORDS and _is_last(place):
        return place.slip(
            "the name of a message stands in quotes",
            "the quotes tell it from a word of the language",
            write=f'"{place.word}"',
        )
    return None


def _is_last(place: Place) -> bool:
    """Whether a step, a joining word or nothing follows."""
    following = place.later.split()[:1]
    return not following or following[0] in KEYWORDS


def _message_first(place: Place) -> Slip | None:
    if place.before == "send" and place.word.startswith('"'):
        return place.slip("the channel comes before the message", f"write for instance `send email {place.word}`")
    return None


def _length(place: Place) -> Slip | None:
    if place.before == "wait" and place.word.isalpha() and place.word not in KEYWORDS:
        return place.slip(
            f"`wait {place.word}` does not say how long",
            "write for instance `wait 1d`, `wait until 09:00` or `wait for ordered up to 2d`",
        )
    if place.before == "once" and place.word not in KEYWORDS:
        return place.slip("`once` alone means once ever", "for once in a while write for instance `once per 30d`")
    unit = _UNITS.get(place.word.removesuffix("s"))
    if place.before == "last" and unit is not None:
        write = unit if unit[0].isdigit() else f"1{unit}"
        return place.slip(f"`last {place.word}` needs a number", f"write `in last {write}`", write=write, code="E0207")
    return None


def _setting(place: Place) -> Slip | None:
    if place.before == "set" and place.word.isidentifier() and place.word not in KEYWORDS:
        return place.slip(
            "`set` changes a trait, and traits are written with `customer.`",
            f"write `set customer.{place.word} = …`",
            write=f"customer.{place.word}",
            safe=True,
        )
    if place.word == "to" and "EQUAL" in place.accepts and re.search(r"\bset\s+customer\s*\.\s*\w+\s*$", place.earlier):
        return place.slip("a trait is set with `=`", "write `=`", write="=", safe=True)
    return None


def _looking_back(place: Place) -> Slip | None:
    asked = re.search(r"\b(where|unless|until|if|for|and|or|not|goal)\b[^\n]*$", place.earlier)
    if place.word.split() == ["in", "last"] and asked is None:
        return place.slip(
            "a journey begins at the moment an event arrives, not in a span of time",
            f"to ask about the past write it as a condition: `where {place.before} in last 30d`",
        )
    if place.word.isdigit() and "AT" in place.accepts and place.later.split()[:1] == ["times"]:
        return place.slip(
            "how often is asked with `at least`", f"write `at least {place.word} times`", write=f"at least {place.word}"
        )
    if place.word == "than":
        return place.slip(
            "`than` is no word of the language",
            "numbers are compared with `<` and `>`; how often something happened is asked with `at least 3 times`",
        )
    return None


def _joining(place: Place) -> Slip | None:
    if place.word == "to" and "AND" in place.accepts and re.search(r"\bbetween\b[^\n]*$", place.earlier):
        return place.slip("the two ends of `between` are joined by `and`", "write `and`", write="and", safe=True)
    if place.word == "and" and re.match(r"\s*(rule\b.*)?when\s+\w+(\s+or\s+\w+)*\s*$", place.earlier, re.DOTALL):
        return place.slip(
            "one event begins a journey, so there is no `and` between two",
            "write `or` where either may begin it; or begin with the later one and ask for the other with `where`",
        )
    return None


def _hyphen(place: Place) -> Slip | None:
    left = re.search(r"(\w+)$", place.earlier)
    right = re.match(r"\w+", place.later)
    if place.word != "-" or left is None or right is None:
        return None
    write = f"{left.group()}_{right.group()}"
    if write.lower() == "e_mail":
        write = "email"
    begin, end = place.start - len(left.group()), place.end + right.end()
    cure = f"write `{write}`"
    return Slip(begin, end, "names have no hyphens", cure, cure, write, safe=True)


def _two_words(place: Place) -> Slip | None:
    found = re.match(r"\s*rule\s+(\w+)\s*$", place.earlier)
    if found is None or place.word.lower() in ("when", "every", "on") or not place.word[0].isalnum():
        return None
    more = re.match(r"(?:\s+(?!(?i:when|every|on)\b)\w+)*", place.later)
    assert more is not None
    name = "_".join([found.group(1), place.word, *more.group().split()])
    begin = place.start - len(place.earlier) + found.start(1)
    return Slip(
        begin,
        place.end + more.end(),
        "a rule's name is one word",
        f"write `{name}`; what people read stands in quotes after it",
        f"write `{name}`",
        name,
        safe=True,
    )


_SLIPS: Final[tuple[Callable[[Place], Slip | None], ...]] = (
    marks.comment,
    marks.bullet,
    marks.arrow,
    marks.brace,
    _two_words,
    _big_letters,
    fraction,
    marks.comma,
    times.share,
    times.day,
    times.clock,
    words.closer,
    _else_if,
    _then,
    _hyphen,
    money,
    zone,
    sum_in_place,
    names.fact,
    names.arm,
    _limit,
    _article,
    _joining,
    compared,
    contains,
    unbracketed,
    words.needless,
    words.every,
    words.times,
    words.length,
    words.content,
    _looking_back,
    _after_channel,
    _message_first,
    names.beginning,
    names.segment,
    names.bracketed_fields,
    words.of_customer,
    words.step,
    names.two_words,
    names.quoted_name,
    _length,
    _setting,
    marks.mark,
)
"""Asked in this order: the most particular first."""
