"""Guards, exits and goals."""

from __future__ import annotations

from tests.acceptance.cases import Case

CASES: list[Case] = []


def case(name: str, rules: str, story: str, expect: str, **edits: str) -> None:
    CASES.append(Case(name, rules, story, expect, edits))


case(
    "13 a long wait under a guard is left at once",
    "when signed_up wait 30d unless ordered send email",
    """
    03-02 10:00 ann signed_up
    03-03 10:00 ann ordered
    """,
    """
    03-02 10:00 ann entered
    03-03 10:00 ann exited (unless ordered)
    """,
)
case(
    "14 until leaves at once",
    "event cancelled\nwhen signed_up until cancelled wait 1d send email",
    """
    03-02 10:00 ann signed_up
    03-02 18:00 ann cancelled
    """,
    """
    03-02 10:00 ann entered
    03-02 18:00 ann exited (until cancelled)
    """,
)
case(
    "15 the goal counts from entry, once, also after the end",
    "rule trial when app_installed goal signed_up within 1h send email",
    """
    03-02 10:00:01 ann app_installed
    03-02 10:00:01 bob app_installed
    03-02 10:40:00 ann signed_up
    03-02 10:50:00 ann signed_up
    03-02 11:01:00 bob signed_up
    """,
    """
    03-02 10:00:01 ann entered
    03-02 10:00:01 ann sent email "trial"
    03-02 10:00:01 ann finished
    03-02 10:00:01 bob entered
    03-02 10:00:01 bob sent email "trial"
    03-02 10:00:01 bob finished
    03-02 10:40    ann converted (signed_up)
    """,
)
case(
    "a goal does not end the journey",
    "when cart_abandoned goal ordered within 7d worth total wait 1d send email",
    """
    03-02 10:00 ann cart_abandoned
    03-02 12:00 ann ordered total=60
    """,
    """
    03-02 10:00 ann entered
    03-02 12:00 ann converted (ordered)
    03-03 10:00 ann sent email "cart_abandoned"
    03-03 10:00 ann finished
    """,
)
case(
    "one event meets the goal and the guard",
    "when cart_abandoned goal ordered within 7d worth total wait 1d unless ordered send email",
    """
    03-02 10:00 ann cart_abandoned
    03-02 12:00 ann ordered total=60
    """,
    """
    03-02 10:00 ann entered
    03-02 12:00 ann converted (ordered)
    03-02 12:00 ann exited (unless ordered)
    """,
)
case(
    "one event converts only the latest journey of a rule, and a second one does not fall back to an older",
    "when cart_abandoned goal ordered within 30d send email",
    """
    03-02 10:00 ann cart_abandoned
    03-05 10:00 ann cart_abandoned
    03-06 10:00 ann ordered
    03-07 10:00 ann ordered
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "cart_abandoned"
    03-02 10:00 ann finished
    03-05 10:00 ann entered
    03-05 10:00 ann sent email "cart_abandoned"
    03-05 10:00 ann finished
    03-06 10:00 ann converted (ordered)
    """,
)
case(
    "a second event does not convert an older journey, even when the latest converted before its end",
    "when cart_abandoned goal ordered within 30d wait 1d send email",
    """
    03-02 10:00 ann cart_abandoned
    03-05 10:00 ann cart_abandoned
    03-05 12:00 ann ordered
    03-07 10:00 ann ordered
    """,
    """
    03-02 10:00 ann entered
    03-03 10:00 ann sent email "cart_abandoned"
    03-03 10:00 ann finished
    03-05 10:00 ann entered
    03-05 12:00 ann converted (ordered)
    03-06 10:00 ann sent email "cart_abandoned"
    03-06 10:00 ann finished
    """,
)
case(
    "a late event converts at the moment it happened",
    "when cart_abandoned goal ordered within 1d send email",
    """
    03-02 10:00 ann cart_abandoned
    03-03 20:00 ann ordered @03-03T09:00
    03-03 20:00 bob ordered @03-02T09:00
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "cart_abandoned"
    03-02 10:00 ann finished
    03-03 09:00 ann converted (ordered)
    """,
)
case(
    "30 a guard of two parts is judged whole, whenever either changes",
    "when signed_up wait 30d unless ordered and customer.vip send email",
    """
    03-02 10:00 ann signed_up
    03-03 10:00 ann ordered
    03-05 10:00 ann is vip=true
    """,
    """
    03-02 10:00 ann entered
    03-05 10:00 ann exited (unless ordered and customer.vip)
    """,
)
case(
    "a guard stays armed after the email",
    'when signed_up wait 1d unless ordered send email "one" wait 1d send email "two"',
    """
    03-02 10:00 ann signed_up
    03-03 15:00 ann ordered
    """,
    """
    03-02 10:00 ann entered
    03-03 10:00 ann sent email "one"
    03-03 15:00 ann exited (unless ordered)
    """,
)
case(
    "a guard inside a block ends with the block, but ends the journey",
    """
    when signed_up
      if customer.vip
        wait 1d unless ordered
        send email "vip"
      end
      wait 1d
      send email "all"
    """,
    """
    03-02 09:00 ann is vip=true
    03-02 09:00 bob is vip=true
    03-02 10:00 ann signed_up
    03-02 10:00 bob signed_up
    03-02 12:00 ann ordered
    03-03 12:00 bob ordered
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 bob entered
    03-02 12:00 ann exited (unless ordered)
    03-03 10:00 bob sent email "vip"
    03-04 10:00 bob sent email "all"
    03-04 10:00 bob finished
    """,
)
case(
    "a guard that time makes true is judged at every wake",
    "when signed_up wait 5d unless not ordered in last 3d send email",
    """
    03-02 09:00 ann ordered
    03-02 10:00 ann signed_up
    03-02 10:00 bob signed_up
    """,
    """
    03-02 10:00 ann entered
    03-07 10:00 ann exited (unless not ordered in last 3d)
    03-02 10:00 bob entered
    03-02 10:00 bob exited (unless not ordered in last 3d)
    """,
)
case(
    "a trait that a rule sets triggers its guard, and the guards of others",
    """
    rule marks    when ordered set customer.vip = true send email
    rule reminder when signed_up wait 7d unless customer.vip send email
    rule own      when paid wait 1s unless customer.vip set customer.vip = true send email
    """,
    """
    03-02 10:00 ann signed_up
    03-03 10:00 ann ordered
    03-04 10:00 bob paid
    """,
    """
    03-02 10:00 ann reminder entered
    03-03 10:00 ann marks entered
    03-03 10:00 ann reminder exited (unless customer.vip)
    03-03 10:00 ann marks sent email "marks"
    03-03 10:00 ann marks finished
    03-04 10:00 bob own entered
    03-04 10:00:01 bob own exited (unless customer.vip)
    """,
)
case(
    "stop finishes the journey",
    """
    when cart_abandoned
      if total < 20 stop end
      wait 1h
      send email
    """,
    """
    03-02 10:00 ann cart_abandoned total=10
    03-02 10:00 bob cart_abandoned total=20
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann finished (stop)
    03-02 10:00 bob entered
    03-02 11:00 bob sent email "cart_abandoned"
    03-02 11:00 bob finished
    """,
)
case(
    "one event meets the guard and ends the wait: the guard is first",
    "when signed_up wait for ordered up to 1d unless ordered send email",
    """
    03-02 10:00 ann signed_up
    03-02 11:00 ann ordered
    """,
    """
    03-02 10:00 ann entered
    03-02 11:00 ann exited (unless ordered)
    """,
)
case(
    "guards of both branches, each in its own block, under one around them",
    """
    customer
      vip boolean
    event cancelled
    event returned
    rule r when signed_up
      wait 1h unless cancelled
      if customer.vip
        wait 1d unless ordered
        send email "vip"
      else
        wait 1d unless returned
        send email "other"
      end
      wait 1d
      send sms "end"
    """,
    """
    03-02 09:00 ann is vip=true
    03-02 10:00 ann signed_up
    03-02 10:00 bob signed_up
    03-02 12:00 ann returned
    03-02 12:00 bob ordered
    03-03 12:00 bob returned
    03-04 10:00 ann cancelled
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 bob entered
    03-03 11:00 ann sent email "vip"
    03-03 11:00 bob sent email "other"
    03-04 10:00 ann exited (unless cancelled)
    03-04 11:00 bob sent sms "end"
    03-04 11:00 bob finished
    """,
)
case(
    "a restart takes back what stands and what is held back, and begins with both anew",
    """
    policy promotional
      quiet 21:00 to 08:00
    rule r when signed_up on repeat restart
      send ads "x"
      send email "m"
      wait 2d
    """,
    """
    03-05 22:00 ann signed_up
    03-05 23:00 ann signed_up
    """,
    """
    03-05 22:00 ann entered
    03-05 22:00 ann sent ads "x"
    03-05 22:00 ann deferred email "m" (quiet 21:00 to 08:00 local (promotional), until 2026-03-06T08:00:00Z)
    03-05 23:00 ann exited (restarted)
    03-05 23:00 ann skipped email "m" (the journey ended: restarted)
    03-05 23:00 ann retracted ads "x" (the journey ended: restarted)
    03-05 23:00 ann entered
    03-05 23:00 ann sent ads "x"
    03-05 23:00 ann deferred email "m" (quiet 21:00 to 08:00 local (promotional), until 2026-03-06T08:00:00Z)
    03-06 08:00 ann sent email "m"
    03-08 08:00 ann finished
    03-08 08:00 ann retracted ads "x" (the journey ended: finished)
    """,
)
case(
    "what a rule emits reaches only the journeys of its value",
    """
    event paid
      cart_id text
    event arrived
      cart_id text
    rule r    when paid per cart_id wait 5d unless arrived send email
    rule tell when signed_up emit arrived with cart_id = "1"
    """,
    """
    03-05 09:00 ann paid cart_id=1
    03-05 09:00 ann paid cart_id=2
    03-05 10:00 ann signed_up
    """,
    """
    03-05 09:00 ann r entered
    03-05 09:00 ann r entered
    03-05 10:00 ann tell entered
    03-05 10:00 ann tell finished
    03-05 10:00 ann r exited (unless arrived)
    03-10 09:00 ann r sent email "r"
    03-10 09:00 ann r finished
    """,
)
