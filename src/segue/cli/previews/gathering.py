"""A message rendered for one customer, by every channel and in every language that it has."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from segue.api import Instant, Money
from segue.api.sms import Parts, TextError, readable_text, split_text
from segue.cli.customer.reading import read_of
from segue.cli.ending import USAGE, WRONG, fail, nearest_project, open_project, show_diagnostics
from segue.customers import normal
from segue.language import model as m
from segue.language.nearest import nearest
from segue.messages.catalogue import Catalogue
from segue.messages.checking import Medium, Sending, sendings
from segue.messages.checking.lengths import payload
from segue.messages.locales import is_right_to_left, tried
from segue.messages.recommending import VALUE as RECOMMENDED
from segue.messages.recommending import products_asked
from segue.messages.rendering import RenderError, render
from segue.messages.samples import samples_of
from segue.messages.template import Template
from segue.runtime.assembly import Assembly, check
from segue.runtime.card import draw_card
from segue.runtime.recommending import recommend


class Shown(msgspec.Struct, frozen=True):
    """One channel in one language. ``parts`` are as the channel would carry them, ``problem`` is why there are none.
    ``chosen``: why this customer gets this one, empty for a language that they do not get. ``report_days``: of how many
    days a report is attached when it is sent; a preview makes none. ``sms`` are the parts of an SMS, ``size`` the bytes
    of a push message."""

    channel: str
    medium: Medium
    locale: str | None
    language: str
    right_to_left: bool
    parts: Mapping[str, str]
    chosen: str = ""
    problem: str = ""
    sms: Parts | None = None
    size: int = 0
    report_days: int | None = None
    cost: Money | None = None


class Preview(msgspec.Struct, frozen=True):
    """A message for one customer. ``sample``: the customer is made up."""

    message: str
    customer: Mapping[str, Any]
    sample: bool
    shown: tuple[Shown, ...]


class Wanted(msgspec.Struct, frozen=True):
    """What was asked for: a message, and of whom and of what; empty or None for all, or for a sample."""

    message: str
    customer: str | None = None
    event: str | None = None
    channel: str | None = None
    locale: str | None = None


class Message(msgspec.Struct, frozen=True):
    """A message of the project, with the values that it is rendered with."""

    assembly: Assembly
    content: Catalogue
    templates: tuple[Template, ...]
    values: Mapping[str, Any]
    sample: bool


def gather(wanted: Wanted) -> Preview:
    """Render a message. Ends the command where it, the customer or the channel does not exist."""
    found = find(wanted)
    customer = found.values["customer"]
    steps = tried(customer, found.assembly.project.locale)
    got = {channel: found.content.choose(wanted.message, channel, steps) for channel in _channels(found.templates)}
    shown = []
    for template in found.templates:
        choice = got[template.channel]
        is_got = choice.template is template
        if wanted.locale is None or is_got:
            shown.append(_shown(found.assembly, template, found.values, str(choice) if is_got else ""))
    return Preview(wanted.message, customer, found.sample, tuple(shown))


def find(wanted: Wanted) -> Message:
    """The templates of a message and the values of a customer, real or made up."""
    if wanted.locale is not None and normal.language(wanted.locale) is None:
        fail(f"--locale {wanted.locale!r}: there is no such language; write one such as fi or pt-BR", USAGE)
    assembly = open_project(nearest_project(Path.cwd()))
    checked = check(assembly)
    catalogue = checked.content
    templates = tuple(
        one for (name, _, _), one in sorted(catalogue.templates.items(), key=_order) if name == wanted.message
    )
    if not templates:
        show_diagnostics(
            msgspec.structs.replace(checked, diagnostics=tuple(_about(wanted.message, checked.diagnostics)))
        )
        names = {name for name, _, _ in catalogue.templates}
        near = nearest(wanted.message, names)
        known = f"; did you mean {near}?" if near else f"; there are {', '.join(sorted(names))}" if names else ""
        fail(f"there is no message {wanted.message} that can be used{known}", USAGE)
    if wanted.channel is not None:
        channels = _channels(templates)
        templates = tuple(one for one in templates if one.channel == wanted.channel)
        if not templates:
            fail(f"{wanted.message} has no content for {wanted.channel}; it has some for {', '.join(channels)}", USAGE)
    if wanted.customer is None:
        own: list[dict[str, Any]] = []
        customer: dict[str, Any] = {**samples_of(checked.checked.book.traits), "id": "a-sample-customer"}
        for name in ("locale", "language", "country"):  # which content they get is for the project, or --locale
            customer.pop(name, None)
    else:
        now = Instant(time.time_ns() // 1000)
        most = products_asked(source for template in templates for source in template.parts.values())
        _, (card, own) = read_of(
            wanted.customer,
            lambda tx, running, row: (draw_card(tx, running, row, now), recommend(tx, row, most, now) if most else []),
        )
        customer = {**card.traits, "id": card.customer}
    if wanted.locale is not None:
        customer["locale"] = wanted.locale
    by = [one for (name, _), sent in sendings(checked.checked.book).items() if name == wanted.message for one in sent]
    values = {
        **assembly.always_given,
        **({RECOMMENDED: own} if wanted.customer is not None else {}),
        **{name: value for sending in by for name, value in sending.given.items()},
        "now": datetime.now(UTC).isoformat(timespec="seconds"),
        "customer": customer,
        "event": _event(wanted.event, by, assembly, checked.checked.book),
    }
    return Message(assembly, catalogue, templates, values, wanted.customer is None)


def _order(entry: tuple[tuple[str, str, str | None], Template]) -> tuple[str, str, str]:
    name, channel, locale = entry[0]
    return name, channel, locale or ""


def _about(message: str, diagnostics: tuple[Any, ...]) -> list[Any]:
    """What is wrong in the files of one message."""
    return [one for one in diagnostics if one.is_error and one.primary and f"/{message}/" in one.primary.file]


def _channels(templates: tuple[Template, ...]) -> list[str]:
    return list(dict.fromkeys(one.channel for one in templates))


def _event(given: str | None, by: list[Sending], assembly: Assembly, book: m.Book) -> dict[str, Any]:
    """The fields of the event that begins the journey: those given, a file or JSON, else a sample."""
    if given is None:
        fields = {name: kind for sending in by for name, kind in sending.fields.items()}
        sample = samples_of(fields)
        return {**sample, "currency": assembly.project.currency} if "currency" in sample else sample
    text = given
    if not given.lstrip().startswith("{"):
        try:
            text = (
                Path(given).read_text("utf-8").strip().partition("\n")[0]
                if given.endswith(".jsonl")
                else (Path(given).read_text("utf-8"))
            )
        except (OSError, UnicodeDecodeError) as error:
            fail(f"--event {given}: {error.strerror if isinstance(error, OSError) else 'is not UTF-8 text'}", USAGE)
    try:
        event = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        fail(f"--event: this is no JSON: {error}", USAGE)
    if not isinstance(event, dict):
        fail('--event: write an object, as in {"total": 60, "currency": "EUR"}, or a file that holds one', USAGE)
    properties = event.get("properties")
    return properties if isinstance(properties, dict) else event


def _shown(assembly: Assembly, template: Template, values: Mapping[str, Any], chosen: str) -> Shown:
    facts = assembly.channel_facts.get(template.channel)
    medium: Medium = facts.medium if facts is not None else "other"
    problem = "" if facts is not None else f"the project has no channel {template.channel}"
    parts: dict[str, str] = {}
    try:
        parts = render(template, values)
    except RenderError as error:
        problem = str(error)
    sms = None
    cost = facts.cost if facts is not None else None
    if medium == "sms" and parts:
        try:
            sms = split_text(readable_text(parts.get("text", "")))
        except TextError as error:
            problem = str(error)
        else:
            cost = Money(cost.amount * sms.count, cost.currency) if cost is not None else None
    return Shown(
        channel=template.channel,
        medium=medium,
        locale=template.locale,
        language=template.language,
        right_to_left=is_right_to_left(template.language),
        parts=parts,
        chosen=chosen,
        problem=problem,
        sms=sms,
        report_days=template.report_days,
        size=payload(parts) if medium == "push" and parts else 0,
        cost=cost,
    )


def exit_code(preview: Preview) -> int:
    """0 where everything could be rendered."""
    return WRONG if any(one.problem for one in preview.shown) else 0
