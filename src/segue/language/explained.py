"""Each word of the language in one plain sentence, with an example: what an editor shows when one points at it.

The key is the word as it is written; two words where they only together mean something (`on repeat`). A test holds this
table to `segue.language.keywords`, and parses every example.
"""

from __future__ import annotations

from typing import Final

import msgspec

from segue.language.keywords import KINDS, WEEKDAYS


class Explained(msgspec.Struct, frozen=True):
    """``sentence`` says what the word does, ``example`` is a rule or declaration with it."""

    sentence: str
    example: str


def explain_word(word: str) -> Explained | None:
    """What a word, or two words, do; None for one that is not the language's."""
    found = _WORDS.get(word)
    return Explained(*found) if found else None


def explained_words() -> frozenset[str]:
    return frozenset(_WORDS)


_AND: Final = (
    "Between conditions both must be true; between channels both get the message.",
    "when cart_abandoned where total > 40 and can get sms\n  send email and sms",
)
_OR: Final = (
    "Between conditions one is enough; between channels the first that can reach the customer gets the message.",
    "when cart_abandoned where total > 40 or customer.vip\n  send push or email",
)

_WORDS: Final[dict[str, tuple[str, str]]] = {
    # What begins something new
    "edition": (
        "Says which words belong to the language; it can stand on the first line of a file.",
        "edition 2026",
    ),
    "event": (
        "Declares an event that sources send, with its fields.",
        'event ordered is "Order Completed"\n  total money',
    ),
    "customer": (
        "Declares traits of customers; with a dot it is a trait of this customer.",
        "customer\n  first_name text",
    ),
    "segment": (
        "A group of customers that is always up to date: who fits the condition is in it.",
        "segment lapsed where not ordered in last 90d",
    ),
    "policy": (
        "How often and when messages of one kind may go, over all rules together.",
        "policy promotional\n  quiet 21:00 to 08:00 local\n  limit 2 email per 7d",
    ),
    "rule": ("Gives a rule its name.", 'rule cart_recovery "Win back carts"\n  when cart_abandoned\n  send email'),
    "when": (
        "Begins a rule: a journey starts for a customer when this happens.",
        "when cart_abandoned\n  wait 1d unless ordered\n  send email",
    ),
    "every": (
        "Begins a rule that runs again and again, for the customers of a segment.",
        "every monday at 09:00 for lapsed\n  send email",
    ),
    "on": (
        "Begins a rule that runs once, on a day, for the customers of a segment.",
        "on 2026-11-27 at 08:00 for lapsed\n  send email",
    ),
    "test": (
        "Tries a rule on a made-up customer, with time that passes in no time.",
        'test "an order stops it" for cart_recovery\n  at 0h cart_abandoned\n  at 2h ordered\n  expect no messages',
    ),
    # Triggers and their clauses
    "enters": ("The moment a customer comes into a segment.", "when customer enters lapsed\n  send email"),
    "leaves": ("The moment a customer is no longer in a segment.", "when customer leaves lapsed\n  send email"),
    "changes": ("The moment a trait gets another value.", 'when customer.plan changes to "gold"\n  send email'),
    "before": ("That long ahead of a date.", "when 3d before customer.renewal at 09:00\n  send email"),
    "after": ("That long past a date.", "when 3d after customer.renewal at 09:00\n  send email"),
    "at": ("The clock time, in the customer's time zone.", "every monday at 09:00 for lapsed\n  send email"),
    "where": (
        "Only when this is true; after an event, a condition on its fields in brackets.",
        "when cart_abandoned where total > 40\n  wait 1d unless ordered where (total > 20)\n  send email",
    ),
    "per": (
        "After a trigger: one journey for each value of this field. After `once` or a number: in that time.",
        "when ordered per order_id\n  once per 30d\n  send email",
    ),
    "for": (
        "After a trigger: only customers of this segment. After `wait`: until something happens.",
        "every monday at 09:00 for lapsed\n  wait for ordered up to 2d\n  send email",
    ),
    "every day": ("The rule runs each day.", "every day at 09:00 for lapsed\n  send email"),
    "every month": ("The rule runs on this day of each month.", "every month 1 at 09:00 for lapsed\n  send email"),
    "every year": (
        "The rule runs each year on the day of a date trait.",
        "every year on customer.birthday at 09:00 for lapsed\n  send email",
    ),
    # Header lines
    "once": (
        "How often a customer may begin this journey: once at all, or once in a time.",
        "when cart_abandoned\n  once per 30d\n  send email",
    ),
    "on repeat": (
        "What happens when the trigger comes again while the customer is inside: `ignore` it, or `restart`.",
        "when cart_abandoned\n  on repeat restart\n  wait 1d\n  send email",
    ),
    "on edit": (
        "Where customers inside go when the rule is edited: `finish` the version they began, or `follow` the new one.",
        "when cart_abandoned\n  on edit finish\n  wait 1d\n  send email",
    ),
    "until": (
        "As a line of the rule: the journey ends at once when this becomes true. After `wait`: that moment.",
        "when cart_abandoned\n  until ordered\n  wait until tomorrow 09:00\n  send email",
    ),
    "goal": (
        "What the rule is for: counted when it happens in time, also after the journey has ended.",
        "when cart_abandoned\n  goal ordered within 7d worth total\n  send email",
    ),
    "worth": (
        "The field that says how much the goal brought in.",
        "when cart_abandoned\n  goal ordered within 7d worth total\n  send email",
    ),
    "expect": (
        "In a rule: about how many customers you expect. In a test: what should have happened.",
        "when cart_abandoned\n  expect 100 per 1d\n  send email",
    ),
    "rollout": (
        "Only this share of customers begins the journey; raising it keeps those already in.",
        "when cart_abandoned\n  rollout 10%\n  send email",
    ),
    "holdout": (
        "This share of customers goes through without getting messages, to see what the rule brings.",
        "when cart_abandoned\n  holdout 5%\n  goal ordered within 7d\n  send email",
    ),
    "from": (
        "Customers begin this journey only on these days, the first and the last included.",
        "when cart_abandoned\n  from 2026-11-20 to 2026-11-30\n  send email",
    ),
    "to": (
        "The end of a span, or the value that a trait changes to.",
        "when cart_abandoned\n  from 2026-11-20 to 2026-11-30\n  send email",
    ),
    "as": (
        f"The kind of the message: {', '.join(KINDS[:-1])} or {KINDS[-1]}.",
        "when ordered\n  as transactional\n  send email",
    ),
    # Steps
    "wait": (
        "The journey rests here; restarts do it no harm.",
        "when cart_abandoned\n  wait 1d\n  send email",
    ),
    "unless": (
        "Guards everything that follows: the journey ends as soon as this is true.",
        "when cart_abandoned\n  wait 1d unless ordered\n  send email",
    ),
    "up": (
        "`up to` says how long to wait at most; then the journey goes on all the same.",
        "when cart_abandoned\n  wait for ordered up to 2d\n  send email",
    ),
    "next": (
        "Only what happens from here on counts.",
        "when cart_abandoned\n  wait for next ordered up to 2d\n  send email",
    ),
    "tomorrow": (
        "The next day, by the customer's clock.",
        "when ordered\n  wait until tomorrow 09:00\n  send email",
    ),
    "time between": (
        "A part of the day: true inside it; a wait goes on at once inside it, else at its next start.",
        "when ordered\n  wait until time between 09:00 and 20:00\n  send sms",
    ),
    "best time": (
        "The hour at which this customer answers most.",
        "when ordered\n  wait until best time\n  send email",
    ),
    "send": (
        "Sends a message by a channel; the name in quotes says which message.",
        'when cart_abandoned\n  send email "cart_reminder" or sms',
    ),
    "then": ("The next channel follows when the one before is settled.", "when cart_abandoned\n  send email then sms"),
    "and": _AND,
    "or": _OR,
    "with": (
        "Hands values to the message.",
        "when cart_abandoned\n  send email with name = customer.first_name",
    ),
    "within": (
        "After `send`: how late the message may still go. After `goal`: how long the goal counts.",
        "when cart_abandoned\n  send push within 4h",
    ),
    "preferred": (
        "The channel that this customer prefers, of those that reach them.",
        'when cart_abandoned\n  send preferred "cart_reminder"',
    ),
    "if": (
        "Goes on with these steps only when the condition is true; `end` closes it.",
        "when cart_abandoned\n  if total > 40\n    send sms\n  else\n    send email\n  end",
    ),
    "else": (
        "What is done when the condition before is not true.",
        "when cart_abandoned\n  if total > 40\n    send sms\n  else\n    send email\n  end",
    ),
    "else if": (
        "Asked when the condition before is not true.",
        "when cart_abandoned\n  if total > 40\n    send sms\n  else if total > 20\n    send email\n  end",
    ),
    "end": ("Closes an `if`, `split` or `repeat`.", "when cart_abandoned\n  if total > 40\n    send sms\n  end"),
    "split": (
        "Divides customers at random, each staying in their arm; the shares add up to 100%.",
        'when signed_up\n  split\n    50% "a" send email "short"\n    50% "b" send email "long"\n  end',
    ),
    "towards": (
        "Lets the arm grow that reaches this more often.",
        'when signed_up\n  split towards ordered\n    50% "a" send email "short"\n    50% "b" send email "long"\n  end',
    ),
    "repeat": (
        "Does these steps several times.",
        "when signed_up\n  repeat 3 times until ordered\n    wait 1w\n    send email\n  end",
    ),
    "times": ("How often.", "when signed_up\n  repeat 3 times until ordered\n    wait 1w\n    send email\n  end"),
    "set": ("Gives a trait of the customer a value.", "when signed_up\n  set customer.welcomed = true\n  send email"),
    "emit": ("Makes an event happen for this customer, as if a source had sent it.", "when signed_up\n  emit welcomed"),
    "stop": ("The journey is finished here.", "when cart_abandoned\n  if ordered\n    stop\n  end\n  send email"),
    # Conditions
    "not": ("True when what follows is not.", "when cart_abandoned where not ordered in last 30d\n  send email"),
    "between": ("Between two values, both included.", "when ordered where total between 20 and 40\n  send email"),
    "in": (
        "In a segment, in a list of values, or a value in a list.",
        'when ordered where customer.country in ["FI", "SE"]\n  send email',
    ),
    "in last": ("In that time up to now.", "when cart_abandoned where not ordered in last 30d\n  send email"),
    "ever": ("At any time so far, also before this journey.", "when signed_up where not ordered ever\n  send email"),
    "at least": (
        "That often or more.",
        "when cart_abandoned where ordered at least 2 times in last 90d\n  send email",
    ),
    "can get": (
        "True when the customer has an address for this channel and agreed to this kind of message.",
        "when cart_abandoned\n  if can get sms\n    send sms\n  end",
    ),
    "now": ("This moment.", "when ordered\n  wait until now + 30 * 1d\n  send email"),
    "true": ("Yes: the value of a boolean.", "when signed_up\n  set customer.welcomed = true\n  send email"),
    "false": ("No: the value of a boolean.", "when signed_up\n  set customer.welcomed = false\n  send email"),
    "is": ("The name that sources send for the event.", 'event ordered is "Order Completed"'),
    "local": ("The customer's own time zone.", "when ordered\n  wait until 09:00 local\n  send email"),
    # Policies
    "quiet": ("No message goes at this time of the day.", "policy promotional\n  quiet 21:00 to 08:00 local"),
    "limit": ("The most messages one customer gets in a time.", "policy promotional\n  limit 2 email per 7d"),
    "space": ("The least time between two messages to one customer.", "policy promotional\n  space 4h"),
    "budget": ("The most that messages may cost in a time.", "policy promotional\n  budget 200 EUR per 1d"),
    "defer": ("The message waits until it may go.", "policy promotional\n  limit 2 email per 7d defer 6h"),
    "drop": ("The message is not sent.", "policy promotional\n  quiet 21:00 to 08:00 local drop"),
    # Tests
    "given": (
        "What holds before the test begins.",
        'test "a case" for cart_recovery\n  given customer country "FI"\n  at 0h cart_abandoned\n  expect email',
    ),
    "given arm": (
        "The arm of a split that the customer of this test is in.",
        'test "a case" for cart_recovery\n  given arm "a"\n  at 0h cart_abandoned\n  expect email',
    ),
    "no": (
        "That this does not happen.",
        'test "a case" for cart_recovery\n  at 0h cart_abandoned\n  expect no sms',
    ),
    "fails": (
        "The channel's provider refuses the message for good.",
        'test "a case" for cart_recovery\n  at 0h email fails\n  at 0h cart_abandoned\n  expect sms',
    ),
    **{
        day: (
            f"The next {day.capitalize()}, or every one, in the customer's time zone.",
            f"every {day} at 09:00 for lapsed\n  send email",
        )
        for day in WEEKDAYS
    },
}
