"""Usual slips in words: other tools' words for a step, and words of English that the language does without."""

from __future__ import annotations

import re
from typing import Final

from segue.language.expectations import STEP_TERMINALS
from segue.language.keywords import STEPS, WEEKDAYS
from segue.language.slip import Place, Slip

_NAME: Final = re.compile(r"[^\W\d]\w*")
_STEP_WORDS: Final = {
    **dict.fromkeys(("exit", "quit", "finish", "leave"), "stop"),
    **dict.fromkeys(("delay", "pause", "sleep"), "wait"),
    **dict.fromkeys(("email", "sms", "push", "letter"), "send "),
    "mail": "send email",
}
HELPING: Final = frozenset(("has", "have", "had", "did", "was", "is"))
"""Verbs that people put before what happened."""

_LONG_UNITS: Final = {"hour": "1h", "day": "1d", "week": "1w", "month": "1mo", "year": "12mo"}
_CLOSERS: Final = frozenset(("endif", "fi", "done", "endsplit", "endrepeat"))
_EVERY: Final = {
    "week": "say on which day: `every monday at 09:00`",
    "weekday": "name the days: `every monday tuesday wednesday thursday friday`",
    "weekdays": "name the days: `every monday tuesday wednesday thursday friday`",
    "weekend": "name the days: `every saturday sunday`",
    "morning": "write `every day at 09:00`",
    "evening": "write `every day at 18:00`",
    "hour": "the most often is `every day`",
    "minute": "the most often is `every day`",
}


def step(place: Place) -> Slip | None:
    """``exit``, ``delay 1d``, ``email "hello"``."""
    meant = _STEP_WORDS.get(place.word.casefold())
    if meant is None or not place.accepts & STEP_TERMINALS or place.before in STEPS:
        return None
    write = f"{meant}{place.word}" if meant.endswith(" ") else meant
    hint = f"write `{write}`"
    if write == "stop":
        hint += "; to leave as soon as something happens, `until ordered` stands before the first step"
    return place.slip(f"`{place.word}` is not a step", hint, write=write)


def closer(place: Place) -> Slip | None:
    """``endif``."""
    if place.word.casefold() in _CLOSERS and "END" in place.accepts:
        return place.slip("every block is closed by `end`", "write `end`", write="end", safe=True)
    return None


def every(place: Place) -> Slip | None:
    """``every week``, ``once every 30d``."""
    if place.before == "once" and place.word == "every":
        return place.slip("how often is said with `per`", "write for instance `once per 30d`", write="per", safe=True)
    if "PER" in place.accepts and place.word in ("a", "an", "each", "every") and place.before.isdigit():
        return place.slip("how often is said with `per`", "write for instance `100 per 1d`", write="per", safe=True)
    if place.before == "per" and place.word == "customer" and re.search(r"\bonce\s+per\s*$", place.earlier):
        begin = place.start - (len(place.earlier) - place.earlier.rfind("per"))
        hint = "write `once`: it is counted for each customer"
        return Slip(begin, place.end, "`once` is once for each customer already", hint, "delete it", "", safe=True)
    instead = _EVERY.get(place.word.casefold()) if place.before == "every" else None
    return place.slip(f"`every {place.word}` does not say on which days", instead) if instead else None


def times(place: Place) -> Slip | None:
    """``repeat 3 send …``."""
    if "TIMES" in place.accepts:
        return place.slip(
            f"`repeat {place.before}` goes on with `times`",
            f"write `repeat {place.before} times`",
            write=f"times {place.word}",
            safe=True,
        )
    return None


def length(place: Place) -> Slip | None:
    """``per week``, ``after 1d``, ``goal ordered in 7d``."""
    write = _LONG_UNITS.get(place.word.casefold().removesuffix("s"))
    if write is not None and "DURATION" in place.accepts and place.before != "last":
        return place.slip(
            "a length is a number with its unit", f"write `{write}`", write=write, code="E0207", safe=True
        )
    span = re.match(r"\d+\s?[a-z]+(?!\w)", place.word + place.later)
    if place.before == "in" and "DURATION" not in place.accepts and span is not None:
        if re.search(r"\bgoal\b[^\n]*$", place.earlier):
            message, hint = "a span after entry is said with `within`", f"write `within {span.group()}`"
            return place.instead_of_before(message, hint, write="within ", safe=True)
        message = f"`in {span.group()}` does not say from when"
        return place.instead_of_before(message, f"write `in last {span.group()}`", write="in last ")
    if (
        place.word in ("after", "in")
        and "WAIT" in place.accepts
        and re.match(r"\s+(\d+\s?(mo|min|w|d|h|s)(?!\w)|\d+\s+[a-z]+)", place.later)
    ):
        return place.slip("a pause is a step of its own", "write `wait`", write="wait", safe=place.word == "after")
    return None


