"""A shop in which customers do at random whatever shops see: told late, twice, by wrong clocks, and by browsers
whose owners are known later. What happened is both played to the real loops and kept as lists."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec

from segue.api import Answer, Event, Instant, Rejected, Report, Retry, Sent
from segue.api.values import DAY, HOUR, MINUTE, SECOND
from segue.language.book import Source, check_book
from segue.messages.catalogue import Catalogue
from segue.runtime.assembly import assemble
from segue.runtime.dispatch import Claim
from segue.runtime.publishing import publish, resume
from segue.runtime.running import DecisionLine, Running
from segue.scenario.replay import Arrival, RecordedReport, Replay
from segue.store.database import Store, Transaction
from tests.acceptance.by_hand import CLICKED, OPENED, REPLIED, Happened, Letter, Origin

START: Final = 1_791_147_600_000_000  # 2026-10-05, midnight in Helsinki; the clocks change on the 25th
DAYS: Final = 45
RULES: Final = """
event ad_clicked
event store_visited
event call_received

rule hello
  when signed_up
  goal ordered within 5d worth total
  holdout 30%
  send email "welcome"
  wait 2d
  send sms "nudge"

rule carts
  when cart_abandoned
  goal ordered within 3d worth total
  split "words" 50% "plain" send email "offer" 50% "warm" send email "warm" end
  wait 12h unless ordered
  send sms "last"
