"""Parquet, read by pyarrow in small batches. Imported only where such a file is opened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import BinaryIO, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from segue.api.cells import read_cell
from segue_files.rows import MOST_COLUMNS, BadRow, Row, Unreadable

__all__ = ["Parquet"]

_BATCH: Final = 1_000
_LARGEST_GROUP: Final = 1 << 30
"""Bytes of a row group when it is unpacked: one is in memory at a time."""
_THRIFT: Final = 100 * 1024 * 1024


class Parquet:
    """A Parquet file. Its position is the number of rows read."""

    def __init__(self, content: BinaryIO, zone: tzinfo) -> None:
        """``zone`` is where clock times without one are meant. Raises Unreadable."""
        self._zone = zone
        try:
            self._file = pq.ParquetFile(
                content,
                pre_buffer=False,
                thrift_string_size_limit=_THRIFT,
                thrift_container_size_limit=_THRIFT,
                arrow_extensions_enabled=False,
            )
        except (pa.ArrowException, OSError, ValueError) as error:
            raise Unreadable(f"is no Parquet file: {_first_line(error)}") from None
        metadata = self._file.metadata
        if metadata.num_columns > MOST_COLUMNS:
            raise Unreadable(f"has {metadata.num_columns:,} columns; a table may have {MOST_COLUMNS:,}")
        for number in range(metadata.num_row_groups):
            size = metadata.row_group(number).total_byte_size
            if size > _LARGEST_GROUP:
                raise Unreadable(
                    f"has a row group of {size / (1 << 30):,.1f} GiB; it may have 1: write it with smaller row groups"
                )
        self.columns = tuple(self._file.schema_arrow.names)
        if len(set(self.columns)) < len(self.columns):
            raise Unreadable("names a column twice")

    def rows(self, position: int) -> Iterator[Row | BadRow]:
        """The rows after so many."""
        metadata = self._file.metadata
        before = 0
        for number in range(metadata.num_row_groups):
            count = metadata.row_group(number).num_rows
            if before + count > position:
                yield from self._group(number, before, position)
            before += count

    def _group(self, number: int, before: int, position: int) -> Iterator[Row | BadRow]:
        place = before
        try:
            for batch in self._file.iter_batches(_BATCH, row_groups=[number], use_threads=False):
                if place + batch.num_rows > position:
                    skipped = max(0, position - place)
                    yield from self._batch(batch.slice(skipped), place + skipped)
                place += batch.num_rows
        except (pa.ArrowException, OSError, MemoryError) as error:
            raise Unreadable(f"is damaged after row {place:,}: {_first_line(error)}") from None

    def _batch(self, batch: pa.RecordBatch, place: int) -> Iterator[Row | BadRow]:
        schema = pa.schema([field.with_type(_plain_type(field.type)) for field in batch.schema])
        table = batch if schema.equals(batch.schema) else pa.Table.from_batches([batch]).cast(schema, safe=False)
        for values in table.to_pylist():
            place += 1
            try:
                found = {
                    name: value for name, one in values.items() if (value := read_cell(one, self._zone)) is not None
                }
            except ValueError as error:
                yield BadRow(f"row {place}", str(error), b"", place)
                continue
            yield Row(f"row {place}", found, msgspec.json.encode(found)[:2_000], place)


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """The type in which Python can have the values: nanoseconds are cut to microseconds."""
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if pa.types.is_duration(kind) and kind.unit == "ns":
        return pa.duration("us")
    if pa.types.is_time64(kind) and kind.unit == "ns":
        return pa.time64("us")
    if pa.types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_plain_type(kind.value_type)))
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_plain_type(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_plain_type(field.type)) for field in kind])
    return kind


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
