"""The rule book as it stands in an editor: open texts over the files on disk, read again only where something changed.

Nothing here knows the protocol. A file is called by its real path; a text that has no file yet by whatever the editor
calls it. Reading files is fast enough to be done where it is asked for; the check of a whole book is not, so it works
on a `Snapshot`, which another thread may have.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from segue.api import Vocabulary
from segue.diagnostics import Diagnostic, Lines, Span, in_order
from segue.host import ChannelSettings, Plugins, Project, ProjectError
from segue.language import tree as t
from segue.language.book import Reader, Source, check_book
from segue.language.formatting import Formatted, Formatter
from segue.language.occurrences import Meaning, Occurrence, What, groups_of, occurrences
from segue.language.parser import parse
from segue.language.reading import read_book
from segue.language.report import Report
from segue.language.rereading import read_again
from segue.language.vocabulary import Lexicon, Words
from segue.messages.catalogue import Catalogue
from segue.messages.checking import content_problems
from segue.messages.loading import read_texts
from segue.runtime.assembly import Assembly, assemble, check_messages

NO_PLUGINS: Final = Plugins(channels={}, sources={}, models={})


class Snapshot(msgspec.Struct, frozen=True):
    """A book at one moment, to be checked anywhere. ``others`` are problems outside rule files; ``content`` are its
    messages and ``texts`` their files, of the project of ``assembly``."""

    sources: tuple[Source, ...]
    words: Words
    others: tuple[Diagnostic, ...]
    read: Reader
    assembly: Assembly
    content: Catalogue
    texts: Mapping[str, str]

    def check(self) -> tuple[Diagnostic, ...]:
        """Everything that is wrong in the book. Never raises for what stands in it."""
        checked = check_book(self.sources, self.words, self.read)
        messages = check_messages(self.assembly, checked, self.content, self.texts) if self.texts else ()
        return in_order((*self.others, *checked.diagnostics, *messages))


class Draft:
    """One rule book. ``root`` is the project's folder; ``whole`` is False for the files of a single folder that belong
    to no project's rules: they are read together, and their messages are not asked for."""

    def __init__(self, root: Path, rules: Path | None, plugins: Plugins) -> None:
        self.root = root
        self.whole = rules is None
        self.plugins = plugins
        self._folder = rules
        self._open: dict[str, str] = {}
        self._disk: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._unreadable: tuple[Diagnostic, ...] = ()
        self._settings: tuple[Diagnostic, ...] = ()
        self._trees: dict[str, tuple[str, t.File, tuple[Diagnostic, ...]]] = {}
        self._indexes: dict[str, tuple[int, t.File, tuple[Occurrence, ...]]] = {}
        self._formatters: dict[str, Formatter] = {}
        self._known: tuple[list[t.File], Lexicon, dict[str, What]] | None = None
        self._stamp = 0
        self.assembly = assembly_without_settings(root, plugins)
        self.content = Catalogue()
        self.reload()

    # What stands where

    def reload(self) -> None:
        """Read settings, files and messages from disk again."""
        try:
            self.assembly, self._settings = assemble(self.root, self.plugins), ()
        except ProjectError as error:
            # What can be said without settings is still said; most of it is the same.
            self.assembly = assembly_without_settings(self.root, self.plugins)
            self._settings = tuple(
                Diagnostic(
                    severity="error",
                    code="",
                    message=problem.text,
                    primary=Span(str(problem.file), 0, 0, max(problem.line or 1, 1), 1),
                )
                for problem in error.problems
            )
        self._known = None
        self.reload_files()

    def reload_files(self) -> None:
        """Read rule files and messages from disk again."""
        folder = self.rules
        places = [folder] if self.whole else sorted(folder.glob("*.rules"))
        sources, self._unreadable = read_book(places) if folder.is_dir() else ((), ())
        self._disk = {os.path.realpath(source.path): source.text for source in sources}
        self.content = self.assembly.messages([folder]) if self.whole else Catalogue()
        self._texts = read_texts(self.content)
        for gone in self._trees.keys() - self._disk.keys() - self._open.keys():
            self._trees.pop(gone, None)
            self._indexes.pop(gone, None)

    @property
    def rules(self) -> Path:
        return self._folder or self.assembly.project.rules

    def holds(self, path: str) -> bool:
        """Whether a file belongs to this book."""
        place = Path(path)
        return place.is_relative_to(self.rules) if self.whole else place.parent == self.rules

    def write(self, path: str, text: str) -> None:
        """The text of a file that is open in the editor."""
        self._open[path] = text

    def close(self, path: str) -> None:
        """The file is as it is on disk again."""
        self._open.pop(path, None)
        self._formatters.pop(path, None)

    def text(self, path: str) -> str:
        """The text of a file as the editor has it, else as it is on disk; empty for a file that is not in the book."""
        return self._open.get(path, self._disk.get(path, ""))

    @property
    def open(self) -> list[str]:
        """The files that are open in the editor."""
        return sorted(self._open)

    def homes(self, message: str) -> list[Path]:
        """The folders that hold a message's content."""
        if not self.whole or message not in {name for name, _, _ in self.content.templates}:
            return []
        return [home for home in self.rules.rglob("messages/*") if home.name == message and home.is_dir()]

    @property
    def paths(self) -> list[str]:
        """Every file of the book."""
        return sorted(self._disk.keys() | self._open.keys())

    # What it means

    def tree(self, path: str) -> t.File:
        return self.read(path, self.text(path))[0]

    def read(self, path: str, text: str) -> tuple[t.File, tuple[Diagnostic, ...]]:
        """A tree and what is wrong with its text, kept until the text changes."""
        kept = self._trees.get(path)
        if kept is None:
            kept = self._trees[path] = (text, *parse(path, text))
        elif kept[0] != text:
            formatter = self._formatters.get(path)
            written = formatter.written if formatter is not None else None
            if written is not None and written[0].text == text:
                kept = self._trees[path] = (text, *written)
            else:
                kept = self._trees[path] = (text, *read_again((kept[1], kept[2]), path, text))
        return kept[1], kept[2]

    def formatted(self, path: str) -> Formatted:
        """The text of a file in the one style."""
        formatter = self._formatters.setdefault(path, Formatter())
        return formatter.format(self.read(path, self.text(path)))

    def unformatted(self) -> list[str]:
        """The open files that were not formatted yet, so that the first time takes longer."""
        return [path for path in self.open if path not in self._formatters]

    def snapshot(self) -> Snapshot:
        sources = tuple(Source(path, self.text(path)) for path in self.paths)
        others = (*self._settings, *self._unreadable, *content_problems(self.content, self._texts))
        return Snapshot(sources, self.words, others, self.read, self.assembly, self.content, self._texts)

    @property
    def words(self) -> Words:
        return self.assembly.words(self.content if self.whole else None)

    def known(self) -> tuple[Lexicon, Mapping[str, What]]:
        """What names mean in the book as it stands now, and which of them are segments and rules."""
        trees = [self.tree(path) for path in self.paths]
        if self._known is None or [*map(id, self._known[0])] != [*map(id, trees)]:
            lexicon = joined(self.words, trees)
            found = [one for tree in trees for one in groups_of(tree, lexicon)]
            # A rule without a head may share the name of a segment, which is then what the name means.
            groups = dict(sorted(found, key=lambda one: one[1] == "segment"))
            before = self._known
            if before is None or _said(before[1]) != _said(lexicon) or before[2] != groups:
                self._stamp += 1
            self._known = (trees, lexicon, groups)
        return self._known[1], self._known[2]

    def lately_known(self) -> tuple[Lexicon, Mapping[str, What]]:
        """What names meant when last asked: for completion, which cannot wait until the word being typed is read."""
        return (self._known[1], self._known[2]) if self._known is not None else self.known()

    def index(self, path: str) -> tuple[Occurrence, ...]:
        """The names of a file with what they mean, in the order of places."""
        lexicon, groups = self.known()
        tree = self.tree(path)
        kept = self._indexes.get(path)
        if kept is None or kept[0] != self._stamp or kept[1] is not tree:
            kept = self._indexes[path] = (self._stamp, tree, occurrences(tree, lexicon, groups))
        return kept[2]

    def everywhere(self, meaning: Meaning) -> Iterator[tuple[str, Occurrence]]:
        """Every place in the book that means this, with its file."""
        for path in self.paths:
            for one in self.index(path):
                if one.meaning == meaning:
                    yield path, one

    def at(self, path: str, offset: int) -> tuple[Occurrence, ...]:
        """What the name at a place means: several things where it means several at once, what it says first."""
        return tuple(one for one in self.index(path) if one.start <= offset <= one.end)

    def brought_by(self, meaning: Meaning) -> tuple[str, ...]:
        """The plugins that bring an event, field, trait or reaction."""
        return self.assembly.of_the_project(
            plugin for plugin, words in self.plugins.vocabularies if _is_among(meaning, words)
        )


