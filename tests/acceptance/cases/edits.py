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
