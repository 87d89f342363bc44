"""Credit goes to arms: a touch knows in which arm of a split its customer was."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from segue.measure.touchpoints.columns import NONE
from segue.measure.touchpoints.joining import relabel
from tests.store import test_touchpoints as told

RULES = """
rule hello
  when signed_up
  goal ordered within 30d worth total
  split "subject"
    50% "short"
      send email "welcome"
    50% "long"
      send email "welcome long"
  end
"""


def test_touches_are_labelled_by_the_arm_of_their_journey(tmp_path: Path) -> None:
    shop = told.Shop(tmp_path / "store.db", RULES)
    try:
        arms = []
        for minute in range(12):
            lines = shop.tell(minute, "signed_up", f"c{minute}")
            (sent,) = {line.message for line in lines if line.decision == "sent" and line.channel == "email"}
            arms.append("long" if sent == "welcome long" else "short")
        assert {*arms} == {"long", "short"}
        touches = shop.read(arms=True)
        names, codes = relabel(touches, np.arange(len(touches.at)), "arm")
        found = sorted(zip(touches.at.tolist(), (names[code] for code in codes.tolist()), strict=True))
        assert [name for _, name in found] == [f"subject: {arm}" for arm in arms]
        names, _ = relabel(shop.read(), np.arange(len(touches.at)), "arm")
        assert names == (NONE,)
    finally:
        shop.store.close()
