"""A file's columns as Arrow reads them, made columns of numpy; what is wrong in one is told with its row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from segue.measure.paths import Coded
from segue.measure.rows import ARROW
from segue.measure.tables import AMOUNT, INSTANT, LARGEST, UNITS, DataError, Row, delimiter_of, require_columns, shown

if TYPE_CHECKING:
    from segue.api.attribution import Floats, Ints

__all__ = ["ArrowTable", "are_empty", "to_arrow", "to_coded", "to_numpy"]

_HEADER: Final = 65_536
"""Bytes of which the first line is the header."""


def to_coded(dictionary: Any) -> Coded:
    """Codes of texts, without the white space around them."""
    import numpy as np

    names: dict[str, int] = {}
    places = np.array(
        [names.setdefault(text.strip(), len(names)) for text in dictionary.dictionary.to_pylist()], np.int32
    )
    codes = to_numpy(dictionary.indices)
    return Coded(tuple(names), places[codes] if len(places) else np.zeros(len(codes), np.int32))


_AS_PATH: Final = f", with {ARROW} between channels"


class ArrowTable:
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

        from segue.measure.recognising import is_gzip, is_parquet

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

        def lines() -> Any:
            return pa.input_stream(str(self.path), compression="gzip" if is_gzip(self.path) else None)

        with lines() as text:
            beginning = text.read(_HEADER).decode("utf-8-sig", "replace")
        header = beginning.splitlines()[0] if beginning else ""
        delimiter = delimiter_of(header)
        self._choose([name.strip('"') for name in header.split(delimiter)], columns, optional)
        self._table = csv.read_csv(
            lines(),
            parse_options=csv.ParseOptions(delimiter=delimiter),
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
        whole = pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found
        return pa.nulls(len(whole), pa.string()) if pa.types.is_null(whole.type) else whole

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
        if pa.types.is_nested(column.type):
            self.fail(0, f"{name} is of type {column.type}; write one text{_AS_PATH if name == 'path' else ''}")
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
        empty = are_empty(column)
        if empty.any():
            self.fail(int(np.argmax(empty)), f"{name} is empty")
        return column

    def coded(self, name: str, otherwise: str | None = None) -> Coded:
        """A column of texts of which many are the same; ``otherwise`` stands for an empty one."""
        import numpy as np

        coded = to_coded(self.dictionary(name))
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
        wrong = ~((numbers >= 0) & (numbers < LARGEST))
        if wrong.any():
            row = int(np.argmax(wrong))
            self.fail(row, f"{name} is “{shown(written[row].as_py())}”; {AMOUNT}")
        return numbers

    def flags(self, name: str) -> Any:
        import numpy as np
        import pyarrow as pa

        column = self.column(name)
        if pa.types.is_boolean(column.type) and not column.null_count:
            return to_numpy(column)
        coded = self.dictionary(name)
        meanings = [self._meaning(name, text) for text in coded.dictionary.to_pylist()]
        found = np.array([bool(meaning) for meaning in meanings], np.bool_)[to_numpy(coded.indices)]
        if None in meanings:
            wrong = to_numpy(coded.indices) == meanings.index(None)
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
        given = to_numpy(pc.is_valid(column))
        if pa.types.is_timestamp(column.type):
            whole = pc.cast(column, pa.timestamp("us", tz=column.type.tz), safe=False)
            return to_numpy(pc.cast(whole, pa.int64())), given
        if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
            self.fail(0, f"{name} is of type {column.type}; write instants, or seconds since 1970")
        kind = pa.int64() if pa.types.is_signed_integer(column.type) else pa.float64()
        numbers = _without_nulls(pc.cast(column, kind, safe=False))
        wrong = ~(np.abs(numbers.astype(np.float64)) < 2.0**63)
        if wrong.any():
            row = int(np.argmax(wrong))
            self.fail(row, f"{name} is “{shown(column[row].as_py())}”; {INSTANT}")
        return _since_1970(numbers), given

    def _written_instants(self, name: str, column: Any) -> tuple[Ints, Any]:
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        trimmed = pc.utf8_trim_whitespace(column)
        written = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, trimmed.type), trimmed)
        given = to_numpy(pc.is_valid(written))
        for kind in (pa.timestamp("us", tz="UTC"), pa.timestamp("us"), pa.int64()):
            try:
                found = to_numpy(pc.cast(pc.cast(written, kind), pa.int64()))
            except (pa.ArrowException, ValueError):
                continue
            found = np.where(given, found, 0)
            return _since_1970(found) if kind == pa.int64() else found, given
        # Of several forms, or none: as rows are read.
        instants = np.zeros(len(written), np.int64)
        for row, text in enumerate(written.to_pylist()):
            if text is not None:
                try:
                    instants[row] = Row(str(self.path), 0, {name: text}).instant(name) or 0
                except DataError as error:
                    self.fail(row, error.message)
        return instants, given


def _since_1970(numbers: Any) -> Ints:
    """Microseconds, of numbers in units that their size tells."""
    import numpy as np

    found = np.rint(numbers / 1000)
    sizes = np.abs(numbers)
    for below, unit in reversed(UNITS):
        # What is larger is of another unit, and would be too large in this one.
        within = np.where(sizes < below, numbers, 0) * unit
        found = np.where(sizes < below, np.rint(within) if within.dtype == np.float64 else within, found)
    microseconds: Ints = found.astype(np.int64)
    return microseconds


# Arrow's own ways from and to numpy, and of making scalars, import pandas where that is installed: a fifth of a second.


def to_numpy(array: Any) -> Any:
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

    numbers = to_numpy(array)
    return np.where(to_numpy(pc.is_valid(array)), numbers, 0) if array.null_count else numbers


def are_empty(texts: Any) -> Any:
    """Where a text is missing, or has no letter."""
    import numpy as np
    import pyarrow.compute as pc

    none = to_numpy(pc.binary_length(texts)) == 0
    return none | ~to_numpy(pc.is_valid(texts)) if texts.null_count else np.asarray(none)


def to_arrow(places: Any) -> Any:
    import pyarrow as pa

    return pa.Array.from_buffers(pa.int64(), len(places), [None, pa.py_buffer(places)])


def _number(cell: Any) -> float:
    try:
        return float(cell or 0)
    except ValueError:
        return float("nan")
