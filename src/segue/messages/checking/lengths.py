"""Parts that are missing, empty, too long for their channel, or cut off where they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from segue.api.channels import ContentPart
from segue.messages.checking.sheet import Sheet

SUBJECT: Final = 60
"""Characters of a subject that most mail programs show on a wide screen; a phone shows about 40."""
TITLE: Final = 50
"""Characters of a notification's title that a phone shows on one line."""
NOTIFICATION: Final = 150
"""Characters of a notification's text that a phone shows before it is opened."""
PAYLOAD: Final = 4_096
"""Bytes of a push message (FCM, APNs, RFC 8291), everything in it."""
_AROUND: Final = 200
"""Bytes of what a channel puts around the parts."""

_SHOWN: Final = {"email": {"subject": SUBJECT}, "push": {"title": TITLE, "text": NOTIFICATION}}


def check_parts(sheet: Sheet) -> None:
    """Note parts that the channel needs and the content lacks."""
    parts = sheet.template.parts
    for part in sheet.channel.parts:
        if part.required and part.name not in parts:
            _lacking(sheet, part)


def _lacking(sheet: Sheet, part: ContentPart) -> None:
    where = f"in a file that ends in .{part.extensions[0]}" if part.extensions else "between two --- lines"
    example = "" if part.extensions else f": {part.name}: …"
    first = next(iter(sheet.template.parts))
    sheet.add(
        "E1006",
        first,
        None,
        f"{sheet.title} has no `{part.name}`, which the channel needs",
        label=f"no `{part.name}`",
        hint=f"write it {where}{example}",
    )


def check_lengths(sheet: Sheet) -> None:
    """Note parts that are, or may become, empty or too long."""
    for part in sheet.channel.parts:
        if part.name not in sheet.longest:
            continue
        if part.required and not sheet.shortest[part.name].strip():
            _empty(sheet, part.name)
        if part.most is not None:
            _long(sheet, part.name, part.most)
    if sheet.channel.medium == "push":
        _heavy(sheet)
    for name, most in _SHOWN.get(sheet.channel.medium, {}).items():
        length = len(sheet.longest.get(name, ""))
        if length > most:
            seen = "phones cut it off" if sheet.channel.medium == "push" else "mail programs cut it off"
            sheet.add(
                "W1010",
                name,
                None,
                f"the {'notification' if name == 'text' else name} of {sheet.title} has about {length} characters: "
                f"{seen} after {most} or so",
                label=f"about {length} characters",
                hint="put first what must be seen, and say the rest in the text"
                if name != "text"
                else "put first what must be seen",
            )


def _empty(sheet: Sheet, name: str) -> None:
    code, when = ("W1008", "for a customer of whom nothing is known") if sheet.longest[name].strip() else ("E1006", "")
    sheet.add(
        code,
        name,
        None,
        f"`{name}` of {sheet.title} is empty{' ' + when if when else ''}, and the channel needs it",
        label="may be nothing" if when else "empty",
        hint='say what to write then: | default: "…"' if when else "write it",
    )


def _long(sheet: Sheet, name: str, most: int) -> None:
    longest, shortest = len(sheet.longest[name]), len(sheet.shortest[name])
    if longest <= most and shortest <= most:
        return
    certain = min(longest, shortest) > most
    sheet.add(
        "E1009" if certain else "W1007",
        name,
        None,
        f"`{name}` of {sheet.title} {'has' if certain else 'may have'} {max(longest, shortest):,} characters, "
        f"and the channel carries {most:,}",
        label="too long",
        hint="shorten it, or put the rest behind a link",
    )


def _heavy(sheet: Sheet) -> None:
    longest, shortest = payload(sheet.longest), payload(sheet.shortest)
    if max(longest, shortest) <= PAYLOAD:
        return
    certain = min(longest, shortest) > PAYLOAD
    name = max(sheet.longest, key=lambda part: len(sheet.longest[part]))
    sheet.add(
        "E1009" if certain else "W1007",
        name,
        None,
        f"{sheet.title} {'has' if certain else 'may have'} {max(longest, shortest):,} bytes with what is around it, "
        f"and a push message may have {PAYLOAD:,}",
        label="the longest part",
        hint="shorten it, and let the app fetch the rest",
    )


def payload(parts: Mapping[str, str]) -> int:
    """About how many bytes a push message with these parts has."""
    return _AROUND + sum(len(name) + len(text.encode()) + len('"":"",') for name, text in parts.items())
