"""The shares of a split that grows towards a condition: Thompson sampling's, from what each arm has brought so far.

Each arm's chance to meet the condition is taken to follow the Beta distribution of its counts; an arm's share is how
often it would be the best of them. The draws come from a fixed seed, so that the same counts give the same shares, on
any machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Final

EVIDENCE: Final = 50
"""Journeys that every arm must have before the written shares give way."""
FLOOR: Final = 0.1
"""Of its written share, what an arm always keeps: else one that began badly could never show better."""
_DRAWS: Final = 2000


def learn_shares(
    written: Mapping[str, float], assigned: Mapping[str, int], met: Mapping[str, int]
) -> dict[str, float] | None:
    """The shares, which add up to 1, of the arms in ``written`` (their shares in the rule, in any unit). ``assigned``
    counts the journeys in each arm, ``met`` those of them that met the condition. None: there is not enough evidence
    yet."""
    if len(written) < 2 or any(assigned.get(arm, 0) < EVIDENCE for arm in written) or not sum(met.values()):
        return None
    random = Random("segue")
    arms = list(written)
    posteriors = [
        (1 + min(met.get(arm, 0), assigned[arm]), 1 + max(0, assigned[arm] - met.get(arm, 0))) for arm in arms
    ]
    best = dict.fromkeys(arms, 0)
    for _ in range(_DRAWS):
        drawn = [random.betavariate(hits, misses) for hits, misses in posteriors]
        best[arms[drawn.index(max(drawn))]] += 1
    whole = sum(written.values())
    floors = {arm: FLOOR * share / whole for arm, share in written.items()}
    return {arm: floors[arm] + (1 - FLOOR) * best[arm] / _DRAWS for arm in arms}
