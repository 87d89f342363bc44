"""Behaviour, case by case: a rule book, a story, and all that is decided, to the second, with nothing else beside it.

Times are UTC; 2026-03-02 is a Monday. See `tests.acceptance.drivers` for how stories are written.
"""

from __future__ import annotations

import re

import msgspec

SENTENCE = "when cart_abandoned wait 1d unless ordered send email then sms"


class Case(msgspec.Struct, frozen=True):
    """A rule book, what happens, all that is decided, and further versions of the book by name."""

    name: str
    rules: str
    story: str
    expect: str
    edits: dict[str, str] = {}

    @property
    def rule_shown(self) -> bool:
        """Whether expectations name the rule: where there is more than one, or where an edit renames it."""
        texts = (self.rules, *self.edits.values())
        heads = [re.sub(r"\brule\s+\w+\s+when\b", "rule", text) for text in texts]
        return any(
            len(re.findall(r"\b(?:when|rule)\b", head)) > 1 or text.split()[:2] != texts[0].split()[:2]
            for head, text in zip(heads, texts, strict=True)
        )
