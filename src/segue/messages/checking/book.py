"""All content of a rule book, checked with what its rules say of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from segue.api import FieldType
from segue.diagnostics import Diagnostic, Lines, in_order, severity
from segue.language import model as m
from segue.language.nearest import nearest
from segue.language.vocabulary import EVERY_EVENT
from segue.messages.catalogue import Catalogue, Origin
from segue.messages.checking.contrast import check_contrast
from segue.messages.checking.email import check_email
from segue.messages.checking.failing import check_failing, try_out
from segue.messages.checking.layouts import check_layouts
from segue.messages.checking.lengths import check_lengths, check_parts
from segue.messages.checking.links import check_links
from segue.messages.checking.sheet import ChannelFacts, Sending, Sheet
from segue.messages.checking.texting import check_text
from segue.messages.checking.values import check_values
from segue.messages.rendering import RenderError
from segue.messages.samples import NOW, sample_given, samples_of
from segue.messages.template import Template
from segue.program.questions import all_deliveries


def check_content(
    catalogue: Catalogue,
    texts: Mapping[str, str],
    book: m.Book,
    channels: Mapping[str, ChannelFacts],
    project: Mapping[str, Any],
    *,
    whole: bool = True,
) -> tuple[Diagnostic, ...]:
    """What is wrong with the content of messages, in the order of files and places.

    ``texts`` are the content files by path (`segue.messages.loading.read_texts`), ``project`` likely values of what
    every message is given beside the customer and the event. ``whole``: the book has all its rules, so that what none
    of them sends is sent by none.
    """
    lines = {path: Lines(path, text) for path, text in texts.items()}
    sent = sendings(book)
    found: list[Diagnostic] = []
    unsent: set[str] = set()
    for key, template in catalogue.templates.items():
        origins = catalogue.origins.get(key, {})
        channel = channels.get(template.channel)
        by = (*sent.get((template.name, template.channel), ()), *sent.get((template.name, None), ()))
        if channel is None:
            found.append(_unknown_channel(template, origins, channels))
            continue
        if whole and not by:
            unsent.add(template.name)
        found += check_template(template, origins, channel, by, lines, book.traits, project)
    found += check_layouts(catalogue.layouts, lines, book.traits, project)
    if whole:
        found += _unsent(catalogue, unsent, sent, channels)
    return in_order(found)


def check_template(
    template: Template,
    origins: Mapping[str, Origin],
    channel: ChannelFacts,
    by: tuple[Sending, ...],
    lines: Mapping[str, Lines],
    traits: Mapping[str, FieldType],
    project: Mapping[str, Any],
) -> list[Diagnostic]:
    """What is wrong with the content for one channel in one language."""
    full, bare = _values(by, traits, project)
    tried = try_out(template, full), try_out(template, bare)
    longest, shortest = tried
    if isinstance(longest, RenderError) or isinstance(shortest, RenderError):
        longest, shortest = {}, {}
    sheet = Sheet(template, origins, channel, by, lines, longest, shortest)
    check_failing(sheet, full, bare, tried)
    check_values(sheet, traits, project)
    check_parts(sheet)
    check_lengths(sheet)
    check_text(sheet)
    check_links(sheet)
    if channel.medium == "email":
        check_email(sheet)
        check_contrast(sheet)
    return sheet.found


def sendings(book: m.Book) -> dict[tuple[str, str | None], tuple[Sending, ...]]:
    """The rules that send each message by each channel; None stands for any (`preferred`)."""
    found: defaultdict[tuple[str, str | None], list[Sending]] = defaultdict(list)
    for rule in book.rules:
        of_events = [_fields(book, event) for event in rule.events]
        fields = {name: kind for one in of_events for name, kind in one.items()}
        always = frozenset(fields).intersection(*of_events) if of_events else frozenset(_of_trigger(rule))
        for one in all_deliveries(rule.steps):
            given = {name: sample_given(name, value) for name, value in one.values}
            sending = Sending(rule.name, one.kind, given, fields or _of_trigger(rule), always)
            if sending not in found[one.message, one.channel]:
                found[one.message, one.channel].append(sending)
    return {key: tuple(one) for key, one in found.items()}


def _fields(book: m.Book, event: str) -> Mapping[str, FieldType]:
    known = book.events.get(event)
    return known.fields if known is not None else EVERY_EVENT


def _of_trigger(rule: m.Rule) -> dict[str, FieldType]:
    """The fields of what begins a rule that no event begins."""
    trigger = rule.trigger
    return {"old": trigger.type, "new": trigger.type} if isinstance(trigger, m.OnChange) else {}


def _values(
    by: tuple[Sending, ...], traits: Mapping[str, FieldType], project: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values of a likely length, and hardly any."""
    given = {name: value for sending in by for name, value in sending.given.items()}
    fields = {name: kind for sending in by for name, kind in sending.fields.items()}
    always = {**project, "now": NOW, **given}
    full = {**always, "customer": {**samples_of(traits), "id": "customer-1"}, "event": samples_of(fields)}
    return full, {**always, "customer": {"id": "customer-1"}, "event": {}}


def _unknown_channel(
    template: Template, origins: Mapping[str, Origin], channels: Mapping[str, ChannelFacts]
) -> Diagnostic:
    near = nearest(template.channel, channels)
    known = ", ".join(sorted(channels)) or "none"
    path = next((origin.path for origin in origins.values()), "")
    return Diagnostic(
        severity=severity("W1005"),
        code="W1005",
        message=f"there is no channel `{template.channel}`, so nothing sends this file",
        primary=Lines(path, "").span(0, 0),
        label=f"did you mean {near}.{path.rpartition('.')[2]}?" if near else "",
        hint=f"the file's name begins with that of its channel; the channels are {known}",
    )


def _unsent(
    catalogue: Catalogue,
    candidates: set[str],
    sent: Mapping[tuple[str, str | None], tuple[Sending, ...]],
    channels: Mapping[str, ChannelFacts],
) -> Iterator[Diagnostic]:
    """Messages, and channels of messages, that no rule sends, each once."""
    names = {name for name, _ in sent}
    for name in sorted(candidates):
        of = [template for template in catalogue.templates.values() if template.name == name]
        idle = [
            template
            for template in of
            if template.channel in channels and not {(name, template.channel), (name, None)} & sent.keys()
        ]
        for channel in sorted({template.channel for template in idle}) if name in names else [""]:
            template = next(one for one in idle if channel in ("", one.channel))
            near = nearest(name, names) if not channel else None
            what = f'no rule sends the message "{name}"' + (f" by {channel}" if channel else "")
            yield Diagnostic(
                severity=severity("W1004"),
                code="W1004",
                message=what,
                primary=Lines(_path(catalogue, template), "").span(0, 0),
                label=f'rules send "{near}"' if near else "",
                hint=f'send it (send {channel or template.channel} "{name}"), or take the '
                + (f"files {channel}.* away" if channel else "folder away"),
            )


def _path(catalogue: Catalogue, template: Template) -> str:
    """The first file of a template."""
    origins = catalogue.origins.get((template.name, template.channel, template.locale), {})
    return next((origin.path for origin in origins.values()), "")
