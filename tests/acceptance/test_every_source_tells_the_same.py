"""The same story, told by each source in its own words, is decided alike by the same rules of the gallery: through the
settings of a project, the sources as they are opened there, real servers where they read from some, and replay."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from segue.api import Event, Instant, Source, SourceSpec, SourceTools, from_datetime
from segue.api.values import to_datetime
from segue.runtime.assembly import assemble, check, configure_fetching, open_sources
from segue.runtime.erasing import go_on
from segue.runtime.publishing import publish, resume
from segue.runtime.running import DecisionLine
from segue.scenario.replay import Arrival, Replay
from segue.store import erasures
from segue.store.database import Store
from tests.acceptance.tellers import BEGAN, CALLS, MAP, SECRET, payload, to_forget
from tests.counterparts.brokers import Broker, Kafka, Mosquitto, Nats, RedisServer
from tests.counterparts.databases import NAME, PASSWORD, USER, running
from tests.counterparts.missing import reported_when_missing
from tests.shape.repository import ROOT

BROKERS = {broker.use: broker for broker in (Kafka, Mosquitto, Nats, RedisServer)}
DATABASES = ("mariadb", "postgresql")
SOURCES = sorted([*CALLS, "files", *BROKERS, *DATABASES])

# What happens, in minutes. Who says itself that a cart was left tells `expired`; the others tell the change.
CART = (("cart", 0), ("expired", 60), ("order", 210))
DELIVERED = (("order", 210), ("delivered", 210 + 2 * 1440))
REFUNDED = (("order", 210), ("refunded", 210 + 1440))
STORIES = {"cart": CART, "delivered": DELIVERED, "refunded": REFUNDED}

RULES = """
rule refill
  when item_ordered where product_id = "11" and quantity > 1
  wait 1d unless order_refunded
  send email "Again" as transactional

rule money_back
  when order_refunded where total > 50
  send email "Your money is on its way" as transactional
