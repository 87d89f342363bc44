"""What the server answers: each request of the protocol, from the draft of the file it is about."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types as lsp
from pygls import uris
from pygls.exceptions import JsonRpcInvalidParams

from segue.api import Instant
from segue.lsp import answers
from segue.lsp.draft import Draft
from segue.lsp.hover import hover
from segue.lsp.outline import COLOURS, colours, folds, outline
from segue.lsp.renaming import RenameRefused, rename, renamed_at
from segue.lsp.server import RulesServer
from segue.lsp.suggestions import suggest

log = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[[RulesServer, Draft, str, Any], object])


def make_server() -> RulesServer:
    """A server with all its features, not started."""
    server = RulesServer()
    _follow_the_editor(server)
    _explain(server)
    _find(server)
    _change(server)
    return server


def _answers(server: RulesServer, method: str, options: object = None) -> Callable[[F], F]:
    """A request about one file: answered from its draft, with nothing where something goes wrong."""

    def register(answer: F) -> F:
        async def handle(ls: RulesServer, params: Any) -> object:
            await ls.ready.wait()
            path = ls.path(params.text_document.uri)
            try:
                return answer(ls, ls.draft(path), path, params)
            except RenameRefused as refused:
                raise JsonRpcInvalidParams(str(refused)) from None
            except Exception:
                log.exception("%s", method)
                return None

        server.feature(method, options)(handle)
        return answer

    return register


def _offset(ls: RulesServer, draft: Draft, path: str, position: lsp.Position) -> int:
    return ls.places(path, draft.text(path)).offset(position.line, position.character)


def _follow_the_editor(server: RulesServer) -> None:
    """What is open, what is typed, what changes on disk."""

    @server.feature(lsp.INITIALIZE)
    def initialize(ls: RulesServer, params: lsp.InitializeParams) -> None:
        named = [folder.uri for folder in params.workspace_folders or ()] or [params.root_uri or ""]
        places = [uris.to_fs_path(uri) for uri in named if uri]
        ls.folders = [Path(os.path.realpath(place)) for place in places if place and Path(place).is_dir()]

    @server.feature(lsp.INITIALIZED)
    async def initialized(ls: RulesServer, params: lsp.InitializedParams) -> None:
        ls.keep(ls.prepare())
        ls.keep(ls.watch())

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    async def did_open(ls: RulesServer, params: lsp.DidOpenTextDocumentParams) -> None:
        await ls.ready.wait()
        ls.write(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def did_change(ls: RulesServer, params: lsp.DidChangeTextDocumentParams) -> None:
        await ls.ready.wait()
        ls.write(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    async def did_close(ls: RulesServer, params: lsp.DidCloseTextDocumentParams) -> None:
        await ls.ready.wait()
        ls.close(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    async def did_save(ls: RulesServer, params: lsp.DidSaveTextDocumentParams) -> None:
        await ls.ready.wait()
        await ls.reload([ls.path(params.text_document.uri)])

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def did_change_on_disk(ls: RulesServer, params: lsp.DidChangeWatchedFilesParams) -> None:
        await ls.ready.wait()
        await ls.reload([ls.path(change.uri) for change in params.changes])


def _explain(server: RulesServer) -> None:
    """Completion, explanations, colours."""

    @_answers(server, lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=[".", '"', " ", "("]))
    def completion(ls: RulesServer, draft: Draft, path: str, params: lsp.CompletionParams) -> lsp.CompletionList:
        offset = _offset(ls, draft, path, params.position)
        return answers.completion(ls, draft, path, suggest(draft, path, offset), offset)

    @_answers(server, lsp.TEXT_DOCUMENT_HOVER)
    def hovering(ls: RulesServer, draft: Draft, path: str, params: lsp.HoverParams) -> lsp.Hover | None:
        now = Instant(time.time_ns() // 1000)
        found = hover(draft, path, _offset(ls, draft, path, params.position), now)
        if found is None:
            return None
        content = lsp.MarkupContent(lsp.MarkupKind.Markdown, found.text)
        return lsp.Hover(content, answers.range_of(ls, draft, path, found.start, found.end))

    legend = lsp.SemanticTokensLegend(list(COLOURS), ["declaration"])

    @_answers(server, lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, legend)
    def tokens(ls: RulesServer, draft: Draft, path: str, params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
        return answers.semantic_tokens(ls.places(path, draft.text(path)), colours(draft.index(path)))


def _find(server: RulesServer) -> None:
    """From place to place, and a file at a glance."""

    @_answers(server, lsp.TEXT_DOCUMENT_DEFINITION)
    def definition(ls: RulesServer, draft: Draft, path: str, params: lsp.DefinitionParams) -> list[lsp.Location]:
        return answers.definitions(ls, draft, path, _offset(ls, draft, path, params.position))

    @_answers(server, lsp.TEXT_DOCUMENT_REFERENCES)
    def references(ls: RulesServer, draft: Draft, path: str, params: lsp.ReferenceParams) -> list[lsp.Location]:
        offset = _offset(ls, draft, path, params.position)
        return answers.references(ls, draft, path, offset, declarations=params.context.include_declaration)

    @_answers(server, lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def highlights(
        ls: RulesServer, draft: Draft, path: str, params: lsp.DocumentHighlightParams
    ) -> list[lsp.DocumentHighlight]:
        return answers.highlights(ls, draft, path, _offset(ls, draft, path, params.position))

    @_answers(server, lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(ls: RulesServer, draft: Draft, path: str, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        return [answers.symbol(ls, draft, path, entry) for entry in outline(draft, path)]

    @_answers(server, lsp.TEXT_DOCUMENT_FOLDING_RANGE)
    def folding(ls: RulesServer, draft: Draft, path: str, params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
        places = ls.places(path, draft.text(path))
        lines = [(places.place(start)[0], places.place(end)[0]) for start, end in folds(draft.tree(path))]
        return [lsp.FoldingRange(first, last) for first, last in lines if last > first]

    @server.feature(lsp.WORKSPACE_SYMBOL)
    async def workspace_symbols(ls: RulesServer, params: lsp.WorkspaceSymbolParams) -> list[lsp.WorkspaceSymbol]:
        await ls.ready.wait()
        try:
            return answers.workspace_symbols(ls, params.query)
        except Exception:
            log.exception("%s", lsp.WORKSPACE_SYMBOL)
            return []


def _change(server: RulesServer) -> None:
    """Renaming, fixing, formatting."""

    @_answers(server, lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare_rename(
        ls: RulesServer, draft: Draft, path: str, params: lsp.PrepareRenameParams
    ) -> lsp.PrepareRenamePlaceholder:
        one = renamed_at(draft, path, _offset(ls, draft, path, params.position))
        return lsp.PrepareRenamePlaceholder(answers.range_of(ls, draft, path, one.start, one.end), one.written)

    @_answers(server, lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    def renaming(ls: RulesServer, draft: Draft, path: str, params: lsp.RenameParams) -> lsp.WorkspaceEdit:
        offset = _offset(ls, draft, path, params.position)
        return answers.workspace_edit(ls, draft, rename(draft, path, offset, params.new_name))

    quick_fixes = lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix])

    @_answers(server, lsp.TEXT_DOCUMENT_CODE_ACTION, quick_fixes)
    def actions(ls: RulesServer, draft: Draft, path: str, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        return answers.actions(ls, draft, path, params)

    @_answers(server, lsp.TEXT_DOCUMENT_FORMATTING)
    def formatting(
        ls: RulesServer, draft: Draft, path: str, params: lsp.DocumentFormattingParams
    ) -> list[lsp.TextEdit] | None:
        return answers.formatting(ls, draft, path)
