"""The options that every command with tables has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="JSON lines: one object a row, with the name of its table.")]
Csv = Annotated[
    Path | None, typer.Option("--csv", help="Write CSV to this file; several tables to a folder of that name.")
]
Parquet = Annotated[Path | None, typer.Option("--parquet", help="The same as Parquet; needs segue[parquet].")]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="From this day or time on: 2026-03-02, or 2026-03-02T10:00."),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="Through this day (2026-03-31), or until this time."),
]
Last = Annotated[
    str | None,
    typer.Option("--last", metavar="SPAN", help="The last days, today included: 30d; or 12h, 4w, 6mo, 1y."),
]
