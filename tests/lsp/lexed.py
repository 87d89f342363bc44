"""What the real lexer says of every word of a text, for comparison with what editors are told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec
from lark.exceptions import UnexpectedInput

from segue.diagnostics import Lines
from segue.language.characters import clean
from segue.language.keywords import KEYWORDS
from segue.language.parser import grammar
from segue.language.pieces import cut
from tests.shape.repository import ROOT

Class = Literal["word", "number", "string", "comment", "operator", "name"]

_NUMBERS = {"DATE", "CLOCK", "PERCENT", "MONEY", "DURATION", "DECIMAL", "INT"}
_OPERATORS = {"EQUAL", "COMPARISON", "SIGN", "FACTOR"}
_PUNCTUATION = {"COMMA", "DOT", "LPAR", "RPAR", "LSQB", "RSQB"}
_BLOCK = re.compile(r"^```rules[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)

# What the gallery does not have yet: every construct once, laid out as people write it.
CONSTRUCTS = """\
edition 2026
event paid is "Invoice Paid"  # what the source sends
  amount money
  due    date
  text   text
customer
  tier text
  wakes time
policy promotional
  quiet 21:00 to 08:00 local defer
  limit 2 email per 7d drop
  limit 5 messages per 7d defer 6h
  space 4h
  budget 200 EUR per 1d
segment lapsed "Quiet" where count(paid) between 1 and 3 and not paid in last 90d
rule a "A rule"
  when paid or "Other Name" where amount > 40.50 and month = 3 per due
  once per 30d
  on repeat restart
  on edit follow
  until customer.tier != "gold"
  goal paid at least 2 times within 7d worth amount
  holdout 5%
  rollout 12.5%
  expect 100 per 1d
  from 2026-11-20 to 2026-11-30
  as transactional
  wait 1w 3d unless paid ever
  wait until tomorrow 09:00 Europe/Helsinki
  wait until friday 09:00 UTC
  wait until time between 09:00 and 20:00 local
  wait until best time
  wait until 2d before customer.renewal at 09:00
  wait until now + customer.day * 1d
  wait for next paid where (amount >= 20 EUR) up to 2d
  send push or email "hello" with least = customer.local, n = -1 within 4h then preferred
  if can get sms and weekday in [saturday, sunday] or clicked "hello" and opened email
    set customer.edit = true
  else if "x" in items
    emit paid with amount = 3
  else
    stop
  end
  split "s" towards paid
    50% "a" stop
    50% "b"
      repeat 3 times until paid
        wait 1h30min
      end
  end
rule b
  every month 1 at 09:00 for lapsed
  send letter
rule c
  every year 7d before customer.birthday for lapsed
  send letter
rule d every monday thursday at 09:00 local for lapsed send email
rule e on 2026-11-27 at 08:00 Europe/Helsinki for lapsed send email
rule f when customer enters lapsed send email
rule g when customer.plan changes to "gold" where old != new send email
test "a test" for a
  given customer tier "gold", first_name "Ann"
  given arm "a"
  at 0h paid amount 60
  at 1h opened "hello"
  at 2026-11-27 09:00 email fails
  expect no sms
  expect email "hello" at 1h
  expect 2 messages
"""


class Lexed(msgspec.Struct, frozen=True):
    """A word of a text."""

    text: str
    start: int
    end: int
    kind: Class


def corpus() -> Iterator[tuple[str, str]]:
    """Rule texts with their names: the gallery, the cases of the language, the reference, and every construct."""
    yield "constructs", CONSTRUCTS
    for path in sorted((ROOT / "rules").rglob("*.rules")):
        yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")
    for page in (*sorted((ROOT / "tests/language/cases").glob("*.md")), ROOT / "docs/reference/language.md"):
        for number, block in enumerate(_BLOCK.findall(page.read_text("utf-8")), 1):
            yield f"{page.name} {number}", block


def lexed(text: str) -> list[Lexed]:
    """The words of everything in a text that can be read, and its comments."""
    cleaned, found = clean(Lines("", text))
    if found:
        return []  # a text with odd characters is told to mend them first
    pieces, comments, _ = cut(cleaned)
    words = [Lexed(text[one.start : one.end], one.start, one.end, "comment") for one in comments]
    for piece in pieces:
        reading = grammar().parse_interactive(cleaned[piece.start : piece.end])
        try:
            tokens = reading.exhaust_lexer()
        except UnexpectedInput:
            continue
        for token in tokens:
            if token.type in _PUNCTUATION:
                continue
            if token.type == "NAME" and str(token) in KEYWORDS:
                continue  # a mistake: neither the one nor the other
            start = piece.start + (token.start_pos or 0)
            words.append(Lexed(str(token), start, start + len(token), _class(token.type)))
    return words


def _class(kind: str) -> Class:
    if kind == "NAME":
        return "name"
    if kind == "STRING":
        return "string"
    return "number" if kind in _NUMBERS else "operator" if kind in _OPERATORS else "word"
