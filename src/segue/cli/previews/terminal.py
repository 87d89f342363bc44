"""A preview in the terminal."""

from __future__ import annotations

from typing import Any

from segue.api.plaintext import plain_text
from segue.cli.ending import counted
from segue.cli.previews.gathering import Preview, Shown
from segue.diagnostics.render.printable import printable
from segue.messages.checking.lengths import PAYLOAD

_SIGNS = {"email": "✉", "sms": "✆", "push": "◉", "other": "▸"}


def show(preview: Preview) -> None:
    """Print every channel and language, each in a frame of its own."""
    from rich.console import Console, Group
    from rich.panel import Panel
    from rich.text import Text

    console = Console(highlight=False)
    who = preview.customer.get("id", "")
    console.print(
        Text.assemble(
            (preview.message, "bold"),
            (f"  for {'a made-up customer' if preview.sample else printable(str(who))}", "dim"),
        )
    )
    for one in preview.shown:
        lines: list[Any] = []
        for name, text in one.parts.items():
            if name not in ("text", "html"):
                lines.append(
                    Text.assemble((f"{name:<9}", "dim"), (printable(text), "bold" if name == "subject" else ""))
                )
        body = one.parts.get("text") or plain_text(one.parts.get("html", ""))
        if body.strip():
            shown = "\n".join(printable(line) for line in body.strip().splitlines())
            lines += ([Text("")] if lines else []) + [Text(shown)]
        if one.problem:
            lines.append(Text(one.problem, "red"))
        lines += [Text(""), Text(facts(one), "dim")] if facts(one) else []
        if one.chosen:
            lines.append(Text(f"this customer gets it: {one.chosen}", "green"))
        console.print(
            Panel(
                Group(*lines),
                title=f"{_SIGNS[one.medium]} {one.channel} · {one.locale or 'for everyone'}",
                title_align="left",
                border_style="green" if one.chosen else "dim",
                width=min(console.width, 88),
                padding=(0, 1),
            )
        )


def facts(one: Shown) -> str:
    """How long, how heavy and how dear it is, in words."""
    said = []
    if one.sms is not None:
        said.append(f"{counted(one.sms.count, 'part')} ({one.sms.alphabet.upper()}, {one.sms.units} characters)")
    if one.size:
        said.append(f"about {one.size:,} of {PAYLOAD:,} bytes")
    if one.medium == "email" and "subject" in one.parts:
        said.append(f"subject of {len(one.parts['subject'])} characters")
        if "html" in one.parts:
            said.append(f"HTML of {len(one.parts['html'].encode()) / 1000:.1f} kB")
    if one.report_days is not None:
        said.append(f"attached when sent, not here: the report of the last {counted(one.report_days, 'day')}")
    if one.cost is not None:
        said.append(f"costs {one.cost.amount.normalize():f} {one.cost.currency}")
    return " · ".join(said)
