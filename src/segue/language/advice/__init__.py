"""Advice: what is allowed and probably not meant. Nothing here keeps a rule from running."""

from __future__ import annotations

from segue.language.advice.clocks import advise_on_clocks
from segue.language.advice.consent import advise_on_consent
from segue.language.advice.content import advise_on_languages
from segue.language.advice.guards import advise_on_guards, conditions_of
from segue.language.advice.headers import advise_on_headers
from segue.language.advice.kept import advise_on_kept
from segue.language.advice.limits import advise_on_policies, quiet_hours
from segue.language.advice.loops import advise_on_loops
from segue.language.advice.reactions import advise_on_reactions
from segue.language.advice.ruled_out import advise_on_ruled_out
from segue.language.advice.structure import advise_on_structure
from segue.language.items import Items
from segue.language.vocabulary import Lexicon


def advise(items: Items, lexicon: Lexicon) -> None:
    """Put into the reports what a careful colleague would say about a book. A rule that was not understood whole gets
    only the advice that needs no more than its text."""
    quiet = quiet_hours(items)
    for checked in items.rules:
        advise_on_structure(checked, lexicon)
        if checked.sound:
            asked = tuple(conditions_of(checked))
            advise_on_guards(checked, asked, lexicon)
            advise_on_ruled_out(checked)
            advise_on_reactions(checked, asked, lexicon)
            advise_on_headers(checked)
            advise_on_clocks(checked, quiet)
    advise_on_consent(items, lexicon)
    advise_on_languages(items, lexicon)
    advise_on_loops(items)
    advise_on_policies(items, lexicon)
    advise_on_kept(items, lexicon)
