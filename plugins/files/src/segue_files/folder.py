"""A folder that is watched: its files are read one after the other, each on from where the last position says."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
import time
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from segue.api import Fetched, Instant, Rejection, SourceFile, SourceTools
from segue.api.rejected import RejectedRows
from segue_files.config import Config, check
from segue_files.reading import SUFFIXES, read_file

__all__ = ["DONE", "REJECTED", "FolderSource"]

DONE: Final = "done"
REJECTED: Final = "rejected"
_UNFINISHED: Final = (".part", ".partial", ".tmp", ".crdownload", ".filepart", "~")
_MOST_KEPT: Final = 1_000
"""Files that may lie in the folder after they were read."""
_CHUNK: Final = 1 << 20


class Kept(msgspec.Struct, frozen=True):
    """A file that was read and left where it is."""

    name: str
    size: int
    changed: int
    content: str


class Place(msgspec.Struct, frozen=True):
    """The position of the source. ``content`` is a hash of the file at hand, ``at`` how far it was read and ``refused``
    how many of its rows were no events; ``whole``: it was read to its end, or cannot be, as ``wrong`` says."""

    name: str = ""
    content: str = ""
    at: str | None = None
    refused: int = 0
    whole: bool = False
    wrong: str = ""
    kept: tuple[Kept, ...] = ()


class _Open:
    """The file at hand."""

    def __init__(self, folder: Path, file: BinaryIO, name: str, content: str, status: os.stat_result) -> None:
        self.file = file
        self.name = name
        self.content = content
        self.status = status
        self.at: str | None = None
        self.refused = 0
        self.pieces: Iterator[Fetched] | None = None
        self.report: RejectedRows | None = None
        self.folder = folder

    def close(self) -> None:
        self.file.close()
        if self.report is not None:
            self.report.close()


class FolderSource:
    """Reads the files of one folder."""

    def __init__(self, config: Config, tools: SourceTools) -> None:
        """Raises ValueError where a setting cannot be meant, or there is no such folder."""
        if not config.folder:
            raise ValueError("`folder` is missing: the folder that files are put into")
        check(config)
        self._config = config
        self._tools = tools
        self._folder = Path(config.folder)
        if not self._folder.is_dir():
            raise ValueError(f"there is no folder {self._folder}: make it, or name the right one in `folder`")
        if config.after == "move" and not os.access(self._folder, os.W_OK):
            raise ValueError(
                f'files in {self._folder} cannot be moved: it may not be written to; or say after = "keep"'
            )
        self._seen: dict[str, tuple[int, int, float]] = {}
        self._told: set[str] = set()
        self._open: _Open | None = None
        self._turn = threading.Lock()
        """One thread at a time: a fetch that was cancelled may still be reading in its own."""

    async def fetch(self, position: str | None) -> Fetched:
        """The next piece of the file at hand, else of the file that has been complete for longest."""
        return await asyncio.to_thread(self._fetch, _decode(position))

    async def settle(self, fetched: Fetched) -> None:
        """A file that was read to its end leaves the folder."""
        if fetched.position is not None and (place := _decode(fetched.position)).whole:
            await asyncio.to_thread(self._settle, place)

    async def close(self) -> None:
        """Let go of the file at hand."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        with self._turn:
            self._let_go()

    def _settle(self, place: Place) -> None:
        with self._turn:
            self._finish(place)

    def _let_go(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _fetch(self, place: Place) -> Fetched:
        with self._turn:
            return self._bring(place)

    def _bring(self, place: Place) -> Fetched:
        before = place
        if place.whole:
            self._finish(place)  # once more, where a crash came after the commit
            place = Place(kept=self._kept_after(place))
        at_hand = self._open
        if at_hand is not None and (at_hand.name, at_hand.content, at_hand.at) != (place.name, place.content, place.at):
            self._let_go()  # what was read ahead of the position was not committed
            at_hand = None
        if at_hand is None and place.name:
            at_hand = self._resume(place)
        if at_hand is None:
            name, rejections = self._next(place)
            if name is None:
                place = Place(kept=self._still_there(place.kept))
                position = _encode(place) if place != before else None
                return Fetched(rejections=rejections, position=position, again=self._config.every)
            at_hand = self._open = self._begin(name)
            if at_hand is None:
                return Fetched(rejections=rejections, again=0.2)
            if any(one.content == at_hand.content for one in place.kept):
                return self._keep_again(place, at_hand)
        return self._piece(place, at_hand)

    # Which file

    def _next(self, place: Place) -> tuple[str | None, tuple[Rejection, ...]]:
        """The complete file that was changed first; and what is said of files that are never read."""
        rejections: list[Rejection] = []
        ready: list[tuple[int, str]] = []
        present: dict[str, tuple[int, int, float]] = {}
        kept = {one.name: (one.size, one.changed) for one in place.kept}
        now = time.monotonic()
        with os.scandir(self._folder) as entries:
            listed = [entry for entry in entries if self._is_meant(entry.name)]
        names = {entry.name for entry in listed}
        for entry in listed:
            if not entry.is_file(follow_symlinks=False):
                rejections += self._tell(
                    entry.name, "is no plain file of this folder (a link, perhaps): it is not read"
                )
                continue
            status = entry.stat(follow_symlinks=False)
            state = (status.st_size, status.st_mtime_ns)
            if kept.get(entry.name) == state:
                continue
            before = self._seen.get(entry.name)
            since = before[2] if before is not None and before[:2] == state else now
            present[entry.name] = (*state, since)
            if self._is_complete(entry.name, since, now):
                ready.append((status.st_mtime_ns, entry.name))
        self._seen = present
        self._told &= names
        return (min(ready)[1] if ready else None), tuple(rejections)

    def _is_meant(self, name: str) -> bool:
        lowered = name.lower()
        return lowered.endswith(SUFFIXES) and not name.startswith(".") and not lowered.endswith(_UNFINISHED)

    def _is_complete(self, name: str, since: float, now: float) -> bool:
        if self._config.marker:
            return (self._folder / f"{name}{self._config.marker}").exists()
        return now - since >= self._config.settle

    def _tell(self, name: str, reason: str) -> list[Rejection]:
        """A rejection of a whole file, once for as long as it lies there."""
        if name in self._told:
            return []
        self._told.add(name)
        return [Rejection(place=name, reason=reason)]

    def _begin(self, name: str) -> _Open | None:
        """Open a file and find out what it is; None where it went away, or is being changed."""
        try:
            number = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            self._seen.pop(name, None)
            return None
        file = os.fdopen(number, "rb")
        try:
            status = os.fstat(number)
            if not stat.S_ISREG(status.st_mode):
                raise OSError
            digest = blake2b(digest_size=16)
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
            if not _is_same(status, os.fstat(number)):
                raise OSError
        except OSError:
            file.close()
            self._seen.pop(name, None)
            return None
        return _Open(self._folder, file, name, digest.hexdigest(), status)

    def _resume(self, place: Place) -> _Open | None:
        """Open the file at hand again; None where another content has its name, or it is gone."""
        found = self._begin(place.name)
        if found is None or found.content != place.content:
            if found is not None:
                found.close()
            return None
        found.at, found.refused = place.at, place.refused
        self._open = found
        return found

    # Its pieces

    def _piece(self, place: Place, at_hand: _Open) -> Fetched:
        if at_hand.pieces is None:
            file = SourceFile(at_hand.name, at_hand.file, Instant(at_hand.status.st_mtime_ns // 1000))
            at_hand.pieces = read_file(file, self._config, self._tools, at_hand.at)
            at_hand.report = self._report(at_hand)
        try:
            piece = next(at_hand.pieces, None)
        except (ValueError, OSError) as error:
            return self._whole(place, at_hand, str(error))
        if piece is None:
            if not _is_same(at_hand.status, os.fstat(at_hand.file.fileno())):
                self._let_go()  # it was changed meanwhile: from the beginning, for rows that are known change nothing
                self._seen.pop(at_hand.name, None)
                return Fetched(position=_encode(Place(kept=place.kept)))
            return self._whole(place, at_hand, "")
        if at_hand.report is not None and piece.rejections:
            self._subfolder(REJECTED)
            at_hand.report.add(piece.rejections)
        at_hand.at, at_hand.refused = piece.position, at_hand.refused + len(piece.rejections)
        position = Place(at_hand.name, at_hand.content, at_hand.at, at_hand.refused, kept=place.kept)
        return msgspec.structs.replace(piece, position=_encode(position))

    def _whole(self, place: Place, at_hand: _Open, wrong: str) -> Fetched:
        rejections = (Rejection(place=at_hand.name, reason=f"{at_hand.name} {wrong}"),) if wrong else ()
        position = Place(at_hand.name, at_hand.content, at_hand.at, at_hand.refused, True, wrong, place.kept)
        self._let_go()
        return Fetched(rejections=rejections, position=_encode(position))

    def _report(self, at_hand: _Open) -> RejectedRows | None:
        """The report of its rows that are refused, where the folder can be written to."""
        if not os.access(self._folder, os.W_OK):
            return None
        return RejectedRows(self._folder / REJECTED, at_hand.name, at_hand.refused)

    # What becomes of it

    def _finish(self, place: Place) -> None:
        """Move a file that was read out of the way; done again after a crash, it finds nothing to do."""
        path = self._folder / place.name
        marker = self._folder / f"{place.name}{self._config.marker}" if self._config.marker else None
        if self._config.after == "move" and self._has_content(place):
            target = self._subfolder(REJECTED if place.wrong else DONE)
            aim = target / place.name
            if aim.exists():
                stem, dot, ending = place.name.partition(".")
                aim = target / f"{stem}-{place.content[:8]}{dot}{ending}"
            os.replace(path, aim)
            if marker is not None:
                marker.unlink(missing_ok=True)
        self._seen.pop(place.name, None)

    def _has_content(self, place: Place) -> bool:
        found = self._begin(place.name)
        if found is None:
            return False
        found.close()
        return found.content == place.content

    def _subfolder(self, name: str) -> Path:
        """A folder within; never what only leads elsewhere."""
        path = self._folder / name
        path.mkdir(exist_ok=True)
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise ValueError(f"{path} is no folder but leads elsewhere: take it away")
        return path

    def _kept_after(self, place: Place) -> tuple[Kept, ...]:
        if self._config.after == "move":
            return ()
        try:
            status = (self._folder / place.name).lstat()
        except OSError:
            return place.kept
        kept = Kept(place.name, status.st_size, status.st_mtime_ns, place.content)
        return (*(one for one in place.kept if one.name != place.name), kept)

    def _still_there(self, kept: tuple[Kept, ...]) -> tuple[Kept, ...]:
        if len(kept) > _MOST_KEPT:
            raise ValueError(
                f'{self._folder} holds over {_MOST_KEPT:,} files that were read: take some away, or say after = "move"'
            )
        return tuple(one for one in kept if (self._folder / one.name).exists())

    def _keep_again(self, place: Place, at_hand: _Open) -> Fetched:
        """A file that was read under another name, or touched: it is known."""
        status = at_hand.status
        known = Kept(at_hand.name, status.st_size, status.st_mtime_ns, at_hand.content)
        self._let_go()
        kept = (*(one for one in place.kept if one.name != known.name), known)
        return Fetched(position=_encode(Place(kept=kept)))


def _is_same(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns, before.st_ino) == (after.st_size, after.st_mtime_ns, after.st_ino)


def _encode(place: Place) -> str:
    return msgspec.json.encode(place).decode()


def _decode(position: str | None) -> Place:
    """Raises ValueError where the position is another source's."""
    if position is None:
        return Place()
    try:
        return msgspec.json.decode(position, type=Place)
    except msgspec.MsgspecError:
        raise ValueError("the stored position is not one of this source: give the source another name") from None
