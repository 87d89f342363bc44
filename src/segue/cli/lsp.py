"""``segue lsp``: the language server, which an editor starts and speaks to over standard input and output."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer


def lsp(
    write_highlighting: Annotated[
        Path | None,
        typer.Option(
            "--write-highlighting",
            help="Write highlighting for editors into a folder, and end.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """The language server. Editors start it; it speaks their protocol over standard input and output."""
    if write_highlighting is not None:
        from segue.lsp.highlighting import write_editors

        for path in write_editors(write_highlighting):
            print(path)
        return
    # pygls loads here, so that other commands need not wait for it.
    from segue.lsp.features import make_server

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="segue lsp: %(levelname)s %(message)s")
    # A request that is refused is told to the editor; pygls would tell it here with a traceback as well.
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    # Whatever a plugin prints goes to standard error: on standard output it would garble the protocol.
    protocol = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    make_server().start_io(sys.stdin.buffer, protocol)
