"""Journeys and counted paths from Parquet, and from large files of CSV, by whole columns: no Python object for a row.

What is wrong is told by the row for Parquet. For CSV a fault only says that the file must be read again row by row,
which finds the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from segue.api.values import SECOND
from segue.measure.paths import Coded, Journeys, Outcomes, Touches, put_together, put_together_counted
from segue.measure.rows import ARROW, COUNTED, JOURNEYS, NOBODY, OPTIONAL, TOUCHES, split_path
from segue.measure.tables import DataError, Row, require_columns

if TYPE_CHECKING:
    from segue.api.attribution import Floats, Ints

__all__ = ["read_aggregated", "read_journeys"]

_AMOUNT = "must be a number, 0 or more"


def read_journeys(touches: Path, journeys: Path, by: str | None = None) -> Journeys:
    """Journeys as `segue.measure.rows.read_journeys` reads them. Raises DataError."""
    import numpy as np
    import pyarrow.compute as pc

    table = _Table(journeys, JOURNEYS)
    ids = table.texts("journey_id")
    if not pc.all(pc.less(ids[:-1], ids[1:]), min_count=0).as_py():
        again = np.flatnonzero(_numbers(pc.index_in(ids, value_set=ids)) != np.arange(len(ids)))
        if len(again):
            name = ids[int(again[0])]
            table.fail(int(again[0]), f"journey {name} is there a second time; a journey has one line")
    times, given = table.instants("ts")
    outcomes = Outcomes(
        converted=table.flags("converted"), values=table.amounts("value"), times=np.where(given, times, 0)
    )
    table = _Table(touches, TOUCHES if by is None else (*TOUCHES, by))
    times, given = table.instants("ts")
    if not given.all():
        table.fail(int(np.argmin(given)), "ts is empty; without its time a touch has no place on the path")
    # Touches of a journey mostly stand together: each run is looked up once.
    of_touches = table.texts("journey_id")
    runs = np.concatenate([[True], _numbers(pc.not_equal(of_touches[1:], of_touches[:-1]))])
    starts = np.flatnonzero(runs[: len(of_touches)])
    of_runs = of_touches.take(_array(starts))
    if of_runs.equals(ids):
        looked_up = np.arange(len(ids))
    else:
        looked_up = _numbers(pc.fill_null(pc.index_in(of_runs, value_set=ids), -1)).astype(np.int64)
    owners = np.repeat(looked_up, np.diff(np.append(starts, len(of_touches))))
    return put_together(
        Touches(
            journeys=owners,
            channels=table.coded("channel"),
            times=times,
            labels=None if by is None else table.coded(by, NOBODY),
        ),
        outcomes,
    )


def read_aggregated(path: Path) -> Journeys:
    """Counted paths as `segue.measure.rows.read_aggregated` reads them. Raises DataError."""
    import numpy as np
    import pyarrow.compute as pc

    table = _Table(path, COUNTED, OPTIONAL)
    # A path that stands in many rows is taken apart once, and its rows are added up.
    rows = table.dictionary("path")
    written = rows.dictionary
    kinds = _numbers(rows.indices)
    parts = pc.split_pattern(written, ARROW)
    lengths = np.diff(_numbers(parts.offsets)).astype(np.int64)
    empty = _empty(pc.utf8_trim_whitespace(written))
    coded = _coded(pc.dictionary_encode(parts.flatten()))
    nameless = np.array([not name for name in coded.names], np.bool_)[coded.codes] if coded.names else np.zeros(0, bool)
    faulty = np.zeros(len(lengths), np.bool_)
    faulty[np.repeat(np.arange(len(lengths)), lengths)[nameless]] = True
    faulty &= ~empty
    if faulty.any():
        row = int(np.argmax(faulty[kinds]))
        try:
            split_path(written[int(kinds[row])].as_py())
        except ValueError as error:
            table.fail(row, str(error))
    lengths[empty] = 0

    def added_up(name: str) -> Floats:
        if name not in table.names:
            return np.zeros(len(lengths))
        added: Floats = np.bincount(kinds, table.amounts(name), len(lengths)).astype(np.float64, copy=False)
        return added

    return put_together_counted(
        Coded(coded.names, coded.codes[~nameless]),
        lengths,
        added_up("total_conversions"),
        added_up("total_conversion_value"),
        added_up("total_null"),
        tuple(name for name in OPTIONAL if name not in table.names),
    )


def _coded(dictionary: Any) -> Coded:
    """Codes of texts, without the white space around them."""
    import numpy as np

    names: dict[str, int] = {}
    places = np.array(
        [names.setdefault(text.strip(), len(names)) for text in dictionary.dictionary.to_pylist()], np.int32
    )
    codes = _numbers(dictionary.indices)
    return Coded(tuple(names), places[codes] if len(places) else np.zeros(len(codes), np.int32))


class _Table:
    """The columns that are wanted of a file, found by their names in lower case."""

    def __init__(self, path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> None:
        import pyarrow as pa

        self.path = path
        self.names: dict[str, str] = {}
        try:
            self._open(columns, optional)
        except (pa.ArrowException, pa.ArrowInvalid) as error:
            raise DataError(str(path), 1, f"cannot be read: {str(error).splitlines()[0]}") from error

    def _open(self, columns: Sequence[str], optional: Sequence[str]) -> None:
        import pyarrow as pa

        from segue.measure.recognising import is_parquet

        if is_parquet(self.path):
            from pyarrow import parquet

            about = parquet.read_metadata(self.path)
            schema = about.schema.to_arrow_schema()
            self._choose(schema.names, columns, optional)
            # What is mostly the same stands in the file once, and is best read as that.
            often = [self.names[name] for name in ("channel", "path") if name in self.names]
            coded = [name for name in often if pa.types.is_string(schema.field(name).type)]
            file = parquet.ParquetFile(self.path, metadata=about, read_dictionary=coded)
            self._table = file.read(columns=list(self.names.values()))
            return
        from pyarrow import csv

        with self.path.open("rb") as lines:
            header = lines.readline().decode("utf-8-sig").rstrip("\r\n").split(",")
        self._choose([name.strip('"') for name in header], columns, optional)
        self._table = csv.read_csv(
            self.path,
            convert_options=csv.ConvertOptions(
                include_columns=list(self.names.values()),
                column_types={name: pa.string() for name in self.names.values()},
                strings_can_be_null=False,
            ),
        )

    def _choose(self, found: Sequence[str], columns: Sequence[str], optional: Sequence[str]) -> None:
        lowered = [name.strip().lower() for name in found]
        require_columns(str(self.path), lowered, columns, optional)
        self.names = {name: found[lowered.index(name)] for name in (*columns, *optional) if name in lowered}

    def column(self, name: str) -> Any:
        import pyarrow as pa

        found = self._table.column(self.names[name]).combine_chunks()
        return pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found

    def fail(self, row: int, message: str) -> NoReturn:
        """Rows are counted from 1."""
        raise DataError(str(self.path), row + 1, message, unit="row")

    def strings(self, name: str) -> Any:
        """A column as texts; numbers in the form that Python gives whole ones."""
        import pyarrow as pa
        import pyarrow.compute as pc

        column = self.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        return column if pa.types.is_string(column.type) else pc.cast(column, pa.string())

    def dictionary(self, name: str) -> Any:
        """A column of texts, each text once, with the place of each row's."""
        import pyarrow as pa
        import pyarrow.compute as pc

        column = self.column(name)
        if not pa.types.is_dictionary(column.type):
            column = pc.dictionary_encode(self.strings(name))
        elif not pa.types.is_string(column.type.value_type):
            column = column.cast(pa.dictionary(pa.int32(), pa.string()))
        if column.null_count:
            column = pc.dictionary_encode(pc.fill_null(column.dictionary_decode(), ""))
        return column

    def texts(self, name: str) -> Any:
        """A column of texts that must not be empty."""
        import numpy as np
        import pyarrow.compute as pc

        column = pc.utf8_trim_whitespace(self.strings(name))
        empty = _empty(column)
        if empty.any():
            self.fail(int(np.argmax(empty)), f"{name} is empty")
        return column

    def coded(self, name: str, otherwise: str | None = None) -> Coded:
        """A column of texts of which many are the same; ``otherwise`` stands for an empty one."""
        import numpy as np

        coded = _coded(self.dictionary(name))
        if "" in coded.names:
            if otherwise is None:
                self.fail(int(np.argmax(coded.codes == coded.names.index(""))), f"{name} is empty")
            return Coded(tuple(label or otherwise for label in coded.names), coded.codes)
        return coded

    def amounts(self, name: str) -> Floats:
        """A column of numbers, 0 or more; an empty cell is 0."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        column = self.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        written = column
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            trimmed = pc.utf8_trim_whitespace(column)
            column = pc.if_else(pc.equal(trimmed, ""), "0", trimmed)
        try:
            numbers: Floats = _without_nulls(pc.cast(column, pa.float64()))
        except (pa.ArrowException, ValueError):
            numbers = np.array([_number(cell) for cell in written.to_pylist()], np.float64)
        wrong = ~(np.isfinite(numbers) & (numbers >= 0))
        if wrong.any():
            row = int(np.argmax(wrong))
            self.fail(row, f"{name} is “{written[row].as_py()}”; it {_AMOUNT}")
        return numbers

    def flags(self, name: str) -> Any:
        import numpy as np
        import pyarrow as pa

        column = self.column(name)
        if pa.types.is_boolean(column.type) and not column.null_count:
            return _numbers(column)
        coded = self.dictionary(name)
        meanings = [self._meaning(name, text) for text in coded.dictionary.to_pylist()]
        found = np.array([bool(meaning) for meaning in meanings], np.bool_)[_numbers(coded.indices)]
        if None in meanings:
            wrong = _numbers(coded.indices) == meanings.index(None)
            row = int(np.argmax(wrong))
            self.fail(row, f"{name} is “{coded.dictionary[meanings.index(None)].as_py()}”; write 1 or 0")
        return found

    def _meaning(self, name: str, text: str) -> bool | None:
        try:
            return Row(str(self.path), 0, {name: text.removesuffix(".0")}).flag(name)
        except DataError:
            return None

    def instants(self, name: str) -> tuple[Ints, Any]:
        """Microseconds since 1970, and where there are any."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        column = self.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if pa.types.is_date(column.type):
            column = pc.cast(column, pa.timestamp("us"))
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            return self._written_instants(name, column)
        given = _numbers(pc.is_valid(column))
        if pa.types.is_timestamp(column.type):
            whole = pc.cast(column, pa.timestamp("us", tz=column.type.tz), safe=False)
            return _numbers(pc.cast(whole, pa.int64())), given
        if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
            self.fail(0, f"{name} is of type {column.type}; write instants, or seconds since 1970")
        seconds = _without_nulls(pc.cast(column, pa.float64()))
        wrong = ~(np.abs(seconds) < 2.0**63 / SECOND)
        if wrong.any():
            row = int(np.argmax(wrong))
            self.fail(row, f"{name} is “{column[row].as_py()}”; write an instant such as 2026-11-27T08:00:00Z")
        return np.rint(seconds * SECOND).astype(np.int64), given

    def _written_instants(self, name: str, column: Any) -> tuple[Ints, Any]:
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        trimmed = pc.utf8_trim_whitespace(column)
        written = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, trimmed.type), trimmed)
        given = _numbers(pc.is_valid(written))
        for kind in (pa.timestamp("us", tz="UTC"), pa.timestamp("us")):
            try:
                found = pc.cast(pc.cast(written, kind), pa.int64())
            except (pa.ArrowException, ValueError):
                continue
            return np.where(given, _numbers(found), 0), given
        # Of several forms, or none: as rows are read.
        instants = np.zeros(len(written), np.int64)
        for row, text in enumerate(written.to_pylist()):
            if text is not None:
                try:
                    instants[row] = Row(str(self.path), 0, {name: text}).instant(name) or 0
                except DataError as error:
                    self.fail(row, error.message)
        return instants, given


