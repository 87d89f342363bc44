"""Local time: days, clock times and windows where the customer is."""

from __future__ import annotations

from tests.acceptance.cases import Case

CASES: list[Case] = []


def case(name: str, rules: str, story: str, expect: str, **edits: str) -> None:
    CASES.append(Case(name, rules, story, expect, edits))


case(
    "8 Monday 21:00: a day later, or tomorrow at nine",
    """
    rule a_day    when signed_up wait 1d send email
    rule tomorrow_morning when signed_up wait until tomorrow 09:00 send email
    rule on_friday when signed_up wait until friday 09:00 send email
    rule on_monday when signed_up wait until monday 20:00 send email
    """,
    """
    03-02 10:00 ann is timezone=America/New_York
    03-03 02:00 ann signed_up
    """,
    """
    03-03 02:00 ann a_day entered
    03-03 02:00 ann tomorrow_morning entered
    03-03 02:00 ann on_friday entered
    03-03 02:00 ann on_monday entered
    03-04 02:00 ann a_day sent email "a_day"
    03-04 02:00 ann a_day finished
    03-03 14:00 ann tomorrow_morning sent email "tomorrow_morning"
    03-03 14:00 ann tomorrow_morning finished
    03-06 14:00 ann on_friday sent email "on_friday"
    03-06 14:00 ann on_friday finished
    03-10 00:00 ann on_monday sent email "on_monday"
    03-10 00:00 ann on_monday finished
    """,
)
case(
    "8 Paris in spring: a day has 23 hours, 24 hours are 24",
    """
    rule a_day    when signed_up wait 1d send email
    rule in_hours when signed_up wait 24h send email
    """,
    """
    03-27 10:00 ann is timezone=Europe/Paris
    03-28 12:00+01:00 ann signed_up
    """,
    """
    03-28 11:00 ann a_day entered
    03-28 11:00 ann in_hours entered
    03-29 10:00 ann a_day sent email "a_day"
    03-29 10:00 ann a_day finished
    03-29 11:00 ann in_hours sent email "in_hours"
    03-29 11:00 ann in_hours finished
    """,
)
case(
    "8 Paris in autumn: a day has 25 hours",
    """
    rule a_day    when signed_up wait 1d send email
    rule in_hours when signed_up wait 24h send email
    """,
    """
    10-24 10:00 ann is timezone=Europe/Paris
    10-24 12:00+02:00 ann signed_up
    """,
    """
    10-24 10:00 ann a_day entered
    10-24 10:00 ann in_hours entered
    10-25 11:00 ann a_day sent email "a_day"
    10-25 11:00 ann a_day finished
    10-25 10:00 ann in_hours sent email "in_hours"
    10-25 10:00 ann in_hours finished
    """,
)
case(
    "9 a local time that does not exist moves forward; one that exists twice is the first",
    "when signed_up wait until 02:30 local send email",
    """
    03-27 10:00 ann is timezone=Europe/Paris
    03-28 22:00 ann signed_up
    10-24 22:30 ann signed_up
    """,
    """
    03-28 22:00 ann entered
    03-29 01:30 ann sent email "signed_up"
    03-29 01:30 ann finished
    10-24 22:30 ann entered
    10-25 00:30 ann sent email "signed_up"
    10-25 00:30 ann finished
    """,
)
case(
    "9 between the first and the second 02:30 it is tomorrow's that comes next",
    "when signed_up wait until 02:30 send email",
    """
    10-24 10:00 ann is timezone=Europe/Paris
    10-25 00:45 ann signed_up
    """,
    """
    10-25 00:45 ann entered
    10-26 01:30 ann sent email "signed_up"
    10-26 01:30 ann finished
    """,
)
case(
    "Lord Howe's half hour, both ways",
    """
    rule at_clock when signed_up wait until 02:15 send email
    rule twice    when signed_up wait until 01:45 send email
    rule a_day    when signed_up wait 1d send email
    """,
    """
    04-04 01:00 ann is timezone=Australia/Lord_Howe
    04-04 12:00+11:00 ann signed_up
    10-03 12:00+10:30 ann signed_up
    """,
    """
    04-04 01:00 ann at_clock entered
    04-04 01:00 ann twice entered
    04-04 01:00 ann a_day entered
    04-04 14:45 ann twice sent email "twice"
    04-04 14:45 ann twice finished
    04-04 15:45 ann at_clock sent email "at_clock"
    04-04 15:45 ann at_clock finished
    04-05 01:30 ann a_day sent email "a_day"
    04-05 01:30 ann a_day finished
    10-03 01:30 ann at_clock entered
    10-03 01:30 ann twice entered
    10-03 01:30 ann a_day entered
    10-03 15:15 ann twice sent email "twice"
    10-03 15:15 ann twice finished
    10-03 15:45 ann at_clock sent email "at_clock"
    10-03 15:45 ann at_clock finished
    10-04 01:00 ann a_day sent email "a_day"
    10-04 01:00 ann a_day finished
    """,
)
case(
    "Kathmandu's quarter hour",
    "when signed_up wait until 08:00 send email",
    """
    03-02 00:00 ann is timezone=Asia/Kathmandu
    03-02 10:00 ann signed_up
    """,
    """
    03-02 10:00 ann entered
    03-03 02:15 ann sent email "signed_up"
    03-03 02:15 ann finished
    """,
)
case(
    "10 a window over midnight",
    "when signed_up wait until time between 23:00 and 01:00 send email",
    """
    03-02 22:00 ann signed_up
    03-03 00:30 bob signed_up
    03-03 01:00 cid signed_up
    """,
    """
    03-02 22:00 ann entered
    03-02 23:00 ann sent email "signed_up"
    03-02 23:00 ann finished
    03-03 00:30 bob entered
    03-03 00:30 bob sent email "signed_up"
    03-03 00:30 bob finished
    03-03 01:00 cid entered
    03-03 23:00 cid sent email "signed_up"
    03-03 23:00 cid finished
    """,
)
case(
    "11 eight o'clock where the customer is",
    """
    rule local_time when signed_up wait until 08:00 local send email
    rule there      when signed_up wait until 08:00 Asia/Tokyo send email
    """,
    """
    2023-12-19 20:00:00 ann is timezone=America/New_York
    2023-12-19 20:00:00 bob is timezone=Asia/Tokyo
    2023-12-19 23:00:12 ann signed_up
    2023-12-19 23:00:12 bob signed_up
    2023-12-19 23:00:12 cid signed_up
    """,
    """
    2023-12-19 23:00:12 ann local_time entered
    2023-12-19 23:00:12 bob local_time entered
    2023-12-19 23:00:12 cid local_time entered
    2023-12-19 23:00:12 ann there entered
    2023-12-19 23:00:12 bob there entered
    2023-12-19 23:00:12 cid there entered
    2023-12-20 13:00 ann local_time sent email "local_time"
    2023-12-20 13:00 ann local_time finished
    2023-12-20 23:00 bob local_time sent email "local_time"
    2023-12-20 23:00 bob local_time finished
    2023-12-20 08:00 cid local_time sent email "local_time"
    2023-12-20 08:00 cid local_time finished
    2023-12-20 23:00 ann there sent email "there"
    2023-12-20 23:00 ann there finished
    2023-12-20 23:00 bob there sent email "there"
    2023-12-20 23:00 bob there finished
    2023-12-20 23:00 cid there sent email "there"
    2023-12-20 23:00 cid there finished
    """,
)
case(
    "a month later is the last day of a month that lacks the day",
    "when signed_up wait 1mo send email",
    "01-31 10:00 ann signed_up",
    """
    01-31 10:00 ann entered
    02-28 10:00 ann sent email "signed_up"
    02-28 10:00 ann finished
    """,
)
case(
    "a customer of an unknown zone has the project's",
    "when signed_up wait until 08:00 send email",
    """
    03-02 00:00 ann is timezone=Mars/Olympus
    03-02 10:00 ann signed_up
    """,
    """
    03-02 10:00 ann entered
    03-03 08:00 ann sent email "signed_up"
    03-03 08:00 ann finished
    """,
)
