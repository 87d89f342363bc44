"""``segue privacy record``: the record of processing activities that article 30 of the GDPR asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from segue.cli.ending import WRONG, fail, open_project, print_json, show_diagnostics
from segue.runtime.assembly import check
from segue.runtime.processing import ProcessingRecord, draw_up

BLANK: Final = "**(blank)**"


def record(json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Write the record of processing activities (GDPR, article 30) from the rules and settings on disk, as Markdown:
    purposes, categories of data, recipients, sources, retention, measures. What they do not say is marked as blank.
    Exits with 1 when the rules are wrong."""
    assembly = open_project(Path.cwd())
    book = check(assembly)
    if not book.ok:
        show_diagnostics(book)
        fail("the rules have errors: no record was written", WRONG)
    found = draw_up(assembly, book)
    if json:
        print_json(msgspec.to_builtins(found))
    else:
        print("\n".join(as_markdown(found)))


def as_markdown(found: ProcessingRecord) -> Iterator[str]:
    """The record as Markdown, a line at a time."""
    privacy = found.privacy
    yield "# Record of processing activities"
    yield ""
    yield "By article 30 of the General Data Protection Regulation, from the rules and settings of this Segue. What"
    yield f"neither says is marked {BLANK}."
    yield ""
    yield from _table(
        ("Who", ""),
        (
            ("Controller", privacy.controller or BLANK),
            ("Contact", privacy.contact or BLANK),
            ("Representative in the Union, where there has to be one", privacy.representative or BLANK),
            ("Data protection officer, where there has to be one", privacy.dpo or BLANK),
            ("Data subjects", "customers and visitors of the shop"),
        ),
    )
    yield "## Purposes"
    yield ""
    if not found.purposes:
        yield "There are no rules."
        yield ""
    for purpose in found.purposes:
        yield f"### {purpose.title or purpose.rule}"
        yield ""
        yield from _table(
            (f"Rule `{purpose.rule}`", ""),
            (
                ("Begins when", purpose.begins),
                ("Kind of message", _listed(purpose.kinds)),
                ("By", _listed(purpose.channels)),
                ("Lawful basis", "; ".join(purpose.basis) or BLANK),
                ("Reads traits", _listed(purpose.traits)),
                ("Reads events", _listed(purpose.events)),
            ),
        )
    yield "## Categories of personal data"
    yield ""
    yield from _table(("Trait", "Read by"), ((f"`{one.name}`", _listed(one.read_by)) for one in found.traits))
    yield from _table(
        ("Event", "Fields read", "Read by"),
        ((f"`{one.name}`", _listed(one.fields), _listed(one.read_by)) for one in found.events),
    )
    yield "Sources may send more than is read; it is kept with the event or the customer."
    yield ""
    yield "## Recipients"
    yield ""
    yield from _table(
        ("Channel", "Plugin", "Machines", "Reaches customers by", "Keeps data", "Outside the Union"),
        (
            (
                one.channel,
                one.plugin,
                _listed(one.hosts),
                one.address,
                "yes, and deletes them on erasure" if one.keeps else "not that its plugin says",
                BLANK if one.hosts else "–",
            )
            for one in found.recipients
        ),
    )
    yield "## Sources"
    yield ""
    yield from _table(
        ("Source", "Plugin", "Machines"), ((one.source, one.plugin, _listed(one.hosts)) for one in found.sources)
    )
    yield "## Time limits for erasure"
    yield ""
    yield from _table(("What", "Kept"), found.retention)
    yield "## Security measures"
    yield ""
    for measure in found.measures:
        yield f"- {measure}"
    yield f"- Access to the machine, backups and their deletion: {BLANK}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    written = [tuple(map(_cell, row)) for row in rows]
    if not written:
        yield f"{head[0]}: none."
        yield ""
        return
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in written:
        yield f"| {' | '.join(row)} |"
    yield ""


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "–"
