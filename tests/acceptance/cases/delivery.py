"""Consent, failures, hand-overs and reports."""

from __future__ import annotations

from tests.acceptance.cases import Case

CASES: list[Case] = []


def case(name: str, rules: str, story: str, expect: str, **edits: str) -> None:
    CASES.append(Case(name, rules, story, expect, edits))


case(
    "20 who unsubscribes from email gets no email, and the SMS",
    """
    when signed_up
      send email "a"
      wait 2d
      send email "b"
      wait 1d
      send sms "c"
    """,
    """
    03-02 10:00 ann signed_up
    03-03 10:00 ann unsubscribed channel=email
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "a"
    03-04 10:00 ann skipped email "b" (consent withdrawn for promotional email)
    03-05 10:00 ann sent sms "c"
    03-05 10:00 ann finished
    """,
)
case(
    "20 a transactional message is not stopped, and consent can come back",
    """
    rule receipt when ordered as transactional send email
    rule news    when signed_in send email
    """,
    """
    03-02 10:00 ann unsubscribed
    03-02 11:00 ann ordered
    03-02 12:00 ann signed_in
    03-02 13:00 ann subscribed channel=email
    03-02 14:00 ann signed_in
    """,
    """
    03-02 11:00 ann receipt entered
    03-02 11:00 ann receipt sent email "receipt"
    03-02 11:00 ann receipt finished
    03-02 12:00 ann news entered
    03-02 12:00 ann news skipped email "news" (consent withdrawn for promotional email)
    03-02 12:00 ann news finished
    03-02 14:00 ann news entered
    03-02 14:00 ann news sent email "news"
    03-02 14:00 ann news finished
    """,
)
case(
    "21 no push token: the SMS",
    "when signed_up send push or sms",
    """
    03-02 09:00 ann is phone=+358401234561
    03-02 10:00 ann signed_up
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent sms "signed_up"
    03-02 10:00 ann finished
    """,
)
case(
    "21 push accepts and then says unregistered: the SMS, once, and the token is gone",
    """
    when signed_up
      send push or sms
      wait 1d
      send push "later"
    """,
    """
    03-02 09:00 ann is phone=+358401234561 push_token=T1
    03-02 10:00 ann signed_up
    03-02 10:02 report ann push undelivered gone
    03-02 10:03 report ann push undelivered gone
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent push "signed_up"
    03-02 10:02 ann undelivered push "signed_up" (unregistered)
    03-02 10:02 ann sent sms "signed_up"
    03-03 10:00 ann skipped push "later" (push_token is gone)
    03-03 10:00 ann finished
    """,
)
case(
    "21 a report after `within` falls back to nothing",
    """
    when signed_up
      send push or sms within 1h
      wait 1d
      send email
    """,
    """
    03-02 09:00 ann is email=a@example.com phone=+358401234561 push_token=T1
    03-02 10:00 ann signed_up
    03-02 11:01 report ann push undelivered
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent push "signed_up"
    03-02 11:01 ann undelivered push "signed_up" (undelivered)
    03-03 10:00 ann sent email "signed_up"
    03-03 10:00 ann finished
    """,
)
case(
    "31 an audience is taken back when the customer orders, and else at the end",
    """
    when cart_abandoned
      send ads "x"
      wait 14d unless ordered
    """,
    """
    03-02 10:00 ann cart_abandoned
    03-02 10:00 bob cart_abandoned
    03-05 10:00 ann ordered
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent ads "x"
    03-02 10:00 bob entered
    03-02 10:00 bob sent ads "x"
    03-05 10:00 ann exited (unless ordered)
    03-05 10:00 ann retracted ads "x" (the journey ended: unless ordered)
    03-16 10:00 bob finished
    03-16 10:00 bob retracted ads "x" (the journey ended: finished)
    """,
)
case(
    "31 a channel that fails to take it back is asked again, and one that refuses is left alone",
    """
    when cart_abandoned
      send ads "x"
      wait 14d unless ordered
    """,
    """
    03-02 10:00 ann     cart_abandoned
    03-02 10:00 bob     cart_abandoned
    03-03 10:00 channel ads retries busy
    03-05 10:00 ann     ordered
    03-05 11:00 channel ads sends
    03-06 10:00 channel ads rejects "too late"
    03-06 11:00 bob     ordered
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent ads "x"
    03-02 10:00 bob entered
    03-02 10:00 bob sent ads "x"
    03-05 10:00 ann exited (unless ordered)
    03-05 11:04:27.108634 ann retracted ads "x" (the journey ended: unless ordered)
    03-06 11:00 bob exited (unless ordered)
    """,
)
case(
    "a letter that waits to be printed is taken back on exit, and goes at the end",
    """
    when cart_abandoned
      send letter "x"
      wait 2d unless ordered
    """,
    """
    03-02 10:00 ann cart_abandoned
    03-02 10:00 bob cart_abandoned
    03-03 10:00 ann ordered
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent letter "x"
    03-02 10:00 bob entered
    03-02 10:00 bob sent letter "x"
    03-03 10:00 ann exited (unless ordered)
    03-03 10:00 ann retracted letter "x" (the journey ended: unless ordered)
    03-04 10:00 bob finished
    """,
)
case(
    "preferred: the channel they chose, else the one they answer most, else the project's first",
    """
    rule welcome when signed_up      send sms
    rule cart    when cart_abandoned send preferred
    """,
    """
    03-02 09:00 bob    is preferred_channel=push preferred_channel_informational=sms
    03-02 10:00 ann    signed_up
    03-02 11:00 report ann sms clicked
    03-02 12:00 ann    cart_abandoned
    03-02 12:00 bob    cart_abandoned
    03-02 12:00 cid    cart_abandoned
    03-02 13:00 bob    unsubscribed channel=push
    03-02 14:00 bob    cart_abandoned
    """,
    """
    03-02 10:00 ann welcome entered
    03-02 10:00 ann welcome sent sms "welcome"
    03-02 10:00 ann welcome finished
    03-02 12:00 ann cart entered
    03-02 12:00 ann cart sent sms "cart"
    03-02 12:00 ann cart finished
    03-02 12:00 bob cart entered
    03-02 12:00 bob cart sent push "cart"
    03-02 12:00 bob cart finished
    03-02 12:00 cid cart entered
    03-02 12:00 cid cart sent email "cart"
    03-02 12:00 cid cart finished
    03-02 14:00 bob cart entered
    03-02 14:00 bob cart sent email "cart"
    03-02 14:00 bob cart finished
    """,
)
case(
    "best time: the hour they answer most on their own clock, else the project's",
    """
    rule welcome when signed_up      send sms
    rule cart    when cart_abandoned wait until best time send email
    """,
    """
    03-02 09:00 ann    is timezone=Europe/Helsinki
    03-02 10:00 ann    signed_up
    03-02 13:20 report ann sms clicked
    03-02 20:00 ann    cart_abandoned
    03-02 20:00 bob    cart_abandoned
    """,
    """
    03-02 10:00 ann welcome entered
    03-02 10:00 ann welcome sent sms "welcome"
    03-02 10:00 ann welcome finished
    03-02 20:00 ann cart entered
    03-02 20:00 bob cart entered
    03-03 10:00 bob cart sent email "cart"
    03-03 10:00 bob cart finished
    03-03 13:00 ann cart sent email "cart"
    03-03 13:00 ann cart finished
    """,
)
case(
    "a dead address is an event: a rule begins with it, once, and a segment and `can get` change at once",
    """
    segment letters where can get email
    rule news   when signed_up send email
    rule repair when address_gone where address = "email" send sms
    rule lost   when customer leaves letters send push
    """,
    """
    03-02 09:00 ann is email=a@example.com phone=+358401234561 push_token=T1
    03-02 09:00 channel email rejects-gone "no such box"
    03-02 10:00 ann signed_up
    03-02 11:00 ann signed_up
    """,
    """
    03-02 10:00 ann news entered
    03-02 10:00 ann news undelivered email "news" (no such box)
    03-02 10:00 ann news finished
    03-02 10:00 ann repair entered
    03-02 10:00 ann repair sent sms "repair"
    03-02 10:00 ann repair finished
    03-02 10:00 ann lost entered
    03-02 10:00 ann lost sent push "lost"
    03-02 10:00 ann lost finished
    03-02 11:00 ann news entered
    03-02 11:00 ann news skipped email "news" (email is gone)
    03-02 11:00 ann news finished
    """,
)
case(
    "what a channel refuses for good is known to the next step, as what is reported later is",
    """
    when signed_up
      send email
      if bounced email
        send push "repair"
      else
        send push "fine"
      end
    """,
    """
    03-02 09:00 channel email rejects "no such box"
    03-02 10:00 ann signed_up
    03-02 11:00 channel email sends
    03-02 11:00 bob signed_up
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann undelivered email "signed_up" (no such box)
    03-02 10:00 ann sent push "repair"
    03-02 10:00 ann finished
    03-02 11:00 bob entered
    03-02 11:00 bob sent email "signed_up"
    03-02 11:00 bob sent push "fine"
    03-02 11:00 bob finished
    """,
)
case(
    "a device that registers itself again can be reached again; a shop that repeats a dead mailbox changes nothing",
    """
    rule app  when app_opened send push
    rule news when signed_up send email
    """,
    """
    03-02 08:00 ann is email=a@example.com push_token=T1
    03-02 09:00 channel push rejects-gone unregistered
    03-02 09:00 channel email rejects-gone "no such box"
    03-02 10:00 ann app_opened
    03-02 10:00 ann signed_up
    03-02 11:00 channel push sends
    03-02 11:00 channel email sends
    03-02 11:00 ann app_opened
    03-02 12:00 ann is email=a@example.com push_token=T1
    03-02 13:00 ann app_opened
    03-02 13:00 ann signed_up
    03-02 14:00 ann is email=new@example.com
    03-02 15:00 ann is email=a@example.com
    03-02 16:00 ann signed_up
    """,
    """
    03-02 10:00 ann app entered
    03-02 10:00 ann app undelivered push "app" (unregistered)
    03-02 10:00 ann app finished
    03-02 10:00 ann news entered
    03-02 10:00 ann news undelivered email "news" (no such box)
    03-02 10:00 ann news finished
    03-02 11:00 ann app entered
    03-02 11:00 ann app skipped push "app" (push_token is gone)
    03-02 11:00 ann app finished
    03-02 13:00 ann app entered
    03-02 13:00 ann app sent push "app"
    03-02 13:00 ann app finished
    03-02 13:00 ann news entered
    03-02 13:00 ann news skipped email "news" (email is gone)
    03-02 13:00 ann news finished
    03-02 16:00 ann news entered
    03-02 16:00 ann news sent email "news"
    03-02 16:00 ann news finished
    """,
)
case(
    "or: who rejects the first gets the second, and the journey goes on after that",
    'when signed_up send email or sms then push "bye"',
    """
    03-02 09:00 channel email rejects "no such box"
    03-02 09:00 channel sms   sends after=5min
    03-02 10:00 ann signed_up
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann undelivered email "signed_up" (no such box)
    03-02 10:05 ann sent sms "signed_up"
    03-02 10:05 ann sent push "bye"
    03-02 10:05 ann finished
    """,
)
case(
    "and: both go, and the next step begins when both are settled",
    'when signed_up send email and sms then push "bye"',
    """
    03-02 09:00 channel email sends after=10min
    03-02 09:00 channel sms   sends after=5min
    03-02 10:00 ann signed_up
    """,
    """
    03-02 10:00 ann entered
    03-02 10:05 ann sent sms "signed_up"
    03-02 10:10 ann sent email "signed_up"
    03-02 10:10 ann sent push "bye"
    03-02 10:10 ann finished
    """,
)
case(
    "22 a failure for good is recorded, and the next step runs",
    "when signed_up send email wait 1h send sms",
    """
    03-02 09:00 channel email rejects "no such box"
    03-02 10:00 ann signed_up
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann undelivered email "signed_up" (no such box)
    03-02 11:00 ann sent sms "signed_up"
    03-02 11:00 ann finished
    """,
)
case(
    "an address that is gone is not written to again, until there is another",
    """
    when signed_up
      send email "a"
      wait 1d
      send email "b"
      wait 1d
      send email "c"
    """,
    """
    03-02 09:00 ann     is email=old@example.com
    03-02 09:00 channel email rejects-gone "no such box"
    03-02 10:00 ann     signed_up
    03-02 11:00 channel email sends
    03-03 12:00 ann     is email=new@example.com
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann undelivered email "a" (no such box)
    03-03 10:00 ann skipped email "b" (email is gone)
    03-04 10:00 ann sent email "c"
    03-04 10:00 ann finished
    """,
)
case(
    "24 waits count from the hand-over",
    """
    when signed_up
      send email "hello"
      wait for opened up to 1min
      send sms "reminder"
    """,
    """
    03-02 09:00 channel email sends after=2min
    03-02 10:00 ann signed_up
    03-02 10:00 bob signed_up
    03-02 10:02:30 report bob email opened
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 bob entered
    03-02 10:02 ann sent email "hello"
    03-02 10:02 bob sent email "hello"
    03-02 10:02:30 bob sent sms "reminder"
    03-02 10:02:30 bob finished
    03-02 10:03 ann sent sms "reminder"
    03-02 10:03 ann finished
    """,
)
case(
    "reactions are asked for by message and by channel",
    """
    when signed_up
      send email "hello"
      wait 1h
      if clicked "hello" send sms "clicked"
      else if opened email send sms "opened"
      else if not delivered sms send sms "nothing"
      end
    """,
    """
    03-02 10:00 ann signed_up
    03-02 10:00 bob signed_up
    03-02 10:00 cid signed_up
    03-02 10:10 report ann email opened
    03-02 10:11 report ann email clicked
    03-02 10:10 report bob email opened
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent email "hello"
    03-02 10:00 bob entered
    03-02 10:00 bob sent email "hello"
    03-02 10:00 cid entered
    03-02 10:00 cid sent email "hello"
    03-02 11:00 ann sent sms "clicked"
    03-02 11:00 ann finished
    03-02 11:00 bob sent sms "opened"
    03-02 11:00 bob finished
    03-02 11:00 cid sent sms "nothing"
    03-02 11:00 cid finished
    """,
)
case(
    "a channel that settles by report: the wait counts from the report, or from the end of waiting for it",
    """
    when signed_up
      send rcs
      wait 1h
      send sms
    """,
    """
    03-02 10:00 ann signed_up
    03-02 10:00 bob signed_up
    03-02 10:04 report ann rcs delivered
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann sent rcs "signed_up"
    03-02 10:00 bob entered
    03-02 10:00 bob sent rcs "signed_up"
    03-02 11:04 ann sent sms "signed_up"
    03-02 11:04 ann finished
    03-02 11:10 bob sent sms "signed_up"
    03-02 11:10 bob finished
    """,
)
case(
    "an outcome that stays unknown is neither repeated nor replaced where the channel holds",
    'when signed_up send letter or email then sms "bye"',
    """
    03-02 09:00 channel letter cut-off "no answer"
    03-02 10:00 ann signed_up
    """,
    """
    03-02 10:00 ann entered
    03-02 10:00 ann undelivered letter "signed_up" (unknown: no answer)
    03-02 10:00 ann sent sms "bye"
    03-02 10:00 ann finished
    """,
)
