"""Rules that are edited while customers are inside."""

from __future__ import annotations

from tests.acceptance.cases import Case

CASES: list[Case] = []


def case(name: str, rules: str, story: str, expect: str, **edits: str) -> None:
    CASES.append(Case(name, rules, story, expect, edits))


case(
    "25 on edit finish: who is inside keeps the version they began with",
    "rule r when signed_up on edit finish wait 7d send email",
    """
    03-02 10:00 ann   signed_up
    03-05 10:00 rules v2
    03-05 12:00 bob   signed_up
    """,
    """
    03-02 10:00 ann entered
    03-05 12:00 bob entered
    03-06 12:00 bob sent email "r"
    03-06 12:00 bob finished
    03-09 10:00 ann sent email "r"
    03-09 10:00 ann finished
    """,
    v2="rule r when signed_up wait 1d send email",
)
case(
    "25 removing a rule exits everyone inside; a renamed rule is a new one",
    "rule r when signed_up wait 7d send email",
    """
    03-02 10:00 ann   signed_up
    03-05 10:00 rules v2
    03-05 12:00 ann   signed_up
    """,
    """
    03-02 10:00 ann r entered
    03-05 10:00 ann r exited (the rule was removed)
    03-05 12:00 ann s entered
    03-06 12:00 ann s sent email "s"
    03-06 12:00 ann s finished
    """,
    v2="rule s when signed_up wait 1d send email",
)

FOLLOW = "rule r when signed_up on edit follow wait 7d send email"
case(
    "25 on edit follow, shortened to what is over already: goes on when the edit is published",
    FOLLOW,
    """
    03-02 10:00 ann signed_up
    03-05 10:00 rules v2
    03-05 12:00 bob signed_up
    """,
    """
    03-02 10:00 ann entered
    03-05 10:00 ann sent email "r"
    03-05 10:00 ann finished
    03-05 12:00 bob entered
    03-06 12:00 bob sent email "r"
    03-06 12:00 bob finished
    """,
    v2="rule r when signed_up on edit follow wait 1d send email",
)
case(
    "25 on edit follow, shortened to day 5 and lengthened to day 10; an event in between comes after the edit",
    FOLLOW,
    """
    03-02 10:00 ann signed_up
    03-03 10:00 bob signed_up
    03-03 11:00 cyd signed_up
    03-05 10:00 rules v2
    03-05 11:00 ann signed_up
    03-07 12:00 rules v3
    03-07 13:00 cyd ordered
    """,
    """
    03-02 10:00 ann entered
    03-03 10:00 bob entered
    03-03 11:00 cyd entered
    03-05 11:00 ann ignored (already inside)
    03-07 10:00 ann sent email "r"
    03-07 10:00 ann finished
    03-07 13:00 cyd exited (unless ordered)
    03-13 10:00 bob sent email "r"
    03-13 10:00 bob finished
    """,
    v2="rule r when signed_up on edit follow wait 5d send email",
    v3="rule r when signed_up on edit follow wait 10d unless ordered send email",
)
case(
    "on edit: the new text's line decides",
    "rule r when signed_up on edit finish wait 7d send email",
    """
    03-02 10:00 ann signed_up
    03-05 10:00 rules v2
    03-05 12:00 bob signed_up
    03-06 10:00 rules v3
    """,
    """
    03-02 10:00 ann entered
    03-05 12:00 bob entered
    03-06 10:00 ann sent sms "r"
    03-06 10:00 ann finished
    03-06 12:00 bob sent sms "r"
    03-06 12:00 bob finished
    """,
    v2="rule r when signed_up on edit follow wait 4d send sms",
    v3="rule r when signed_up on edit follow wait 1d send sms",
)
case(
    "27 arms stick on another entry, and when a step is put before the split",
    """
    rule r when signed_up
      split "who" 50% "a" send email 50% "b" send sms end
    """,
    """
    03-02 10:00 ann signed_up
    03-02 10:00 dan signed_up
    03-02 10:00 cyd signed_up
    03-03 10:00 ann signed_up
    03-04 10:00 rules v2
    03-05 10:00 ann signed_up
    03-05 10:00 dan signed_up
    03-05 10:00 cyd signed_up
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent sms "r"
    03-02 10:00 ann finished
    03-02 10:00 dan entered
    03-02 10:00 dan sent email "r"
    03-02 10:00 dan finished
    03-02 10:00 cyd entered
    03-02 10:00 cyd sent sms "r"
    03-02 10:00 cyd finished
    03-03 10:00 ann entered
    03-03 10:00 ann sent sms "r"
    03-03 10:00 ann finished
    03-05 10:00 ann entered
    03-05 10:00 ann sent push "r"
    03-05 10:00 ann sent sms "r"
    03-05 10:00 ann finished
    03-05 10:00 dan entered
    03-05 10:00 dan sent push "r"
    03-05 10:00 dan sent email "r"
    03-05 10:00 dan finished
    03-05 10:00 cyd entered
    03-05 10:00 cyd sent push "r"
    03-05 10:00 cyd sent sms "r"
    03-05 10:00 cyd finished
    """,
    v2="""
    rule r when signed_up
      send push
      split "who" 1% "a" send email 99% "b" send sms end
    """,
)
case(
    "going back to an earlier text is an edit like any other",
    FOLLOW,
    """
    03-02 10:00 ann signed_up
    03-03 10:00 rules v2
    03-04 10:00 rules v1
    03-04 11:00 bob ordered
    """,
    """
    03-02 10:00 ann entered
    03-09 10:00 ann sent email "r"
    03-09 10:00 ann finished
    """,
    v1=FOLLOW,
    v2="rule r when signed_up on edit follow wait 20d send sms",
)
case(
    "a rule that says once since its edit knows who was in it before",
    "rule r when signed_up send email",
    """
    03-02 10:00 ann signed_up
    03-03 10:00 rules v2
    03-04 10:00 ann signed_up
    03-04 10:00 bob signed_up
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "r"
    03-02 10:00 ann finished
    03-04 10:00 ann ignored (once)
    03-04 10:00 bob entered
    03-04 10:00 bob sent email "r"
    03-04 10:00 bob finished
    """,
    v2="rule r when signed_up once send email",
)
