"""What the draft knows, in the protocol's types."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final, Protocol

from lsprotocol import types as lsp

from segue.diagnostics import Diagnostic, Fix, Span
from segue.diagnostics.codes import CODES
from segue.host.project import FILE
from segue.language.keywords import is_reserved
from segue.language.occurrences import Meaning
from segue.lsp.draft import Draft
from segue.lsp.outline import Entry, outline
from segue.lsp.places import Places
from segue.lsp.renaming import RenameRefused, Renaming
from segue.lsp.suggestions import Suggestion, Suggestions

MOST_SYMBOLS: Final = 500
_KIND: Final = lsp.CompletionItemKind
_KINDS: Final = {
    "word": _KIND.Keyword,
    "snippet": _KIND.Snippet,
    "unit": _KIND.Unit,
    "function": _KIND.Function,
    "type": _KIND.TypeParameter,
    "zone": _KIND.Constant,
    "event": _KIND.Event,
    "field": _KIND.Field,
    "trait": _KIND.Property,
    "channel": _KIND.Module,
    "segment": _KIND.Class,
    "rule": _KIND.Class,
    "message": _KIND.File,
    "reaction": _KIND.Event,
    "kind": _KIND.EnumMember,
    "arm": _KIND.EnumMember,
}
_SYMBOL: Final = lsp.SymbolKind
_SYMBOLS: Final = {
    "event": _SYMBOL.Event,
    "field": _SYMBOL.Field,
    "customer": _SYMBOL.Struct,
    "segment": _SYMBOL.Class,
    "policy": _SYMBOL.Interface,
    "rule": _SYMBOL.Function,
    "test": _SYMBOL.Method,
    "step": _SYMBOL.Operator,
}
_NEVER_REACHED: Final = "W0701"


class Desk(Protocol):
    """What is asked of the server: which text an editor sees under which address, and what it can take."""

    @property
    def client_capabilities(self) -> lsp.ClientCapabilities: ...

    def uri(self, path: str) -> str: ...

    def places(self, path: str, text: str) -> Places: ...

    def told(self, path: str, text: str) -> tuple[Diagnostic, ...]: ...

    def drafts(self) -> list[Draft]: ...


def range_of(desk: Desk, draft: Draft, path: str, start: int, end: int) -> lsp.Range:
    places = desk.places(path, draft.text(path))
    return lsp.Range(lsp.Position(*places.place(start)), lsp.Position(*places.place(end)))


# Diagnostics


def diagnostic(desk: Desk, draft: Draft, path: str, said: Diagnostic) -> lsp.Diagnostic:
    """A diagnostic about a file, with its page and what else explains it."""
    span = said.primary
    places = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 1))
    if span is not None:
        places = _span(desk, draft, path, span)
    text = said.message
    if "did you mean" in said.label:
        text += f": {said.label}"
    if said.hint:
        text += f"\n{said.hint}"
    related = [
        lsp.DiagnosticRelatedInformation(
            lsp.Location(
                desk.uri(os.path.realpath(label.span.file)),
                _span(desk, draft, os.path.realpath(label.span.file), label.span),
            ),
            label.text,
        )
        for label in said.secondary
    ]
    return lsp.Diagnostic(
        places,
        text,
        lsp.DiagnosticSeverity.Error if said.is_error else lsp.DiagnosticSeverity.Warning,
        said.code or None,
        _page(said.code),
        "segue",
        [lsp.DiagnosticTag.Unnecessary] if said.code == _NEVER_REACHED else None,
        related or None,
    )


def _span(desk: Desk, draft: Draft, path: str, span: Span) -> lsp.Range:
    if path in draft.paths:
        return range_of(desk, draft, path, span.start, max(span.end, span.start + 1))
    line = span.line - 1
    return lsp.Range(lsp.Position(line, max(span.column - 1, 0)), lsp.Position(line, span.column))


def _page(code: str) -> lsp.CodeDescription | None:
    if code not in CODES:
        return None
    return lsp.CodeDescription(Path(str(files("segue.diagnostics").joinpath("pages", f"{code}.md"))).as_uri())


# Fixes


def actions(desk: Desk, draft: Draft, path: str, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """Fixes of what is wrong at a place, and all of the file's that are no guesses at once."""
    only = params.context.only
    if only and not any(lsp.CodeActionKind.QuickFix.value.startswith(str(_value(kind))) for kind in only):
        return []
    text = draft.text(path)
    places = desk.places(path, text)
    start = places.offset(params.range.start.line, params.range.start.character)
    end = places.offset(params.range.end.line, params.range.end.character)
    found: list[lsp.CodeAction] = []
    said = desk.told(path, text)
    for one in said:
        span = one.primary
        if span is None or span.start > end or span.end < start:
            continue
        about = [diagnostic(desk, draft, path, one)]
        if one.fix is not None:
            found.append(_action(desk, draft, path, one.fix.title, [one.fix], about, preferred=True))
        for title, declared in _declarations(text, one):
            insert = Fix(title, Span(path, len(text), len(text), 1, 1), declared)
            found.append(_action(desk, draft, path, title, [insert], about))
    fixes = list(_apart(one.fix for one in said if one.fix is not None and one.fix.safe))
    if found and len(fixes) > 1:
        found.append(_action(desk, draft, path, f"Make all {len(fixes)} certain fixes of this file", fixes, []))
    return found


