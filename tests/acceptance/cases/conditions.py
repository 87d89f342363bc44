"""Conditions, and events that rules emit."""

from __future__ import annotations

from tests.acceptance.cases import Case

CASES: list[Case] = []


def case(name: str, rules: str, story: str, expect: str, **edits: str) -> None:
    CASES.append(Case(name, rules, story, expect, edits))


case(
    "if, else if, else with values that are missing",
    """
    when cart_abandoned
      if total >= 100          send email "large"
      else if total < 100      send email "small"
      else if customer.country != "FI" send email "no_total_abroad"
      else                     send email "no_total_at_home"
      end
    """,
    """
    03-02 09:00 dan is country=FI
    03-02 10:00 ann cart_abandoned total=100
    03-02 10:00 bob cart_abandoned total="99.99"
    03-02 10:00 cid cart_abandoned total=plenty
    03-02 10:00 dan cart_abandoned
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "large"
    03-02 10:00 ann finished
    03-02 10:00 bob entered
    03-02 10:00 bob sent email "small"
    03-02 10:00 bob finished
    03-02 10:00 cid entered
    03-02 10:00 cid sent email "no_total_abroad"
    03-02 10:00 cid finished
    03-02 10:00 dan entered
    03-02 10:00 dan sent email "no_total_at_home"
    03-02 10:00 dan finished
    """,
)
case(
    "two currencies never compare",
    """
    when cart_abandoned
      if total > 50 EUR send email "euro"
      else if total > 50 USD send email "dollar"
      else send email "neither"
      end
    """,
    """
    03-02 10:00 ann cart_abandoned total=60
    03-02 10:00 bob cart_abandoned total=60 currency=USD
    03-02 10:00 cid cart_abandoned total=60 currency=SEK
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "euro"
    03-02 10:00 ann finished
    03-02 10:00 bob entered
    03-02 10:00 bob sent email "dollar"
    03-02 10:00 bob finished
    03-02 10:00 cid entered
    03-02 10:00 cid sent email "neither"
    03-02 10:00 cid finished
    """,
)
case(
    "lists, choices and betweens",
    """
    when cart_abandoned
      where "X1" in items or total between 10 and 20 or customer.country in ["FI", "SE"]
      send email
    """,
    """
    03-02 09:00 dan is country=SE
    03-02 09:00 eve is country=NO
    03-02 10:00 ann cart_abandoned items='["X1","X2"]'
    03-02 10:00 bob cart_abandoned total=20
    03-02 10:00 cid cart_abandoned total=20.01 items='["X2"]'
    03-02 10:00 dan cart_abandoned
    03-02 10:00 eve cart_abandoned
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "cart_abandoned"
    03-02 10:00 ann finished
    03-02 10:00 bob entered
    03-02 10:00 bob sent email "cart_abandoned"
    03-02 10:00 bob finished
    03-02 10:00 dan entered
    03-02 10:00 dan sent email "cart_abandoned"
    03-02 10:00 dan finished
    """,
)
case(
    "at least so often, lately, and under a condition",
    """
    when signed_in
      where ordered at least 2 times in last 30d and count(ordered) >= 3
        and ordered where (total > 50) in last 90d and sum(ordered.total in last 90d) > 100
      send email
    """,
    """
    01-15 10:00 ann ordered total=60
    02-20 10:00 ann ordered total=20
    02-25 10:00 ann signed_in
    03-01 10:00 ann ordered total=30
    03-02 10:00 ann signed_in
    04-20 10:00 ann signed_in
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "signed_in"
    03-02 10:00 ann finished
    """,
)
case(
    "who bought nothing spent nothing, and has no average",
    """
    when signed_in
      if average(ordered.total) >= 0 send email "bought"
      else if sum(ordered.total in last 90d) < 100 EUR send email "not_yet"
      end
    """,
    "03-02 10:00 ann signed_in",
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "not_yet"
    03-02 10:00 ann finished
    """,
)
case(
    "weekday and time of day are the customer's",
    """
    when signed_in
      if weekday in [saturday, sunday] and time between 09:00 and 20:00 local send email "weekend"
      else send email "other"
      end
    """,
    """
    03-06 10:00 ann is timezone=Asia/Tokyo
    03-06 16:00 ann signed_in
    03-07 01:00 ann signed_in
    03-08 10:59 ann signed_in
    03-08 11:00 ann signed_in
    """,
    """
    03-06 16:00 ann entered
    03-06 16:00 ann sent email "other"
    03-06 16:00 ann finished
    03-07 01:00 ann entered
    03-07 01:00 ann sent email "weekend"
    03-07 01:00 ann finished
    03-08 10:59 ann entered
    03-08 10:59 ann sent email "weekend"
    03-08 10:59 ann finished
    03-08 11:00 ann entered
    03-08 11:00 ann sent email "other"
    03-08 11:00 ann finished
    """,
)
case(
    "dates are reckoned with: the day itself, and how long ago",
    """
    customer
      renewal date
    when signed_in
      where customer.renewal = 2026-03-10 or now - customer.renewal > 30d or customer.renewal < now - 60d
      send email
    """,
    """
    03-02 09:00 ann is renewal=2026-03-10T17:00:00Z
    03-02 09:00 bob is renewal=2026-03-11
    03-02 09:00 cid is renewal=2026-01-20
    03-02 10:00 ann signed_in
    03-02 10:00 bob signed_in
    03-02 10:00 cid signed_in
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "signed_in"
    03-02 10:00 ann finished
    03-02 10:00 cid entered
    03-02 10:00 cid sent email "signed_in"
    03-02 10:00 cid finished
    """,
)
case(
    "can get asks for address and consent",
    """
    when signed_in
      if can get sms send sms else send email end
    """,
    """
    03-02 09:00 ann is email=ann@example.com phone=+358401234561
    03-02 09:00 bob is email=bob@example.com
    03-02 09:00 cid is email=cid@example.com phone=+3582
    03-02 09:30 cid unsubscribed channel=sms
    03-02 10:00 ann signed_in
    03-02 10:00 bob signed_in
    03-02 10:00 cid signed_in
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent sms "signed_in"
    03-02 10:00 ann finished
    03-02 10:00 bob entered
    03-02 10:00 bob sent email "signed_in"
    03-02 10:00 bob finished
    03-02 10:00 cid entered
    03-02 10:00 cid sent email "signed_in"
    03-02 10:00 cid finished
    """,
)

case(
    "emit begins another rule, with the fields it gives",
    """
    event prize_won
      points number
    rule wins when ordered emit prize_won with points = 3 * 2 send email
    rule told when prize_won where points = 6 send sms
    """,
    "03-02 10:00 ann ordered",
    """
    03-02 10:00 ann wins entered
    03-02 10:00 ann wins sent email "wins"
    03-02 10:00 ann wins finished
    03-02 10:00 ann told entered
    03-02 10:00 ann told sent sms "told"
    03-02 10:00 ann told finished
    """,
)
case(
    "a chain of emits ends at depth 8, and says so",
    """
    event ping
    rule loop when ping emit ping
    """,
    "03-02 10:00 ann ping",
    9 * "03-02 10:00 ann entered\n"
    + 9 * "03-02 10:00 ann finished\n"
    + "03-02 10:00 ann ignored (a chain ended at depth 8)",
)
case(
    "an emitted event reaches the journey inside first",
    """
    event closed
    rule closer when ordered emit closed
    rule waits  when cart_abandoned wait 7d unless closed send email
    """,
    """
    03-02 10:00 ann cart_abandoned
    03-03 10:00 ann ordered
    """,
    """
    03-02 10:00 ann waits entered
    03-03 10:00 ann closer entered
    03-03 10:00 ann closer finished
    03-03 10:00 ann waits exited (unless closed)
    """,
)
