"""Touches and conversions are read from the store as the loops of the daemon left them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from segue.api import Event, Instant, Report
from segue.api.values import DAY, HOUR, MINUTE
from segue.delivery.hits import Hit
from segue.host.touchpoints import EVENTS, Touchpoints
from segue.measure.money import Spending, Spent
from segue.measure.period import Period
from segue.measure.touchpoints.columns import OTHERS, Conversions, Touches, What
from segue.measure.touchpoints.gathering import Bounds
from segue.measure.touchpoints.joining import Windows, join
from segue.measure.touchpoints.origins import Naming
from segue.messages.catalogue import Catalogue
from segue.runtime.publishing import publish, resume
from segue.runtime.running import DecisionLine, Running
from segue.scenario.replay import Arrival, RecordedReport, Replay
from segue.store.conversions import read_goals
from segue.store.database import Store, Transaction, read_only
from segue.store.hits import put_hits, put_verdicts
from segue.store.orders import read_orders
from segue.store.spending import read_spending
from segue.store.touchpoints import Choice, read_touches
from tests.acceptance.drivers import read_rules, setting

START = Instant(1_780_000_000_000_000)
END = Instant(START + 300 * DAY)
ALWAYS = Period(Instant(0), END)
RULES = """
event ad_clicked
event store_visited

rule hello
  when signed_up
  goal ordered within 30d worth total
  send email "welcome"
"""
OURS = "https://shop.example/x?utm_source=segue&utm_medium=email&utm_campaign=hello&utm_content=welcome"
CHOICE = Choice(
    messages=Touchpoints().messages,
    events=EVENTS,
    visits=True,
    naming=Naming(("shop.example",), "segue"),
    parameters={
        "utm_source": "segue",
        "utm_medium": "{channel}",
        "utm_campaign": "{rule}",
        "utm_content": "{message}",
    },
    currency="EUR",
)


class Shop:
    """A store in which a shop's customers do what a test says, at minutes from the start."""

    def __init__(self, path: Path, rules: str = RULES) -> None:
        self.path = path
        self.store = Store(path, durable=False)

        def prepare(tx: Transaction) -> Running:
            publish(tx, read_rules(rules), START, "test")
            running = resume(tx, setting())
            assert running is not None
            return running

        self._replay = Replay(self.store, self.store.apply(prepare), Catalogue())
        self._number = 0
        self.look = partial(read_only, path)

    def tell(
        self, minute: int, name: str, customer: str = "ann", *, later: int = 0, **fields: Any
    ) -> list[DecisionLine]:
        self._number += 1
        at = Instant(START + minute * MINUTE)
        event = Event(
            message_id=fields.pop("message_id", str(self._number)),
            timestamp=at,
            source=fields.pop("source", "web"),
            name=name,
            user_id=None if customer.startswith("?") else customer,
            anonymous_id=fields.pop("anonymous", customer if customer.startswith("?") else None),
            properties=fields,
            traits={} if customer.startswith("?") else {"email": f"{customer}@x.test"},
        )
        return list(
            self._replay.run([Arrival(event, Instant(at + later * MINUTE))], until=Instant(at + later * MINUTE + 1))
        )

    def hear(self, minute: int, what: str, key: str) -> None:
        at = Instant(START + minute * MINUTE)
        self._replay.hear(RecordedReport("email", Report(id=f"{what}{minute}", what=what, at=at, key=key), at))
        list(self._replay.run([], until=Instant(at + 1)))

    def hit(self, minute: int, machine: str, key: str) -> None:
        def put(tx: Transaction) -> None:
            row = tx.row("select id, customer from message where key = ?", (bytes.fromhex(key),))
            assert row is not None
            hit = Hit(key, "clicked", 1, 1, Instant(START + minute * MINUTE), "x", machine)
            put_hits(tx, [(row[0], row[1], hit, None)])
            found = tx.row("select max(id) from hit")
            assert found is not None
            put_verdicts(tx, [(found[0], machine)])

        self.store.apply(put)

    def touches(self, **changes: Any) -> list[tuple[Any, ...]]:
        found = self.read(**changes)
        rows = sorted(zip(found.at.tolist(), found.whats.tolist(), found.labels.tolist(), strict=True))
        return [
            (
                (at - START) // MINUTE,
                What(what).title,
                found.names[label].channel,
                found.names[label].campaign or found.names[label].rule,
            )
            for at, what, label in rows
        ]

    def read(self, **changes: Any) -> Touches:
        choice = msgspec.structs.replace(CHOICE, **changes)
        return read_touches(self.look, Bounds(0), END, choice, lambda _done, _of: None)

    def orders(self) -> Conversions:
        return read_orders(self.look, Instant(0), ALWAYS, ("ordered",), "EUR", lambda _done, _of: None)

    def goals(self, rule: str) -> Conversions:
        return read_goals(self.look, Instant(0), ALWAYS, [rule], self.orders(), "EUR", lambda _done, _of: None)[rule]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "segue.db")
    yield made
    made.store.close()


