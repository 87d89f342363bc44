"""What is said of a bare name that nobody knows: most such names are something else, written as people write it
elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

from segue.language import tree as t
from segue.language.keywords import AGGREGATES
from segue.language.nearest import nearest
from segue.language.report import Report
from segue.language.vocabulary import Lexicon


def tell_unknown(name: t.Name, lexicon: Lexicon, report: Report, fields: Iterable[str], *, begun: bool) -> None:
    """Tell of a name where a condition or value stands. ``fields`` are those of the trigger; ``begun``: whether there
    is a journey here, and not a segment."""
    text = name.text
    if lexicon.trait(text):
        report.add(
            "E0301",
            name,
            f"`{text}` is a trait of the customer",
            label=f"write `customer.{text}`",
            hint="traits are always written with `customer.`",
            write=f"customer.{text}",
        )
        return
    if text in AGGREGATES:
        report.add(
            "E0301",
            name,
            f"`{text}` is a function and needs brackets",
            hint=f"write for instance `{text}(ordered.total)`",
        )
        return
    if text in lexicon.channels:
        report.add(
            "E0301",
            name,
            f"`{text}` is a channel, not something that happens",
            hint=f"write for instance `opened {text}` or `can get {text}`",
        )
        return
    if text.casefold() in ("null", "none", "nil", "empty"):
        report.add(
            "E0301",
            name,
            f"there is no `{text}`",
            label="no value",
            hint="a trait or field alone is true when it is there: `customer.country`, `not customer.country`",
        )
        return
    truth = {"yes": "true", "no": "false"}.get(text.casefold())
    if truth is not None:
        report.add(
            "E0301",
            name,
            f"I don't know `{text}`",
            label=f"write `{truth}`",
            hint="yes is `true`, no is `false`",
            write=truth,
            safe=True,
        )
        return
    known = {*fields, *lexicon.event_names(), *lexicon.reactions}
    if text.startswith("not_") and text.removeprefix("not_") in known:
        write = f"not {text.removeprefix('not_')}"
        report.add("E0301", name, f"I don't know `{text}`", label=f"write `{write}`", write=write, safe=True)
        return
    if lexicon.is_segment(text) or text in lexicon.rules:
        what = "segment" if lexicon.is_segment(text) else "rule"
        report.add(
            "E0301",
            name,
            f"`{text}` is a {what}",
            label=f"write `in {text}`",
            hint=f"`in {text}` asks whether the customer is in it",
            write=f"in {text}",
        )
        return
    meaning = "a field of the trigger, an event or a reaction" if begun else "an event"
    hint = f"a bare name is {meaning}; a new event is declared with `event`"
    quoted = f'a text stands in quotes: `"{text}"`'
    # A text more often begins with a capital than a name does.
    hint = f"{quoted}; {hint}" if text[0].isupper() else f"{hint}, and {quoted}"
    report.unknown("E0301", name, f"I don't know `{text}`", nearest(text, known), hint)
