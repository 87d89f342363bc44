"""Who enters, how often, and what an event that arrives late does."""

from __future__ import annotations

from tests.acceptance.cases import SENTENCE, Case

CASES: list[Case] = []


def case(name: str, rules: str, story: str, expect: str, **edits: str) -> None:
    CASES.append(Case(name, rules, story, expect, edits))


APPOINTMENTS = """
event appointment_update
  appointment_id text
when appointment_update per appointment_id once send email
"""
case(
    "1 once per value of a field",
    APPOINTMENTS,
    """
    03-02 10:00 ann appointment_update appointment_id="1" #m1
    03-02 10:05 ann appointment_update appointment_id="1" #m2
    03-02 10:06 ann appointment_update appointment_id="2" #m3
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "appointment_update"
    03-02 10:00 ann finished
    03-02 10:05 ann ignored (once)
    03-02 10:06 ann entered
    03-02 10:06 ann sent email "appointment_update"
    03-02 10:06 ann finished
    """,
)
case(
    "2 two appointments, one cancelled",
    """
    event booked
      appointment_id   text
      appointment_date date
    event cancelled
      appointment_id   text
    rule visits
    when booked per appointment_id
      wait until 1d before appointment_date
      send email "reminder"
      wait for next cancelled up to 1d
      if cancelled send email "cancelled" end
    """,
    """
    03-06 10:00:00 ann booked appointment_id=A appointment_date=2026-03-08T10:00:00Z
    03-06 10:00:01 ann booked appointment_id=B appointment_date=2026-03-08T10:00:00Z
    03-07 10:00:05 ann cancelled appointment_id=A
    """,
    """
    03-06 10:00    ann entered
    03-06 10:00:01 ann entered
    03-07 10:00    ann sent email "reminder"
    03-07 10:00    ann sent email "reminder"
    03-07 10:00:05 ann sent email "cancelled"
    03-07 10:00:05 ann finished
    03-08 10:00    ann finished
    """,
)
case(
    "3 the trigger again while inside, and after",
    "when cart_abandoned wait 2d send email",
    """
    03-02 10:00 ann cart_abandoned
    03-02 15:00 ann cart_abandoned
    03-05 10:00 ann cart_abandoned
    """,
    """
    03-02 10:00 ann entered
    03-02 15:00 ann ignored (already inside)
    03-04 10:00 ann sent email "cart_abandoned"
    03-04 10:00 ann finished
    03-05 10:00 ann entered
    03-07 10:00 ann sent email "cart_abandoned"
    03-07 10:00 ann finished
    """,
)
case(
    "4 the same message id twice is one event, whoever it names",
    "when cart_abandoned send email",
    """
    03-02 10:00 ann cart_abandoned #m1
    03-02 10:01 ann cart_abandoned #m1
    03-05 10:00 bob cart_abandoned #m1
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "cart_abandoned"
    03-02 10:00 ann finished
    """,
)
case(
    "once per 30d counts from entry",
    "when cart_abandoned once per 30d wait 1h send email",
    """
    03-02 10:00:00 ann cart_abandoned
    04-01 09:59:59 ann cart_abandoned
    04-01 10:00:00 ann cart_abandoned
    """,
    """
    03-02 10:00 ann entered
    03-02 11:00 ann sent email "cart_abandoned"
    03-02 11:00 ann finished
    04-01 09:59:59 ann ignored (once per 30d)
    04-01 10:00 ann entered
    04-01 11:00 ann sent email "cart_abandoned"
    04-01 11:00 ann finished
    """,
)
case(
    "on repeat restart enters anew, and does not ask once",
    "when cart_abandoned once on repeat restart wait 1d send email",
    """
    03-02 10:00 ann cart_abandoned
    03-02 20:00 ann cart_abandoned
    03-09 10:00 ann cart_abandoned
    """,
    """
    03-02 10:00 ann entered
    03-02 20:00 ann exited (restarted)
    03-02 20:00 ann entered
    03-03 20:00 ann sent email "cart_abandoned"
    03-03 20:00 ann finished
    03-09 10:00 ann ignored (once)
    """,
)
case(
    "on repeat restart takes only the journey of that value",
    """
    event booked
      appointment_id text
    when booked per appointment_id on repeat restart wait 1d send email
    """,
    """
    03-02 10:00 ann booked appointment_id=A
    03-02 11:00 ann booked appointment_id=B
    03-02 12:00 ann booked appointment_id=A
    """,
    """
    03-02 10:00 ann entered
    03-02 11:00 ann entered
    03-02 12:00 ann exited (restarted)
    03-02 12:00 ann entered
    03-03 11:00 ann sent email "booked"
    03-03 11:00 ann finished
    03-03 12:00 ann sent email "booked"
    03-03 12:00 ann finished
    """,
)
case(
    "per: an event without the field reaches all of the customer's journeys, a trigger without it begins none",
    """
    event booked
      appointment_id text
    event moved_away
    when booked per appointment_id until moved_away wait 1d send email
    """,
    """
    03-02 10:00 ann booked appointment_id=A
    03-02 11:00 ann booked appointment_id=B
    03-02 11:30 ann booked
    03-02 12:00 ann moved_away
    """,
    """
    03-02 10:00 ann entered
    03-02 11:00 ann entered
    03-02 11:30 ann ignored (the event has no appointment_id)
    03-02 12:00 ann exited (until moved_away)
    03-02 12:00 ann exited (until moved_away)
    """,
)
case(
    "per: an event that names no customer reaches every journey with that value",
    """
    when product_viewed per product_id
      wait for next back_in_stock up to 7d
      if back_in_stock send email "back" end
    """,
    """
    03-02 10:00 ann    product_viewed product_id=P1
    03-02 10:05 bob    product_viewed product_id=P1
    03-02 10:10 cid    product_viewed product_id=P2
    03-03 08:00 nobody back_in_stock product_id=P1
    """,
    """
    03-02 10:00 ann entered
    03-02 10:05 bob entered
    03-02 10:10 cid entered
    03-03 08:00 ann sent email "back"
    03-03 08:00 ann finished
    03-03 08:00 bob sent email "back"
    03-03 08:00 bob finished
    03-09 10:10 cid finished
    """,
)
case(
    "per: numbers and texts that read the same are one value",
    "event booked appointment_id text\nwhen booked per appointment_id wait 1d send email",
    """
    03-02 10:00 ann booked appointment_id=7
    03-02 11:00 ann booked appointment_id="7"
    """,
    """
    03-02 10:00 ann entered
    03-02 11:00 ann ignored (already inside)
    03-03 10:00 ann sent email "booked"
    03-03 10:00 ann finished
    """,
)
case(
    "28 an order begins it and does not end it; the next one does both",
    "when ordered until ordered wait 30d send email",
    """
    03-02 10:00 ann ordered
    03-12 10:00 ann ordered
    """,
    """
    03-02 10:00 ann entered
    03-12 10:00 ann exited (until ordered)
    03-12 10:00 ann entered
    04-11 10:00 ann sent email "ordered"
    04-11 10:00 ann finished
    """,
)
case(
    "29 an event of 26 hours ago is history, one of two hours ago counts from then",
    SENTENCE,
    """
    03-03 12:00 ann cart_abandoned @03-02T10:00
    03-03 12:00 bob cart_abandoned @03-03T10:00
    """,
    """
    03-03 12:00 ann ignored (the event was too old on arrival)
    03-03 10:00 bob entered
    03-04 10:00 bob sent email "cart_abandoned"
    03-04 10:00 bob sent sms "cart_abandoned"
    03-04 10:00 bob finished
    """,
)
case(
    "a late event may stop a journey, and an old one too",
    SENTENCE,
    """
    03-02 10:00 ann cart_abandoned
    03-02 11:00 bob cart_abandoned
    03-02 20:00 ann ordered @03-02T10:30
    03-02 20:00 bob ordered @03-02T10:30
    """,
    """
    03-02 10:00 ann entered
    03-02 11:00 bob entered
    03-02 20:00 ann exited (unless ordered)
    03-03 11:00 bob sent email "cart_abandoned"
    03-03 11:00 bob sent sms "cart_abandoned"
    03-03 11:00 bob finished
    """,
)
case(
    "a timestamp in the future is that of the arrival",
    "when cart_abandoned wait 1h send email",
    "03-02 10:00 ann cart_abandoned @03-09T10:00",
    """
    03-02 10:00 ann entered
    03-02 11:00 ann sent email "cart_abandoned"
    03-02 11:00 ann finished
    """,
)
case(
    "orders that arrive out of order are counted in the window in which each happened",
    "when cart_abandoned where ordered at least 2 times in last 7d send email",
    """
    03-09 10:00 ann ordered
    03-09 11:00 ann ordered @03-02T13:00
    03-09 12:00 ann cart_abandoned
    03-09 10:00 bob ordered
    03-09 11:00 bob ordered @03-02T11:00
    03-09 12:00 bob cart_abandoned
    """,
    """
    03-09 12:00 ann entered
    03-09 12:00 ann sent email "cart_abandoned"
    03-09 12:00 ann finished
    """,
)
case(
    "a late event that would have ended a wait ends it when it arrives",
    """
    rule asks
    when cart_abandoned
      wait for next ordered up to 6h
      if ordered send email "thanks" else send email "reminder" end
    """,
    """
    03-02 10:00 ann cart_abandoned
    03-02 15:00 ann ordered @03-02T11:00
    03-02 10:00 bob cart_abandoned
    03-02 17:00 bob ordered @03-02T11:00
    03-02 10:00 cid cart_abandoned
    03-02 11:00 cid ordered @03-02T09:00
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 bob entered
    03-02 10:00 cid entered
    03-02 15:00 ann sent email "thanks"
    03-02 15:00 ann finished
    03-02 16:00 bob sent email "reminder"
    03-02 16:00 bob finished
    03-02 16:00 cid sent email "reminder"
    03-02 16:00 cid finished
    """,
)
case(
    "a future timestamp cannot keep an order inside a window for longer",
    "when cart_abandoned where not ordered in last 1d send email",
    """
    03-02 10:00 ann ordered @03-05T10:00
    03-03 09:00 ann cart_abandoned
    03-03 11:00 ann cart_abandoned
    """,
    """
    03-03 11:00 ann entered
    03-03 11:00 ann sent email "cart_abandoned"
    03-03 11:00 ann finished
    """,
)
case(
    "a late trigger whose guard came before it on the wire",
    SENTENCE,
    """
    03-02 10:30 ann ordered
    03-02 12:00 ann cart_abandoned @03-02T10:00
    """,
    """
    03-02 10:00 ann entered
    03-02 12:00 ann exited (unless ordered)
    """,
)
case(
    "where asks all history, without the event that begins the journey",
    "when ordered where not ordered in last 30d send email",
    """
    03-02 10:00 ann ordered
    03-20 10:00 ann ordered
    04-25 10:00 ann ordered
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "ordered"
    03-02 10:00 ann finished
    04-25 10:00 ann entered
    04-25 10:00 ann sent email "ordered"
    04-25 10:00 ann finished
    """,
)
case(
    "where asks the fields of the event and the customer",
    'when cart_abandoned where total > 50 and customer.country = "FI" send email',
    """
    03-02 09:00 ann is country=FI
    03-02 10:00 ann cart_abandoned total=60
    03-02 10:00 bob cart_abandoned total=60
    03-02 11:00 ann cart_abandoned total=50
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "cart_abandoned"
    03-02 10:00 ann finished
    """,
)
case(
    "when E or F: either begins it",
    "when cart_abandoned or product_viewed wait 1h send email",
    """
    03-02 10:00 ann product_viewed
    03-02 10:30 ann cart_abandoned
    03-02 12:00 ann cart_abandoned
    """,
    """
    03-02 10:00 ann entered
    03-02 10:30 ann ignored (already inside)
    03-02 11:00 ann sent email "cart_abandoned"
    03-02 11:00 ann finished
    03-02 12:00 ann entered
    03-02 13:00 ann sent email "cart_abandoned"
    03-02 13:00 ann finished
    """,
)
case(
    "events are known by the names that sources send",
    'event won is "Prize Won"\nwhen won send email',
    """
    03-02 10:00 ann "Prize Won"
    03-02 10:05 bob won
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "won"
    03-02 10:00 ann finished
    03-02 10:05 bob entered
    03-02 10:05 bob sent email "won"
    03-02 10:05 bob finished
    """,
)
