"""Attribution by rules of thumb: each touch's part of a conversion follows from its place, its time or its channel."""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import AttributionSpec, plugin
from segue_attribution_heuristics.alone import Alone, NonDirect, first, last, last_non_direct
from segue_attribution_heuristics.shaped import PositionBased, WShaped, position_based, w_shaped
from segue_attribution_heuristics.spread import Linear, TimeDecay, linear, time_decay

__all__ = ["MODELS", "Alone", "Linear", "NonDirect", "PositionBased", "TimeDecay", "WShaped"]

MODELS = {
    spec.name: spec
    for spec in (
        AttributionSpec(
            name="first", doc="All to the first touch: what began it, and nothing after", config=Alone, weights=first
        ),
        AttributionSpec(
            name="last", doc="All to the last touch: what stood next to the conversion", config=Alone, weights=last
        ),
        AttributionSpec(
            name="last-non-direct",
            doc="All to the last touch that was not direct; to the last where all were",
            config=NonDirect,
            weights=last_non_direct,
        ),
        AttributionSpec(
            name="linear",
            doc="Equal shares for each touch, or with per=channel for each channel: where customers were met, not why",
            config=Linear,
            weights=linear,
        ),
        AttributionSpec(
            name="time-decay",
            doc="More for what was later: a touch that is half_life older gets half as much",
            config=TimeDecay,
            weights=time_decay,
        ),
        AttributionSpec(
            name="position-based",
            doc="40% to the first touch, 40% to the last, 20% to those between",
            config=PositionBased,
            weights=position_based,
        ),
        AttributionSpec(
            name="w-shaped",
            doc="30% each to the first touch and to those that made a lead and an opportunity; 10% to the rest",
            config=WShaped,
            weights=w_shaped,
        ),
    )
}


@plugin
def segue_attribution_models() -> Sequence[AttributionSpec]:
    return list(MODELS.values())
