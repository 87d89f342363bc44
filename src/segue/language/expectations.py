"""What could stand at a place, as a sentence: the parser's kinds of words in the author's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from segue.language.keywords import STEPS

_KINDS_OF_WORDS: Final = {
    "NAME": "a name",
    "STRING": 'a text in "quotes"',
    "DURATION": "a duration such as `1d`",
    "INT": "a whole number",
    "DECIMAL": "a number",
    "MONEY": "an amount such as `40 EUR`",
    "CLOCK": "a clock time such as `09:00`",
    "DATE": "a day such as `2026-11-27`",
    "PERCENT": "a share such as `10%`",
    "WEEKDAY": "a weekday",
    "ZONE": "a time zone such as `Europe/Helsinki`",
    "COMPARISON": "a comparison such as `<`",
    "SIGN": "`+` or `-`",
    "FACTOR": "`*` or `/`",
    "ELSE_IF": "`else if`",
    "IN_LAST": "`in last`",
    "CAN_GET": "`can get`",
    "TIME_BETWEEN": "`time between`",
    "BEST_TIME": "`best time`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "COMMA": "`,`",
    "DOT": "`.`",
    "EQUAL": "`=`",
}
_VALUE: Final = frozenset(("MONEY", "INT", "STRING", "NAME", "DURATION"))
STEP_TERMINALS: Final = frozenset(word.upper() for word in STEPS)
"""The kinds of words that begin a step."""


def plain_words(accepts: Iterable[str]) -> frozenset[str]:
    """The plain words among the terminals."""
    words = {name.lower() for name in accepts if name not in _KINDS_OF_WORDS and name.isalpha()}
    if "ELSE_IF" in accepts:
        words.add("else")
    return frozenset(words)


def expectation(accepts: frozenset[str], before: str) -> str:
    """``after `wait` comes a duration such as `1d`, `until` or `for```."""
    phrases = []
    left = set(accepts) - {"$END"}
    if left >= _VALUE:
        phrases.append("a value or a condition")
        left -= {*_KINDS_OF_WORDS, "NOW", "TRUE", "FALSE", "CUSTOMER", "NOT", "IN"}
    if left >= STEP_TERMINALS:
        phrases.append("a step such as `wait`, `send` or `if`")
        left -= STEP_TERMINALS
    left -= {"SIGN", "FACTOR"} if len(left) > 3 else set()
    phrases += [_KINDS_OF_WORDS[name] for name in _KINDS_OF_WORDS if name in left]
    phrases += [f"`{word}`" for word in sorted(plain_words(left))]
    if "$END" in accepts and len(phrases) > 4:
        phrases = phrases[:4]
    if not phrases:
        return ""
    if len(phrases) > 7:
        phrases = [*phrases[:7], "…"]
    listed = phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} or {phrases[-1]}"
    return f"after `{short(before)}` comes {listed}" if before else f"here comes {listed}"


def short(word: str) -> str:
    """A word as a message shows it."""
    return word if len(word) <= 40 else word[:37] + "…"
