"""The server: the protocol's requests to the draft, and the draft's answers to the protocol.

Requests are answered at once, on the loop. The check of the whole book is not: it waits for a pause in typing and runs
in a thread, on a snapshot. A request that goes wrong is told on standard error and answered with nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Iterable
from pathlib import Path
from typing import Any, Final

from lsprotocol import types as lsp
from pygls import uris
from pygls.exceptions import FeatureRequestError
from pygls.lsp.server import LanguageServer

from segue import __version__
from segue.diagnostics import Diagnostic
from segue.host import Plugins, discover
from segue.host.project import FILE, nearest_project
from segue.language.parser import grammar
from segue.lsp import answers
from segue.lsp.draft import NO_PLUGINS, Draft, Snapshot
from segue.lsp.places import Encoding, Places
from segue.runtime.process import settle

PAUSE: Final = 0.15
"""Seconds without a change after which the book is checked."""

log = logging.getLogger(__name__)


class RulesServer(LanguageServer):
    """A language server for rule books. Each project that a file belongs to has a draft of its own."""

    def __init__(self) -> None:
        # Whole texts, since pygls takes more characters for line ends than the protocol does.
        super().__init__("segue", __version__, lsp.TextDocumentSyncKind.Full)
        self.ready = asyncio.Event()
        self.plugins: Plugins = NO_PLUGINS
        self.folders: list[Path] = []
        self._drafts: dict[tuple[Path, Path | None], Draft] = {}
        self._of: dict[str, Draft] = {}
        self._uris: dict[str, str] = {}
        self._checks: dict[int, asyncio.Task[None]] = {}
        self._told: dict[str, tuple[str, tuple[Diagnostic, ...]]] = {}
        self._published: dict[int, set[str]] = {}
        self._places: dict[str, Places] = {}
        self._watches: set[asyncio.Task[None]] = set()

    # Beginning

    async def prepare(self) -> None:
        """Build the grammar and find the plugins, then open the drafts of the folders."""
        try:
            _, self.plugins = await asyncio.gather(asyncio.to_thread(grammar), asyncio.to_thread(discover))
        except Exception:
            log.exception("plugins could not be looked for")
        for problem in self.plugins.problems:
            self.window_log_message(lsp.LogMessageParams(lsp.MessageType.Warning, f"segue: {problem}"))
        for folder in filter(is_project, self.folders):
            try:
                draft = await asyncio.to_thread(self._open_draft, folder, None)
            except Exception:
                log.exception("the folder %s could not be read", folder)
            else:
                self.check_soon(draft)
        settle()
        self.ready.set()

    def _open_draft(self, root: Path, rules: Path | None) -> Draft:
        key = (root, rules)
        if key not in self._drafts:
            self._drafts[key] = Draft(root, rules, self.plugins)
        return self._drafts[key]

    # Files

    def path(self, uri: str) -> str:
        """The name by which the draft knows a file."""
        place = uris.to_fs_path(uri)
        path = os.path.realpath(place) if place else uri
        self._uris.setdefault(path, uri)
        return path

    def uri(self, path: str) -> str:
        return self._uris.get(path) or uris.from_fs_path(path) or path

    def draft(self, path: str) -> Draft:
        """The draft that a file belongs to, opened where there is none yet."""
        known = self._of.get(path)
        if known is not None:
            return known
        place = Path(path)
        root = nearest_project(place)
        if not (root / FILE).is_file():
            root = next((folder for folder in self.folders if place.is_relative_to(folder)), root)
        known = None
        if is_project(root):
            whole = self._open_draft(root, None)
            known = whole if whole.holds(path) else None
        self._of[path] = known = known or self._open_draft(root, place.parent)
        return known

    def write(self, uri: str) -> None:
        """The editor opened a file, or something was typed in it. What counts is what it has by now."""
        document = self.workspace.text_documents.get(uri)
        if document is None:
            return
        path = self.path(uri)
        draft = self.draft(path)
        draft.write(path, document.source)
        self.check_soon(draft)

    def close(self, uri: str) -> None:
        path = self.path(uri)
        draft = self.draft(path)
        draft.close(path)
        self._uris.pop(path, None)
        self.check_soon(draft)

    async def reload(self, paths: Iterable[str]) -> None:
        """Files changed on disk."""
        changed = [Path(path) for path in paths]
        settings = any(path.name == FILE for path in changed)
        for draft in self.drafts():
            if any(path.is_relative_to(draft.root) for path in changed):
                await asyncio.to_thread(draft.reload if settings else draft.reload_files)
                self.check_soon(draft)

    def drafts(self) -> list[Draft]:
        return list(self._drafts.values())

    def places(self, path: str, text: str) -> Places:
        kept = self._places.get(path)
        if kept is None or kept.text != text:
            kept = self._places[path] = Places(text, self.encoding)
        return kept

    @property
    def encoding(self) -> Encoding:
        chosen = self.server_capabilities.position_encoding
        return "utf-8" if chosen == "utf-8" else "utf-32" if chosen == "utf-32" else "utf-16"

    # Checks

    def check_soon(self, draft: Draft) -> None:
        """Check the book after a pause; a later change puts it off."""
        running = self._checks.pop(id(draft), None)
        if running is not None:
            running.cancel()
        self._checks[id(draft)] = asyncio.get_running_loop().create_task(self._check(draft))

    async def _check(self, draft: Draft) -> None:
        await self.ready.wait()
        await asyncio.sleep(PAUSE)
        try:
            snapshot = draft.snapshot()
            found = await asyncio.to_thread(snapshot.check)
            draft.known()  # the trees are there now, and completion goes by what is known
            self._publish(draft, snapshot, found)
            for path in draft.unformatted():
                await asyncio.to_thread(draft.formatted, path)
        except Exception:
            log.exception("the rule book could not be checked")

    def _publish(self, draft: Draft, checked: Snapshot, found: tuple[Diagnostic, ...]) -> None:
        """Tell what is new, of files that are not open too; of those that are open always."""
        texts = {source.path: source.text for source in checked.sources}
        by_file: dict[str, list[Diagnostic]] = {path: [] for path in draft.open}
        for one in found:
            place = one.primary.file if one.primary else str(draft.root / FILE)
            by_file.setdefault(place if place in texts else os.path.realpath(place), []).append(one)
        before = self._published.get(id(draft), set())
        self._published[id(draft)] = {path for path, said in by_file.items() if said}
        for path in sorted({*by_file, *before}):
            text, said = texts.get(path, ""), tuple(by_file.get(path, ()))
            known = self._told.get(path, ("", ()))
            self._told[path] = (text, said)
            if path in draft.open or known[1] != said:
                shown = [answers.diagnostic(self, draft, path, one) for one in said]
                self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(self.uri(path), shown))

    def told(self, path: str, text: str) -> tuple[Diagnostic, ...]:
        """What was last said about a file, as long as its text is still the same."""
        about, said = self._told.get(path, ("", ()))
        return said if about == text else ()

    def report_server_error(self, error: Exception, source: Any) -> None:
        """To standard error; a marketer can do nothing about it. A request's own error is its answer."""
        if source is not FeatureRequestError:
            log.error("%s: %s", getattr(source, "__name__", source), error)

    async def watch(self) -> None:
        """Ask the editor to tell of changes on disk, where it can."""
        watched = self.client_capabilities.workspace and self.client_capabilities.workspace.did_change_watched_files
        if not (watched and watched.dynamic_registration):
            return
        patterns = ("**/*.rules", f"**/{FILE}", "**/messages/**")
        options = lsp.DidChangeWatchedFilesRegistrationOptions([lsp.FileSystemWatcher(glob) for glob in patterns])
        registration = lsp.Registration("segue-files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
        try:
            await self.client_register_capability_async(lsp.RegistrationParams([registration]))
        except Exception:
            log.exception("the editor does not tell of changes on disk")

    def keep(self, work: Awaitable[None]) -> None:
        """Run beside everything else."""
        task = asyncio.ensure_future(work)
        self._watches.add(task)
        task.add_done_callback(self._watches.discard)


def is_project(folder: Path) -> bool:
    """Whether a folder holds a rule book; any other may be somebody's whole disk, and is not searched for rules."""
    return (folder / FILE).is_file() or (folder / "rules").is_dir()
