"""Customers with a past, and fifty segments of all kinds over it: what `segue bench segments` works on."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Final

from segue.api import ChannelSpec, Instant
from segue.api.values import DAY, SECOND
from segue.cli.benchmarks.workload import NoSettings, cannot_open
from segue.customers.consent import Stand
from segue.customers.reach import ChannelReach, Reach
from segue.language import model as m
from segue.language.book import Source, check_book
from segue.language.vocabulary import ChannelWords, Words
from segue.program.calendar import find_zone
from segue.runtime.publishing import Setting
from segue.store.customers import CustomerRow
from segue.store.filling import PastEvent

VOCABULARY: Final = """\
event page_viewed
  page text
event product_added
  category text
  price money
event ordered
  total money
  items number
event app_opened
event searched
event answered
  question text
  score number
  answer text
customer
  country text
  city text
  gender text
  plan text
  persona text
  age number
  birthday date
  joined date
  points number
"""

SEGMENTS: Final = """\
segment finns where customer.country = "FI"
segment nordic where customer.country in ["FI", "SE", "NO", "DK", "IS"]
segment in_turku where customer.city = "Turku"
segment capitals where customer.city in ["Helsinki", "Stockholm", "Oslo"]
segment women where customer.gender = "f"
segment young where customer.age < 30
segment middle_aged where customer.age between 30 and 50
segment seniors where customer.age >= 60
segment paying where customer.plan != "free"
segment gold where customer.plan = "gold" and customer.points > 500
segment pioneers where customer.persona = "pioneer"
segment sceptics where customer.persona = "sceptic" or customer.persona = "saver"
segment old_hands where customer.joined < 2022-01-01
segment new_here where customer.joined > now - 365d
segment spring_children where customer.birthday between 1990-03-01 and 1999-05-31
segment reachable where can get email
segment reachable_by_both where can get email and can get sms
segment buyers where ordered ever
segment never_bought where not ordered ever
segment recent_buyers where ordered in last 30d
segment this_quarter where ordered in last 90d
segment this_year where ordered in last 365d
segment lapsed where ordered ever and not ordered in last 90d
segment deep_asleep where ordered ever and not ordered in last 180d and not page_viewed in last 90d
segment regulars where ordered at least 2 times in last 180d
segment loyal where ordered at least 4 times in last 365d
segment one_time where count(ordered) = 1
segment a_few where count(ordered) between 2 and 4
segment big_spenders where sum(ordered.total) > 500
segment spent_lately where sum(ordered.total in last 90d) >= 150
segment good_average where average(ordered.total) >= 120
segment bargain_hunters where max(ordered.total) < 60 and ordered ever
segment one_big_order where ordered where (total > 250)
segment big_lately where ordered where (total > 200) in last 60d
segment first_was_small where first(ordered.total) < 30
segment last_was_big where last(ordered.total) > 200
segment many_items where ordered where (items >= 5) at least 2 times in last 365d
segment browsers where page_viewed at least 3 times in last 30d
segment seen_sale where page_viewed where (page = "/sale") in last 14d
segment window_shoppers where page_viewed in last 30d and not ordered in last 60d
segment left_in_cart where product_added in last 7d and not ordered in last 7d
segment shoe_lovers where product_added where (category = "shoes") at least 2 times in last 180d
segment dear_tastes where max(product_added.price) > 180
segment app_users where app_opened at least 2 times in last 60d
segment searching where searched in last 14d
segment promoters where answered where (question = "nps" and score >= 9) in last 365d
segment detractors where answered where (question = "nps" and score <= 6) in last 365d
segment likes_green where answered where (question = "colour" and answer = "green")
segment worth_a_call where in lapsed and sum(ordered.total) > 300 and can get sms
segment worth_a_letter where in finns and in lapsed and not in detractors and customer.age > 40
"""

RULES: Final = """\
rule r when searched stop
"""

COUNTRIES: Final = ("FI", "FI", "FI", "SE", "SE", "NO", "DK", "EE", "DE", "IS")
CITIES: Final = ("Helsinki", "Turku", "Tampere", "Stockholm", "Uppsala", "Oslo", "Bergen", "Aarhus", "Tartu", "Berlin")
PLANS: Final = ("free", "free", "free", "silver", "gold")
PERSONAS: Final = ("pioneer", "follower", "sceptic", "saver", "dreamer")
OFTEN: Final = {"page_viewed": 7, "product_added": 4, "ordered": 4, "app_opened": 2, "searched": 2, "answered": 1}
KINDS: Final = tuple(name for name, times in OFTEN.items() for _ in range(times))
EACH: Final = 20
"""Events of a customer."""
YEARS: Final = 2


def book() -> m.Book:
    """The segments, checked, with a rule beside them."""
    words = Words(channels={name: ChannelWords(needs_content=False) for name in ("email", "sms")})
    checked = check_book([Source("bench.rules", VOCABULARY + SEGMENTS + RULES)], words)
    assert checked.ok, checked.diagnostics
    return checked.book


def setting() -> Setting:
    """A project with email and SMS, which find customers by their address."""
    zone = find_zone("Europe/Helsinki")
    assert zone is not None
    return Setting(
        zone=zone,
        currency="EUR",
        reach=Reach({"email": ChannelReach("email"), "sms": ChannelReach("phone")}),
        channels={
            name: ChannelSpec(name=name, doc="", config=NoSettings, open=cannot_open, address=address)
            for name, address in (("email", "email"), ("sms", "phone"))
        },
    )


def customers(count: int, now: Instant) -> Iterator[CustomerRow]:
    """So many customers, the same ones every time."""
    chance = random.Random(1)
    draw, among = chance.random, chance.choice
    for number in range(1, count + 1):
        traits: dict[str, object] = {
            "country": among(COUNTRIES),
            "city": among(CITIES),
            "gender": "f" if draw() < 0.5 else "m",
            "plan": among(PLANS),
            "persona": among(PERSONAS),
            "age": 18 + int(draw() * 62),
            "birthday": f"{1945 + int(draw() * 60)}-{1 + int(draw() * 12):02}-{1 + int(draw() * 28):02}",
            "joined": f"{2018 + int(draw() * 8)}-{1 + int(draw() * 12):02}-{1 + int(draw() * 28):02}",
            "points": int(draw() * 1000),
        }
        if draw() < 0.9:
            traits["email"] = f"customer-{number}@example.com"
        if draw() < 0.5:
            traits["phone"] = f"+35840{number:07}"
        consent = {"email/promotional": Stand("withdrawn", now)} if draw() < 0.05 else {}
        yield CustomerRow(number, f"u:customer-{number}", traits, consent)


def history(count: int, now: Instant) -> Iterator[PastEvent]:
    """Twenty events of each customer over two years, in the order in which they happened."""
    chance = random.Random(2)
    draw, among = chance.random, chance.choice
    total = count * EACH
    span = YEARS * 365 * DAY
    fields = _fields()
    for number in range(total):
        at = Instant(now - span + span * number // total + int(draw() * SECOND))
        name = among(KINDS)
        choices = fields[name]
        yield PastEvent(1 + int(draw() * count), name, at, choices[int(draw() * len(choices))])


def _fields() -> dict[str, list[bytes]]:
    """The JSON of the fields that events may carry."""
    chance = random.Random(3)
    prices = [round(5 + 295 * chance.random() ** 3, 2) for _ in range(5000)]
    return {
        "page_viewed": [_json(page=page) for page in ("/", "/sale", "/shoes", "/shirts", "/about", "/cart")],
        "product_added": [
            _json(category=category, price=price, currency="EUR")
            for price in prices[:1000]
            for category in ("shoes", "shirts", "hats")
        ],
        "ordered": [
            _json(order_id=f"o-{place}", total=price, currency="EUR", items=1 + place % 7)
            for place, price in enumerate(prices)
        ],
        "app_opened": [b""],
        "searched": [b""],
        "answered": [_json(question="nps", score=score, answer="") for score in range(11)]
        + [_json(question="colour", score=0, answer=answer) for answer in ("green", "red", "blue")] * 3,
    }


def _json(**fields: object) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()
