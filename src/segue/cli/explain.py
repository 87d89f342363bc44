"""``segue explain``: a code of the checker in full, or a rule in plain sentences."""

from __future__ import annotations

import re
import sys
from typing import Annotated, Any, Final

import typer

from segue.cli.ending import USAGE, fail, print_json
from segue.diagnostics import CODES, FAMILIES, family, page, severity, title
from segue.language.nearest import nearest

_CODE: Final = re.compile(r"[EW]\d+", re.IGNORECASE)
_WIDEST: Final = 100
"""Columns of a page at most: longer lines are hard to read."""


def explain(
    subject: Annotated[
        str | None, typer.Argument(metavar="[RULE|CODE]", help="A rule, or a code such as E0301.", show_default=False)
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="When the sample customer enters, as 2026-11-27T09:00; now by default.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Tell a rule in plain sentences: what begins it, what happens step by step, a sample customer with dates, and the
    seventeen questions that a journey should answer. Or say what a code of `segue check` means, with an example and
    what to write instead; without a subject, list the codes.

    Codes may be written with small letters. Exits with 2 where there is no such rule or code.
    """
    if subject is None:
        _list_codes(json)
    elif _CODE.fullmatch(subject):
        _explain_code(subject.upper(), json)
    else:
        from segue.cli.told import explain_rule

        explain_rule(subject, at, json)


def _explain_code(code: str, json: bool) -> None:
    if code not in CODES:
        near = nearest(code, CODES)
        fail(f"there is no code {code}{f'; did you mean {near}, “{title(near)}”?' if near else ''}", USAGE)
    if json:
        print_json({**_line(code), "page": page(code)})
    elif sys.stdout.isatty():
        _show(page(code))
    else:
        sys.stdout.write(page(code))


def _list_codes(json: bool) -> None:
    if json:
        for code in CODES:
            print_json(_line(code))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    before = ""
    for code in CODES:
        if family(code) != before:
            before = family(code)
            console.print(Text(f"{FAMILIES[before]}" if code == next(iter(CODES)) else f"\n{FAMILIES[before]}", "bold"))
        tint = "red" if severity(code) == "error" else "yellow"
        console.print(Text.assemble("  ", (code, tint), f"  {title(code).replace('`', '')}"), soft_wrap=True)
    console.print("\n`segue explain CODE` shows one with an example")


def _line(code: str) -> dict[str, Any]:
    return {"code": code, "severity": severity(code), "title": title(code), "family": FAMILIES[family(code)]}


def _show(text: str) -> None:
    """A page in a terminal."""
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.markdown import Heading, Markdown

    class Plain(Heading):
        """A heading at the left, where text begins: rich would put it in the middle."""

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            self.text.justify = "left"
            yield self.text

    class Page(Markdown):
        elements = {**Markdown.elements, "heading_open": Plain}

    console = Console()
    console.print(Page(text, code_theme="ansi_dark"), width=min(console.width, _WIDEST))
