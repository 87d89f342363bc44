"""Devices, customers, and the events of both."""

from __future__ import annotations

from tests.acceptance.cases import SENTENCE, Case

CASES: list[Case] = []


def case(name: str, rules: str, story: str, expect: str, **edits: str) -> None:
    CASES.append(Case(name, rules, story, expect, edits))


case(
    "a device becomes a customer, and the journey goes on",
    SENTENCE,
    """
    03-02 10:00 dev1~    cart_abandoned
    03-02 10:05 dev1~ann signed_in
    03-02 11:00 ann      ordered
    """,
    """
    03-02 10:00 dev1 entered
    03-02 11:00 ann  exited (unless ordered)
    """,
)
case(
    "an alias makes the device the customer",
    SENTENCE,
    """
    03-02 10:00 dev1~ cart_abandoned
    03-02 10:05 ann   alias was=dev1
    """,
    """
    03-02 10:00 dev1 entered
    03-03 10:00 ann  sent email "cart_abandoned"
    03-03 10:00 ann  sent sms "cart_abandoned"
    03-03 10:00 ann  finished
    """,
)
case(
    "after signing in the device's later events are the customer's",
    SENTENCE,
    """
    03-02 10:00 dev1~ann signed_in
    03-02 11:00 ann      cart_abandoned
    03-02 12:00 dev1~    ordered
    """,
    """
    03-02 11:00 ann entered
    03-02 12:00 ann exited (unless ordered)
    """,
)
