"""One file, read piece by piece from a position on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from segue.api import Event, Fetched, Rejection, SourceFile, SourceTools
from segue.api.bodies import Refused
from segue.api.cells import read_zone
from segue_files.config import Config, check
from segue_files.conventions import Meaning
from segue_files.delimited import Delimited
from segue_files.mapped import MappedMeaning
from segue_files.rows import Row, Table, Unreadable
from segue_files.times import Times

__all__ = ["PIECE", "SUFFIXES", "read_file"]

PIECE: Final = 1_000
"""Rows of one piece."""
TEXTS: Final = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
SUFFIXES: Final = (*TEXTS, ".parquet")
"""How the names of files end that can be read."""


def read_file(file: SourceFile, config: Config, tools: SourceTools, position: str | None) -> Iterator[Fetched]:
    """The events of a file after a position, which is a number. Raises Unreadable, a ValueError: what came before that
    is given."""
    check(config)
    table = _open(file, config)
    meaning = _meaning(file, config, table, tools.source)
    events: list[Event] = []
    rejections: list[Rejection] = []
    rows = 0
    end = int(position) if position is not None else 0
    trouble: Unreadable | None = None
    try:
        for row in table.rows(end):
            end = row.end
            if isinstance(row, Row):
                try:
                    events += meaning.events_of(row.values)
                except Refused as refused:
                    rejections.append(_rejection(file, row.place, refused.describe(), row.raw))
            else:
                rejections.append(_rejection(file, row.place, row.reason, row.raw))
            rows += 1
            if rows % PIECE == 0:
                yield Fetched(events=tuple(events), rejections=tuple(rejections), position=str(end))
                events, rejections = [], []
    except Unreadable as error:
        trouble = error
    yield Fetched(events=tuple(events), rejections=tuple(rejections), position=str(end))
    if trouble is not None:
        raise trouble


def _meaning(file: SourceFile, config: Config, table: Table, source: str) -> Meaning | MappedMeaning:
    times = Times(config.time_format, read_zone(config.zone))
    if config.map is not None:
        return MappedMeaning(config.map, source=source, times=times, undated=file.modified)
    return Meaning(table.columns, source=source, event=config.event, times=times, undated=file.modified)


def _open(file: SourceFile, config: Config) -> Table:
    if not file.name.lower().endswith(".parquet"):
        return Delimited(file.content, config.dialect)
    try:
        from segue_files.parquet import Parquet
    except ImportError:
        raise Unreadable("is Parquet, which pyarrow reads: pip install 'segue-files[parquet]'") from None
    return Parquet(file.content, read_zone(config.zone))


def _rejection(file: SourceFile, place: str, reason: str, raw: bytes) -> Rejection:
    return Rejection(reason=reason, place=f"{file.name}, {place}", raw=raw)
