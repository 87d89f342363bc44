"""``segue preview``: what a message looks like, by every channel and in every language."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from segue.cli.ending import WRONG, fail, print_json
from segue.cli.previews.gathering import Preview, Shown, Wanted, exit_code, gather
from segue.cli.previews.page import page
from segue.cli.previews.pictures import WIDTHS, NoPicture, browser, take
from segue.cli.previews.terminal import show


def preview(
    message: Annotated[str, typer.Argument(help="The message: the name of its folder.")],
    customer: Annotated[
        str | None, typer.Option("--customer", help="A customer of the store; a made-up one by default.")
    ] = None,
    event: Annotated[
        str | None, typer.Option("--event", metavar="FILE|JSON", help="The event that began the journey.")
    ] = None,
    channel: Annotated[str | None, typer.Option("--channel", help="Only this channel.")] = None,
    locale: Annotated[str | None, typer.Option("--locale", help="As a customer of this language gets it.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write a page into this folder, preview.html.")
    ] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Pictures too, as on a phone and on a desktop: needs Chromium.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One line for each channel and language.")] = False,
) -> None:
    """Show a message as a customer would get it. Nothing is sent, and nothing in the store changes: a coupon's code is
    a sample. Exits with 1 where something could not be rendered or pictured."""
    if pictures:
        try:
            browser()
        except NoPicture as error:
            fail(str(error), WRONG)
    made = gather(Wanted(message, customer, event, channel, locale))
    if json:
        for one in made.shown:
            print_json(_as_json(made, one))
    else:
        show(made)
    if out is not None or pictures:
        _write(made, out if out is not None else Path(), pictures, quiet=json)
    if code := exit_code(made):
        raise typer.Exit(code)


def _as_json(made: Preview, one: Shown) -> dict[str, Any]:
    return {
        "message": made.message,
        "channel": one.channel,
        "locale": one.locale,
        "customer": made.customer.get("id"),
        "gets": bool(one.chosen),
        "reason": one.chosen,
        "parts": dict(one.parts),
        "sms_parts": one.sms.count if one.sms is not None else None,
        "sms_alphabet": one.sms.alphabet if one.sms is not None else None,
        "push_bytes": one.size or None,
        "report_days": one.report_days,
        "cost": f"{one.cost.amount} {one.cost.currency}" if one.cost is not None else None,
        "problem": one.problem,
    }


def _write(made: Preview, folder: Path, pictures: bool, *, quiet: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = [folder / "preview.html"]
        written[0].write_text(page(made), "utf-8")
        if pictures:
            written += _pictures(made, folder)
    except OSError as error:
        fail(f"{error.filename or folder} cannot be written: {error.strerror}")
    except NoPicture as error:
        fail(str(error))
    if not quiet:
        for path in written:
            print(path)


def _pictures(made: Preview, folder: Path) -> list[Path]:
    """Each email as it is on a phone and on a desktop, and the whole page likewise. Raises NoPicture."""
    height = 160 + sum(860 if "html" in one.parts else 460 for one in made.shown)
    pages = [("preview", folder / "preview.html", height)]
    for one in made.shown:
        if "html" in one.parts:
            name = re.sub(r"\W+", "-", f"{made.message}.{one.channel}.{one.locale or 'all'}").strip("-")
            path = folder / f"{name}.html"
            path.write_text(one.parts["html"], "utf-8")
            pages.append((name, path, 1_400))
    taken = []
    for name, path, height in pages:
        for device, width in WIDTHS.items():
            target = folder / f"{name}.{device}.png"
            take(path, width, height, target)
            taken.append(target)
    return taken
