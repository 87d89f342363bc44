"""Rule texts made wrong: by words, by bytes, by repetition. The same seed makes the same texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Final

from segue.language.keywords import AGGREGATES, KEYWORDS, KINDS, TYPES
from tests.docs.blocks import blocks
from tests.shape.repository import ROOT

LONGEST: Final = 60_000
"""Characters of a text; `tests/language/test_hostile.py` looks at longer ones, each by itself."""

_WORD: Final = re.compile(r"\s+|\w+|\"[^\"\n]*\"?|#[^\n]*|.", re.DOTALL)
_BLOCK: Final = re.compile(r"^```rules\n(.*?)^```$", re.DOTALL | re.MULTILINE)

_DICTIONARY: Final = (
    *sorted(KEYWORDS),
    *(*AGGREGATES, *TYPES, *KINDS, "local", "times", "least", "get", "best", "time", "year", "month", "day", "quiet"),
    *("(", ")", "[", "]", ",", ".", "+", "-", "*", "/", "=", "!=", "<", "<=", ">", ">=", "%", ":", "#", '"', "'", "`"),
    *("1d", "1w 3d", "5m", "0", "007", "2.5", "99999999999999999999", "1e9", "50%", "101%", "40 EUR", "40EUR"),
    *("09:00", "25:00", "9:5", "2026-11-27", "2026-02-31", "0000-00-00", "Europe/Helsinki", "UTC", "500001d", "1h1d"),
    *("ordered", "cart_abandoned", "email", "total", "customer.vip", "trigger", "weekday", "ostoskori_hylätty", '"x"'),
    *("\n", "\r\n", "\r", "\t", "\f", "\v", "\x00", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u00a0", "\u3000", "\u200b"),
    *("\ufeff", "\u202e", "\u2066", "\u200d", "\ud800", "\udfff", "\U0010ffff", "“", "”", "‘", "«", "–", "−", "…"),
    *("оrdered", "οrdered", "hyla\u0308tty", "\u0308", "１", "²", "٣", "é", "ﬁ", "中", "🛒", "ß", "İ", "ſ"),
)


def corpus() -> tuple[str, ...]:
    """Every rule text of the repository: the gallery, the starter, the documentation, the cases of the diagnostics."""
    texts = [file.read_text("utf-8") for place in ("rules", "src") for file in sorted((ROOT / place).rglob("*.rules"))]
    for page in sorted((ROOT / "docs").rglob("*.md")):
        texts += [block.text for block in blocks(page) if block.language == "rules"]
    for place in ("tests/language/cases", "src/segue/diagnostics/pages"):
        for page in sorted((ROOT / place).glob("*.md")):
            texts += _BLOCK.findall(page.read_text("utf-8"))
    return tuple(texts)


def mutated(texts: tuple[str, ...], random: Random) -> Iterator[str]:
    """Texts without end."""
    while True:
        text = random.choice(texts)
        for _ in range(random.randint(1, 6)):
            text = random.choice(_CHANGES)(text, texts, random)[:LONGEST]
        yield text


def _words(text: str, texts: tuple[str, ...], random: Random) -> str:
    """Some words gone, doubled, exchanged or put in."""
    words = _WORD.findall(text)
    for _ in range(random.randint(1, 8)):
        place = random.randint(0, len(words))
        length = random.choice((1, 1, 1, 2, 5, 20))
        match random.randint(0, 4):
            case 0:
                del words[place : place + length]
            case 1:
                words[place:place] = words[place : place + length]
            case 2:
                words[place : place + 1] = [random.choice(_DICTIONARY)]
            case 3:
                words[place:place] = [" ", random.choice(_DICTIONARY), random.choice(("", " "))]
            case _:
                other = random.randint(0, len(words))
                words[place : place + length], words[other : other + length] = (
                    words[other : other + length],
                    words[place : place + length],
                )
    return "".join(words)


def _bytes(text: str, texts: tuple[str, ...], random: Random) -> str:
    """Some bytes changed; what is no UTF-8 any more becomes lone surrogates."""
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(random.randint(1, 10)):
        place = random.randint(0, len(data))
        match random.randint(0, 2):
            case 0:
                data[place : place + 1] = bytes((random.randrange(256),))
            case 1:
                del data[place : place + random.choice((1, 1, 4, 30))]
            case _:
                data[place:place] = bytes((random.choice((0, 9, 10, 13, 34, 35, 40, 45, 91, random.randrange(256))),))
    return data.decode("utf-8", "surrogateescape")


def _spliced(text: str, texts: tuple[str, ...], random: Random) -> str:
    """The beginning of one text and the end of another."""
    other = random.choice(texts)
    return text[: random.randint(0, len(text))] + other[random.randint(0, len(other)) :]


def _repeated(text: str, texts: tuple[str, ...], random: Random) -> str:
    """A stretch, or a word, very often."""
    place = random.randint(0, len(text))
    if random.random() < 0.5:
        part = random.choice(_DICTIONARY) + random.choice(("", " ", "\n"))
    else:
        part = text[place : place + random.choice((1, 5, 20, 80))]
    return text[:place] + part * random.choice((2, 10, 70, 500, 3000)) + text[place:]


_CHANGES: Final = (_words, _words, _words, _bytes, _spliced, _repeated)
