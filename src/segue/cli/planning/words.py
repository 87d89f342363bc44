"""The words of a plan that the terminal and the page share."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, assert_never

from segue.scenario.edits import Edit
from segue.scenario.moves import Inside, Move
from segue.scenario.trying import Trial

_MOST_REASONS: Final = 12


def change_of(edit: Edit, inside: Inside | None) -> str:
    """What an edit means for those whom it concerns, in a few words."""
    if edit.kind == "segment":
        return f"named by {', '.join(edit.used_by)}" if edit.used_by else "no rule names it"
    if edit.kind == "policy" or edit.change == "added":
        return ""
    if inside is None or not inside.customers:
        return "nobody is inside"
    people = f"{inside.customers:,} inside"
    match inside.on_edit:
        case None:
            return f"{people}: all exit"
        case "finish":
            return f"{people}, who keep the text they began with (on edit finish)"
        case "follow":
            skipping = f", {inside.skipping:,} of them at a step that is gone" if inside.skipping else ""
            return f"{people}, who go on in the new text (on edit follow){skipping}"
        case _:
            assert_never(inside.on_edit)


def fate_words(move: Move) -> str:
    """What becomes of customers at a step."""
    lost = "their step is gone" if move.removed else ""
    match move.fate:
        case "keeps":
            return "go on in the text they began with"
        case "stays":
            same = (move.step, move.text) == (move.to, move.to_text)
            return "stay where they are" if same else f"stay at this step, now {move.to}  {move.to_text}"
        case "moves":
            said = f"{lost}: go on at {move.to}  {move.to_text}"
        case "goes on":
            said = f"go on at once, to {move.to}  {move.to_text}"
        case "finishes":
            said = f"{lost}, and nothing follows: finished" if lost else "finished: nothing is left to do"
        case "exits":
            said = f"exit: {move.reason}"
        case "fails":
            said = f"fail: {move.reason}"
        case _:
            assert_never(move.fate)
    return f"{said} ({move.messages:,} messages at once)" if move.messages else said


def signed(number: float) -> str:
    """``+12``, ``−3.5``, and ``±0`` for what rounds to nothing."""
    size = abs(number)
    digits = f"{size:,.0f}" if size >= 10 else f"{size:,.1f}".removesuffix(".0")
    return "±0" if digits == "0" else f"{'+' if number > 0 else '−'}{digits}"


def cost_words(difference: Mapping[str, Decimal]) -> str:
    """``+4.20 EUR``; nothing where it costs the same, to the hundredth."""
    shown = [(f"{abs(amount):,.2f}", amount, currency) for currency, amount in sorted(difference.items())]
    return ", ".join(
        f"{'+' if amount > 0 else '−'}{text} {currency}" for text, amount, currency in shown if text != "0.00"
    )


def reason_rows(trial: Trial) -> list[tuple[str, str, str, int, int]]:
    """Why messages are skipped more or less often than before: rule, channel, reason, before, after; the greatest
    differences first."""
    places = trial.before.reasons.keys() | trial.after.reasons.keys()
    rows = [(*place, trial.before.reasons[place], trial.after.reasons[place]) for place in places]
    differing = [row for row in rows if row[3] != row[4]]
    return sorted(differing, key=lambda row: (-abs(row[4] - row[3]), row))[:_MOST_REASONS]
