"""Settings of the source, and what they are before a file is read by them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from segue.api.cells import read_zone
from segue.api.mapping import Mapping
from segue_files.delimited import Dialect

__all__ = ["Config", "check"]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings under ``[sources.NAME]``, and of a mapping for ``segue import``.

    ``folder`` is watched: each file in it whose name ends in .csv, .tsv, .txt, .parquet, or one of the first three and
    .gz. A file counts as complete once it has not changed for ``settle`` seconds; with ``marker``, such as ".done",
    once there is a file of its name and that ending. ``after`` says what becomes of one that was read: "move" puts it
    into done/ within the folder, "keep" leaves it and remembers its content. ``every`` is how often to look, in
    seconds.

    ``map`` says what of a row is what, where its columns do not say so by their names: see the mapping of payloads. A
    row is an object of its columns. ``event`` is the name of the events of a file that names none. ``time_format`` is
    how times are written, as "%d.%m.%Y %H:%M"; without it RFC 3339 or Unix time. ``zone`` is where times without a zone
    are meant.
    ``delimiter``, ``quote``, ``escape`` and ``encoding`` are of CSV files, found out where they are empty (``quote``:
    no quotes; ``escape``: quotes in cells are doubled).
    """

    folder: str = ""
    every: float = 5.0
    settle: float = 5.0
    marker: str = ""
    after: Literal["move", "keep"] = "move"
    map: Mapping | None = None
    event: str = ""
    time_format: str = ""
    zone: str = "UTC"
    delimiter: str = ""
    quote: str = '"'
    escape: str = ""
    encoding: str = ""

    @property
    def dialect(self) -> Dialect:
        return Dialect(self.delimiter, self.quote, self.escape, self.encoding)


def check(config: Config) -> None:
    """Raise ValueError with a sentence where a setting cannot be meant."""
    for name, most in (("delimiter", 1), ("quote", 1), ("escape", 1)):
        if len(getattr(config, name)) > most:
            raise ValueError(f"`{name}` should be one character, and is {getattr(config, name)!r}")
    for name in ("every", "settle"):
        if not 0 <= getattr(config, name) <= 86_400:
            raise ValueError(f"`{name}` should be a number of seconds up to a day")
    if config.marker and ("/" in config.marker or not config.marker.startswith(".")):
        raise ValueError(f'`marker` should be an ending such as ".done", and is {config.marker!r}')
    if config.time_format:
        try:
            datetime(2026, 11, 27, 8, 30, tzinfo=UTC).strftime(config.time_format)
            datetime.strptime(datetime(2026, 11, 27, tzinfo=UTC).strftime(config.time_format), config.time_format)  # noqa: DTZ007
        except ValueError as error:
            raise ValueError(f"`time_format` cannot be used: {error}") from None
    if config.map is not None and config.event:
        raise ValueError("`event` and `map` both name events: say `event` within `map`")
    read_zone(config.zone)
