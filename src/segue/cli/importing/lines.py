"""JSON lines of past events, in the format of `segue replay`, read piece by piece."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, cast

import msgspec

from segue.api import Event, Fetched, Instant, Rejection, SourceFile
from segue.api.bodies import Refused
from segue.api.shop import order_lines

PIECE: Final = 1000
LONGEST: Final = 1_000_000
"""Bytes of a line that are looked at: far more than any call has."""
_GZIP: Final = b"\x1f\x8b"

Decode = Callable[[bytes], tuple[Event, Instant]]


class _Typed(msgspec.Struct):
    type: str | None = None


_typed: Final = msgspec.json.Decoder(_Typed)


def read_lines(file: SourceFile, decode: Decode, position: str | None) -> Iterator[Fetched]:
    """The events of a file from a position on, which is the number of the last line read. Raises ValueError where it is
    gzip and damaged: what came before that is given."""
    name, number = file.name, int(position) if position is not None else 0
    content = _plain(file.content)
    events: list[Event] = []
    rejections: list[Rejection] = []
    trouble: Exception | None = None
    try:
        for _ in range(number):
            if not _read_line(content):
                return
        while line := _read_line(content):
            number += 1
            if line.strip():
                _take(line, f"{name}, line {number}", decode, events, rejections)
            if len(events) + len(rejections) >= PIECE:
                yield Fetched(events=tuple(events), rejections=tuple(rejections), position=str(number))
                events, rejections = [], []
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        trouble = error
    yield Fetched(events=tuple(events), rejections=tuple(rejections), position=str(number))
    if trouble is not None:
        raise ValueError(f"the gzip file is damaged after line {number:,}: {trouble}")


def _take(line: bytes, place: str, decode: Decode, events: list[Event], rejections: list[Rejection]) -> None:
    try:
        if len(line) > LONGEST:
            raise ValueError(f"the line has more than {LONGEST:,} bytes")
        if b'"segue.' in line and (_typed.decode(line).type or "").startswith("segue."):
            return  # answers and reports of a record: nothing that a customer did
        event, _ = decode(line)
        events += (event, *order_lines(event))
    except Refused as refused:
        rejections.append(Rejection(reason=refused.describe(), place=place, raw=line[:4096].rstrip()))
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        rejections.append(Rejection(reason=str(error), place=place, raw=line[:4096].rstrip()))


def _plain(content: BinaryIO) -> BinaryIO:
    content.seek(0)
    packed = content.read(2) == _GZIP
    content.seek(0)
    return cast("BinaryIO", gzip.GzipFile(fileobj=content)) if packed else content


def _read_line(content: BinaryIO) -> bytes:
    """The next line; of one that is too long only the beginning, and more than may be."""
    line = content.readline(LONGEST + 1)
    rest = line
    while len(rest) > LONGEST and not rest.endswith(b"\n"):
        rest = content.readline(LONGEST + 1)
    return line
