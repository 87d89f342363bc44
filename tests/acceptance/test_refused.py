"""What the language has and Segue does not carry out yet is refused by name, never ignored."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.cases import SENTENCE
from tests.acceptance.drivers import check_by_command

REFUSED = {
    "5 in a segment": (
        "segment paying where ordered ever\nwhen signed_up wait for in paying up to 1d send email",
        ["`segment`", "`in paying`"],
    ),
    "17 quiet hours": ("policy promotional quiet 21:00 to 09:00 local\n" + SENTENCE, ["`policy`"]),
    "18 a limit that defers": ("policy promotional limit 1 email per 24h defer 6h\n" + SENTENCE, ["`policy`"]),
    "19 two limits": ("policy promotional limit 1 sms per 7d limit 2 messages per 1d\n" + SENTENCE, ["`policy`"]),
    "25 on edit follow": ("when signed_up on edit follow wait 7d send email", ["`on edit follow`"]),
    "27 a split": ('when signed_up split 50% "a" send email 50% "b" send sms end', ["`split`"]),
    "32 entering a segment": (
        "segment lapsed where not ordered in last 90d\nwhen customer enters lapsed send email",
        ["`segment`", "customer enters a segment"],
    ),
    "leaving a segment": (
        "segment lapsed where not ordered in last 90d\nwhen customer leaves lapsed send email",
        ["`segment`", "customer leaves a segment"],
    ),
    "a trait that changes": ('when customer.plan changes to "gold" send email', ["trait changes"]),
    "before a date": ("when 3d before customer.birthday at 09:00 send email", ["before or after a date"]),
    "recurring": ("every monday thursday at 09:00 local for x send email", ["`every`", "`for x`"]),
    "one date": ("on 2026-11-27 at 08:00 Europe/Helsinki send email", ["`on`"]),
    "repeat": ("when signed_up repeat 3 times send email wait 1d end", ["`repeat`"]),
    "best time": ("when signed_up wait until best time send email", ["best time"]),
    "preferred": ("when signed_up send preferred", ["`preferred`"]),
    "coupon": ('when signed_up send email with code = coupon("C10")', ["`coupon(…)`"]),
    "holdout": ("when signed_up goal ordered within 7d holdout 5% send email", ["`holdout`"]),
    "rollout": ("when signed_up rollout 10% send email", ["`rollout`"]),
    "expect": ("when signed_up expect 100 per 1d send email", ["`expect`"]),
    "from": ("when signed_up from 2026-11-20 to 2026-11-30 send email", ["`from`"]),
    "test": ('rule r when signed_up send email\ntest "t" for r at 0h signed_up expect email', ["`test`"]),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_not_carried_out_yet_is_refused_by_name(name: str, tmp_path: Path) -> None:
    rules, named = REFUSED[name]
    found = check_by_command(rules, tmp_path)
    messages = [each["message"] for each in found if each["code"] == "E0601"]
    assert len(messages) == len(named), found
    for words in named:
        assert any(words in message and "not carried out yet" in message for message in messages), found
