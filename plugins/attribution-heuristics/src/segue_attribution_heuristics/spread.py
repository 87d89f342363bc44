"""Models that share a conversion among all touches: equally, or the more the later."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

import msgspec

from segue.api import Paths

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


class Linear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``per``: whether shares are counted by ``touch`` or by ``channel``. On ``email > ads > email`` email gets two
    thirds by touch, and half by channel."""

    per: Literal["touch", "channel"] = "touch"


class TimeDecay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``half_life``: a touch so much older gets half as much. Parts of s, m, h, d and w, as in ``7d`` or ``1d 12h``."""

    half_life: str = "7d"

    def __post_init__(self) -> None:
        written = self.half_life.strip()
        if not re.fullmatch(rf"(?:{_PART.pattern}\s*)+", written) or self.seconds < 1e-6:
            raise ValueError(f"half_life is “{self.half_life}”; write a duration such as 7d, 12h or 1d 12h")

    @property
    def seconds(self) -> float:
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(self.half_life))


def linear(paths: Paths, options: Linear) -> Any:
    if options.per == "touch":
        return paths.per_touch(1 / paths.lengths)
    alike = paths.alike()
    # On each path the touches of one channel are now worth 1 together.
    channels = paths.per_path(1 / alike)
    return 1 / (alike * paths.per_touch(channels))


def time_decay(paths: Paths, options: TimeDecay) -> Any:
    """2^(-age/half-life), divided by its sum over the path. Ages are counted from the path's last touch: counted from
    the conversion each would be longer by the same time, which the division takes out again."""
    import numpy as np

    if paths.times is None:
        raise ValueError(
            "these paths have no times, and it needs them to know what was later; "
            "give it --touches with --journeys, or ask position-based, which needs only the order"
        )
    if not len(paths.channels):
        return np.zeros(0)
    age = (paths.per_touch(paths.times[paths.last]) - paths.times) / 1e6
    parts = np.exp2(-age / options.seconds)
    return parts / paths.per_touch(paths.per_path(parts))
