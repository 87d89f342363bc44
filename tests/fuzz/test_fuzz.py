"""The parser, the checker and the formatter, fed with rule texts made wrong for as long as ``SEGUE_FUZZ`` says in
seconds (a few in every build; ``make fuzz`` a minute, each time with another seed).

No text may raise, take long, get a place outside of it, or be damaged by the formatter. One that does is saved.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from segue.diagnostics import Diagnostic, render_concise, render_full, render_json
from segue.language.book import Source, check_book
from segue.language.formatting import format_text
from tests.fuzz.mutation import corpus, mutated
from tests.language.words import WORDS

SECONDS = float(os.environ.get("SEGUE_FUZZ", "4"))
SEED = int(os.environ.get("SEGUE_FUZZ_SEED", time.time_ns() if "SEGUE_FUZZ" in os.environ else "1"))
MOST_FOR_ONE = 10.0
"""Processor seconds that one text may take."""


class TookLong(Exception):
    """One text took longer than `MOST_FOR_ONE`."""


def look_at(text: str) -> None:
    """Parse, check, show and format a text, and see that what is said about it is true."""
    checked = check_book([Source("fuzz.rules", text)], WORDS)
    formatted = format_text("fuzz.rules", text)
    _places(text, checked.diagnostics)
    _places(text, formatted.diagnostics)
    render_full(checked.diagnostics, checked.texts, colour=True)
    render_concise(checked.diagnostics)
    render_json(checked.diagnostics)
    assert "E0108" not in [diagnostic.code for diagnostic in formatted.diagnostics], (
        "the formatter refuses its own work"
    )
    assert not formatted.diagnostics or formatted.text == text
    if checked.ok:
        assert not formatted.diagnostics, "a text that is right cannot be formatted"
        assert check_book([Source("fuzz.rules", formatted.text)], WORDS).ok, "formatted, the text is wrong"


def _places(text: str, diagnostics: tuple[Diagnostic, ...]) -> None:
    lines = text.split("\n")
    for diagnostic in diagnostics:
        span = diagnostic.primary
        assert span is not None
        assert 0 <= span.start <= span.end <= len(text)
        assert 1 <= span.line <= len(lines)
        assert 1 <= span.column <= len(lines[span.line - 1]) + 1


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raises TookLong after so many processor seconds, also in the middle of a regular expression."""

    def stop(*_: object) -> None:
        raise TookLong

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def saved(text: str) -> Path:
    """Where a text was put that somebody has to look at."""
    data = text.encode("utf-8", "surrogatepass")
    path = Path(tempfile.gettempdir()) / f"segue-fuzz-{hashlib.sha256(data).hexdigest()[:12]}.rules"
    path.write_bytes(data)
    return path


@pytest.mark.timeout(SECONDS + 120)
def test_no_text_breaks_the_language() -> None:
    texts = corpus()
    assert len(texts) > 50
    look_at(texts[0])  # builds the grammar
    until = time.monotonic() + SECONDS
    tried = 0
    for text in mutated(texts, Random(SEED)):
        try:
            with limited(MOST_FOR_ONE):
                look_at(text)
        except Exception as error:
            pytest.fail(f"{type(error).__name__}: {error}; seed {SEED}, text {tried}, in {saved(text)}: {text[:500]!r}")
        tried += 1
        if time.monotonic() > until:
            break
    print(f"{tried} texts, seed {SEED}")
    assert tried > SECONDS


def test_the_same_seed_makes_the_same_texts() -> None:
    texts = corpus()
    assert list(islice(mutated(texts, Random(7)), 50)) == list(islice(mutated(texts, Random(7)), 50))


def test_a_text_that_takes_long_is_caught() -> None:
    with pytest.raises(TookLong), limited(0.05):
        re.fullmatch("(a+)+", "a" * 60 + "b")


def test_a_text_that_is_saved_can_be_read_again() -> None:
    path = saved("when a # \ud800\x00\r")
    assert path.read_bytes().decode("utf-8", "surrogatepass") == "when a # \ud800\x00\r"
    path.unlink()
