"""Markov attribution: journeys as an absorbing chain, and what is lost when a channel is taken out of it.

States are the last one to three channels of a journey (fewer at its beginning); a journey ends in a conversion or in
nothing. A transition's probability is how often it was taken, of all journeys that stood there, channels that repeat
themselves included. A channel is removed by sending into nothing whoever would have come to it. Its removal effect is
the part of the conversions that is then lost: computed from the chain's fundamental matrix, not by simulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from segue.api import AttributionSpec, Credit, Paths, plugin

__all__ = ["MARKOV", "Options", "markov"]

LARGEST: Final = 5000
"""States: a matrix of so many rows takes 200 MB, and some seconds to invert."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``order``: how many channels back the chain remembers. ``value``: whether value is shared like conversions, or
    by ``own`` removal effects: what of the value, not of the conversions, is lost with a channel."""

    order: Literal[1, 2, 3] = 1
    value: Literal["conversions", "own"] = "conversions"


class _Chain(msgspec.Struct, frozen=True, eq=False):
    """``fundamental`` has how often each state is visited on average by whoever stands in another; ``visits`` the same
    for whoever begins; ``holds[c]`` the states that channel ``c`` is a part of."""

    fundamental: Any
    visits: Any
    holds: list[Any]

    def lost(self, ends: Any) -> list[float]:
        """For each channel, what is lost with it of what journeys bring, where ``ends`` is what a visit to a state
        brings at once.

        With the states C of a channel closed, what is still brought is the solution of the chain's equations that is
        0 on C: v - N[:, C] N[C, C]^-1 v[C], where v = N ends is what each state brings with nothing closed.
        """
        import numpy as np

        brought = self.fundamental @ ends
        return [
            float(self.visits[states] @ np.linalg.solve(self.fundamental[np.ix_(states, states)], brought[states]))
            for states in self.holds
        ]


def markov(paths: Paths, options: Options) -> Sequence[Credit]:
    """Conversions in proportion to removal effects."""
    import numpy as np

    if not len(paths.channels):
        return []
    if (paths.counts - paths.conversions < -1e-9 * paths.counts).any():
        raise ValueError("there are paths with more conversions than journeys")
    if not (paths.counts - paths.conversions).sum() > 0:
        raise ValueError(
            "it needs journeys that did not convert (converted = 0, or total_null), and there are none; "
            "without them it cannot see what a channel changes"
        )
    occurring = np.unique(paths.channels)
    conversions, value = float(paths.conversions.sum()), float(paths.values.sum())
    if value > 0 and not conversions > 0:
        raise ValueError(
            f"there is a value of {value:,.10g} and no conversion; it shares value as conversions are, or by what is "
            "lost of it with a channel, and needs to know which journeys converted"
        )
    if not conversions > 0:
        return [Credit(paths.names[channel], 0.0, 0.0) for channel in occurring]
    states, members = _states(paths, options.order, occurring)
    journeys = paths.counts.sum()
    outflow = np.bincount(states, paths.per_touch(paths.counts), len(members))
    outflow[outflow == 0] = 1
    chain = _chain(paths, states, members, occurring, outflow)
    effects = [
        np.clip(np.array(chain.lost(np.bincount(states[paths.last], of_paths, len(members)) / outflow)), 0, None)
        * (journeys / whole if whole > 0 else 0)
        for of_paths, whole in ((paths.conversions, conversions), (paths.values, value))
    ]
    shares = [effect / effect.sum() if effect.sum() > 0 else effect for effect in effects]
    of_value = shares[1] if options.value == "own" else shares[0]
    return [
        Credit(paths.names[channel], float(share * conversions), float(worth * value), min(1.0, float(effect)))
        for channel, share, worth, effect in zip(occurring, shares[0], of_value, effects[0], strict=True)
    ]


def _states(paths: Paths, order: int, occurring: Any) -> tuple[Any, Any]:
    """The state that each touch leads to, and for each state the channels it is made of (0 where there is none yet,
    else the place in ``occurring`` plus 1)."""
    import numpy as np

    _bounded(len(occurring), order)
    base = len(occurring) + 1
    ranks = np.zeros(len(paths.names), np.int64)
    ranks[occurring] = np.arange(1, base)
    own = ranks[paths.channels]
    if order == 1:
        return own - 1, np.arange(1, base)[:, None]
    codes, places = own.copy(), paths.places()
    for back in range(1, order):
        earlier = np.zeros_like(own)
        earlier[back:] = np.where(places[back:] >= back, own[:-back], 0)
        codes += earlier * base**back
    codes, states = np.unique(codes, return_inverse=True)
    _bounded(len(codes), order)
    return states, np.stack([codes // base**back % base for back in range(order)], axis=1)


def _bounded(states: int, order: int) -> None:
    if states > LARGEST:
        what = "different channels" if order == 1 else f"different sequences of up to {order} channels"
        advice = "group" if order == 1 else "set a lower order, or group"
        raise ValueError(
            f"there are {states:,} {what}, and it can solve at most {LARGEST:,}; "
            f"{advice} channels before they are counted"
        )


def _chain(paths: Paths, states: Any, members: Any, occurring: Any, outflow: Any) -> _Chain:
    import numpy as np

    count = len(members)
    onward = np.ones(len(states), np.bool_)
    onward[paths.first] = False
    reached = np.flatnonzero(onward)
    flow = np.bincount(
        states[reached - 1] * count + states[reached], paths.per_touch(paths.counts)[reached], count * count
    ).reshape(count, count)
    fundamental = np.linalg.inv(np.eye(count) - flow / outflow[:, None])
    begun = np.bincount(states[paths.first], paths.counts, count) / paths.counts.sum()
    holds = [np.flatnonzero((members == rank).any(axis=1)) for rank in range(1, len(occurring) + 1)]
    return _Chain(fundamental, begun @ fundamental, holds)


MARKOV = AttributionSpec(
    name="markov",
    doc="By removal effect: what of the conversions would be lost if a channel led nowhere",
    config=Options,
    credit=markov,
)


@plugin
def segue_attribution_models() -> Sequence[AttributionSpec]:
    return [MARKOV]
