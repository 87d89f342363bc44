"""How fast the language server answers in a long file while one types: a client of its own over standard input and
output, as an editor is, that asks everything an editor asks."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from lsprotocol import types as lsp
from pygls import uris
from pygls.lsp.client import LanguageClient

from segue.cli.benchmarks.rulebook import write_book
from segue.language.yardstick import bare_parse

_KEYS: Final = 30
_LINES: Final = 1_000
_WARM: Final = 3
"""Keys that are not counted: caches fill."""

_PATIENCE: Final = 60.0
_SETTINGS: Final = 'zone = "Europe/Helsinki"\n'
_START: Final = "from segue.cli.main import main; main()"


class Answered(msgspec.Struct, frozen=True):
    """How long answers to one kind of request took, in milliseconds: the median and the longest."""

    kind: str
    median: float
    worst: float


class Editing(msgspec.Struct, frozen=True):
    """Answers in a file of so many ``lines``, and the milliseconds in which Lark alone parses
    it."""

    lines: int
    answers: tuple[Answered, ...]
    parsed: float


def measure_editing(folder: Path, lines: int = _LINES, keys: int = _KEYS) -> Editing:
    """Type in the middle of a file of at most so many lines, and ask each kind of question after each key."""
    text = _long_text(folder, lines)
    (folder / "segue.toml").write_text(_SETTINGS, "utf-8")
    rules = folder / "rules"
    rules.mkdir()
    path = rules / "long.rules"
    path.write_text(text, "utf-8")
    seconds = asyncio.run(_typing(folder, path, text, keys))
    answers = tuple(
        Answered(kind, sorted(took)[len(took) // 2] * 1000, max(took) * 1000) for kind, took in seconds.items()
    )
    parse = bare_parse([text])
    parsed = []
    for _ in range(5):
        began = time.perf_counter()
        parse()
        parsed.append(time.perf_counter() - began)
    return Editing(text.count("\n"), answers, min(parsed) * 1000)


def _long_text(folder: Path, lines: int) -> str:
    """A file of whole rules, from a book of many."""
    book = folder / "book"
    book.mkdir()
    write_book(book, 1 + lines // 12)
    whole = "\n".join(file.read_text("utf-8") for file in sorted(book.glob("*.rules")))
    text = "\n".join(whole.splitlines()[:lines])
    return text[: text.rindex("\n# ") + 1]  # each rule begins with a comment: none is cut in two


async def _typing(root: Path, path: Path, text: str, keys: int) -> dict[str, list[float]]:
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