def content(place: Place) -> Slip | None:
    """``send email subject "Hello"``."""
    if place.word in ("subject", "body", "text", "title", "content") and re.search(
        r"\b(send|then|and|or)\s+\w+(\s+\"[^\"\n]*\")?\s*$", place.earlier
    ):
        return place.slip(
            "what a message says does not stand in the rule",
            'it stands in a file: `send email "hello"` takes messages/hello/email.txt, with its subject',
        )
    return None


def of_customer(place: Place) -> Slip | None:
    """``unless customer ordered``, ``when customer abandons``."""
    if place.before != "customer" or "DOT" not in place.accepts or _NAME.fullmatch(place.word) is None:
        return None
    if "ENTERS" in place.accepts:
        return place.slip(
            f"`when customer {place.word}` is not how a rule begins",
            "an event begins it with its name alone: `when ordered`; a segment with `when customer enters lapsed`",
        )
    begin = place.start - (len(place.earlier) - place.earlier.rfind("customer"))
    cure = f"write `{place.word}`"
    hint = f"{cure}; `customer.` stands before traits"
    return Slip(begin, place.start, "what happened is asked without `customer`", hint, "delete it", "")


def needless(place: Place) -> Slip | None:
    """``in the last 30d``, ``quiet hours 21:00 …``, ``tomorrow at 09:00``, ``09:00 local time``, ``total exists``."""
    if place.before == "the" and place.word == "last":
        return place.instead_of_before("`the` is not needed", "write `in last`", safe=True)
    if place.before == "quiet" and place.word.casefold() in ("hours", "time", "times", "from", "between"):
        return place.takes_away(f"`{place.word}` is not needed", "write for instance `quiet 21:00 to 08:00`")
    if place.before in ("tomorrow", *WEEKDAYS) and place.word == "at" and "CLOCK" in place.accepts:
        return place.takes_away("`at` is not needed", f"write for instance `{place.before} 09:00`")
    if place.before == "local" and place.word == "time":
        return place.takes_away("`time` is not needed", "`09:00 local` is nine o'clock where the customer is")
    if place.word in ("exists", "exist") and re.search(r"\w\s*$", place.earlier):
        return place.takes_away(f"`{place.word}` is not needed", "a trait or field alone is true when it is there")
    return None


def slip_of_reserved(place: Place) -> Slip | None:
    """A word of the language that was read as a name: ``if opened then``, ``and then sms``, ``has not ordered``."""
    match place.word:
        case "then" if place.before in ("and", "or"):
            message = f"`{place.before} then` is one word too many"
            hint = "write `then` for one after the other, `and` for both at once"
            return place.instead_of_before(message, hint, safe=place.before == "and")
        case "then" if re.search(r"\bif\b[^\n]*$", place.earlier):
            hint = "the steps follow the condition: write for instance `if opened send sms end`"
            return place.takes_away("`if` goes without `then`", hint)
        case "not" if place.before in HELPING:
            hint = "what happened is asked by its name alone: `not ordered`"
            return place.instead_of_before(f"`{place.before}` is not needed", hint, safe=True)
        case "next" if place.before == "until":
            return place.takes_away("`next` is not needed", "write for instance `wait until monday 09:00`")
        case "event" if place.later.startswith("."):
            hint = "a bare name is such a field too: `total`"
            return place.slip("the trigger's fields are written with `trigger.`", hint, write="trigger", safe=True)
        case "send" if place.before == "expect":
            return place.takes_away("`send` is not needed", 'write for instance `expect email "hello" at 1d`')
        case _:
            return None
