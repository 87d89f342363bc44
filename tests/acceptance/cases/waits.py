"""Waits: for something, until a date, and what a change of the date does."""

from __future__ import annotations

from tests.acceptance.cases import Case

CASES: list[Case] = []


def case(name: str, rules: str, story: str, expect: str, **edits: str) -> None:
    CASES.append(Case(name, rules, story, expect, edits))


case(
    "5 wait for what is true already continues at once",
    "when signed_up wait for customer.vip up to 1d send email",
    """
    03-02 09:00 ann is vip=true
    03-02 10:00 ann signed_up
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "signed_up"
    03-02 10:00 ann finished
    """,
)
case(
    "5 wait for looks back to the entry, wait for next does not",
    """
    rule back when signed_up wait 1h wait for ordered up to 1d send email "back"
    rule next_one when signed_up wait 1h wait for next ordered up to 1d send email "next"
    """,
    """
    03-02 10:00 ann signed_up
    03-02 10:30 ann ordered
    03-02 15:00 ann ordered
    """,
    """
    03-02 10:00 ann back entered
    03-02 10:00 ann next_one entered
    03-02 11:00 ann back sent email "back"
    03-02 11:00 ann back finished
    03-02 15:00 ann next_one sent email "next"
    03-02 15:00 ann next_one finished
    """,
)
case(
    "5 wait for next ordered: one before the entry does not count, not even when it arrives later",
    "when signed_up wait for next ordered up to 1d send email",
    """
    03-02 09:59 ann ordered
    03-02 10:00 ann signed_up
    03-02 10:20 ann ordered @03-02T09:58
    03-02 11:00 ann ordered
    """,
    """
    03-02 10:00 ann entered
    03-02 11:00 ann sent email "signed_up"
    03-02 11:00 ann finished
    """,
)
case(
    "6 the limit wins",
    'when ordered wait for paid up to 1d if paid send email "thanks" else send email "please_pay" end',
    """
    03-02 10:00 ann ordered
    03-09 10:00 ann paid
    """,
    """
    03-02 10:00 ann entered
    03-03 10:00 ann sent email "please_pay"
    03-03 10:00 ann finished
    """,
)
RENEWAL = "customer\n  renewal date\n"
case(
    "7 before and after a date of the customer",
    RENEWAL
    + """
    rule one_day   when signed_up wait until 1d before customer.renewal send email
    rule three     when signed_up wait until 3d before customer.renewal send email
    rule two_hours when signed_up wait until 2h after customer.renewal send email
    """,
    """
    2025-01-01 00:00 ann is renewal=2025-01-08T00:00Z
    2025-01-01 00:00 ann signed_up
    """,
    """
    2025-01-01 00:00 ann one_day entered
    2025-01-01 00:00 ann three entered
    2025-01-01 00:00 ann two_hours entered
    2025-01-05 00:00 ann three sent email "three"
    2025-01-05 00:00 ann three finished
    2025-01-07 00:00 ann one_day sent email "one_day"
    2025-01-07 00:00 ann one_day finished
    2025-01-08 02:00 ann two_hours sent email "two_hours"
    2025-01-08 02:00 ann two_hours finished
    """,
)
case(
    "7 without an offset a date is in the customer's zone; Unix seconds are taken",
    RENEWAL + "when signed_up wait until customer.renewal send email",
    """
    03-02 10:00 ann is timezone=Asia/Tokyo renewal=2026-03-05T12:00:00
    03-02 10:00 bob is timezone=Asia/Tokyo renewal=2026-03-05
    03-02 10:00 cid is timezone=Asia/Tokyo renewal=1772712000
    03-02 10:00 ann signed_up
    03-02 10:00 bob signed_up
    03-02 10:00 cid signed_up
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 bob entered
    03-02 10:00 cid entered
    03-04 15:00 bob sent email "signed_up"
    03-04 15:00 bob finished
    03-05 03:00 ann sent email "signed_up"
    03-05 03:00 ann finished
    03-05 12:00 cid sent email "signed_up"
    03-05 12:00 cid finished
    """,
)
case(
    "7 already past: before exits with that reason, until goes on and waits count from now",
    RENEWAL
    + """
    rule too_late when signed_up wait until 3d before customer.renewal send email
    rule goes_on  when signed_up wait until customer.renewal wait 1h send email
    rule day_gone when signed_up wait until 2026-01-01 09:00 wait 1h send email
    """,
    """
    03-02 10:00 ann is renewal=2026-03-01T00:00:00Z
    03-02 10:00 ann signed_up
    """,
    """
    03-02 10:00 ann too_late entered
    03-02 10:00 ann too_late exited (3d before the date was already past)
    03-02 10:00 ann goes_on entered
    03-02 11:00 ann goes_on sent email "goes_on"
    03-02 11:00 ann goes_on finished
    03-02 10:00 ann day_gone entered
    03-02 11:00 ann day_gone sent email "day_gone"
    03-02 11:00 ann day_gone finished
    """,
)
case(
    "when a trait changes, so does the wait",
    RENEWAL + "when signed_up wait until 1d before customer.renewal wait 1h send email",
    """
    03-02 10:00 ann is renewal=2026-03-10T12:00:00Z
    03-02 10:00 bob is renewal=2026-03-10T12:00:00Z
    03-02 10:00 cid is renewal=2026-03-10T12:00:00Z
    03-02 10:00 ann signed_up
    03-02 10:00 bob signed_up
    03-02 10:00 cid signed_up
    03-04 10:00 ann is renewal=2026-03-20T12:00:00Z
    03-04 10:00 bob is renewal=2026-03-06T12:00:00Z
    03-08 10:00 cid is renewal=2026-03-08T12:00:00Z
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 bob entered
    03-02 10:00 cid entered
    03-05 13:00 bob sent email "signed_up"
    03-05 13:00 bob finished
    03-08 10:00 cid exited (1d before the date was already past)
    03-19 13:00 ann sent email "signed_up"
    03-19 13:00 ann finished
    """,
)
case(
    "a trait that changes to a past date ends the wait now, and the next wait counts from now",
    RENEWAL + "when signed_up wait until customer.renewal wait 1h send email",
    """
    03-02 10:00 ann is renewal=2026-03-10T12:00:00Z
    03-02 10:00 ann signed_up
    03-05 10:00 ann is renewal=2026-03-03T12:00:00Z
    """,
    """
    03-02 10:00 ann entered
    03-05 11:00 ann sent email "signed_up"
    03-05 11:00 ann finished
    """,
)
case(
    "a wait until now and so many days of the customer counts from its beginning, however the number changes",
    """
    customer
      cycle_days number
    when signed_up wait until now + customer.cycle_days * 1d send email
    """,
    """
    03-02 10:00 ann is cycle_days=7
    03-02 10:00 bob is cycle_days=7
    03-02 10:00 ann signed_up
    03-02 10:00 bob signed_up
    03-05 10:00 ann is cycle_days=5
    03-05 10:00 bob is cycle_days=2
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 bob entered
    03-05 10:00 bob sent email "signed_up"
    03-05 10:00 bob finished
    03-07 10:00 ann sent email "signed_up"
    03-07 10:00 ann finished
    """,
)
case(
    "a wait until a clock time moves with the customer; one that is past there comes again",
    "when signed_up wait until tomorrow 09:00 send email",
    """
    03-02 21:00 ann signed_up
    03-02 21:00 bob signed_up
    03-03 01:00 ann is timezone=America/New_York
    03-03 08:00 bob is timezone=Asia/Tokyo
    """,
    """
    03-02 21:00 ann entered
    03-02 21:00 bob entered
    03-03 14:00 ann sent email "signed_up"
    03-03 14:00 ann finished
    03-04 00:00 bob sent email "signed_up"
    03-04 00:00 bob finished
    """,
)
case(
    "a date that is missing ends the journey with that reason",
    RENEWAL + "when signed_up wait until 1d before customer.renewal send email",
    "03-02 10:00 ann signed_up",
    """
    03-02 10:00 ann entered
    03-02 10:00 ann exited (the date to wait for is missing)
    """,
)
case(
    "wait until a literal day, a field of the event, and an expression",
    """
    event booked
      visit date
      nights number
    rule literal    when booked wait until 2026-03-20 send email
    rule field      when booked wait until visit send email
    rule reckoned   when booked wait until now + nights * 1d send email
    rule in_morning when booked wait until 2d before visit at 09:00 send email
    rule afterwards when booked wait until 1d after visit at 18:30 send email
    """,
    """
    03-02 09:00 ann is timezone=Europe/Helsinki
    03-02 10:00 ann booked visit=2026-03-10T15:00:00+02:00 nights=3
    """,
    """
    03-02 10:00 ann literal entered
    03-02 10:00 ann field entered
    03-02 10:00 ann reckoned entered
    03-02 10:00 ann in_morning entered
    03-02 10:00 ann afterwards entered
    03-05 10:00 ann reckoned sent email "reckoned"
    03-05 10:00 ann reckoned finished
    03-08 07:00 ann in_morning sent email "in_morning"
    03-08 07:00 ann in_morning finished
    03-10 13:00 ann field sent email "field"
    03-10 13:00 ann field finished
    03-11 16:30 ann afterwards sent email "afterwards"
    03-11 16:30 ann afterwards finished
    03-19 22:00 ann literal sent email "literal"
    03-19 22:00 ann literal finished
    """,
)
