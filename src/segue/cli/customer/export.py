"""``segue customer export``: everything that is kept of a customer, as JSON or as tables."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from segue.api import Instant
from segue.cli.customer.whom import Whom, the_one
from segue.cli.ending import USAGE, counted, fail, open_project
from segue.cli.spreadsheets import cell
from segue.runtime.exporting import Export, as_json
from segue.runtime.exporting import export as collect
from segue.runtime.publishing import load
from segue.store.database import read_only
from segue.store.errors import StoreError


def export(
    customer: Whom,
    to_json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="One JSON object into a file; - writes it out.")
    ] = None,
    to_csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FOLDER", help="A table for each kind of thing, into a new folder.")
    ] = None,
) -> None:
    """Hand out everything that is kept of a customer: who they are, their traits and consent, every event, journey and
    message. Works while Segue runs. Files can be read by their owner only."""
    if (to_json is None) == (to_csv is None):
        fail("say where it goes: --json FILE (- writes it out), or --csv FOLDER", USAGE)
    assembly = open_project(Path.cwd())
    try:
        with read_only(assembly.project.database) as tx:
            now = Instant(time.time_ns() // 1000)
            found = collect(tx, load(tx, assembly.setting), the_one(tx, customer, assembly.project.identity), now)
    except StoreError as error:
        fail(str(error))
    rows = sum(map(len, found.sections.values()))
    try:
        if to_csv is not None:
            tables = write_tables(found, to_csv)
            print(f"{counted(rows, 'row')} in {counted(tables, 'table')}: {to_csv}")
        elif str(to_json) == "-":
            print(_text(found))
        else:
            assert to_json is not None
            with _create(to_json) as file:
                file.write(_text(found) + "\n")
            print(f"{counted(rows, 'row')}: {to_json}")
    except FileExistsError as error:
        fail(f"{error.filename} exists already: give another name", USAGE)
    except OSError as error:
        fail(f"{error.filename or to_csv or to_json}: {error.strerror or error}")


def _text(found: Export) -> str:
    return json.dumps(as_json(found), ensure_ascii=False, indent=2)


def _create(path: Path) -> Any:
    """A new file that only its owner reads."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline="")


# Tables


def write_tables(found: Export, folder: Path) -> int:
    """Write a file for each section that has rows into a folder, which must not exist. How many."""
    folder.mkdir(mode=0o700)
    tables: dict[str, list[Mapping[str, Any]]] = {
        "identifiers": [{"kind": kind, "value": value} for kind, value in found.identifiers],
        "profile": [{"name": name, "value": value} for name, value in found.profile.items() if name != "traits"]
        + [{"name": f"traits.{name}", "value": value} for name, value in (found.profile.get("traits") or {}).items()],
        **{name: list(rows) for name, rows in found.sections.items()},
    }
    written = {name: rows for name, rows in tables.items() if rows}
    for name, rows in written.items():
        with _create(folder / f"{name}.csv") as file:
            file.write(as_csv(rows))
    return len(written)


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as RFC 4180 text. A text that a spreadsheet would take for a formula gets an apostrophe before it, as OWASP
    advises ("CSV Injection"); numbers stay numbers; what is nested is JSON."""
    rows = list(rows)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(map(cell, columns))
    table.writerows([cell(row.get(name)) for name in columns] for row in rows)
    return text.getvalue()
