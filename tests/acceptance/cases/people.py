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
case(
    "a visitor signs in as somebody known: an order of either stops the journey of the other",
    SENTENCE,
    """
    03-01 10:00 ann      is first_name=Ann
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
    "merged customers share history: what the known one did stops the visitor's journey at once",
    SENTENCE,
    """
    03-01 10:00 ann   is first_name=Ann
    03-02 10:00 dev1~ cart_abandoned
    03-02 10:30 ann   ordered
    03-02 11:00 ann   alias was=dev1
    """,
    """
    03-02 10:00 dev1 entered
    03-02 11:00 ann  exited (unless ordered)
    """,
)
case(
    "merged customers: of two journeys of one rule the older goes on",
    SENTENCE,
    """
    03-02 10:00 dev1~    cart_abandoned
    03-02 11:00 ann      cart_abandoned
    03-02 12:00 dev1~ann signed_in
    03-02 12:30 dev1~    cart_abandoned
    """,
    """
    03-02 10:00 dev1 entered
    03-02 11:00 ann  entered
    03-02 12:00 ann  exited (merged)
    03-02 12:30 ann  ignored (already inside)
    03-03 10:00 ann  sent email "cart_abandoned"
    03-03 10:00 ann  sent sms "cart_abandoned"
    03-03 10:00 ann  finished
    """,
)
case(
    "merged customers: once counts both, and a refusal of either holds",
    "when signed_in once send email",
    """
    03-02 09:00 dev1~    unsubscribed channel=email
    03-02 10:00 dev1~    signed_in
    03-02 11:00 ann      is email=ann@example.com
    03-02 12:00 dev1~ann signed_in
    03-02 13:00 ann      signed_in
    """,
    """
    03-02 10:00 dev1 entered
    03-02 10:00 dev1 skipped email "signed_in" (consent withdrawn for promotional email)
    03-02 10:00 dev1 finished
    03-02 12:00 ann  ignored (once)
    03-02 13:00 ann  ignored (once)
    """,
)
case(
    "a shared device makes nobody the same",
    SENTENCE,
    """
    03-02 10:00 dev1~ann signed_in
    03-02 10:10 ann      cart_abandoned
    03-02 11:00 dev1~bob signed_in
    03-02 11:10 dev1~    ordered
    """,
    """
    03-02 10:10 ann entered
    03-03 10:10 ann sent email "cart_abandoned"
    03-03 10:10 ann sent sms "cart_abandoned"
    03-03 10:10 ann finished
    """,
)
case(
    "all in one batch: two visits, signing in, and an order",
    SENTENCE,
    """
    03-02 10:00 dev1~    cart_abandoned
    03-02 10:00 ann      product_viewed
    03-02 10:00 dev2~    cart_abandoned
    03-02 10:00 dev1~ann signed_in
    03-02 10:00 dev2~ann signed_in
    03-02 10:00 bob      cart_abandoned
    03-02 10:00 dev1~    ordered
    03-02 10:00 ann      cart_abandoned
    """,
    """
    03-02 10:00 dev1 entered
    03-02 10:00 dev2 entered
    03-02 10:00 dev2 exited (merged)
    03-02 10:00 bob  entered
    03-02 10:00 ann  exited (unless ordered)
    03-02 10:00 ann  entered
    03-03 10:00 bob  sent email "cart_abandoned"
    03-03 10:00 bob  sent sms "cart_abandoned"
    03-03 10:00 bob  finished
    03-03 10:00 ann  sent email "cart_abandoned"
    03-03 10:00 ann  sent sms "cart_abandoned"
    03-03 10:00 ann  finished
    """,
)
