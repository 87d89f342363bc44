"""An editor without a screen: a real client that speaks to the installed command over its standard input and output."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls import uris
from pygls.lsp.client import LanguageClient

COMMAND = Path(sys.executable).with_name("segue")
PATIENCE = 30.0
CAPABLE = lsp.ClientCapabilities(
    text_document=lsp.TextDocumentClientCapabilities(
        completion=lsp.CompletionClientCapabilities(
            completion_item=lsp.ClientCompletionItemOptions(snippet_support=True)
        )
    ),
    workspace=lsp.WorkspaceClientCapabilities(
        workspace_edit=lsp.WorkspaceEditClientCapabilities(
            document_changes=True, resource_operations=[lsp.ResourceOperationKind.Rename]
        )
    ),
)


class Editor:
    """``root`` is the project's folder, ``texts`` are the open files by path, ``said`` the last diagnostics of each
    file, ``errors`` what the server wrote to standard error."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.client = LanguageClient("editor", "1")
        self.texts: dict[Path, str] = {}
        self.said: dict[Path, list[lsp.Diagnostic]] = {}
        self.errors: list[str] = []
        self._told: defaultdict[Path, asyncio.Event] = defaultdict(asyncio.Event)
        self._reading: asyncio.Task[None] | None = None
        self._version = 0

    async def start(self, folders: list[Path], **environment: str) -> lsp.InitializeResult:
        def told(params: lsp.PublishDiagnosticsParams) -> None:
            path = Path(uris.to_fs_path(params.uri) or params.uri)
            self.said[path] = list(params.diagnostics)
            self._told[path].set()

        self.client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(told)
        await self.client.start_io(str(COMMAND), "lsp", cwd=str(self.root), env={**os.environ, **environment})
        self._reading = asyncio.ensure_future(self._read_errors())
        named = [lsp.WorkspaceFolder(self.uri(folder), folder.name) for folder in folders]
        result = await self.client.initialize_async(lsp.InitializeParams(capabilities=CAPABLE, workspace_folders=named))
        self.client.initialized(lsp.InitializedParams())
        return result

    async def stop(self) -> int | None:
        """Shut the server down; its exit code."""
        server = self.client._server  # the process itself has no public name
        assert server is not None
        if server.returncode is None:
            await asyncio.wait_for(self.client.shutdown_async(None), PATIENCE)
            self.client.exit(None)
        code = await asyncio.wait_for(server.wait(), PATIENCE)
        await self.client.stop()  # type: ignore[no-untyped-call]
        if self._reading is not None:
            await self._reading
        return code

    async def _read_errors(self) -> None:
        server = self.client._server
        assert server is not None
        assert server.stderr is not None
        async for line in server.stderr:
            self.errors.append(line.decode())

    def uri(self, path: Path) -> str:
        return str(uris.from_fs_path(str(path)))

    def document(self, path: Path) -> lsp.TextDocumentIdentifier:
        return lsp.TextDocumentIdentifier(self.uri(path))

    def open(self, name: str, text: str | None = None) -> Path:
        path = self.root / name
        self.texts[path] = path.read_text() if text is None else text
        item = lsp.TextDocumentItem(self.uri(path), "segue", 1, self.texts[path])
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        return path

    def type(self, path: Path, text: str) -> None:
        self._version += 1
        self._told[path].clear()
        self.texts[path] = text
        document = lsp.VersionedTextDocumentIdentifier(self._version, self.uri(path))
        change = lsp.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(document, [change]))

    async def diagnostics(self, path: Path) -> list[lsp.Diagnostic]:
        """What is said about a file, once something has been said since it was last typed in."""
        await asyncio.wait_for(self._told[path].wait(), PATIENCE)
        return self.said[path]

    async def codes(self, path: Path) -> list[Any]:
        return [one.code for one in await self.diagnostics(path)]

    def position(self, path: Path, word: str) -> lsp.Position:
        """Within the first occurrence of a word."""
        before = self.texts[path][: self.texts[path].index(word) + 1]
        return lsp.Position(before.count("\n"), len(before) - before.rfind("\n") - 1)

    def end(self, path: Path) -> lsp.Position:
        text = self.texts[path]
        return lsp.Position(text.count("\n"), len(text) - text.rfind("\n") - 1)

    def applied(self, path: Path, edits: list[lsp.TextEdit]) -> str:
        """A file's text after edits; ASCII only, so that columns are characters."""
        text = self.texts.get(path) or path.read_text()
        starts = [0]
        for line in text.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        for edit in sorted(edits, key=lambda one: (one.range.start.line, one.range.start.character), reverse=True):
            start = starts[edit.range.start.line] + edit.range.start.character
            end = starts[edit.range.end.line] + edit.range.end.character
            text = text[:start] + edit.new_text + text[end:]
        return text
