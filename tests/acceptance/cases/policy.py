"""The contact policy: quiet hours, limits, spacing, budgets, and what comes of messages that are held back."""

from __future__ import annotations

from tests.acceptance.cases import Case

CASES: list[Case] = []


def case(name: str, rules: str, story: str, expect: str, **edits: str) -> None:
    CASES.append(Case(name, rules, story, expect, edits))


case(
    "17 quiet hours: due 23:10, sent 09:00",
    """
    policy promotional quiet 21:00 to 09:00 local
    when signed_up send email
    """,
    """
    03-02 23:10 ann signed_up
    03-03 09:00 bob signed_up
    03-03 20:59:59 cid signed_up
    03-03 21:00 dan signed_up
    """,
    """
    03-02 23:10 ann entered
    03-02 23:10 ann deferred email "signed_up" (quiet 21:00 to 09:00 local (promotional), until 2026-03-03T09:00:00Z)
    03-03 09:00 ann sent email "signed_up"
    03-03 09:00 ann finished
    03-03 09:00 bob entered
    03-03 09:00 bob sent email "signed_up"
    03-03 09:00 bob finished
    03-03 20:59:59 cid entered
    03-03 20:59:59 cid sent email "signed_up"
    03-03 20:59:59 cid finished
    03-03 21:00 dan entered
    03-03 21:00 dan deferred email "signed_up" (quiet 21:00 to 09:00 local (promotional), until 2026-03-04T09:00:00Z)
    03-04 09:00 dan sent email "signed_up"
    03-04 09:00 dan finished
    """,
)
case(
    "17 an order in the night under a guard: nothing in the morning",
    """
    policy promotional quiet 21:00 to 09:00 local
    when cart_abandoned wait 1h unless ordered send email
    """,
    """
    03-02 22:10 ann cart_abandoned
    03-03 02:00 ann ordered
    """,
    """
    03-02 22:10 ann entered
    03-02 23:10 ann deferred email "cart_abandoned"
        (quiet 21:00 to 09:00 local (promotional), until 2026-03-03T09:00:00Z)
    03-03 02:00 ann exited (unless ordered)
    03-03 02:00 ann skipped email "cart_abandoned" (the journey ended: unless ordered)
    """,
)
case(
    "quiet hours are each customer's own, through a change of the clock",
    """
    policy promotional quiet 21:00 to 09:00 local
    when signed_up send email
    """,
    """
    03-02 09:00 ann is timezone=America/New_York
    03-02 09:00 bob is timezone=Europe/Paris
    03-02 10:00 ann signed_up
    03-28 21:30 bob signed_up
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann deferred email "signed_up" (quiet 21:00 to 09:00 local (promotional), until 2026-03-02T14:00:00Z)
    03-02 14:00 ann sent email "signed_up"
    03-02 14:00 ann finished
    03-28 21:30 bob entered
    03-28 21:30 bob deferred email "signed_up" (quiet 21:00 to 09:00 local (promotional), until 2026-03-29T07:00:00Z)
    03-29 07:00 bob sent email "signed_up"
    03-29 07:00 bob finished
    """,
)
case(
    "quiet hours that outlast `within`: given up in the line's words",
    """
    policy promotional quiet 21:00 to 09:00 local
    when signed_up send email within 6h then sms
    """,
    "03-02 23:10 ann signed_up",
    """
    03-02 23:10 ann entered
    03-02 23:10 ann deferred email "signed_up" (quiet 21:00 to 09:00 local (promotional), until 2026-03-03T05:10:00Z)
    03-03 05:10 ann skipped email "signed_up" (quiet 21:00 to 09:00 local (promotional))
    03-03 05:10 ann deferred sms "signed_up" (quiet 21:00 to 09:00 local (promotional), until 2026-03-03T09:00:00Z)
    03-03 09:00 ann sent sms "signed_up"
    03-03 09:00 ann finished
    """,
)
case(
    "quiet hours that drop",
    """
    policy promotional quiet 21:00 to 09:00 local drop
    when signed_up send email then sms
    """,
    "03-02 22:00 ann signed_up",
    """
    03-02 22:00 ann entered
    03-02 22:00 ann skipped email "signed_up" (quiet 21:00 to 09:00 local (promotional))
    03-02 22:00 ann skipped sms "signed_up" (quiet 21:00 to 09:00 local (promotional))
    03-02 22:00 ann finished
    """,
)
case(
    "18 a limit that defers: due 05:00 goes when the slot is free, due 03:00 is given up after six hours",
    """
    policy promotional limit 1 email per 24h defer 6h
    rule first  when signed_up      send email
    rule second when cart_abandoned send email
    """,
    """
    03-02 10:00 ann signed_up
    03-02 10:00 bob signed_up
    03-03 03:00 bob cart_abandoned
    03-03 05:00 ann cart_abandoned
    """,
    """
    03-02 10:00 ann first entered
    03-02 10:00 ann first sent email "first"
    03-02 10:00 ann first finished
    03-02 10:00 bob first entered
    03-02 10:00 bob first sent email "first"
    03-02 10:00 bob first finished
    03-03 03:00 bob second entered
    03-03 03:00 bob second deferred email "second"
        (limit 1 email per 24h (promotional), taken by first at 2026-03-02T10:00:00Z, until 2026-03-03T09:00:00Z)
    03-03 05:00 ann second entered
    03-03 05:00 ann second deferred email "second"
        (limit 1 email per 24h (promotional), taken by first at 2026-03-02T10:00:00Z, until 2026-03-03T10:00:00Z)
    03-03 09:00 bob second skipped email "second"
        (limit 1 email per 24h (promotional), taken by first at 2026-03-02T10:00:00Z)
    03-03 09:00 bob second finished
    03-03 10:00 ann second sent email "second"
    03-03 10:00 ann second finished
    """,
)
case(
    "19 the third of three is skipped with the limit's name; a transactional message passes and does not count",
    """
    policy promotional
      limit 1 sms per 7d
      limit 2 messages per 1d
    rule receipt when ordered as transactional send sms
    rule welcome when signed_up send email and push and sms
    rule again   when cart_abandoned send sms
    """,
    """
    03-02 09:00 ann ordered
    03-02 10:00 ann signed_up
    03-03 10:00 ann cart_abandoned
    03-03 11:00 ann ordered
    03-04 10:00 ann cart_abandoned
    """,
    """
    03-02 09:00 ann receipt entered
    03-02 09:00 ann receipt sent sms "receipt"
    03-02 09:00 ann receipt finished
    03-02 10:00 ann welcome entered
    03-02 10:00 ann welcome sent email "welcome"
    03-02 10:00 ann welcome sent push "welcome"
    03-02 10:00 ann welcome skipped sms "welcome"
        (limit 2 messages per 1d (promotional), taken by welcome at 2026-03-02T10:00:00Z)
    03-02 10:00 ann welcome finished
    03-03 10:00 ann again entered
    03-03 10:00 ann again sent sms "again"
    03-03 10:00 ann again finished
    03-03 11:00 ann receipt entered
    03-03 11:00 ann receipt sent sms "receipt"
    03-03 11:00 ann receipt finished
    03-04 10:00 ann again entered
    03-04 10:00 ann again skipped sms "again"
        (limit 1 sms per 7d (promotional), taken by again at 2026-03-03T10:00:00Z)
    03-04 10:00 ann again finished
    """,
)
case(
    "a limit of the first channel leads to the next alternative",
    """
    policy promotional limit 1 email per 7d
    when cart_abandoned send email or sms
    """,
    """
    03-02 10:00 ann cart_abandoned
    03-03 10:00 ann cart_abandoned
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "cart_abandoned"
    03-02 10:00 ann finished
    03-03 10:00 ann entered
    03-03 10:00 ann skipped email "cart_abandoned"
        (limit 1 email per 7d (promotional), taken by cart_abandoned at 2026-03-02T10:00:00Z)
    03-03 10:00 ann sent sms "cart_abandoned"
    03-03 10:00 ann finished
    """,
)
case(
    "two messages compete for one slot: the one due earlier goes, whatever its channel",
    """
    policy promotional limit 1 messages per 24h defer
    rule first  when signed_up      send push within 3d
    rule second when cart_abandoned send sms within 3d
    rule third  when ordered        send email within 3d
    """,
    """
    03-02 10:00 ann signed_up
    03-02 11:00 ann cart_abandoned
    03-02 12:00 ann ordered
    """,
    """
    03-02 10:00 ann first entered
    03-02 10:00 ann first sent push "first"
    03-02 10:00 ann first finished
    03-02 11:00 ann second entered
    03-02 11:00 ann second deferred sms "second"
        (limit 1 messages per 24h (promotional), taken by first at 2026-03-02T10:00:00Z, until 2026-03-03T10:00:00Z)
    03-02 12:00 ann third entered
    03-02 12:00 ann third deferred email "third"
        (limit 1 messages per 24h (promotional), taken by first at 2026-03-02T10:00:00Z, until 2026-03-03T10:00:00Z)
    03-03 10:00 ann second sent sms "second"
    03-03 10:00 ann second finished
    03-03 10:00 ann third deferred email "third"
        (limit 1 messages per 24h (promotional), taken by second at 2026-03-03T10:00:00Z, until 2026-03-04T10:00:00Z)
    03-04 10:00 ann third sent email "third"
    03-04 10:00 ann third finished
    """,
)
case(
    "a failure gives the slot back",
    """
    policy promotional limit 1 email per 7d
    when cart_abandoned send email
    """,
    """
    03-02 09:00 channel email rejects "no such box"
    03-02 10:00 ann cart_abandoned
    03-02 11:00 channel email sends
    03-02 12:00 ann cart_abandoned
    03-02 13:00 ann cart_abandoned
    03-02 14:00 report ann email undelivered
    03-02 15:00 ann cart_abandoned
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann undelivered email "cart_abandoned" (no such box)
    03-02 10:00 ann finished
    03-02 12:00 ann entered
    03-02 12:00 ann sent email "cart_abandoned"
    03-02 12:00 ann finished
    03-02 13:00 ann entered
    03-02 13:00 ann skipped email "cart_abandoned"
        (limit 1 email per 7d (promotional), taken by cart_abandoned at 2026-03-02T12:00:00Z)
    03-02 13:00 ann finished
    03-02 14:00 ann undelivered email "cart_abandoned" (undelivered)
    03-02 15:00 ann entered
    03-02 15:00 ann sent email "cart_abandoned"
    03-02 15:00 ann finished
    """,
)
case(
    "spacing defers, and a guard is looked at again after it",
    """
    policy promotional space 4h
    rule first  when signed_up send email
    rule second when cart_abandoned wait 1min unless customer.birthday < now send sms
    """,
    """
    03-02 09:00 ann is birthday=2026-03-02T13:00:00Z
    03-02 10:00 ann signed_up
    03-02 10:00 ann cart_abandoned
    03-02 10:00 bob signed_up
    03-02 10:00 bob cart_abandoned
    """,
    """
    03-02 10:00 ann first entered
    03-02 10:00 ann first sent email "first"
    03-02 10:00 ann first finished
    03-02 10:00 ann second entered
    03-02 10:00 bob first entered
    03-02 10:00 bob first sent email "first"
    03-02 10:00 bob first finished
    03-02 10:00 bob second entered
    03-02 10:01 ann second deferred sms "second"
        (space 4h (promotional), after first at 2026-03-02T10:00:00Z, until 2026-03-02T14:00:00Z)
    03-02 10:01 bob second deferred sms "second"
        (space 4h (promotional), after first at 2026-03-02T10:00:00Z, until 2026-03-02T14:00:00Z)
    03-02 14:00 ann second exited (unless customer.birthday < now)
    03-02 14:00 ann second skipped sms "second" (the journey ended: unless customer.birthday < now)
    03-02 14:00 bob second sent sms "second"
    03-02 14:00 bob second finished
    """,
)
case(
    "the order is fixed: consent before quiet hours, these before a limit",
    """
    policy promotional
      limit 1 email per 7d
      quiet 21:00 to 09:00 local
    when cart_abandoned send email
    """,
    """
    03-02 10:00 ann cart_abandoned
    03-02 22:00 ann cart_abandoned
    03-02 23:00 ann unsubscribed
    03-03 23:00 ann cart_abandoned
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "cart_abandoned"
    03-02 10:00 ann finished
    03-02 22:00 ann entered
    03-02 22:00 ann deferred email "cart_abandoned"
        (quiet 21:00 to 09:00 local (promotional), until 2026-03-03T09:00:00Z)
    03-03 09:00 ann skipped email "cart_abandoned" (consent withdrawn for promotional email)
    03-03 09:00 ann finished
    03-03 23:00 ann entered
    03-03 23:00 ann skipped email "cart_abandoned" (consent withdrawn for promotional email)
    03-03 23:00 ann finished
    """,
)
case(
    "a budget is everybody's, for a day of the project; a failure gives the money back",
    """
    policy promotional budget 0.25 EUR per 1d
    when cart_abandoned send sms
    """,
    """
    03-02 10:00 ann cart_abandoned
    03-02 11:00 bob cart_abandoned
    03-02 12:00 cid cart_abandoned
    03-02 13:00 report ann sms undelivered
    03-02 14:00 dan cart_abandoned
    03-03 00:00 eve cart_abandoned
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent sms "cart_abandoned"
    03-02 10:00 ann finished
    03-02 11:00 bob entered
    03-02 11:00 bob sent sms "cart_abandoned"
    03-02 11:00 bob finished
    03-02 12:00 cid entered
    03-02 12:00 cid skipped sms "cart_abandoned" (budget 0.25 EUR per 1d (promotional))
    03-02 12:00 cid finished
    03-02 13:00 ann undelivered sms "cart_abandoned" (undelivered)
    03-02 14:00 dan entered
    03-02 14:00 dan sent sms "cart_abandoned"
    03-02 14:00 dan finished
    03-03 00:00 eve entered
    03-03 00:00 eve sent sms "cart_abandoned"
    03-03 00:00 eve finished
    """,
)
case(
    "what stands passes the night and takes no slot",
    """
    policy promotional
      quiet 21:00 to 09:00 local
      limit 1 messages per 7d
    when cart_abandoned
      send ads "x"
      wait until 10:00
      send email
      wait 1d
    """,
    "03-02 22:00 ann cart_abandoned",
    """
    03-02 22:00 ann entered
    03-02 22:00 ann sent ads "x"
    03-03 10:00 ann sent email "cart_abandoned"
    03-04 10:00 ann finished
    03-04 10:00 ann retracted ads "x" (the journey ended: finished)
    """,
)
