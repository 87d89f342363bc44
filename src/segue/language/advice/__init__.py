"""Advice: what is allowed and probably not meant. Nothing here keeps a rule from running."""

from __future__ import annotations

from segue.language.advice.guards import advise_on_guards
from segue.language.advice.structure import advise_on_structure
from segue.language.items import Items
from segue.language.vocabulary import Lexicon


def advise(items: Items, lexicon: Lexicon) -> None:
    """Put into the reports what a careful colleague would say about a book."""
    for checked in items.rules:
        advise_on_structure(checked, lexicon)
        advise_on_guards(checked, lexicon)
