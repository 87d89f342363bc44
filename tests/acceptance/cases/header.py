"""What the lines between trigger and first step do to entries: dates, shares, and how many are expected."""

from __future__ import annotations

from tests.acceptance.cases import Case

CASES: list[Case] = []


def case(name: str, rules: str, story: str, expect: str, **edits: str) -> None:
    CASES.append(Case(name, rules, story, expect, edits))


case(
    "from and to: both days included, in the customer's zone",
    "when signed_up from 2026-03-10 to 2026-03-11 stop",
    """
    03-01 10:00 cyd is timezone=Asia/Tokyo
    03-09 23:00 ann signed_up
    03-09 23:00 cyd signed_up
    03-11 23:00 ann signed_up
    03-11 23:00 cyd signed_up
    """,
    """
    03-09 23:00 ann ignored (entries only from 2026-03-10 to 2026-03-11)
    03-09 23:00 cyd entered
    03-09 23:00 cyd finished (stop)
    03-11 23:00 ann entered
    03-11 23:00 ann finished (stop)
    03-11 23:00 cyd ignored (entries only from 2026-03-10 to 2026-03-11)
    """,
)
_MANY = "\n".join(f"    03-02 10:{minute:02} c{minute} paid" for minute in range(13))
case(
    "expect: over ten times pauses entries, until the period is over",
    "event paid\nwhen paid expect 1 per 1d stop",
    _MANY
    + """
    03-02 22:00 late paid
    03-03 10:00 next paid
    03-03 10:11 then paid
    """,
    "\n".join(
        f"03-02 10:{minute:02} c{minute} entered\n03-02 10:{minute:02} c{minute} finished (stop)"
        for minute in range(11)
    )
    + """
    03-02 10:11 c11 ignored (entries are paused: far more than expected)
    03-02 10:12 c12 ignored (entries are paused: far more than expected)
    03-02 22:00 late ignored (entries are paused: far more than expected)
    03-03 10:00 next ignored (entries are paused: far more than expected)
    03-03 10:11 then entered
    03-03 10:11 then finished (stop)
    """,
)
case(
    "a visitor who signs in keeps their arm",
    """
    event paid
    rule r when paid
      split "who" 50% "a" send email 50% "b" send sms end
    """,
    """
    03-02 10:00 dev1~    paid
    03-02 10:00 dev5~    paid
    03-02 10:00 dev3~    paid
    03-02 11:00 dev1~ann paid
    03-02 11:00 dev5~bob paid
    03-02 11:00 dev3~cyd paid
    """,
    """
    03-02 10:00 dev1 entered
    03-02 10:00 dev1 sent sms "r"
    03-02 10:00 dev1 finished
    03-02 10:00 dev5 entered
    03-02 10:00 dev5 sent email "r"
    03-02 10:00 dev5 finished
    03-02 10:00 dev3 entered
    03-02 10:00 dev3 sent sms "r"
    03-02 10:00 dev3 finished
    03-02 11:00 ann entered
    03-02 11:00 ann sent sms "r"
    03-02 11:00 ann finished
    03-02 11:00 bob entered
    03-02 11:00 bob sent email "r"
    03-02 11:00 bob finished
    03-02 11:00 cyd entered
    03-02 11:00 cyd sent sms "r"
    03-02 11:00 cyd finished
    """,
)
case(
    "holdout: the journey runs and its goal counts, nothing is sent, emitted or set",
    """
    customer
      seen boolean
    event paid
    event ordered
    event told
    rule r when paid goal ordered within 7d holdout 100%
      set customer.seen = true
      emit told
      send email
      wait 1d
    rule told when told send sms
    rule flag when customer.seen changes send sms
    """,
    """
    03-02 10:00 ann paid
    03-02 11:00 ann ordered
    """,
    """
    03-02 10:00 ann r entered
    03-02 10:00 ann r skipped email "r" (holdout)
    03-02 11:00 ann r converted (ordered)
    03-03 10:00 ann r finished
    """,
)
case(
    "rollout: raising the share keeps those already in",
    "event paid\nrule r when paid rollout 30% stop",
    """
    03-02 10:00 ann paid
    03-02 10:00 bob paid
    03-02 10:00 cyd paid
    03-03 10:00 rules v2
    03-03 11:00 ann paid
    03-03 11:00 bob paid
    03-03 11:00 cyd paid
    """,
    """
    03-02 10:00 ann ignored (not among the 30% rolled out)
    03-02 10:00 bob entered
    03-02 10:00 bob finished (stop)
    03-02 10:00 cyd ignored (not among the 30% rolled out)
    03-03 11:00 ann entered
    03-03 11:00 ann finished (stop)
    03-03 11:00 bob entered
    03-03 11:00 bob finished (stop)
    03-03 11:00 cyd entered
    03-03 11:00 cyd finished (stop)
    """,
    v2="event paid\nrule r when paid rollout 60% stop",
)