def assembly_without_settings(root: Path, plugins: Plugins) -> Assembly:
    """A project of which only the folder is known."""
    rules = root / "rules" if (root / "rules").is_dir() else root
    channels = {name: plugins.channels[use] for name, use in plugins.serving.items()}
    return Assembly(
        Project(root=root, database=root / "segue.db", rules=rules),
        plugins,
        {name: (spec, ChannelSettings(use=spec.name)) for name, spec in channels.items()},
        {},
        (),
    )


def joined(words: Words, trees: list[t.File]) -> Lexicon:
    """The vocabulary of plugins and of the files' declarations."""
    lexicon = Lexicon(words)
    for tree in trees:
        declarations = [item for item in tree.items if isinstance(item, (t.EventDeclaration, t.CustomerDeclaration))]
        if not declarations:
            continue
        report = Report(Lines(tree.path, tree.text))
        for item in declarations:
            if isinstance(item, t.EventDeclaration):
                lexicon.declare_event(item, report)
            else:
                lexicon.declare_traits(item, report)
    return lexicon


def _said(lexicon: Lexicon) -> object:
    return lexicon.events(), lexicon.traits(), lexicon.reactions, tuple(lexicon.channels)


def _is_among(meaning: Meaning, words: Vocabulary) -> bool:
    match meaning.what:
        case "event":
            return any(event.name == meaning.name for event in words.events)
        case "field":
            return any(
                event.name == meaning.owner and any(field.name == meaning.name for field in event.fields)
                for event in words.events
            )
        case "trait":
            return any(trait.name == meaning.name for trait in words.traits)
        case "reaction":
            return any(reaction.name == meaning.name for reaction in words.reactions)
        case _:
            return False
