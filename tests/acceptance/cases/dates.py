"""What begins a journey by a customer's traits: one that changes, and dates."""

from __future__ import annotations

from tests.acceptance.cases import Case

CASES: list[Case] = []


def case(name: str, rules: str, story: str, expect: str, **edits: str) -> None:
    CASES.append(Case(name, rules, story, expect, edits))


PLAN = """
customer
  plan text
  note text
"""
case(
    "a trait changes, also from nothing; the same value again is no change",
    PLAN + "when customer.plan changes send email",
    """
    03-02 10:00 ann is plan=free
    03-02 11:00 ann is plan=free
    03-02 12:00 ann is plan=gold note=x
    03-02 13:00 ann is note=y
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "plan"
    03-02 10:00 ann finished
    03-02 12:00 ann entered
    03-02 12:00 ann sent email "plan"
    03-02 12:00 ann finished
    """,
)
case(
    "a trait changes to a value; old and new are its fields",
    PLAN
    + """
    rule r
    when customer.plan changes to "gold" where old = "free"
      if new = "gold" send email end
    """,
    """
    03-02 10:00 ann is plan=gold
    03-02 11:00 ann is plan=free
    03-02 12:00 ann is plan=gold
    """,
    """
    03-02 12:00 ann entered
    03-02 12:00 ann sent email "r"
    03-02 12:00 ann finished
    """,
)
case(
    "a trait that a rule sets begins another",
    PLAN
    + """
    event paid
    rule first  when paid set customer.plan = "gold"
    rule second when customer.plan changes to "gold" send email
    """,
    """
    03-02 10:00 ann paid
    03-02 11:00 ann paid
    """,
    """
    03-02 10:00 ann first entered
    03-02 10:00 ann first finished
    03-02 10:00 ann second entered
    03-02 10:00 ann second sent email "second"
    03-02 10:00 ann second finished
    03-02 11:00 ann first entered
    03-02 11:00 ann first finished
    """,
)
RENEWAL = """
customer
  renewal date
event paid
"""
case(
    "7 before and after a date, with and without a clock",
    RENEWAL
    + """
    rule soon  when 3d before customer.renewal send email
    rule nine  when 3d before customer.renewal at 09:00 send sms
    rule later when 2h after customer.renewal send push
    """,
    """
    01-01 00:00 ann is renewal=2026-01-08T00:00Z
    """,
    """
    01-05 00:00 ann soon  entered
    01-05 00:00 ann soon  sent email "soon"
    01-05 00:00 ann soon  finished
    01-05 09:00 ann nine  entered
    01-05 09:00 ann nine  sent sms "nine"
    01-05 09:00 ann nine  finished
    01-08 02:00 ann later entered
    01-08 02:00 ann later sent push "later"
    01-08 02:00 ann later finished
    """,
)
case(
    "a date without an offset is in the customer's zone, and follows the customer's zone",
    RENEWAL + "when 1d before customer.renewal at 09:00 send email",
    """
    03-02 10:00 ann is renewal=2026-03-10 timezone=Europe/Helsinki
    03-02 10:00 bob is renewal=2026-03-10
    03-02 10:00 cyd is renewal=2026-03-10 timezone=Europe/Helsinki
    03-05 10:00 cyd is timezone=America/New_York
    """,
    """
    03-09 07:00 ann entered
    03-09 07:00 ann sent email "renewal"
    03-09 07:00 ann finished
    03-09 09:00 bob entered
    03-09 09:00 bob sent email "renewal"
    03-09 09:00 bob finished
    03-09 13:00 cyd entered
    03-09 13:00 cyd sent email "renewal"
    03-09 13:00 cyd finished
    """,
)
case(
    "a date that moves takes its moment with it; one that is past begins none",
    RENEWAL + "when 3d before customer.renewal send email",
    """
    03-02 10:00 ann is renewal=2026-03-10T10:00Z
    03-05 10:00 ann is renewal=2026-03-20T10:00Z
    03-18 10:00 ann is renewal=2026-03-19T10:00Z
    03-20 10:00 ann is renewal=2026-04-20T10:00Z
    """,
    """
    03-17 10:00 ann entered
    03-17 10:00 ann sent email "renewal"
    03-17 10:00 ann finished
    04-17 10:00 ann entered
    04-17 10:00 ann sent email "renewal"
    04-17 10:00 ann finished
    """,
)
case(
    "a date already past at publishing begins none, a later one does",
    "customer\n  renewal date\nevent paid\nrule r when paid stop",
    """
    03-02 10:00 ann is renewal=2026-03-06T10:00Z
    03-02 10:00 bob is renewal=2026-03-12T10:00Z
    03-05 10:00 rules v2
    03-05 12:00 cyd paid
    """,
    """
    03-05 12:00 cyd r entered
    03-05 12:00 cyd r finished (stop)
    03-09 10:00 bob s entered
    03-09 10:00 bob s sent email "s"
    03-09 10:00 bob s finished
    """,
    v2="""
    customer
      renewal date
    event paid
    rule r when paid stop
    rule s when 3d before customer.renewal send email
    """,
)
case(
    "every year on a birthday, also one of 29 February, and before it",
    """
    customer
      birthday date
    event seen
    rule day  every year on customer.birthday at 09:00 send email
    rule week every year 7d before customer.birthday send sms
    """,
    """
    2025-06-01 10:00 ann is birthday=1990-03-10 timezone=Europe/Helsinki
    2025-06-01 10:00 bob is birthday=1992-02-29
    2026-03-20 10:00 cyd seen
    """,
    """
    02-21 00:00 bob week entered
    02-21 00:00 bob week sent sms "week"
    02-21 00:00 bob week finished
    02-28 09:00 bob day  entered
    02-28 09:00 bob day  sent email "day"
    02-28 09:00 bob day  finished
    03-02 22:00 ann week entered
    03-02 22:00 ann week sent sms "week"
    03-02 22:00 ann week finished
    03-10 07:00 ann day  entered
    03-10 07:00 ann day  sent email "day"
    03-10 07:00 ann day  finished
    """,
)
case(
    "dates and zones that are none are as if they were missing; Unix seconds may be text",
    """
    customer
      renewal date
    rule r when 1h before customer.renewal send email
    """,
    """
    01-02 10:00 ann is renewal=1769871600 timezone=Mars/Phobos
    01-02 10:00 bob is renewal="1769871600" timezone=../../etc/passwd
    01-02 10:00 cyd is renewal=soon
    01-02 10:00 dan is renewal=true timezone=5
    01-02 10:00 eve is renewal=1e300
    01-02 10:00 fay is renewal=2026-01-31T15:00:00 timezone=""
    """,
    """
    01-31 14:00 ann entered
    01-31 14:00 ann sent email "r"
    01-31 14:00 ann finished
    01-31 14:00 bob entered
    01-31 14:00 bob sent email "r"
    01-31 14:00 bob finished
    01-31 14:00 fay entered
    01-31 14:00 fay sent email "r"
    01-31 14:00 fay finished
    """,
)
