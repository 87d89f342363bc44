"""What the calendar begins: recurring triggers and broadcasts, in each customer's zone or a named one."""

from __future__ import annotations

from tests.acceptance.cases import Case

CASES: list[Case] = []


def case(name: str, rules: str, story: str, expect: str, **edits: str) -> None:
    CASES.append(Case(name, rules, story, expect, edits))


SHOP = """
customer
  vip boolean
event seen
segment vips where customer.vip
segment everyone where seen
"""
case(
    "weekdays in each customer's own zone, in pieces",
    SHOP + "rule digest every monday thursday at 09:00 local for vips send email",
    """
    03-03 10:00 ann is vip=true
    03-03 10:01 bob is vip=true timezone=America/New_York
    03-03 10:02 cyd is vip=true timezone=Asia/Tokyo
    03-03 10:03 dan is vip=false
    03-03 10:04 eve is vip=true
    03-03 10:05 fay is vip=true
    03-08 10:00 dan seen
    """,
    """
    03-05 00:00 cyd entered
    03-05 00:00 cyd sent email "digest"
    03-05 00:00 cyd finished
    03-05 09:00 ann entered
    03-05 09:00 ann sent email "digest"
    03-05 09:00 ann finished
    03-05 09:00 eve entered
    03-05 09:00 eve sent email "digest"
    03-05 09:00 eve finished
    03-05 09:00 fay entered
    03-05 09:00 fay sent email "digest"
    03-05 09:00 fay finished
    03-05 14:00 bob entered
    03-05 14:00 bob sent email "digest"
    03-05 14:00 bob finished
    """,
)
case(
    "9 every day over both changes of the clock, in a named zone",
    SHOP + "rule night every day at 02:30 Europe/Paris for everyone send email",
    """
    03-27 10:00 ann seen
    03-30 10:00 ann seen
    """,
    """
    03-28 01:30 ann entered
    03-28 01:30 ann sent email "night"
    03-28 01:30 ann finished
    03-29 01:30 ann entered
    03-29 01:30 ann sent email "night"
    03-29 01:30 ann finished
    03-30 00:30 ann entered
    03-30 00:30 ann sent email "night"
    03-30 00:30 ann finished
    """,
)
case(
    "9 a clock time that exists twice comes once, the first time",
    SHOP + "rule night every day at 02:30 for everyone send email",
    """
    10-24 10:00 ann is timezone=Europe/Paris
    10-24 10:01 ann seen
    10-26 10:00 ann seen
    """,
    """
    10-25 00:30 ann entered
    10-25 00:30 ann sent email "night"
    10-25 00:30 ann finished
    10-26 01:30 ann entered
    10-26 01:30 ann sent email "night"
    10-26 01:30 ann finished
    """,
)
case(
    "every month on a day that some months lack",
    SHOP + "rule bill every month 31 at 08:00 for everyone send email",
    """
    01-15 10:00 ann seen
    05-01 10:00 ann seen
    """,
    """
    01-31 08:00 ann entered
    01-31 08:00 ann sent email "bill"
    01-31 08:00 ann finished
    02-28 08:00 ann entered
    02-28 08:00 ann sent email "bill"
    02-28 08:00 ann finished
    03-31 08:00 ann entered
    03-31 08:00 ann sent email "bill"
    03-31 08:00 ann finished
    04-30 08:00 ann entered
    04-30 08:00 ann sent email "bill"
    04-30 08:00 ann finished
    """,
)
case(
    "a broadcast: who exists then and is in the segment, in pieces and whole",
    SHOP + "rule sale on 2026-11-27 at 08:00 Europe/Helsinki for vips send email",
    """
    03-02 10:00 ann is vip=true timezone=Asia/Tokyo
    03-02 10:01 bob is vip=true
    03-02 10:02 cyd is vip=true
    03-02 10:03 dan is vip=true
    03-02 10:04 eve is vip=false
    03-02 10:05 fay is vip=true
    """,
    """
    11-27 06:00 ann entered
    11-27 06:00 ann sent email "sale"
    11-27 06:00 ann finished
    11-27 06:00 bob entered
    11-27 06:00 bob sent email "sale"
    11-27 06:00 bob finished
    11-27 06:00 cyd entered
    11-27 06:00 cyd sent email "sale"
    11-27 06:00 cyd finished
    11-27 06:00 dan entered
    11-27 06:00 dan sent email "sale"
    11-27 06:00 dan finished
    11-27 06:00 fay entered
    11-27 06:00 fay sent email "sale"
    11-27 06:00 fay finished
    """,
)
case(
    "a broadcast that is past at publishing begins none",
    SHOP + "rule sale on 2026-03-01 at 08:00 for vips send email",
    """
    03-02 10:00 ann is vip=true
    """,
    "",
)
case(
    "the calendar waits for whoever is inside already",
    SHOP + "rule digest every day at 09:00 for vips wait 30h send email",
    """
    03-02 08:00 ann is vip=true
    03-04 10:00 ann seen
    """,
    """
    03-02 09:00 ann entered
    03-03 09:00 ann ignored (already inside)
    03-03 15:00 ann sent email "digest"
    03-03 15:00 ann finished
    03-04 09:00 ann entered
    03-05 15:00 ann sent email "digest"
    03-05 15:00 ann finished
    """,
)
case(
    "an edit of the steps keeps the moment, one of the trigger sets another",
    SHOP + "rule digest every day at 09:00 for vips send email",
    """
    03-02 08:00 ann is vip=true
    03-02 12:00 rules v2
    03-03 12:00 rules v3
    03-04 19:00 ann seen
    """,
    """
    03-02 09:00 ann entered
    03-02 09:00 ann sent email "digest"
    03-02 09:00 ann finished
    03-03 09:00 ann entered
    03-03 09:00 ann sent sms "digest"
    03-03 09:00 ann finished
    03-03 18:00 ann entered
    03-03 18:00 ann sent sms "digest"
    03-03 18:00 ann finished
    03-04 18:00 ann entered
    03-04 18:00 ann sent sms "digest"
    03-04 18:00 ann finished
    """,
    v2=SHOP + "rule digest every day at 09:00 for vips send sms",
    v3=SHOP + "rule digest every day at 18:00 for vips send sms",
)
