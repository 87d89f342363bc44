"""A plan as a page: one HTML file that needs nothing else, in light and dark, for a screen, a phone and a printer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from html import escape
from importlib import resources
from typing import Final

from segue.api import Instant, to_datetime
from segue.cli.planning.charts import chart, word_day
from segue.cli.planning.words import change_of, cost_words, fate_words, reason_rows, signed
from segue.scenario.edits import Edit
from segue.scenario.moves import Inside, Move
from segue.scenario.plan import Plan, cost_difference, summarise
from segue.scenario.trying import Trial

_LOST: Final = ' class="gone"'
_LINES: Final = {"+": "plus", "-": "minus", "@": "left-out"}


def render(plan: Plan, project: str, now: Instant) -> str:
    """The page. ``project`` is named in its head, ``now`` is when the plan was made."""
    made = to_datetime(now).astimezone(UTC)
    title = f"Plan for {project}"
    body = [
        f'<header><p class="when">{escape(made.strftime("%d %B %Y, %H:%M UTC"))}</p><h1>{escape(title)}</h1>',
        f'<p class="lead">{escape(summarise(plan))}</p>{_cards(plan)}</header>',
        *([_edits(plan)] if plan.edits else []),
        *(_trial(plan.trial) if plan.trial is not None and plan.trial.arrivals else []),
        *([_texts(plan)] if any(edit.difference or plan.inside_of(edit.name) for edit in plan.edits) else []),
        "<footer>Made by <code>segue plan</code>. Nothing was published.</footer>",
    ]
    style = resources.files("segue.cli.planning").joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style></head>\n<body><main>\n"
        + "\n".join(body)
        + "\n</main></body></html>\n"
    )


def _cards(plan: Plan) -> str:
    cards: list[tuple[str, str, str]] = []
    trial = plan.trial
    if trial is not None and trial.arrivals:
        for what, title in (("sent", "Messages a day"), ("entered", "Entries a day"), ("skipped", "Skips a day")):
            before, after = (trial.per_day(tally.count(what)) for tally in (trial.before, trial.after))
            cards.append((title, signed(after - before), f"{_rate(before)} now, then {_rate(after)}"))
        difference = cost_difference(trial.before, trial.after)
        for currency in sorted(difference.keys() | trial.after.cost().keys() | trial.before.cost().keys()):
            old, new = (float(tally.cost().get(currency, 0)) / trial.days for tally in (trial.before, trial.after))
            shown = f"{abs(new - old):,.2f}"
            sign = "±" if shown == "0.00" else "+" if new > old else "−"
            cards.append((f"{currency} a day", f"{sign}{shown}", f"{old:,.2f} now, then {new:,.2f}"))
    if not plan.first:
        inside = sum(one.customers for one in plan.inside)
        skipping = sum(one.skipping for one in plan.inside)
        leaving = sum(one.count("exits", "fails") for one in plan.inside)
        cards.append(("Inside what changes", f"{inside:,}", f"{skipping:,} skip a step, {leaving:,} leave"))
    if not cards:
        return ""
    shown_cards = "".join(
        f"<div><dt>{escape(title)}</dt><dd>{escape(value)}<small>{escape(more)}</small></dd></div>"
        for title, value, more in cards
    )
    return f'<dl class="cards">{shown_cards}</dl>'


def _rate(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:,.1f}".removesuffix(".0")


def _edits(plan: Plan) -> str:
    rows = "".join(
        f'<tr><td><span class="mark {edit.change}">{edit.change}</span></td>'
        f"<td>{edit.kind} {_link(plan, edit)}</td>"
        f"<td>{escape(change_of(edit, plan.inside_of(edit.name) if edit.kind == 'rule' else None))}</td></tr>"
        for edit in plan.edits
    )
    return f'<section><h2>What changes</h2><div class="wide"><table><tbody>{rows}</tbody></table></div></section>'


def _link(plan: Plan, edit: Edit) -> str:
    name = f"<strong>{escape(edit.name)}</strong>"
    has_more = bool(edit.difference) or plan.inside_of(edit.name) is not None
    return f'<a href="#{_anchor(edit)}">{name}</a>' if has_more else name


def _anchor(edit: Edit) -> str:
    return escape(f"{edit.kind}-{edit.name}", quote=True)


# The past


def _trial(trial: Trial) -> Iterable[str]:
    days = f"{trial.days:,.0f} days" if trial.days >= 1.5 else "one day"
    first, last = (word_day(to_datetime(moment).date().isoformat()) for moment in (trial.first, trial.last))
    yield "<section><h2>The past by both books</h2>"
    yield (
        f'<p class="note">What {days} of recorded events, {escape(first)} to {escape(last)}, lead to with the rules '
        f"that run and with the new ones: {trial.arrivals:,} events. Both begin with the customers as they are now and "
        "with nobody inside, and go on to the end of the last wait; the dotted line is the last event.</p>"
    )
    if trial.channels and trial.day_names:
        yield '<p class="key"><span><i class="was"></i>as it runs</span><span><i></i>as it would be</span></p>'
        yield f'<div class="charts">{"".join(_figure(trial, channel) for channel in trial.channels)}</div>'
        yield "<h3>By channel</h3>"
        yield _figures([(channel, {"channel": channel}) for channel in trial.channels], trial, "channel", entries=False)
    yield "<h3>By rule</h3>"
    yield _figures([(rule, {"rule": rule}) for rule in trial.rules], trial, "rule", entries=True)
    if rows := reason_rows(trial):
        yield "<h3>Why messages are skipped</h3>"
        yield _table(
            ("rule", "channel", "why", "#now", "#then", "#±"),
            [
                (rule, channel, reason, f"{before:,}", f"{after:,}", signed(after - before))
                for rule, channel, reason, before, after in rows
            ],
        )
    yield "</section>"


def _figure(trial: Trial, channel: str) -> str:
    days = trial.day_names
    before, after = (
        [tally.count("sent", channel=channel, day=day) for day in days] for tally in (trial.before, trial.after)
    )
    difference = trial.per_day(sum(after) - sum(before))
    said = f"Messages by {channel} a day: {sum(before):,} as it runs, {sum(after):,} as it would be"
    caption = f"<figcaption>{escape(channel)} <span>{escape(signed(difference))} a day</span></figcaption>"
    end = to_datetime(trial.last).date().isoformat()
    return f"<figure>{caption}{chart(days, before, after, said, end)}</figure>"


def _figures(rows: Sequence[tuple[str, Mapping[str, str]]], trial: Trial, first: str, *, entries: bool) -> str:
    what = (("entered", "entries"), ("sent", "messages"), ("skipped", "skips"))[0 if entries else 1 :]
    head = [first, *(column for _, name in what for column in (f"#{name} now", "#then")), "#cost"]
    shown = [(name, *_cells(trial, what, of)) for name, of in rows]
    if len(rows) > 1:
        shown.append(("all", *_cells(trial, what, {})))
    return _table(head, shown, total=len(rows) > 1)


def _cells(trial: Trial, what: Sequence[tuple[str, str]], of: Mapping[str, str]) -> list[str]:
    cells = []
    for decision, _ in what:
        cells += [f"{tally.count(decision, **of):,}" for tally in (trial.before, trial.after)]
    return [*cells, cost_words(cost_difference(trial.before, trial.after, **of))]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, total: bool = False, name: str = "") -> str:
    """A table; a column whose heading begins with ``#`` holds numbers."""
    right = [' class="n"' if column.startswith("#") else "" for column in head]
    heading = "".join(f"<th{how}>{escape(text.lstrip('#'))}</th>" for text, how in zip(head, right, strict=True))
    body = "".join(
        f"<tr{' class=all' if total and number == len(rows) - 1 else ''}>"
        + "".join(f"<td{how}>{escape(cell)}</td>" for cell, how in zip(row, right, strict=True))
        + "</tr>"
        for number, row in enumerate(rows)
    )
    table = f"<table{f' class={name}' if name else ''}><thead><tr>{heading}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide">{table}</div>'