def _value(kind: object) -> object:
    return getattr(kind, "value", kind)


def _action(
    desk: Desk,
    draft: Draft,
    path: str,
    title: str,
    fixes: list[Fix],
    about: list[lsp.Diagnostic],
    *,
    preferred: bool = False,
) -> lsp.CodeAction:
    edits = [lsp.TextEdit(range_of(desk, draft, path, fix.span.start, fix.span.end), fix.replacement) for fix in fixes]
    return lsp.CodeAction(
        f"{title[:1].upper()}{title[1:]}",
        lsp.CodeActionKind.QuickFix,
        about or None,
        preferred or None,
        None,
        lsp.WorkspaceEdit({desk.uri(path): edits}),
    )


def _apart(fixes: Iterable[Fix]) -> Iterator[Fix]:
    """Fixes that do not overlap, in the order of places."""
    end = -1
    for fix in sorted(fixes, key=lambda fix: (fix.span.start, fix.span.end)):
        if fix.span.start >= end:
            yield fix
            end = max(fix.span.end, fix.span.start + 1)


def _declarations(text: str, said: Diagnostic) -> Iterator[tuple[str, str]]:
    """Declaring what is not known: an event, a trait."""
    if said.primary is None:
        return
    name = text[said.primary.start : said.primary.end]
    if re.fullmatch(r"[^\W\d]\w*", name) is None or is_reserved(name):
        return
    gap = "\n" if text.endswith("\n") else "\n\n"
    if said.code == "E0301":
        yield f"declare the event `{name}`", f"{gap}event {name}\n"
    elif said.code == "E0303":
        yield f"declare the trait `customer.{name}`", f"{gap}customer\n  {name} text\n"


def formatting(desk: Desk, draft: Draft, path: str) -> list[lsp.TextEdit] | None:
    """The whole text in the one style; nothing where it cannot be formatted or is so already."""
    text = draft.text(path)
    formatted = draft.formatted(path)
    if not formatted.changed:
        return None
    return [lsp.TextEdit(range_of(desk, draft, path, 0, len(text)), formatted.text)]


# Completion


def completion(desk: Desk, draft: Draft, path: str, found: Suggestions, offset: int) -> lsp.CompletionList:
    place = range_of(desk, draft, path, found.start, offset)
    asked = desk.client_capabilities.text_document
    item = asked.completion.completion_item if asked and asked.completion else None
    snippets = bool(item and item.snippet_support)
    return lsp.CompletionList(
        is_incomplete=False,
        items=[_item(one, place, order) for order, one in enumerate(found.found) if snippets or not one.snippet],
    )


def _item(one: Suggestion, place: lsp.Range, order: int) -> lsp.CompletionItem:
    return lsp.CompletionItem(
        label=one.label,
        kind=_KINDS[one.kind],
        detail=one.detail or None,
        documentation=lsp.MarkupContent(lsp.MarkupKind.Markdown, one.doc) if one.doc else None,
        sort_text=f"{one.rank}{order:05}",
        filter_text=one.label,
        insert_text_format=lsp.InsertTextFormat.Snippet if one.snippet else lsp.InsertTextFormat.PlainText,
        text_edit=lsp.TextEdit(place, one.text),
        command=_ASK_AGAIN if one.text.endswith(".") else None,
    )


_ASK_AGAIN: Final = lsp.Command("Suggest", "editor.action.triggerSuggest")


# Going from place to place


def definitions(desk: Desk, draft: Draft, path: str, offset: int) -> list[lsp.Location]:
    found: list[lsp.Location] = []
    for meaning in dict.fromkeys(one.meaning for one in draft.at(path, offset) if not one.implied):
        found += [
            lsp.Location(desk.uri(place), range_of(desk, draft, place, one.start, one.end))
            for place, one in draft.everywhere(meaning)
            if one.defines
        ]
        found += _elsewhere(desk, draft, meaning)
    return found


