"""Windows, guards and goals by the events' own timestamps, in whatever order they arrive."""

from __future__ import annotations

from tests.acceptance.cases import Case

CASES: list[Case] = []


def case(name: str, rules: str, story: str, expect: str, **edits: str) -> None:
    CASES.append(Case(name, rules, story, expect, edits))


case(
    "orders that arrive out of order count by when they happened, to either side of a window's edge",
    "when product_viewed where count(ordered in last 1d) = 2 send email",
    """
    03-03 10:00 ann ordered @03-02T12:00
    03-03 10:00 ann ordered @03-03T09:00
    03-03 10:00 ann ordered @03-02T11:59
    03-03 10:00 bob ordered @03-02T11:58
    03-03 10:00 bob ordered @03-03T09:00
    03-03 11:59 ann product_viewed
    03-03 11:59 bob product_viewed
    """,
    """
    03-03 11:59 ann entered
    03-03 11:59 ann sent email "product_viewed"
    03-03 11:59 ann finished
    """,
)
case(
    "the last order is the one that happened last, not the one that arrived last",
    "when product_viewed where last(ordered.total ever) = 20 send email",
    """
    03-02 10:00 ann ordered total=20 @03-02T09:00
    03-02 11:00 ann ordered total=10 @03-01T09:00
    03-02 12:00 ann product_viewed
    """,
    """
    03-02 12:00 ann entered
    03-02 12:00 ann sent email "product_viewed"
    03-02 12:00 ann finished
    """,
)
case(
    "a late event ends a wait for it in the moment it arrives, while the wait goes on",
    "when cart_abandoned wait for ordered up to 2d send email",
    """
    03-02 10:00 ann cart_abandoned
    03-03 10:00 ann ordered @03-02T11:00
    """,
    """
    03-02 10:00 ann entered
    03-03 10:00 ann sent email "cart_abandoned"
    03-03 10:00 ann finished
    """,
)
case(
    "a late event that would have ended a wait sends nothing once more, and takes nothing back",
    "when cart_abandoned wait for ordered up to 2d if ordered send email else send sms end wait 5d send push",
    """
    03-02 10:00 ann cart_abandoned
    03-05 10:00 ann ordered @03-02T11:00
    """,
    """
    03-02 10:00 ann entered
    03-04 10:00 ann sent sms "cart_abandoned"
    03-09 10:00 ann sent push "cart_abandoned"
    03-09 10:00 ann finished
    """,
)
case(
    "an event from before the journey ends no wait for it, and stops no journey",
    "when cart_abandoned wait for ordered up to 1d unless ordered send email",
    """
    03-02 10:00 ann cart_abandoned
    03-02 12:00 ann ordered @03-02T09:59
    """,
    """
    03-02 10:00 ann entered
    03-03 10:00 ann sent email "cart_abandoned"
    03-03 10:00 ann finished
    """,
)
case(
    "a late event stops what is still to come, after one message went that it would have stopped",
    "when cart_abandoned wait 1d unless ordered send email wait 2d send sms",
    """
    03-02 10:00 ann cart_abandoned
    03-04 09:00 ann ordered @03-02T11:00
    """,
    """
    03-02 10:00 ann entered
    03-03 10:00 ann sent email "cart_abandoned"
    03-04 09:00 ann exited (unless ordered)
    """,
)
case(
    "an event whose clock is ahead is one of its arrival: a window, a guard and a goal take it so",
    "when product_viewed until count(ordered in last 1d) >= 1 goal ordered within 1d wait 3d send email",
    """
    03-02 10:00 ann product_viewed
    03-02 12:00 ann ordered @03-04T12:00
    """,
    """
    03-02 10:00 ann entered
    03-02 12:00 ann converted (ordered)
    03-02 12:00 ann exited (until count(ordered in last 1d) >= 1)
    """,
)
case(
    "a goal is met by when it happened, however late it arrives, and not after its time",
    "when product_viewed goal ordered within 1d send email",
    """
    03-02 10:00 ann product_viewed
    03-02 10:00 bob product_viewed
    03-08 10:00 ann ordered @03-03T09:59
    03-08 10:00 bob ordered @03-03T10:01
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "product_viewed"
    03-02 10:00 ann finished
    03-02 10:00 bob entered
    03-02 10:00 bob sent email "product_viewed"
    03-02 10:00 bob finished
    """,
)
