"""Carts whose source only reports their changes: `cart_abandoned` follows where nobody orders for an hour. In these
stories the source `shop` is one of that kind."""

from __future__ import annotations

from tests.acceptance.cases import Case

CASES: list[Case] = []

REMIND = """
when cart_abandoned
  wait 1h unless ordered
  send email with total = total
"""


def case(name: str, story: str, expect: str, rules: str = REMIND) -> None:
    CASES.append(Case(name, rules, story, expect))


case(
    "abandoned an hour after the last change",
    """
    03-02 10:00 ann cart_updated source=shop cart_id=c1 total=60
    03-02 10:20 ann cart_updated source=shop cart_id=c1 total=80
    """,
    """
    03-02 11:20 ann entered
    03-02 12:20 ann sent email "cart_abandoned"
    03-02 12:20 ann finished
    """,
)
case(
    "a source that tells abandoned carts itself is left alone",
    """
    03-02 10:00 ann cart_updated cart_id=c1 total=60
    03-02 13:00 ann cart_abandoned cart_id=c1 total=60
    """,
    """
    03-02 13:00 ann entered
    03-02 14:00 ann sent email "cart_abandoned"
    03-02 14:00 ann finished
    """,
)
case(
    "an order ends it, from whatever source",
    """
    03-02 10:00 ann cart_updated source=shop total=60
    03-02 10:59 ann ordered
    03-02 10:00 bob cart_updated source=shop total=60
    03-02 11:00 bob ordered
    """,
    "",
)
case(
    "an order from before the time was over ends it where it arrives before that, not where it arrives later",
    """
    03-02 10:00 ann cart_updated source=shop total=60
    03-02 10:59 ann ordered @03-02T10:01
    03-02 10:00 bob cart_updated source=shop total=60
    03-02 11:01 bob ordered @03-02T10:30
    """,
    """
    03-02 11:00 bob entered
    03-02 12:00 bob sent email "cart_abandoned"
    03-02 12:00 bob finished
    """,
)
case(
    "an order from before the last change is another cart's",
    """
    03-02 10:00 ann cart_updated source=shop total=60
    03-02 10:30 ann cart_updated source=shop total=30
    03-02 10:40 ann ordered @03-02T10:15
    """,
    """
    03-02 11:30 ann entered
    03-02 12:30 ann sent email "cart_abandoned"
    03-02 12:30 ann finished
    """,
)
case(
    "a change that happened before an order and arrives after it begins nothing",
    """
    03-02 10:10 ann ordered
    03-02 10:20 ann cart_updated source=shop total=60 @03-02T10:05
    """,
    "",
)
case(
    "once for each quiet time; a later change has it happen again",
    """
    03-02 10:00 ann cart_updated source=shop cart_id=c1 total=60
    03-02 15:00 ann product_added source=shop cart_id=c1 product_id=X1 price=5
    """,
    """
    03-02 11:00 ann entered
    03-02 16:00 ann ignored (already inside)
    03-03 11:00 ann sent email "cart_abandoned"
    03-03 11:00 ann finished
    """,
    "when cart_abandoned wait 1d send email",
)
case(
    "an empty cart is not abandoned, one that is filled again is",
    """
    03-02 10:00 ann product_added   source=shop product_id=X1 price=5
    03-02 10:10 ann product_removed source=shop product_id=X1
    03-02 10:00 bob cart_updated source=shop total=20
    03-02 10:10 bob cart_updated source=shop total=0
    03-02 10:00 cyd product_added   source=shop product_id=X1 price=5
    03-02 10:10 cyd product_removed source=shop product_id=X1
    03-02 10:30 cyd product_added   source=shop product_id=X2 price=5
    """,
    """
    03-02 11:30 cyd entered
    03-02 12:30 cyd sent email "cart_abandoned"
    03-02 12:30 cyd finished
    """,
)
case(
    "what it holds is what was told last, else what was put in",
    """
    03-02 10:00 ann cart_updated  source=shop cart_id=c1 total=39
    03-02 10:00 bob cart_updated  source=shop cart_id=c1 total=40 currency=EUR
    03-02 10:00 cyd product_added source=shop product_id=X1 price=15 quantity=2 currency=EUR
    03-02 10:01 cyd product_added source=shop product_id=X2 price=10.5 currency=EUR
    03-02 10:00 dan product_added source=shop product_id=X1 price=15 quantity=2 currency=EUR
    """,
    """
    03-02 11:00 bob entered
    03-02 11:00 bob sent email "r"
    03-02 11:00 bob finished
    03-02 11:01 cyd entered
    03-02 11:01 cyd sent email "r"
    03-02 11:01 cyd finished
    """,
    "rule r when cart_abandoned where total >= 40 send email",
)
case(
    "a change that comes a day late begins nothing",
    """
    03-04 10:00 ann cart_updated source=shop total=60 @03-02T10:00
    03-04 10:00 bob cart_updated source=shop total=60 @03-04T08:30
    """,
    """
    03-04 09:30 bob entered
    03-04 10:30 bob sent email "cart_abandoned"
    03-04 10:30 bob finished
    """,
)
case(
    "the cart of a visitor goes with them as they sign in",
    """
    03-02 10:00 ann      product_viewed
    03-02 10:00 dev1~    cart_updated source=shop cart_id=c1 total=60
    03-02 10:10 dev1~ann signed_in
    """,
    """
    03-02 11:00 ann entered
    03-02 12:00 ann sent email "cart_abandoned"
    03-02 12:00 ann finished
    """,
)
case(
    "the order of a known customer counts for the cart of the visitor that they were",
    """
    03-02 10:00 dev1~    cart_updated source=shop cart_id=c1 total=60
    03-02 10:05 ann      ordered
    03-02 10:10 dev1~ann signed_in
    """,
    "",
)
case(
    "carts at one moment with segments and waits",
    """
    03-02 10:00 ann cart_updated source=shop total=60
    03-02 10:00 ann app_opened
    """,
    """
    03-02 10:00 ann opens entered
    03-02 11:00 ann cart entered
    03-02 11:00 ann cart finished (stop)
    03-02 11:00 ann opens finished
    03-02 11:00 ann opens sent push "opens"
    """,
    """
    segment leavers where cart_abandoned
    rule cart when customer enters leavers stop
    rule opens
      when app_opened
      wait 1h
      if cart_abandoned
        send push
      end
    """,
)