# Arrow's own ways from and to numpy, and of making scalars, import pandas where that is installed: a fifth of a second.


def _numbers(array: Any) -> Any:
    """An array as one of numpy. What stands in the place of a null may be anything."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_boolean(array.type):
        return np.from_dlpack(pc.cast(array, pa.uint8())).view(np.bool_)
    if array.null_count:
        array = pa.Array.from_buffers(array.type, len(array), [None, array.buffers()[1]], offset=array.offset)
    return np.from_dlpack(array)


def _without_nulls(array: Any) -> Any:
    """Numbers, with 0 for what is not there."""
    import numpy as np
    import pyarrow.compute as pc

    numbers = _numbers(array)
    return np.where(_numbers(pc.is_valid(array)), numbers, 0) if array.null_count else numbers


def _empty(texts: Any) -> Any:
    """Where a text is missing, or has no letter."""
    import numpy as np
    import pyarrow.compute as pc

    none = _numbers(pc.binary_length(texts)) == 0
    return none | ~_numbers(pc.is_valid(texts)) if texts.null_count else np.asarray(none)


def _array(places: Any) -> Any:
    import pyarrow as pa

    return pa.Array.from_buffers(pa.int64(), len(places), [None, pa.py_buffer(places)])


def _number(cell: Any) -> float:
    try:
        return float(cell or 0)
    except ValueError:
        return float("nan")