"""
"""Beside those of the gallery: the lines of orders, and what was paid back."""

EXPECTED = {
    "cart": """
        03-02 11:00 cart_recovery entered
        03-02 12:00 cart_recovery sent email cart_reminder
        03-02 13:30 cart_recovery converted ordered
        03-02 13:30 cart_recovery exited unless ordered
        03-02 13:30 post_purchase entered
        03-02 13:30 post_purchase sent email order_confirmed
        03-02 13:30 refill entered
        03-03 13:30 refill finished
        03-03 13:30 refill sent email Again
        03-16 13:30 post_purchase finished
        03-16 13:30 post_purchase sent email order_delayed
    """,
    "delivered": """
        03-02 13:30 post_purchase entered
        03-02 13:30 post_purchase sent email order_confirmed
        03-02 13:30 refill entered
        03-03 13:30 refill finished
        03-03 13:30 refill sent email Again
        03-11 13:30 post_purchase finished
        03-11 13:30 post_purchase sent email ask_for_review
    """,
    "refunded": """
        03-02 13:30 post_purchase entered
        03-02 13:30 post_purchase sent email order_confirmed
        03-02 13:30 refill entered
        03-03 13:30 money_back entered
        03-03 13:30 money_back finished
        03-03 13:30 money_back sent email Your money is on its way
        03-03 13:30 post_purchase exited until order_cancelled or order_refunded
        03-03 13:30 refill exited unless order_refunded
    """,
}


class Shop:
    """A project with one source, and whoever tells it what happens. ``tell`` gives the events that come of one thing,
    told twice as webhooks and brokers do."""

    def __init__(self, folder: Path, use: str, settings: dict[str, Any], mapped: bool) -> None:
        folder.mkdir()
        (folder / "rules").mkdir()
        (folder / "rules" / "more.rules").write_text(RULES, "utf-8")
        self.folder = folder
        self.use = use
        lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
        lines += [
            f'{key} = {{ env = "STORY_SECRET" }}' for key in ("secret", "password") if key in _SECRET.get(use, ())
        ]
        quiet = ['cart_abandoned = "1h"'] if use not in ("shopify", "woocommerce", "stripe") else []
        table = [f"[sources.{use}]", f'use = "{_PLUGIN.get(use, use)}"', *lines, *quiet]
        more = [f"[sources.{use}.map]", MAP] if mapped else []
        head = ['zone = "Europe/Berlin"', "[privacy]", 'erase_on = ["customer_redact"]']
        (folder / "segue.toml").write_text("\n".join([*head, *table, *more]), "utf-8")
        self.assembly = assemble(folder)
        assert self.assembly.problems == ()
        self.arrivals: list[Arrival] = []
        self.store = Store(None)

    def tell(self, what: str, at: datetime) -> None:
        for event in self.hear(what, at):
            assert event.source == self.use
            self.arrivals.append(Arrival(event, from_datetime(at)))

    def hear(self, what: str, at: datetime) -> list[Event]:
        raise NotImplementedError

    def decide(self) -> list[DecisionLine]:
        gallery = [ROOT / "rules" / "cart_recovery", ROOT / "rules" / "post_purchase"]
        book = check(self.assembly, [*gallery, self.folder / "rules"])
        assert book.ok, book.diagnostics
        self.store.apply(lambda tx: publish(tx, book.checked.book, Instant(from_datetime(BEGAN) - 1), "test"))
        published = self.store.apply(lambda tx: resume(tx, self.assembly.setting))
        assert published is not None
        return list(Replay(self.store, published, book.content).run(self.arrivals))


_PLUGIN = dict.fromkeys(DATABASES, "sql")
_SECRET = {
    **dict.fromkeys(("shopify", "stripe", "woocommerce", "webhooks"), ("secret",)),
    **dict.fromkeys(DATABASES, ("password",)),
}


class Called(Shop):
    """A source that is called over HTTP."""

    def __init__(self, folder: Path, use: str) -> None:
        own = {"user_id": "email"} if use in ("shopify", "stripe", "woocommerce") else {}
        super().__init__(folder, use, own, mapped=use == "webhooks")
        opened, problems = open_sources(self.assembly)
        assert problems == []
        self.source: Source = next(found for name, _, found in opened if name == use)

    def hear(self, what: str, at: datetime) -> list[Event]:
        request = to_forget() if what == "forget" else CALLS[self.use](what, at)
        found: list[Event] = []
        for _ in range(2 if request is not None else 0):
            assert request is not None
            received = self.source.receive(request, from_datetime(at))
            assert received.response.status == 200, received.response.body
            assert received.events
            found += received.events
        return found


class Fetched(Shop):
    """A source that fetches. ``put`` is what the shop does with a payload."""

    def __init__(self, folder: Path, use: str, settings: dict[str, Any], put: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(folder, use, settings, mapped=True)
        ((_, spec, config),), problems = configure_fetching(self.assembly)
        assert problems == []
        self._put = put
        self._runner = asyncio.Runner()
        self._position: str | None = None
        self._source = self._runner.run(self._open(spec, config))

    async def _open(self, spec: SourceSpec, config: Any) -> Any:
        return spec.open(config, SourceTools(source=self.use))  # within its loop, as the host does it

    def hear(self, what: str, at: datetime) -> list[Event]:
        found = payload(what, at)
        if found is None:
            return []
        for _ in range(2):
            self._put(found)
        return self._runner.run(self._fetch())

    async def _fetch(self) -> list[Event]:
        events: list[Event] = []
        async with asyncio.timeout(30):
            while sum(event.name != "item_ordered" for event in events) < 2:
                fetched = await self._source.fetch(self._position)
                assert fetched.rejections == ()
                self._position = fetched.position if fetched.position is not None else self._position
                events += fetched.events
                await self._source.settle(fetched)
        return events

    def close(self) -> None:
        self._runner.run(self._source.close())
        self._runner.close()


@contextlib.contextmanager
def serving(use: str) -> Iterator[Callable[[Path, str], contextlib.AbstractContextManager[Shop]]]:
    """Whatever a source reads from, while it runs: gives what opens a shop there, for one story."""
    with contextlib.ExitStack() as stack:
        if use in CALLS:
            yield lambda folder, _: contextlib.nullcontext(Called(folder, use))
        elif use == "files":
            yield lambda folder, _: contextlib.closing(_with_files(folder))
        elif use in BROKERS:
            broker = BROKERS[use]()
            stack.callback(broker.stop)
            with reported_when_missing():
                broker.start()
            yield lambda folder, story: contextlib.closing(_with_broker(broker, folder, story))
        else:
            with reported_when_missing():
                server = stack.enter_context(running(use))
            yield lambda folder, story: contextlib.closing(_with_database(server, folder, story))


def _with_files(folder: Path) -> Fetched:
    import pyarrow
    import pyarrow.parquet

    drop = folder.with_name(f"{folder.name} drop")
    drop.mkdir()
    numbers = itertools.count()

    def put(row: dict[str, Any]) -> None:
        number = next(numbers)
        # The same rows in another file: the same file again would not even be read.
        table = pyarrow.Table.from_pylist([{**row, "note": number}])
        pyarrow.parquet.write_table(table, drop / f"{number}.parquet")

    return Fetched(folder, "files", {"folder": str(drop), "settle": 0, "every": 0}, put)


def _with_broker(broker: Broker, folder: Path, topic: str) -> Fetched:
    broker.make(topic)
    return Fetched(
        folder, broker.use, broker.settings(topic), lambda row: broker.publish(topic, [json.dumps(row).encode()])
    )


def _with_database(server: Any, folder: Path, table: str) -> Fetched:
    if server.system == "postgresql":
        number, json_type, moment, quote = "bigserial", "jsonb", "timestamptz(6)", '"'
    else:
        number, json_type, moment, quote = "bigint auto_increment", "json", "datetime(6)", "`"
    columns = "id text, what text, at text, mail text, first text, sale text, basket text, cents int, "
    columns += f"lines_sold {json_type}"

    def run(statement: str, *values: Any) -> None:
        with contextlib.closing(server.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)

    run(f"create table {table} (number {number} primary key, {columns}, changed {moment})")

    def put(row: dict[str, Any]) -> None:
        names = ("id", "what", "at", "mail", "first", "sale", "basket", "cents")
        changed = row["at"].replace("T", " ").removesuffix("Z")
        zone = "+00" if server.system == "postgresql" else ""
        run(
            f"insert into {table} ({', '.join(names)}, lines_sold, changed) values ({', '.join(['%s'] * 10)})",
            *(row[name] for name in names),
            json.dumps(row["lines"]),
            f"{changed}{zone}",
        )

    settings = {
        "system": server.system,
        "database": NAME,
        "user": USER,
        "port": server.port,
        "socket": server.socket,
        "query": f"select *, lines_sold as {quote}lines{quote} from {table}",
        "watermark": "changed",
        "row_id": "number",
        "every": 1,
    }
    return Fetched(folder, server.system, settings, put)


def shown(line: DecisionLine) -> str:
    assert line.customer == "ann@example.com"
    parts = (line.rule, line.decision, line.channel, line.message, line.reason)
    return " ".join([f"{to_datetime(line.at):%m-%d %H:%M}", *filter(None, parts)])


def written(expected: str) -> list[str]:
    """What is expected, line by line."""
    return [line.strip() for line in expected.strip().splitlines()]


@pytest.mark.parametrize("use", SOURCES)
def test_whoever_tells_a_story_it_is_decided_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use: str) -> None:
    monkeypatch.setenv("STORY_SECRET", PASSWORD if use in DATABASES else SECRET)
    with serving(use) as opening:
        for story, happenings in STORIES.items():
            if use == "stripe" and story == "delivered":
                continue  # it knows of money only
            with opening(tmp_path / story, f"{story}s") as shop:
                for what, minutes in happenings:
                    shop.tell(what, BEGAN + timedelta(minutes=minutes))
                assert sorted(map(shown, shop.decide())) == written(EXPECTED[story])


def test_whom_shopify_has_to_forget_is_erased(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORY_SECRET", SECRET)
    shop = Called(tmp_path / "shop", "shopify")
    for what, minutes in (*REFUNDED, ("forget", 3 * 1440)):
        shop.tell(what, BEGAN + timedelta(minutes=minutes))
    shop.decide()
    (open_one,) = shop.store.apply(erasures.load_open)
    assert open_one.who == "customer_redact from shopify"
    while shop.store.apply(partial(go_on, number=open_one.number, now=from_datetime(BEGAN))):
        pass
    assert shop.store.apply(lambda tx: tx.rows("select count(*) from customer where key like '%ann%'")) == [(0,)]
    assert shop.store.apply(lambda tx: tx.rows("select count(*) from event where customer is not null")) == [(0,)]