# Each edit


def _texts(plan: Plan) -> str:
    parts = ["<section><h2>Edit by edit</h2>"]
    for edit in plan.edits:
        inside = plan.inside_of(edit.name) if edit.kind == "rule" else None
        if not edit.difference and inside is None:
            continue
        said = change_of(edit, inside)
        parts.append(f'<h3 id="{_anchor(edit)}">{edit.kind} {escape(edit.name)}</h3>')
        if said:
            parts.append(f'<p class="note">{escape(said[0].upper() + said[1:])}.</p>')
        if inside is not None and inside.moves:
            parts.append(_moves(inside))
        if edit.difference:
            parts.append(_difference(edit))
    return "\n".join([*parts, "</section>"])


def _moves(inside: Inside) -> str:
    rows = "".join(
        f'<tr><td class="n">{move.customers:,}</td><td>{_step(move)}</td>'
        f"<td{_LOST if move.removed or move.fate in ('exits', 'fails') else ''}>{escape(fate_words(move))}</td></tr>"
        for move in inside.moves
    )
    head = '<th class="n">customers</th><th>at step</th><th>what becomes of them</th>'
    return f'<div class="wide"><table class="moves"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _step(move: Move) -> str:
    number = f"{move.step} " if move.step else ""
    return f"{number}<code>{escape(move.text)}</code>"


def _difference(edit: Edit) -> str:
    lines = "".join(
        f'<span class="{_LINES.get(line[:1], "")}">{escape("…" if line == "@" else line) or " "}</span>'
        for line in edit.difference
    )
    return f"<pre>{lines}</pre>"
