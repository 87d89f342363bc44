"""Live segments: who goes in and out by events, by traits, by journeys and by time alone."""

from __future__ import annotations

from tests.acceptance.cases import Case

CASES: list[Case] = []


def case(name: str, rules: str, story: str, expect: str, **edits: str) -> None:
    CASES.append(Case(name, rules, story, expect, edits))


BUYERS = """
event ordered
  total money
segment buyers where ordered at least 2 times
"""
case(
    "enters by an event, which is no part of the journey's history",
    BUYERS + "when customer enters buyers until ordered wait 1d send email",
    """
    03-02 10:00 ann ordered
    03-03 10:00 ann ordered
    03-03 11:00 bob ordered
    03-05 10:00 ann ordered
    """,
    """
    03-03 10:00 ann entered
    03-04 10:00 ann sent email "buyers"
    03-04 10:00 ann finished
    """,
)
case(
    "enters: the next such event reaches the journey inside",
    BUYERS + "when customer enters buyers until ordered wait 7d send email",
    """
    03-02 10:00 ann ordered
    03-03 10:00 ann ordered
    03-05 10:00 ann ordered
    """,
    """
    03-03 10:00 ann entered
    03-05 10:00 ann exited (until ordered)
    """,
)
LAPSED = """
event ordered
segment lapsed "Bought, then went quiet"
  where count(ordered) between 1 and 3 and not ordered in last 90d
"""
case(
    "enters by nothing happening, and leaves by an order",
    LAPSED
    + """
    rule back when customer enters lapsed send email
    rule thanks when customer leaves lapsed send sms
    """,
    """
    03-02 10:00 ann ordered
    03-04 10:00 bob ordered
    03-05 10:00 bob ordered
    06-10 10:00 ann ordered
    """,
    """
    05-31 10:00 ann back entered
    05-31 10:00 ann back sent email "back"
    05-31 10:00 ann back finished
    06-03 10:00 bob back entered
    06-03 10:00 bob back sent email "back"
    06-03 10:00 bob back finished
    06-10 10:00 ann thanks entered
    06-10 10:00 ann thanks sent sms "thanks"
    06-10 10:00 ann thanks finished
    09-08 10:00 ann back entered
    09-08 10:00 ann back sent email "back"
    09-08 10:00 ann back finished
    """,
)
case(
    "a customer who is new is a member of nothing before",
    "event visited\nevent ordered\nsegment cold where not ordered\nwhen customer enters cold send email",
    """
    03-02 10:00 ann visited
    03-02 11:00 ann visited
    03-02 12:00 bob ordered
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "cold"
    03-02 10:00 ann finished
    """,
)
case(
    "enters and leaves by a trait",
    """
    customer
      points number
    segment gold where customer.points >= 100
    rule rises when customer enters gold send email
    rule falls when customer leaves gold send sms
    """,
    """
    03-02 10:00 ann is points=50
    03-02 11:00 ann is points=150
    03-02 12:00 ann is points=200
    03-02 13:00 ann is points=20
    """,
    """
    03-02 11:00 ann rises entered
    03-02 11:00 ann rises sent email "rises"
    03-02 11:00 ann rises finished
    03-02 13:00 ann falls entered
    03-02 13:00 ann falls sent sms "falls"
    03-02 13:00 ann falls finished
    """,
)
case(
    "29 a late event changes a segment, and begins nothing by that",
    BUYERS + "when customer enters buyers send email",
    """
    03-02 10:00 ann ordered
    03-05 12:00 ann ordered @03-04T10:00
    """,
    """
    03-05 12:00 ann ignored (the event was too old on arrival)
    """,
)
case(
    "32 a segment is edited and many match: no journeys; the next who turns quiet: one",
    LAPSED + "when customer enters lapsed send email",
    """
    03-02 10:00 ann ordered
    03-03 10:00 bob ordered
    03-04 10:00 cyd ordered
    03-05 10:00 dan ordered
    03-20 10:00 eve ordered
    04-10 12:00 rules v2
    04-11 10:00 fay ordered
    """,
    """
    04-19 10:00 eve entered
    04-19 10:00 eve sent email "lapsed"
    04-19 10:00 eve finished
    05-11 10:00 fay entered
    05-11 10:00 fay sent email "lapsed"
    05-11 10:00 fay finished
    """,
    v2="""
    event ordered
    segment lapsed "Bought, then went quiet"
      where count(ordered) between 1 and 3 and not ordered in last 30d
    when customer enters lapsed send email
    """,
)
case(
    "32 membership that held at publishing begins none, whatever input comes first",
    "event ordered\nrule r when ordered wait 1d",
    """
    03-02 10:00 ann ordered
    03-02 11:00 bob ordered
    03-02 12:00 cyd is points=1
    03-10 10:00 rules v2
    03-10 11:00 ann ordered
    03-10 12:00 cyd ordered
    """,
    """
    03-02 10:00 ann r entered
    03-02 11:00 bob r entered
    03-03 10:00 ann r finished
    03-03 11:00 bob r finished
    03-10 11:00 ann r entered
    03-10 12:00 cyd r entered
    03-10 12:00 cyd s entered
    03-10 12:00 cyd s sent email "s"
    03-10 12:00 cyd s finished
    03-11 11:00 ann r finished
    03-11 12:00 cyd r finished
    """,
    v2="""
    event ordered
    segment any_buyers where ordered
    rule r when ordered wait 1d
    rule s when customer enters any_buyers send email
    """,
)
case(
    "a guard that names a segment hears of time alone",
    LAPSED + "event visited\nrule visit when visited wait 120d unless in lapsed send email",
    """
    03-02 10:00 ann ordered
    03-10 10:00 ann visited
    03-10 10:00 bob visited
    """,
    """
    03-10 10:00 ann entered
    03-10 10:00 bob entered
    05-31 10:00 ann exited (unless in lapsed)
    07-08 10:00 bob sent email "visit"
    07-08 10:00 bob finished
    """,
)
case(
    "a guard hears of a segment that was edited",
    LAPSED + "event visited\nrule visit when visited on edit finish wait 120d unless in lapsed send email",
    """
    03-02 10:00 ann ordered
    03-10 10:00 ann visited
    04-10 12:00 rules v2
    04-11 10:00 bob ordered
    """,
    """
    03-10 10:00 ann entered
    04-10 12:00 ann exited (unless in lapsed)
    """,
    v2="""
    event ordered
    segment lapsed "Bought, then went quiet"
      where count(ordered) between 1 and 3 and not ordered in last 30d
    event visited
    rule visit when visited on edit finish wait 120d unless in lapsed send email
    """,
)
case(
    "for: only customers in the segment, judged as the trigger comes",
    BUYERS + "event visited\nrule r when visited for buyers send email",
    """
    03-02 10:00 ann ordered
    03-02 11:00 ann visited
    03-03 10:00 ann ordered
    03-03 11:00 ann visited
    """,
    """
    03-03 11:00 ann entered
    03-03 11:00 ann sent email "r"
    03-03 11:00 ann finished
    """,
)
case(
    "in a rule: whoever is inside it now; a guard hears as that journey begins",
    """
    event paid
    event visited
    rule first  when paid wait 2d
    rule second when visited wait 7d unless in first send email
    """,
    """
    03-02 10:00 ann visited
    03-03 10:00 ann paid
    03-03 11:00 ann visited
    03-06 10:00 ann visited
    """,
    """
    03-02 10:00 ann second entered
    03-03 10:00 ann first entered
    03-03 10:00 ann second exited (unless in first)
    03-03 11:00 ann second entered
    03-03 11:00 ann second exited (unless in first)
    03-05 10:00 ann first finished
    03-06 10:00 ann second entered
    03-13 10:00 ann second sent email "second"
    03-13 10:00 ann second finished
    """,
)
case(
    "a segment of those inside a rule changes as they enter and leave it",
    """
    event paid
    segment paying where in first
    rule first when paid wait 2d
    rule hello when customer enters paying send email
    rule bye   when customer leaves paying send sms
    """,
    """
    03-02 10:00 ann paid
    """,
    """
    03-02 10:00 ann first entered
    03-02 10:00 ann hello entered
    03-02 10:00 ann hello sent email "hello"
    03-02 10:00 ann hello finished
    03-04 10:00 ann first finished
    03-04 10:00 ann bye entered
    03-04 10:00 ann bye sent sms "bye"
    03-04 10:00 ann bye finished
    """,
)
case(
    "a chain of segment changes and sets ends",
    """
    customer
      flag boolean
    segment flagged where customer.flag
    rule raised  when customer enters flagged set customer.flag = false
    rule lowered when customer leaves flagged set customer.flag = true
    """,
    """
    03-02 10:00 ann is flag=true
    """,
    """
    03-02 10:00 ann raised entered
    03-02 10:00 ann raised finished
    03-02 10:00 ann lowered entered
    03-02 10:00 ann lowered finished
    03-02 10:00 ann raised entered
    03-02 10:00 ann raised finished
    03-02 10:00 ann lowered entered
    03-02 10:00 ann lowered finished
    03-02 10:00 ann raised ignored (a chain ended at depth 8)
    """,
)
case(
    "friday comes for everybody, in their own zone",
    "event seen\nsegment weekend where weekday = friday and seen in last 7d\nwhen customer enters weekend send email",
    """
    03-02 10:00 ann seen
    03-02 10:00 ken seen
    03-02 10:01 ken is timezone=Asia/Tokyo
    """,
    """
    03-05 15:00 ken entered
    03-05 15:00 ken sent email "weekend"
    03-05 15:00 ken finished
    03-06 00:00 ann entered
    03-06 00:00 ann sent email "weekend"
    03-06 00:00 ann finished
    """,
)
case(
    "two who are one: a member as either is one still",
    BUYERS + "rule r when customer enters buyers once per 1h send email",
    """
    03-02 10:00 ann   ordered
    03-02 11:00 dev1~ ordered
    03-02 12:00 dev2~ ordered
    03-02 13:00 dev2~ ordered
    03-03 10:00 dev1~ann seen
    03-04 10:00 dev2~ann seen
    """,
    """
    03-02 13:00 dev2 entered
    03-02 13:00 dev2 sent email "r"
    03-02 13:00 dev2 finished
    03-03 10:00 ann entered
    03-03 10:00 ann sent email "r"
    03-03 10:00 ann finished
    """,
)