def _sent(lines: list[DecisionLine]) -> str:
    (found,) = [line.key for line in lines if line.decision == "sent"]
    return found


def test_a_message_is_a_touch_when_it_is_handed_over_opened_and_clicked(shop: Shop) -> None:
    key = _sent(shop.tell(0, "signed_up"))
    shop.hear(10, "opened", key)
    shop.hear(20, "clicked", key)
    assert shop.touches() == [
        (0, "handed over", "email", "hello"),
        (10, "opened", "email", "hello"),
        (20, "clicked", "email", "hello"),
    ]
    assert len(shop.touches(messages=frozenset({What.CLICKED}))) == 1


def test_a_click_by_a_machine_is_no_touch(shop: Shop) -> None:
    key = _sent(shop.tell(0, "signed_up"))
    shop.hit(1, "a security scanner fetched it", key)
    shop.hit(30, "", key)
    assert [one for one in shop.touches() if one[1] == "clicked"] == [(30, "clicked", "email", "hello")]
    assert len([one for one in shop.touches(machines=True) if one[1] == "clicked"]) == 2


def test_a_visit_that_a_message_brought_does_not_count_beside_its_click(shop: Shop) -> None:
    key = _sent(shop.tell(0, "signed_up"))
    shop.hear(60, "clicked", key)
    shop.tell(60, "page_viewed", url=OURS)
    shop.tell(65, "page_viewed", url="https://shop.example/y", referrer=OURS)
    assert [one[:2] for one in shop.touches()] == [(0, "handed over"), (60, "clicked")]


def test_a_visit_whose_click_nobody_noted_is_the_click(shop: Shop) -> None:
    shop.tell(0, "signed_up")
    shop.tell(60, "page_viewed", url=OURS)
    found = shop.read()
    assert [one[:3] for one in shop.touches()] == [(0, "handed over", "email"), (60, "clicked", "email")]
    assert len(set(found.messages.tolist())) == 1
    # Somebody else followed a link that was passed on: a visit as any other.
    shop.tell(70, "page_viewed", "bob", url=OURS)
    assert shop.touches()[-1] == (70, "visit", "email", "hello")


def test_our_own_links_are_known_where_their_source_is_made_of_the_channel(shop: Shop) -> None:
    shop.tell(0, "signed_up")
    shop.tell(60, "page_viewed", url=OURS.replace("source=segue", "source=shop-email"))
    shop.tell(200, "page_viewed", url=OURS.replace("source=segue", "source=shop-sms"))
    made: Any = {"parameters": {**CHOICE.parameters, "utm_source": "shop-{channel}"}}
    made["naming"] = Naming(("shop.example",), "shop-{channel}")
    assert [one[:3] for one in shop.touches(**made)] == [
        (0, "handed over", "email"),
        (60, "clicked", "email"),
        (200, "visit", "email"),
    ]


def test_the_message_of_our_own_link_may_have_gone_before_all_that_is_read(shop: Shop) -> None:
    shop.tell(0, "signed_up")
    shop.tell(60, "page_viewed", url=OURS)
    since = Instant(START + 30 * MINUTE)
    found = read_touches(partial(read_only, shop.path), Bounds(since), END, CHOICE, lambda _done, _of: None)
    assert [What(what).title for what in found.whats.tolist()] == ["clicked"]
    assert found.messages.tolist() == [1]
    only = msgspec.structs.replace(CHOICE, messages=frozenset({What.CLICKED}))
    found = read_touches(partial(read_only, shop.path), Bounds(0), END, only, lambda _done, _of: None)
    assert [What(what).title for what in found.whats.tolist()] == ["clicked"]


def test_pages_of_half_an_hour_are_one_visit_until_another_origin_is_named(shop: Shop) -> None:
    shop.tell(0, "page_viewed", url="https://shop.example/?gclid=1")
    shop.tell(20, "page_viewed", url="https://shop.example/a", referrer="https://shop.example/")
    shop.tell(40, "page_viewed", url="https://shop.example/b", referrer="https://www.google.com/")
    shop.tell(45, "page_viewed", url="https://shop.example/c", referrer="https://www.paypal.com/")
    shop.tell(90, "page_viewed", url="https://shop.example/")
    assert [one[::2] for one in shop.touches()] == [(0, "paid search"), (40, "organic search"), (90, "direct")]