def _elsewhere(desk: Desk, draft: Draft, meaning: Meaning) -> Iterator[lsp.Location]:
    """Definitions outside rule files: a channel in segue.toml, a message in its folder."""
    if meaning.what == "channel":
        settings = draft.root / FILE
        try:
            lines = settings.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return
        for number, line in enumerate(lines):
            if re.match(rf"\s*\[channels\.\"?{re.escape(meaning.name)}\"?[.\]]", line):
                place = lsp.Range(lsp.Position(number, 0), lsp.Position(number, len(line)))
                yield lsp.Location(desk.uri(str(settings)), place)
                return
    if meaning.what == "message":
        begin = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
        for home in draft.homes(meaning.name):
            for file in sorted(home.iterdir()):
                if file.is_file() and not file.name.startswith("."):
                    yield lsp.Location(desk.uri(str(file)), begin)


def references(desk: Desk, draft: Draft, path: str, offset: int, *, declarations: bool) -> list[lsp.Location]:
    found = {}
    for meaning in dict.fromkeys(one.meaning for one in draft.at(path, offset) if not one.implied):
        for place, one in draft.everywhere(meaning):
            if declarations or not one.defines:
                found[place, one.start] = lsp.Location(
                    desk.uri(place), range_of(desk, draft, place, one.start, one.end)
                )
    return list(found.values())


def highlights(desk: Desk, draft: Draft, path: str, offset: int) -> list[lsp.DocumentHighlight]:
    meanings = {one.meaning for one in draft.at(path, offset) if not one.implied}
    found = {
        (one.start, one.end): lsp.DocumentHighlightKind.Write if one.defines else lsp.DocumentHighlightKind.Read
        for one in draft.index(path)
        if one.meaning in meanings and not one.implied
    }
    return [
        lsp.DocumentHighlight(range_of(desk, draft, path, start, end), kind) for (start, end), kind in found.items()
    ]


def workspace_edit(desk: Desk, draft: Draft, renaming: Renaming) -> lsp.WorkspaceEdit:
    edits = {
        path: [lsp.TextEdit(range_of(desk, draft, path, edit.start, edit.end), edit.text) for edit in found]
        for path, found in renaming.edits.items()
    }
    workspace = desk.client_capabilities.workspace
    able = workspace.workspace_edit if workspace else None
    if renaming.folders:
        operations = (able.resource_operations or ()) if able and able.document_changes else ()
        if lsp.ResourceOperationKind.Rename not in operations:
            raise RenameRefused(
                "this editor cannot move the folder with the message's content; rename the folder, then the message"
            )
        changes: list[lsp.TextDocumentEdit | lsp.CreateFile | lsp.RenameFile | lsp.DeleteFile] = [
            lsp.TextDocumentEdit(lsp.OptionalVersionedTextDocumentIdentifier(desk.uri(path)), list(found))
            for path, found in edits.items()
        ]
        changes += [lsp.RenameFile(desk.uri(old), desk.uri(new)) for old, new in renaming.folders]
        return lsp.WorkspaceEdit(document_changes=changes)
    return lsp.WorkspaceEdit({desk.uri(path): found for path, found in edits.items()})


# The file at a glance


def symbol(desk: Desk, draft: Draft, path: str, entry: Entry) -> lsp.DocumentSymbol:
    return lsp.DocumentSymbol(
        entry.name,
        _SYMBOLS[entry.kind],
        range_of(desk, draft, path, entry.start, entry.end),
        range_of(desk, draft, path, entry.name_start, entry.name_end),
        entry.detail or None,
        children=[symbol(desk, draft, path, inner) for inner in entry.inner] or None,
    )


def workspace_symbols(desk: Desk, query: str) -> list[lsp.WorkspaceSymbol]:
    """The rules, segments, events and tests whose name or title holds what is asked for."""
    wanted = query.casefold()
    found: list[lsp.WorkspaceSymbol] = []
    for draft in desk.drafts():
        for path in draft.paths:
            for entry in outline(draft, path):
                if wanted in f"{entry.name} {entry.detail}".casefold():
                    place = range_of(desk, draft, path, entry.name_start, entry.name_end)
                    location = lsp.Location(desk.uri(path), place)
                    found.append(lsp.WorkspaceSymbol(location, entry.name, _SYMBOLS[entry.kind]))
                    if len(found) == MOST_SYMBOLS:
                        return found
    return found


def semantic_tokens(places: Places, found: Iterable[tuple[int, int, int, bool]]) -> lsp.SemanticTokens:
    data: list[int] = []
    last_line = last_column = 0
    for start, length, colour, declares in found:
        line, column = places.place(start)
        end_line, end = places.place(start + length)
        if line != end_line:
            continue
        data += [line - last_line, column - (last_column if line == last_line else 0), end - column, colour]
        data.append(1 if declares else 0)
        last_line, last_column = line, column
    return lsp.SemanticTokens(data)
