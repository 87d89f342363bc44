"""Attribution: models side by side, and how far they disagree."""

from __future__ import annotations

from collections.abc import Mapping

from segue.cli.attributing.crediting import UNATTRIBUTED
from segue.cli.reporting.charts import Dot, Range, Ranges
from segue.cli.reporting.material import Material, Section
from segue.cli.reporting.sections.cells import real
from segue.measure.table import Table

_CHANNELS = 12
TITLE = "What models attribute to channels"
WHAT_MODELS_SAY = (
    "Models share conversions out among the touches before them. None of them knows what would have happened without "
    "a touch: where they disagree, the truth is not somewhere between them."
)


def sections(material: Material) -> list[Section]:
    """The models' conversions by channel, as a band from the least to the most."""
    table = material.table("attribution")
    if table is None or set(table.column("channel")) <= {UNATTRIBUTED}:
        missing = (
            "No touch lies before a conversion: messages that go out in rules with a `goal` fill this."
            if not material.now.conversions or not material.now.sent()
            else "`segue attribute` shares these conversions out among the touches before them."
        )
        return [Section("attribution", TITLE, missing=(missing,))]
    by_channel = shares_by(table, "channel")
    untouched = by_channel.pop(UNATTRIBUTED, {})
    ordered = sorted(by_channel, key=lambda one: (-max(by_channel[one].values()), one))
    ranges = tuple(_range(material, channel, by_channel[channel]) for channel in ordered[:_CHANNELS])
    widest = max(ranges, key=lambda one: one.high - one.low)
    said = (
        f"The wider a band, the less the models agree. They disagree most about {widest.name}: {widest.note} orders."
        if widest.high > widest.low
        else "The models agree about every channel."
    )
    chart = Ranges("Orders by channel, as each model shares them out", said, table, ranges)
    return [Section("attribution", TITLE, (WHAT_MODELS_SAY, *_unattributed(material, untouched)), (), (chart,))]


def _unattributed(material: Material, models: Mapping[str, float]) -> tuple[str, ...]:
    number = max(models.values(), default=0)
    orders = "1 order" if number == 1 else f"{material.shown.number(number)} orders"
    return (f"No touch lies before {orders}.",) if number else ()


def _range(material: Material, channel: str, models: Mapping[str, float]) -> Range:
    low, high = min(models.values()), max(models.values())
    dots = tuple(Dot(model, value) for model, value in models.items())
    return Range(channel, low, high, dots, between(material, low, high))


def between(material: Material, low: float, high: float) -> str:
    """``12.3 to 45.6``: one number where both read alike; whole where they are large."""
    digits = 0 if max(abs(low), abs(high)) >= 10 else 1
    first, last = (material.shown.number(round(value, digits)) for value in (low, high))
    return first if first == last else f"{first} to {last}"


def shares_by(table: Table, column: str) -> dict[str, dict[str, float]]:
    """What each model gives, by channel, rule or whatever the column names."""
    found: dict[str, dict[str, float]] = {}
    for one in table.records():
        models = found.setdefault(str(one[column]), {})
        models[str(one["model"])] = models.get(str(one["model"]), 0.0) + real(one["conversions"])
    return found
