"""The sentence: `when cart_abandoned wait 1d unless ordered send email then sms`."""

from __future__ import annotations

from tests.acceptance.cases import SENTENCE, Case

CASES: list[Case] = []


def case(name: str, rules: str, story: str, expect: str, **edits: str) -> None:
    CASES.append(Case(name, rules, story, expect, edits))


case(
    "the sentence: nobody orders",
    SENTENCE,
    "03-02 10:00 ann cart_abandoned",
    """
    03-02 10:00 ann entered
    03-03 10:00 ann sent email "cart_abandoned"
    03-03 10:00 ann sent sms "cart_abandoned"
    03-03 10:00 ann finished
    """,
)
case(
    "the sentence: an order stops it",
    SENTENCE,
    """
    03-02 10:00 ann cart_abandoned
    03-02 12:30 ann ordered total=60
    """,
    """
    03-02 10:00 ann entered
    03-02 12:30 ann exited (unless ordered)
    """,
)
case(
    "the sentence: another customer's order stops nothing",
    SENTENCE,
    """
    03-02 10:00 ann cart_abandoned
    03-02 12:30 bob ordered total=60
    """,
    """
    03-02 10:00 ann entered
    03-03 10:00 ann sent email "cart_abandoned"
    03-03 10:00 ann sent sms "cart_abandoned"
    03-03 10:00 ann finished
    """,
)
case(
    "16 an order between email and SMS: no SMS",
    SENTENCE,
    """
    03-02 09:00 channel email sends after=30min
    03-02 10:00 ann     cart_abandoned
    03-03 10:10 ann     ordered
    """,
    """
    03-02 10:00 ann entered
    03-03 10:10 ann exited (unless ordered)
    03-03 10:30 ann sent email "cart_abandoned"
    """,
)
case(
    "an order in the same second as the end of the wait stops it",
    SENTENCE,
    """
    03-02 10:00 ann cart_abandoned
    03-03 10:00 ann ordered
    """,
    """
    03-02 10:00 ann entered
    03-03 10:00 ann exited (unless ordered)
    """,
)
