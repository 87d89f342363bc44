"""The audit: a row for each touch that a model gives credit, with the conversion that it is of; of none where a model
credits a channel whose journeys all came to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from segue.api import Instant
from segue.api.values import to_rfc3339
from segue.cli.attributing.crediting import Credited
from segue.cli.attributing.reading import Read
from segue.cli.ending import USAGE, fail
from segue.cli.tabling.files import NoParquet, Type, write_csv, write_parquet
from segue.customers.identity import show
from segue.measure.touchpoints.columns import Told, What
from segue.runtime.assembly import Assembly
from segue.store.database import read_only
from segue.store.touchpoints import load_keys

COLUMNS: Final[dict[str, Type]] = {
    "model": "str",
    "currency": "str",
    "conversion": "str",
    "customer": "str",
    "converted_at": "str",
    "touch": "str",
    "what": "str",
    "at": "str",
    "channel": "str",
    "campaign": "str",
    "rule": "str",
    "message": "str",
    "arm": "str",
    "cost": "float",
    "cost_currency": "str",
    "share": "float",
    "conversions": "float",
    "value": "float",
}
_PIECE: Final = 20_000


def write_audit(assembly: Assembly, read: Read, credited: list[Credited], goal: str | None, place: Path) -> int:
    """Write the audit to a file, CSV or Parquet by its name. How many rows. Ends the command where it cannot be
    written."""
    write = write_parquet if place.suffix == ".parquet" else None
    if write is None and place.suffix != ".csv":
        fail(f"--audit {place}: the name must end in .csv or .parquet", USAGE)
    if place.exists():
        fail(f"{place} exists already: give another name", USAGE)
    rows = _rows(assembly, read, credited, goal)
    try:
        if write is not None:
            return write(place, COLUMNS, rows)
        return write_csv(place, list(COLUMNS), rows)
    except NoParquet as error:
        fail(str(error), USAGE)
    except OSError as error:
        fail(f"{place}: {error.strerror or error}")


def _rows(assembly: Assembly, read: Read, credited: list[Credited], goal: str | None) -> Iterator[tuple[Any, ...]]:
    import numpy as np

    look = partial(read_only, assembly.project.database, much=True)
    kind = "order" if goal is None else "journey"
    touches, conversions = read.touches, read.conversions
    for one, model, traced in [(each, *item) for each in credited for item in each.traced.items()]:
        paths = one.selected.paths
        ending = paths.per_touch(read.joined.conversions[one.selected.places])
        counted = np.flatnonzero((traced.conversions != 0) | (traced.values != 0))
        for after in range(0, len(counted), _PIECE):
            piece = counted[after : after + _PIECE]
            places, ends = one.selected.touches[piece], ending[piece]
            people = touches.customers[places]
            with look() as tx:
                keys = {row: show(key) for row, key in load_keys(tx, np.unique(people).tolist()).items()}
            for customer, at, what, label, told, row, cost, money, end, share, number, value in zip(
                people.tolist(),
                touches.at[places].tolist(),
                touches.whats[places].tolist(),
                touches.labels[places].tolist(),
                touches.told[places].tolist(),
                touches.rows[places].tolist(),
                touches.costs[places].tolist(),
                touches.currencies[places].tolist(),
                ends.tolist(),
                traced.shares[piece].tolist(),
                traced.conversions[piece].tolist(),
                traced.values[piece].tolist(),
                strict=True,
            ):
                of = touches.names[label]
                yield (
                    model,
                    one.selected.currency,
                    f"{kind}/{int(conversions.rows[end])}" if end >= 0 else "",
                    keys.get(customer, ""),
                    to_rfc3339(Instant(int(conversions.at[end]))) if end >= 0 else "",
                    f"{Told(told).name.lower()}/{row}",
                    What(what).title,
                    to_rfc3339(Instant(at)),
                    *(of.channel, of.campaign or of.rule, of.rule, of.message, of.arm),
                    *((cost / 1_000_000, touches.money[money]) if cost else (None, "")),
                    *(share, number, value),
                )
