"""The files that are to be imported: which they are, and which source reads each."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import msgspec

from segue.api import Fetched, Instant, SourceFile, SourceSpec, SourceTools
from segue.cli.importing.lines import read_lines
from segue.host import ConfigurationError, configure
from segue.runtime.assembly import Assembly

LINES: Final = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz")
_CHUNK: Final = 1 << 20

Read = Callable[[SourceFile, str | None], Iterator[Fetched]]


class Unreadable(Exception):
    """A file, or the way to read it, that cannot be used; the text says why."""


class Given(msgspec.Struct, frozen=True):
    """A file with the way to read it, and as which ``source``. ``manner`` is all that its events hang on besides its
    content."""

    path: Path
    size: int
    modified: Instant
    source: str
    read: Read
    manner: bytes

    @property
    def report_folder(self) -> Path:
        """Where the report of refused rows goes: beside the file, where that can be written, else to this folder."""
        folder = self.path.parent
        return folder if os.access(folder, os.W_OK) else Path.cwd()

    def identify(self, told: Callable[[int], None]) -> bytes:
        """What the file is, whatever it is called: a hash of its content and of the manner in which it is read.
        ``told`` hears how many bytes were looked at."""
        digest = blake2b(self.manner, digest_size=16)
        with self.path.open("rb") as content:
            while chunk := content.read(_CHUNK):
                digest.update(chunk)
                told(len(chunk))
        return digest.digest()


def gather(assembly: Assembly, paths: Sequence[Path], mapping: Path | None, named: str | None) -> list[Given]:
    """The files with the way to read each: as the source ``named`` in segue.toml does, else as ``mapping`` says. Raises
    Unreadable."""
    if mapping is not None and named is not None:
        raise Unreadable("--mapping and --as both say how to read the files: give one of them")
    settings = _settings(mapping) if mapping is not None else {}
    return [_given(assembly, path, settings, named) for path in paths]


def _given(assembly: Assembly, path: Path, settings: Mapping[str, Any], named: str | None) -> Given:
    try:
        status = path.stat()
        if not path.is_file():
            raise Unreadable(f"{path}: is not a file; name the files themselves")
        path.open("rb").close()
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror or error}") from None
    name = path.name.lower()
    spec, source, values = _reader_of(assembly, name, named, settings)
    modified = Instant(status.st_mtime_ns // 1000)
    if spec.read is None:
        assert spec.decode is not None
        lines: Read = partial(_read_lines, spec.decode)
        return Given(path, status.st_size, modified, source, lines, b"lines:" + spec.name.encode())
    try:
        config = configure(spec.config, values, f"sources.{source}" if named else "mapping")
    except ConfigurationError as error:
        raise Unreadable(str(error)) from None
    tools = SourceTools(source=source)
    manner = msgspec.json.encode([spec.name, source, msgspec.to_builtins(config)], order="deterministic")
    return Given(path, status.st_size, modified, source, partial(_read, spec, config, tools), manner)


def _read_lines(decode: Any, file: SourceFile, position: str | None) -> Iterator[Fetched]:
    return read_lines(file, decode, position)


def _read(
    spec: SourceSpec, config: msgspec.Struct, tools: SourceTools, file: SourceFile, position: str | None
) -> Iterator[Fetched]:
    assert spec.read is not None
    return spec.read(file, config, tools, position)


def _reader_of(
    assembly: Assembly, name: str, named: str | None, settings: Mapping[str, Any]
) -> tuple[SourceSpec, str, Mapping[str, Any]]:
    """Who reads a file of this name: the spec, the name of the source, its settings."""
    if named is not None:
        if named not in assembly.sources:
            known = ", ".join(sorted(assembly.project.sources)) or "none"
            raise Unreadable(f"--as {named}: segue.toml has no such source; it has {known}")
        spec, own = assembly.sources[named]
        if not name.endswith(spec.reads) and not (spec.decode is not None and name.endswith(LINES)):
            raise Unreadable(f"{name}: the source {named} does not read such files; it reads {_shown(spec)}")
        return spec, named, own.settings
    for spec in assembly.plugins.sources.values():
        if spec.read is not None and spec.reads and name.endswith(spec.reads):
            return spec, "import", settings
    if name.endswith(LINES):
        if settings:
            raise Unreadable(f"{name}: a mapping is for tables; JSON lines are in the Segment format as they are")
        segment = assembly.plugins.sources.get("segment")
        if segment is None or segment.decode is None:
            raise Unreadable(f"{name}: JSON lines are read by the plugin segment: pip install segue-segment")
        return segment, "segment", {}
    endings = sorted({suffix for spec in assembly.plugins.sources.values() for suffix in spec.reads} | set(LINES))
    raise Unreadable(f"{name}: the name does not say what is in it; it should end in {', '.join(endings)}")


def _shown(spec: SourceSpec) -> str:
    found = (*spec.reads, *(LINES if spec.decode is not None else ()))
    return ", ".join(found) or "no files"


def _settings(mapping: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(mapping.read_bytes().decode("utf-8"))
    except OSError as error:
        raise Unreadable(f"{mapping}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"{mapping}: {error}") from None
