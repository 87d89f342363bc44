"""``segue history``: what was published when, by whom, and what that changed."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from segue.api import to_datetime, to_rfc3339
from segue.cli.ending import USAGE, fail, open_project, print_json
from segue.cli.publish import print_changes
from segue.diagnostics.render.printable import printable
from segue.store import books
from segue.store.books import Publication
from segue.store.database import read_only
from segue.store.errors import StoreError

_COLOURS = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}


def history(
    version: Annotated[int | None, typer.Argument(help="Show what this version changed in the text.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One version a line, as JSON.")] = False,
) -> None:
    """List the published versions of the rule book, the latest first; or show what one changed in the text.

    `segue publish --version` makes an earlier one run again. Exits with 2 where there is no such version.
    """
    project = open_project(Path.cwd()).project
    try:
        with read_only(project.database) as tx:
            publications = books.load_publications(tx)
            texts = [books.load_sources(tx, number) for number in ((version or 0) - 1, version or 0)]
    except StoreError as error:
        fail(str(error))
    if version is not None:
        one = next((one for one in publications if one.number == version), None)
        if one is None:
            fail(f"there is no version {version}: there are {_span(publications)}", USAGE)
        if json:
            print_json(_as_json(one) | {"difference": "\n".join(_difference(texts[0] or {}, texts[1] or {}))})
            return
        print(_headline(one, project.zone))
        _show_difference(texts[0] or {}, texts[1])
        return
    for one in reversed(publications):
        if json:
            print_json(_as_json(one))
        else:
            print(_headline(one, project.zone))
            if one.changes:
                print_changes(one.changes, "  ")
    if not publications and not json:
        print("Nothing was published yet.")


def _show_difference(before: dict[str, str], after: dict[str, str] | None) -> None:
    if not after:
        print("The text of this version was not kept.")
        return
    for line in _difference(before, after):
        print(_coloured(line) if sys.stdout.isatty() else line)


def _span(publications: list[Publication]) -> str:
    return f"1 to {publications[-1].number}" if publications else "none yet"


def _headline(one: Publication, zone: str) -> str:
    """``zone``: the project's, in which its people read a clock."""
    nothing = "" if one.changes or one.changes is None else "  nothing changed"
    at = to_datetime(one.at).astimezone(ZoneInfo(zone))
    return f"{one.number:>4}  {at:%Y-%m-%d %H:%M:%S} {zone}  {printable(one.who)}{nothing}"


def _as_json(one: Publication) -> dict[str, object]:
    changes = one.changes
    return {
        "version": one.number,
        "at": to_rfc3339(one.at),
        "who": one.who,
        "added": changes.added if changes is not None else None,
        "changed": changes.changed if changes is not None else None,
        "removed": changes.removed if changes is not None else None,
    }


def _difference(before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, ""), after.get(name, "")
        if old != new:
            yield from difflib.unified_diff(
                old.splitlines(),
                new.splitlines(),
                name if name in before else "/dev/null",
                name if name in after else "/dev/null",
                lineterm="",
            )


def _coloured(line: str) -> str:
    """For a terminal, which gets no control characters from the text."""
    colour = None if line.startswith(("+++", "---")) else _COLOURS.get(line[:1])
    return f"{colour}{printable(line)}\x1b[0m" if colour else printable(line)
