"""However late, and in whatever pieces, waits are ended: the outcome is that of a loop that was never late."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from segue.api import Instant
from segue.api.values import DAY, HOUR
from segue.runtime.ingest import ingest
from segue.runtime.running import DecisionLine
from segue.runtime.wake import wake
from segue.store.database import Store
from tests.runtime.rulebook import T0, event, publish_text

RULES = """
event reported
  ticket text
event followed_up
event nudged
customer
  nudges number

rule tickets
  when reported per ticket
  wait 5h
  emit followed_up
  wait 20h
  emit followed_up

rule follow
  when followed_up
  wait 20min
  emit nudged
  wait 15min

rule nudges
  when nudged
  on repeat restart
  set customer.nudges = customer.nudges + 1
  wait 3h unless customer.nudges > 3
  set customer.nudges = 0
"""


def decisions(step: int, piece: int) -> Counter[DecisionLine]:
    """Everything decided in three days when the loop looks every ``step`` microseconds, ``piece`` waits at a time."""
    store = Store(None)
    try:
        running = publish_text(store, RULES)
        lines: list[DecisionLine] = []
        for customer in ("ann", "bea"):
            for number in range(4):
                moment = Instant(T0 + number * HOUR // 2 + (customer == "bea"))
                traits = {"nudges": 0} if number == 0 else {}
                one = event("reported", customer, at=moment, traits=traits, ticket=f"t{number}")
                lines += store.apply(partial(ingest, running=running, events=[one], now=moment)).done.lines
        now = T0 + 2 * HOUR
        while now < T0 + 3 * DAY:
            now += step
            while True:
                woke = store.apply(partial(wake, running=running, now=Instant(now), limit=piece))
                lines += woke.done.lines
                if woke.next_due is None or woke.next_due > now:
                    break
        return Counter(lines)
    finally:
        store.close()


@pytest.mark.parametrize("piece", [1, 2, 3, 1000])
@pytest.mark.parametrize("step", [2 * HOUR, 7 * HOUR, 3 * DAY], ids=["2 h", "7 h", "3 d"])
def test_a_late_loop_decides_what_a_punctual_one_decides(step: int, piece: int) -> None:
    punctual = decisions(step=HOUR // 60, piece=1000)
    assert {line.decision for line in punctual} >= {"entered", "ignored", "exited", "finished"}
    assert decisions(step, piece) == punctual