def test_a_visit_that_began_before_what_is_read_does_not_begin_anew(shop: Shop) -> None:
    shop.tell(0, "page_viewed", url="https://shop.example/?gclid=1")
    shop.tell(20, "page_viewed", url="https://shop.example/a", referrer="https://shop.example/")
    shop.tell(30, "page_viewed", url="https://shop.example/", referrer="https://www.google.com/")
    shop.tell(40, "page_viewed", url="https://shop.example/b", referrer="https://shop.example/")
    since = Instant(START + 10 * MINUTE)
    found = read_touches(partial(read_only, shop.path), Bounds(since), END, CHOICE, lambda _done, _of: None)
    assert [found.names[label].channel for label in found.labels.tolist()] == ["organic search"]


def test_before_the_period_only_what_its_buyers_met_is_read(shop: Shop) -> None:
    people = ("ann", "bob")
    keys = [_sent(shop.tell(0, "signed_up", customer)) for customer in people]
    for key in keys:
        shop.hear(60, "clicked", key)
    for minute, name in ((200, "page_viewed"), (300, "store_visited"), (1_000, "page_viewed")):
        for customer in people:
            shop.tell(minute, name, customer, url="https://shop.example/?gclid=1")
    (ann,) = shop.store.apply(
        lambda tx: tx.rows("select customer from event where name is not null order by id limit 1")
    )
    bounds = Bounds(START, START + 900 * MINUTE, np.array(ann, np.int64))
    found = read_touches(partial(read_only, shop.path), bounds, END, CHOICE, lambda _done, _of: None)
    minutes = ((found.at - START) // MINUTE).tolist()
    assert sorted(zip(found.customers.tolist(), minutes, strict=True)) == [
        *((ann[0], minute) for minute in (0, 60, 200, 300, 1_000)),
        (ann[0] + 1, 1_000),
    ]


def test_contacts_are_events_and_settings_say_which(shop: Shop) -> None:
    shop.tell(0, "ad_clicked", campaign="spring", cost="0.40", currency="usd")
    shop.tell(1, "store_visited")
    assert shop.touches() == [(0, "ad", "paid other", "spring"), (1, "store visit", "store", "")]
    found = shop.read()
    assert found.costs.max() == 400_000
    assert found.money[found.currencies[found.costs.argmax()]] == "USD"
    assert shop.touches(events={}) == []


def test_an_anonymous_visit_before_signing_up_is_a_touch_of_the_later_order(shop: Shop) -> None:
    shop.tell(0, "page_viewed", "?browser", url="https://shop.example/", referrer="https://duckduckgo.com/")
    shop.tell(50, "signed_up", "ann", anonymous="?browser")
    shop.tell(99, "ordered", "ann", order_id="1", total=20)
    touches, orders = shop.read(), shop.orders()
    found = join(touches, orders, Period(Instant(0), END), Windows())
    on = [touches.names[touches.labels[place]].channel for place in found.touches.tolist()]
    assert (on, found.conversions.tolist()) == (["organic search", "email"], [0])


def test_an_order_told_of_twice_counts_once(shop: Shop) -> None:
    shop.tell(0, "ordered", order_id="1", total=20)
    shop.tell(5, "ordered", order_id=1, total=20, source="erp")
    shop.tell(6, "ordered", order_id="2", total=30, currency="USD")
    shop.tell(6, "ordered", "bob", order_id="1", total=40)
    found = shop.orders()
    assert sorted(found.values.tolist()) == [20, 30, 40]
    assert found.repeated == 1
    assert found.money == ("EUR", "USD")


def test_refunds_and_cancellations_count_however_late(shop: Shop) -> None:
    for number, total in enumerate((20, 30, 40, 50), 1):
        shop.tell(number, "ordered", order_id=str(number), total=total)
    shop.tell(100, "order_refunded", order_id="1", total=5)
    shop.tell(101, "order_refunded", order_id="2")
    shop.tell(102, "order_refunded", order_id="3", total=999)
    shop.tell(103, "order_cancelled", order_id="4")
    shop.tell(104, "order_refunded", order_id="no such order", total=7)
    shop.tell(200 * 24 * 60, "order_refunded", order_id="1", amount=3)
    found = shop.orders()
    assert sorted(zip(found.gross.tolist(), found.values.tolist(), strict=True)) == [(20, 12), (30, 0), (40, 0)]
    assert (found.cancelled, found.loose_refunds) == (1, 1)


@pytest.mark.parametrize("total", [None, "lots", "NaN", -5, 1e300, {"amount": []}, float("1e15")])
def test_an_order_without_a_sensible_value_counts_with_none(shop: Shop, total: Any) -> None:
    shop.tell(0, "ordered", order_id="1", total=total)
    found = shop.orders()
    assert found.values.tolist() == [0]
    assert found.unpriced + found.negative == 1


def test_goals_are_conversions_of_their_rule_less_what_was_paid_back(shop: Shop) -> None:
    shop.tell(0, "signed_up")
    shop.tell(HOUR // MINUTE, "ordered", order_id="1", total="20.50")
    assert shop.goals("hello").values.tolist() == [20.5]
    shop.tell(500, "order_refunded", order_id="1", total=10.25)
    assert shop.goals("hello").values.tolist() == [10.25]
    assert shop.goals("no_such_rule").values.tolist() == []


def test_a_goal_is_found_however_long_before_the_period_its_journey_began(shop: Shop) -> None:
    day = DAY // MINUTE
    for number in range(29):
        shop.tell(number * day, "signed_up", f"c{number}")
    shop.tell(29 * day, "ordered", "c0", order_id="1", total=20)
    shop.tell(29 * day + 1, "ordered", "c28", order_id="2", total=30)
    shop.tell(60 * day, "signed_up", "late", later=5 * day)
    since = Instant(START + 29 * DAY)
    period = Period(since, END)
    orders = read_orders(shop.look, since, period, ("ordered",), "EUR", lambda _done, _of: None)
    found = read_goals(shop.look, since, period, ["hello"], orders, "EUR", lambda _done, _of: None)["hello"]
    assert sorted(found.values.tolist()) == [20, 30]


def test_a_flood_of_campaigns_is_folded_and_drives_no_terminal(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segue.measure.touchpoints.gathering.MOST_NAMES", 3)
    for number in range(9):
        campaign = f"%1b%5b31m{number}" if number < 2 else str(number)
        shop.tell(100 * number, "page_viewed", url=f"https://shop.example/?utm_source=x&utm_campaign={campaign}")
    found = shop.read()
    assert found.folded == 6
    campaigns = {label.campaign for label in found.names}
    assert {OTHERS, "2"} < campaigns
    assert len(campaigns) <= 6
    assert all(name.isprintable() for name in campaigns)


def test_fields_of_any_shape_are_read(shop: Shop) -> None:
    shapes: tuple[Any, ...] = (None, 5, [], {"a": 1}, "http://[half", "\x00", "x" * 9_000)
    for number, url in enumerate(shapes):
        shop.tell(100 * number, "page_viewed", url=url, referrer=url, utm_source=url)
        shop.tell(100 * number + 1, "ad_clicked", url=url, cost=url, campaign=url, currency=url)
        shop.tell(100 * number + 2, "ordered", order_id=url, total=url, currency=url)
    assert len(shop.read().at) > 7
    found = shop.orders()
    assert sorted(found.values.tolist()) == [0, 0, 0, 0, 0, 0, 5]
    assert found.money == ("EUR",)


def test_a_code_that_was_redeemed_is_a_touch_of_the_message_that_carried_it(shop: Shop) -> None:
    shop.tell(0, "signed_up")
    redeemed = START + 90 * MINUTE
    shop.store.apply(
        lambda tx: tx.run(
            "insert into coupon (pool, code, journey, message, at, redeemed) values ('spring', 'A', 1, 1, ?, ?)",
            (START, redeemed),
        )
    )
    assert shop.touches()[1:] == [(90, "code redeemed", "email", "hello")]
    assert shop.touches(messages=frozenset({What.HANDED})) == [(0, "handed over", "email", "hello")]


def test_a_touch_of_a_journey_with_a_split_has_its_arm(tmp_path: Path) -> None:
    rules = RULES.replace('send email "welcome"', 'split "offer" 100% "ten" send email "welcome" end')
    shop = Shop(tmp_path / "arms.db", rules)
    key = _sent(shop.tell(0, "signed_up"))
    shop.hear(10, "clicked", key)
    shop.tell(500, "page_viewed", url=OURS)
    found = shop.read(arms=True)
    assert [found.names[label].arm for label in found.labels.tolist()] == ["offer: ten"] * 3
    assert {label.arm for label in shop.read().names} == {""}
    shop.store.close()


def test_messages_that_went_out_count_as_spent_or_as_of_unknown_cost(shop: Shop) -> None:
    for minute, customer in ((0, "ann"), (1, "bob"), (24 * 60, "eve")):
        shop.tell(minute, "signed_up", customer)
    assert spent(shop) == Spending({}, {"email": 3})
    shop.store.apply(lambda tx: tx.run("update message set cost = 300000 * id, currency = 'EUR' where id <= 2"))
    day = datetime.fromtimestamp(START / 1e6, UTC).date().isoformat()
    assert spent(shop) == Spending({Spent(day, "email", "hello", "welcome", "EUR"): (2, 900_000)}, {"email": 1})


def spent(shop: Shop) -> Spending:
    look = partial(read_only, shop.path)
    return read_spending(look, Period(Instant(0), END), UTC, lambda _done, _of: None)


def test_an_empty_store_has_neither(shop: Shop) -> None:
    assert shop.touches() == []
    found = join(shop.read(), shop.orders(), Period(Instant(0), END), Windows())
    assert found.starts.tolist() == [0]
