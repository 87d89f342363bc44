"""Linear attribution: the same share of a conversion for each touch before it, or for each channel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

import msgspec

from segue.api import AttributionSpec, Credit, Path, plugin


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``per``: whether shares are counted by ``touch`` or by ``channel``. On ``email > ads > email`` email gets two
    thirds by touch, and half by channel."""

    per: Literal["touch", "channel"] = "touch"


def linear(paths: Sequence[Path], options: Options) -> Sequence[Credit]:
    """Share each path's conversions and value equally. A channel that never converted is listed with nothing."""
    conversions: defaultdict[str, float] = defaultdict(float)
    values: defaultdict[str, float] = defaultdict(float)
    for path in paths:
        touched = path.channels if options.per == "touch" else tuple(dict.fromkeys(path.channels))
        for channel in touched:
            conversions[channel] += path.conversions / len(touched)
            values[channel] += path.value / len(touched)
    return [Credit(channel, conversions[channel], values[channel]) for channel in sorted(conversions)]


@plugin
def segue_attribution_models() -> Sequence[AttributionSpec]:
    return [
        AttributionSpec(
            name="linear",
            doc="Equal shares for each touch, or with per=channel for each channel: where customers were met, not why",
            config=Options,
            credit=linear,
        )
    ]
