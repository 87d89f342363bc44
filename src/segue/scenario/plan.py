"""The plan of a publication: what it changes, whom it moves, and what it would have changed in the past."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from segue.api import Instant
from segue.language.book import Checked
from segue.program.codec import encode_rule
from segue.program.program import Program
from segue.runtime.publishing import Setting, compare, load
from segue.runtime.running import Running, bodies_of, build, words_of
from segue.scenario.edits import Edit, find_edits
from segue.scenario.moves import Inside, Look, look_inside
from segue.scenario.trying import Tally, Trial
from segue.store import books


class Plan(msgspec.Struct, frozen=True):
    """What publishing a book would do. ``first``: no book was ever published to the store. ``edits`` are in its text,
    ``inside`` who is inside the rules that it changes or removes, ``trial`` both books over the past, None where that
    was not asked for or nothing changes."""

    first: bool
    edits: tuple[Edit, ...]
    inside: tuple[Inside, ...]
    trial: Trial | None = None

    def edit_of(self, rule: str) -> Edit | None:
        """What is done to a rule; None where it stays as it is."""
        return next((edit for edit in self.edits if (edit.kind, edit.name) == ("rule", rule)), None)

    def inside_of(self, rule: str) -> Inside | None:
        """Who is inside a rule that is changed or removed."""
        return next((one for one in self.inside if one.rule == rule), None)


def plan(
    look: Look | None,
    setting: Setting,
    before: Checked | None,
    after: Checked,
    now: Instant,
    *,
    one_by_one: bool = True,
) -> Plan:
    """What publishing ``after`` would do to the store that ``look`` looks at, None where there is none yet. ``before``
    is the book that runs there, as its text reads now; None where that was not kept. ``one_by_one``: see
    `look_inside`."""
    if look is None:
        changes = books.Changes(added=tuple(sorted(_names(after))))
        return Plan(True, find_edits(changes, None, after), ())
    with look() as tx:
        changes = compare(tx, after.book)
        running = load(tx, setting)
    edits = find_edits(changes, before, after)
    if running is None:
        return Plan(True, edits, ())
    coming = _coming(running, setting, after, now)
    rules: dict[str, Program | None] = {
        edit.name: coming.current.get(edit.name) for edit in edits if edit.kind == "rule" and edit.change != "added"
    }
    inside = look_inside(look, coming, now, rules, one_by_one=one_by_one) if rules else ()
    return Plan(False, edits, inside)


def _names(checked: Checked) -> list[str]:
    book = checked.book
    return [
        *(rule.name for rule in book.rules),
        *(segment.name for segment in book.segments),
        *(f"policy {policy.kind}" for policy in book.policies),
    ]


def _coming(running: Running, setting: Setting, after: Checked, now: Instant) -> Running:
    """What would run: the programs that customers are inside of, and the new book."""
    bodies = bodies_of(after.book)
    programs = {content: encode_rule(program.rule) for content, program in running.programs.items()}
    programs |= {program.hash: body for program, body in bodies.values()}
    return build(
        programs,
        {name: program.hash for name, (program, _) in bodies.items()},
        words_of(after.book),
        zone=setting.zone,
        currency=setting.currency,
        locale=setting.locale,
        reach=setting.reach,
        channels=setting.channels,
        costs=setting.costs,
        best_minute=setting.best_minute,
        stale=setting.stale,
        carts=setting.carts,
        limits=setting.limits,
        published=now,
    )


def reads_of(running: Running | None, after: Checked) -> tuple[frozenset[str], bool]:
    """The events whose history either book reads, and whether time alone may let customers enter one of them."""
    programs = [program for program, _ in bodies_of(after.book).values()]
    programs += list(running.programs.values()) if running is not None else []
    names: set[str] = set()
    for program in programs:
        names |= program.events | program.entry_reads
    by_time = any(program.rule.trigger is not None for program in programs)
    return frozenset(names), by_time


# In words


def summarise(plan: Plan) -> str:
    """The plan in plain words: what is published, what it would have changed a day, and who is moved."""
    if not plan.edits:
        return "Nothing changes: these rules are the ones that run."
    sentences = [_word_edits(plan)]
    if plan.trial is not None:
        sentences.append(word_difference(plan.trial))
    if plan.inside:
        sentences.append(word_inside(plan.inside))
    return " ".join(sentences)


def _word_edits(plan: Plan) -> str:
    parts = []
    for change, verb in (("added", "adds"), ("changed", "changes"), ("removed", "removes")):
        counts: dict[str, int] = {}
        for edit in plan.edits:
            if edit.change == change:
                what = {"policy": "contact policy"}.get(edit.kind, edit.kind)
                counts[what] = counts.get(what, 0) + 1
        if counts:
            parts.append(f"{verb} {_listed([_counted(number, what) for what, number in counts.items()])}")
    return f"Publishing this {_listed(parts)}."


def word_difference(trial: Trial) -> str:
    """What would have been different, a day."""
    if not trial.arrivals:
        return "Nothing arrived in the time to try it on."
    messages = trial.after.count("sent") - trial.before.count("sent")
    parts = []
    if messages:
        parts.append(f"sends {word_change(trial, messages, 'message')}")
    for currency, amount in sorted(cost_difference(trial.before, trial.after).items()):
        a_day = Decimal(amount) / Decimal(str(trial.days))
        more = "more" if amount > 0 else "less"
        shown = f"{abs(a_day):,.2f}"
        if shown != "0.00":
            parts.append(f"costs {shown} {currency} {more} a day")
    if not parts:
        return "It sends as many messages as before."
    return f"It {' and '.join(parts)}."


def word_change(trial: Trial, difference: int, what: str) -> str:
    """``about 120 more messages a day``; of what is rarer, ``3 more messages in 30 days``."""
    more = "more" if difference > 0 else "fewer"
    a_day = abs(difference) / trial.days
    if a_day >= 1:
        number = round(a_day) if a_day >= 10 else round(a_day, 1)
        plural = what if number == 1 else f"{what}s"
        return f"about {number:,g} {more} {plural} a day"
    plural = what if abs(difference) == 1 else f"{what}s"
    return f"{abs(difference):,} {more} {plural} in {_counted(round(trial.days), 'day')}"


def cost_difference(before: Tally, after: Tally, **of: str) -> dict[str, Decimal]:
    """How much more it costs, by currency, of all or of a rule or channel."""
    old, new = before.cost(**of), after.cost(**of)
    return {
        currency: new.get(currency, Decimal(0)) - old.get(currency, Decimal(0))
        for currency in old.keys() | new.keys()
        if new.get(currency, Decimal(0)) != old.get(currency, Decimal(0))
    }


def word_inside(inside: tuple[Inside, ...]) -> str:
    """Who is inside the rules that are changed, and what becomes of them."""
    total = sum(one.customers for one in inside)
    if not total:
        return "Nobody is inside the rules that it touches."
    verb = "is" if total == 1 else "are"
    fates = {
        "keep the text they began with": sum(one.count("keeps") for one in inside),
        "skip a step": sum(one.skipping for one in inside),
        "go on at once": sum(one.count("goes on") for one in inside),
        "leave": sum(one.count("exits", "fails") for one in inside),
        "are through": sum(one.count("finishes") for one in inside),
    }
    known = [f"{number:,} {what}" for what, number in fates.items() if number]
    staying = sum(one.count("stays") for one in inside)
    if staying == total:
        known = ["all stay at their step"]
    elif staying:
        known.insert(0, f"{staying:,} stay at their step")
    return f"{_counted(total, 'customer')} {verb} inside the rules that it touches: {_listed(known)}."


def _counted(number: int, one: str) -> str:
    many = f"{one[:-1]}ies" if one.endswith("cy") else f"{one}s"
    return f"{number:,} {one if number == 1 else many}"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


# As records


def as_records(plan: Plan) -> list[Mapping[str, object]]:
    """The plan as `--json` prints it, a record a line."""
    records: list[Mapping[str, object]] = [
        {
            "record": "summary",
            "text": summarise(plan),
            "first": plan.first,
            "added": sum(edit.change == "added" for edit in plan.edits),
            "changed": sum(edit.change == "changed" for edit in plan.edits),
            "removed": sum(edit.change == "removed" for edit in plan.edits),
            "inside": sum(one.customers for one in plan.inside),
        }
    ]
    for edit in plan.edits:
        inside = plan.inside_of(edit.name) if edit.kind == "rule" else None
        records.append(
            {
                "record": "edit",
                "kind": edit.kind,
                "name": edit.name,
                "change": edit.change,
                "on_edit": inside.on_edit if inside is not None else None,
                "inside": inside.customers if inside is not None else 0,
                "used_by": edit.used_by,
                "difference": edit.difference,
            }
        )
    for inside in plan.inside:
        records += [
            {
                "record": "move",
                "rule": inside.rule,
                "step": move.step,
                "text": move.text,
                "fate": move.fate,
                "to": move.to or None,
                "to_text": move.to_text or None,
                "removed": move.removed,
                "reason": move.reason or None,
                "customers": move.customers,
                "messages": move.messages,
            }
            for move in inside.moves
        ]
    if plan.trial is not None:
        records += _trial_records(plan.trial)
    return records


def _trial_records(trial: Trial) -> list[Mapping[str, object]]:
    from segue.api import to_rfc3339

    records: list[Mapping[str, object]] = [
        {
            "record": "past",
            "days": round(trial.days, 3),
            "first": to_rfc3339(trial.first),
            "last": to_rfc3339(trial.last),
            "events": trial.arrivals,
            "customers": trial.customers,
        }
    ]
    for rule in trial.rules:
        records.append({"record": "rule", "rule": rule, **_both(trial, rule=rule)})
    for channel in trial.channels:
        records.append({"record": "channel", "channel": channel, **_both(trial, channel=channel)})
    for day in trial.day_names:
        for channel in trial.channels:
            both = _both(trial, day=day, channel=channel)
            records.append({"record": "day", "day": day, "channel": channel, **both})
    reasons = trial.before.reasons.keys() | trial.after.reasons.keys()
    for rule, channel, reason in sorted(reasons):
        place = (rule, channel, reason)
        records.append(
            {
                "record": "skip",
                "rule": rule,
                "channel": channel,
                "reason": reason,
                "before": trial.before.reasons[place],
                "after": trial.after.reasons[place],
            }
        )
    return records


def _both(trial: Trial, **of: str) -> dict[str, object]:
    return {"before": _figures(trial.before, **of), "after": _figures(trial.after, **of)}


def _figures(tally: Tally, **of: str) -> dict[str, object]:
    return {
        "entries": tally.count("entered", **of),
        "messages": tally.count("sent", **of),
        "skips": tally.count("skipped", **of),
        "conversions": tally.count("converted", **of),
        "cost": {name: f"{amount.normalize():f}" for name, amount in sorted(tally.cost(**of).items())},
    }
