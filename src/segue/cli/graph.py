"""``segue graph``: a rule as a picture."""

from __future__ import annotations

import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from segue.cli.ending import USAGE, fail, find_rule, open_project
from segue.cli.published import read_published
from segue.program.picture.chart import Counts, draw_chart
from segue.program.program import Program
from segue.runtime.running import Running
from segue.store.database import Transaction
from segue.store.sweeps import count_by_step, count_rules

_STYLES: Final = ("svg", "mermaid", "text")


def graph(
    rule: Annotated[str, typer.Argument(help="The rule's name.")],
    style: Annotated[
        str | None, typer.Option("--as", help="svg, mermaid or text; text where a terminal reads it.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file; .svg and .mmd say what it is.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Show the published rule, with how many customers are where.")
    ] = False,
) -> None:
    """Draw a rule: as SVG that needs no other program, as Mermaid text, or in the terminal. With --live the project's
    store is asked who is at each step now."""
    chosen = style or _by_name(output)
    if chosen not in _STYLES:
        fail(f"--as {chosen}: there are svg, mermaid and text", USAGE)
    assembly = open_project(Path.cwd())
    counts: Counts | None = None
    if live:
        program, counts = read_published(assembly, partial(_count, rule=rule))
    else:
        program = find_rule(assembly, rule)
    chart = draw_chart(program)
    if chosen == "svg":
        from segue.program.picture.svg import draw_svg

        text = draw_svg(chart, counts)
    elif chosen == "mermaid":
        from segue.program.picture.mermaid import draw_mermaid

        text = draw_mermaid(chart, counts)
    else:
        from segue.program.picture.terminal import draw_text

        narrow = output is None and sys.stdout.isatty()
        text = draw_text(chart, counts, shutil.get_terminal_size().columns if narrow else None)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{output}: {error.strerror or error}")


def _by_name(output: Path | None) -> str:
    """What a file's name says it is; else what its reader can show."""
    if output is not None:
        return {".mmd": "mermaid", ".mermaid": "mermaid", ".txt": "text"}.get(output.suffix.lower(), "svg")
    return "text" if sys.stdout.isatty() else "svg"


def _count(tx: Transaction, running: Running, rule: str) -> tuple[Program, Counts]:
    """A published rule, and how many customers are where in it."""
    program = running.current.get(rule)
    if program is None:
        fail(f"{rule} is not among the rules that are published", USAGE)
    total = next(one for one in count_rules(tx) if one.rule == rule)
    return program, Counts(
        entered=total.entered,
        inside=total.inside,
        finished=total.finished,
        exited=total.exited,
        failed=total.failed,
        converted=total.converted,
        here=count_by_step(tx, program.hash),
    )
