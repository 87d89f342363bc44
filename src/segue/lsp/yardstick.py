"""How long the language server takes to answer while one types: a client over standard input and output, as an editor
is, that asks everything an editor asks."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from lsprotocol import types as lsp
from pygls import uris
from pygls.lsp.client import LanguageClient

_WARM: Final = 3
"""Keys that are not counted: caches fill."""

_PATIENCE: Final = 60.0
"""Seconds for one answer."""
_START: Final = "from segue.cli.main import main; main()"


async def time_answers(root: Path, path: Path, text: str, keys: int) -> dict[str, list[float]]:
    """Type so many keys in the middle of a file of the project in ``root``, and ask each kind of question after each:
    the seconds that the answers took, by kind. Raises TimeoutError where one never comes."""
    client = LanguageClient("segue-bench", "1")
    told = asyncio.Event()
    client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda _: told.set())
    await client.start_io(sys.executable, "-c", _START, "lsp")
    uri = str(uris.from_fs_path(str(path)))
    await client.initialize_async(
        lsp.InitializeParams(
            capabilities=lsp.ClientCapabilities(),
            workspace_folders=[lsp.WorkspaceFolder(str(uris.from_fs_path(str(root))), root.name)],
        )
    )
    client.initialized(lsp.InitializedParams())
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, "segue", 1, text)))
    await asyncio.wait_for(told.wait(), _PATIENCE)
    place = text.index("\n", len(text) // 2)
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    for key in range(1, keys + _WARM + 1):
        # Two blanks too many, so that there is something to format.
        typed = f"{text[:place]}   # {'x' * key}{text[place:]}"
        change = lsp.TextDocumentContentChangeWholeDocument(typed)
        document = lsp.VersionedTextDocumentIdentifier(key + 1, uri)
        client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, [change]))
        for kind, ask in _questions(client, uri, typed, place, key):
            began = time.perf_counter()
            await asyncio.wait_for(ask(), _PATIENCE)
            if key > _WARM:
                seconds[kind].append(time.perf_counter() - began)
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()  # type: ignore[no-untyped-call]
    return dict(seconds)


def _questions(
    client: LanguageClient, uri: str, text: str, cursor: int, key: int
) -> list[tuple[str, Callable[[], Awaitable[Any]]]]:
    """What an editor asks after a key, the first with the change still to be read."""
    document = lsp.TextDocumentIdentifier(uri)

    def position(offset: int) -> lsp.Position:
        return lsp.Position(text.count("\n", 0, offset), offset - text.rfind("\n", 0, offset) - 1)

    def within(pattern: str) -> lsp.Position:
        found = re.search(pattern, text)
        assert found is not None
        return position(found.start(1) + 1)

    here, event, rule = position(cursor), within(r"\nevent (returned)"), within(r"\nrule (\w+)")
    options = lsp.FormattingOptions(2, insert_spaces=True)
    uses = lsp.ReferenceContext(include_declaration=True)
    return [
        ("completion", lambda: client.text_document_completion_async(lsp.CompletionParams(document, here))),
        ("hover", lambda: client.text_document_hover_async(lsp.HoverParams(document, event))),
        (
            "colours",
            lambda: client.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(document)),
        ),
        ("symbols", lambda: client.text_document_document_symbol_async(lsp.DocumentSymbolParams(document))),
        ("definition", lambda: client.text_document_definition_async(lsp.DefinitionParams(document, event))),
        (
            "references",
            lambda: client.text_document_references_async(lsp.ReferenceParams(uses, document, event)),
        ),
        (
            "fixes",
            lambda: client.text_document_code_action_async(
                lsp.CodeActionParams(document, lsp.Range(here, here), lsp.CodeActionContext([]))
            ),
        ),
        (
            "formatting",
            lambda: client.text_document_formatting_async(lsp.DocumentFormattingParams(document, options)),
        ),
        (
            "renaming an event",
            lambda: client.text_document_rename_async(lsp.RenameParams(document, event, f"sent_back_{key}")),
        ),
        (
            "renaming a rule",
            lambda: client.text_document_rename_async(lsp.RenameParams(document, rule, f"renamed_{key}")),
        ),
    ]
