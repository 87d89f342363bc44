"""How the figures of sending are shown."""

from __future__ import annotations

from collections.abc import Sequence

from segue.cli.benchmarks.sending import MARKS, Sending
from segue.cli.ending import print_json


def show(found: Sequence[Sending], *, json: bool) -> None:
    """Print them, for people or for programs."""
    for one in found:
        if json:
            print_json(_line(one))
            continue
        mark = MARKS[one.way]
        print(f"{one.messages:,} messages over {one.way}, from due to noted, under a policy:")
        print(f"  {one.a_minute:12,.0f} a minute by the clock")
        print(f"  {one.a_core:12,.0f} a minute of Segue's CPU; the mark is {mark:,.0f}")
        print(f"  {one.bare_a_core:12,.0f} a minute of CPU by the bare loop: the same channel, messages that are ready")
        print(f"  {one.a_core / one.bare_a_core:12.0%} of the bare loop")
        for name, seconds in _parts(one).items():
            print(f"  {seconds / one.messages * 1e6:9,.0f} µs of CPU a message: {name}")
        if one.sink_cpu is not None:
            print(f"  {one.sink_cpu:10.1f} s of CPU in the provider, not counted")
        print(f"  {one.grown / 1e6:10.1f} MB more memory in the second half")


def _parts(one: Sending) -> dict[str, float]:
    """Seconds of CPU by part. What is neither in the writer nor in the channel's thread is the daemon's loop."""
    known = sum(one.parts.values())
    return {**one.parts, "render, sign, and the daemon's loop": max(0.0, one.cpu - known)}


def _line(one: Sending) -> dict[str, object]:
    return {
        "figure": f"sending-{one.way}",
        "count": one.messages,
        "a_minute": round(one.a_minute),
        "a_core_minute": round(one.a_core),
        "bare_core_minute": round(one.bare_a_core),
        "to_bare_loop": round(one.a_core / one.bare_a_core, 3),
        "reached": one.a_core >= MARKS[one.way],
        "microseconds": {name: round(seconds / one.messages * 1e6) for name, seconds in _parts(one).items()},
        "memory_growth": one.grown,
    }