"""
TOML: Final = """zone = "Europe/Helsinki"
[channels.email]
use = "console"
consent = "opt-out"
cost = "0.25 EUR"
[channels.sms]
use = "console"
consent = "opt-out"
cost = "0.1 USD"
[tracking]
domain = "https://t.example"
domains = ["shop.example"]
"""
COSTS: Final = {"email": (Fraction(1, 4), "EUR"), "sms": (Fraction(1, 10), "USD")}
_SITE: Final = "https://shop.example/"
PAGES: Final[tuple[tuple[dict[str, str], Origin | None], ...]] = (
    ({"url": f"{_SITE}?gclid=1"}, ("paid search", "")),
    ({"url": f"{_SITE}?utm_source=google&utm_medium=cpc&utm_campaign=spring"}, ("paid search", "spring")),
    ({"url": _SITE}, None),
    ({"url": f"{_SITE}a", "referrer": _SITE}, None),
    ({"url": _SITE, "referrer": "https://www.google.com/"}, ("organic search", "")),
    ({"url": _SITE, "referrer": "https://blog.test/x"}, ("referral", "blog.test")),
    ({"url": _SITE, "referrer": "https://www.paypal.com/"}, None),
)
OURS: Final = ("hello welcome email", "carts offer email", "carts warm email", "hello nudge sms", "carts last sms")
_KINDS: Final = {
    "signed_up": 2, "cart_abandoned": 3, "ordered": 5, "order_refunded": 2, "order_cancelled": 1, "page_viewed": 8,
    "ad_clicked": 2, "store_visited": 1, "call_received": 1,
}  # fmt: skip


class Told(msgspec.Struct, frozen=True):
    """Something that happened, as it was told."""

    received: int
    event: Event
    customer: str
    origin: Origin | None = None
    ours: str = ""


def _tell(random: Random, people: int) -> Iterator[Told]:
    number = 0
    for person in range(people):
        who, browser, known = f"u{person}", f"b{person}", False
        moments = sorted(random.randrange(DAYS * 144) for _ in range(random.randint(1, 16)))
        anonymous = random.choice([0, moments[len(moments) // 2]])
        placed: list[str] = ["none"]
        for moment in moments:
            number += 1
            at = START + moment * 10 * MINUTE + random.choice([0, 0, 0, -40, 30, 59, 60, 61]) * SECOND + number
            name = random.choices([*_KINDS], [*_KINDS.values()])[0]
            fields, origin, ours = _fields(random, name, number, placed)
            late = random.choice([0, 0, 0, 0, 5 * MINUTE, DAY, 9 * DAY, -3 * HOUR])
            hidden = name == "page_viewed" and moment < anonymous and not ours
            event = Event(
                message_id=f"m{number}",
                timestamp=Instant(at),
                source="web",
                name=name,
                user_id=None if hidden else who,
                anonymous_id=browser if hidden or not known else None,
                properties=fields,
                traits={} if hidden else {"email": f"{who}@x.test", "phone": f"+3584012345{person:02}"},
            )
            known = known or not hidden
            yield Told(at + late, event, who, origin, ours)
            if name == "ordered" and random.random() < 0.25:
                again = {**fields, **({"total": 11} if random.random() < 0.5 else {})}
                then = at + random.choice([HOUR, 3 * DAY, -2 * HOUR])
                told = {"message_id": f"e{number}", "timestamp": Instant(then), "source": "erp", "properties": again}
                yield Told(max(then, at + late), msgspec.structs.replace(event, **told), who)
            if random.random() < 0.1:
                yield Told(at + late + HOUR, event, who, origin, ours)
        if not known:
            event = Event(message_id=f"i{person}", timestamp=Instant(START + DAYS * DAY), source="web", user_id=who,
                          anonymous_id=browser)  # fmt: skip
            yield Told(START + DAYS * DAY, event, who)


def _fields(random: Random, name: str, number: int, placed: list[str]) -> tuple[dict[str, Any], Origin | None, str]:
    match name:
        case "ordered":
            placed.append(random.choice([str(random.randint(1, 6)), f"x{number}"]))
            fields = {"order_id": placed[-1], "total": random.choice([10, 20.5, "30.25", 99.99, None, 7, -3])}
            return {**fields, **random.choice([{}, {}, {"currency": random.choice(["USD", "usd", "SEK"])}])}, None, ""
        case "order_refunded":
            fields = {"order_id": random.choice(placed), "amount": random.choice([1, 5, 1000, "2.5", -3, None])}
            return {**fields, **random.choice([{}, {"refund_id": "r1"}, {"currency": "USD"}])}, None, ""
        case "order_cancelled":
            return {"order_id": random.choice(placed)}, None, ""
        case "page_viewed" if random.random() < 0.4:
            ours = random.choice(OURS)
            rule, message, channel = ours.split()
            marks = f"utm_source=segue&utm_medium={channel}&utm_campaign={rule}&utm_content={message}"
            return {"url": f"{_SITE}n?{marks}"}, None, ours
        case "page_viewed":
            page, origin = random.choice(PAGES)
            return dict(page), origin, ""
        case "ad_clicked":
            return {"campaign": random.choice(["x", "hello"]), "cost": "0.4"}, None, ""
        case _:
            return {}, None, ""


class Shop:
    """A project in a folder, played to the end of its messages. ``events``, ``letters`` and ``reactions`` are what
    happened, ``lines`` what was decided."""

    def __init__(self, root: Path, seed: int, people: int = 16) -> None:
        self.letters: dict[str, Letter] = {}
        self.reactions: list[tuple[int, int, str]] = []
        self.lines: list[DecisionLine] = []
        self._random = Random(seed)
        (root / "rules").mkdir(parents=True)
        (root / "rules" / "a.rules").write_text(RULES, encoding="utf-8")
        (root / "segue.toml").write_text(TOML, encoding="utf-8")
        told = sorted(_tell(self._random, people), key=lambda one: one.received)
        once = {one.event.message_id: (row, one) for row, one in reversed([*enumerate(told)])}
        self.events = [
            Happened(min(one.event.timestamp, one.received), one.received, row, one.event.name or "", one.customer,
                     one.event.properties, one.origin, one.ours)
            for row, one in once.values()
        ]  # fmt: skip
        store = Store(root / "segue.db", durable=False)
        try:
            self._play(store, root, told)
        finally:
            store.close()

    def _play(self, store: Store, root: Path, told: list[Told]) -> None:
        assembly = assemble(root)

        def prepare(tx: Transaction) -> Running:
            publish(tx, check_book([Source("a.rules", RULES)], assembly.words(None)).book, Instant(START), "test")
            running = resume(tx, assembly.setting)
            assert running is not None
            return running

        replay = Replay(store, store.apply(prepare), Catalogue(), answer=self._answer)
        reports: list[tuple[int, str, str]] = []
        seen: set[str] = set()
        for day in range(DAYS + 15):
            until = Instant(START + (day + 1) * DAY)
            for at, what, key in [one for one in reports if one[0] < until]:
                self._report(replay, at, what, key)
            reports = [one for one in reports if one[0] >= until]
            arrivals = [
                Arrival(one.event, Instant(one.received)) for one in told if until - DAY <= one.received < until
            ]
            self.lines += replay.run(arrivals, until=until)
            new = [key for key, one in self.letters.items() if one.state == "sent" and key not in seen]
            reports += [one for key in new for one in self._reports(key, until)]
            seen.update(new)

    def _answer(self, claimed: Claim, moment: Instant) -> Answer:
        fresh = Letter(
            claimed.key, claimed.rule, claimed.message, claimed.channel, claimed.customer, moment, len(self.letters)
        )
        letter = self.letters.setdefault(claimed.key, fresh)
        each, letter.currency = COSTS[claimed.channel]
        match self._random.choices(["sent", "long", "refused", "later"], [7, 1, 1, 1])[0]:
            case "refused":
                letter.state = "refused"
                return Rejected("no")
            case "later":
                return Retry("later", after=60)
            case said:
                parts = 3 if said == "long" else 1
                letter.state, letter.handed, letter.cost = "sent", moment, each * parts
                return Sent(parts=parts)

    def _reports(self, key: str, after: int) -> Iterator[tuple[int, str, str]]:
        random = self._random
        what = random.choice(["undelivered", "delivered", "", ""])
        if what:
            yield after + random.randint(0, 72) * HOUR, what, key
        if what != "undelivered":
            for done in random.choice([(), ("opened",), ("opened", "clicked"), ("clicked", "clicked"), ("replied",)]):
                yield after + random.randint(0, 700) * 10 * MINUTE, done, key

    def _report(self, replay: Replay, at: int, what: str, key: str) -> None:
        letter, name = self.letters[key], f"{what} {key} {at}"
        replay.hear(RecordedReport(letter.channel, Report(id=name, what=what, at=Instant(at), key=key), Instant(at)))
        if what == "undelivered":
            letter.state, letter.cost = "undelivered", Fraction(0)
        elif what != "delivered":
            self.reactions.append((at, {"opened": OPENED, "clicked": CLICKED, "replied": REPLIED}[what], key))
