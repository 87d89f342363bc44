"""Where a span of a replay ends changes nothing: neither what is decided, nor the order, nor what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from segue.api import Money
from segue.language import model as m
from segue.language.book import Source, check_book
from segue.language.vocabulary import ChannelWords, Words
from segue.messages.catalogue import Catalogue
from segue.runtime.publishing import publish, resume
from segue.runtime.running import DecisionLine, Running
from segue.scenario import span
from segue.scenario.replay import Arrival, Progress, Replay
from segue.store.database import Store, Transaction
from tests.engine.answered import live
from tests.engine.programs import Life, lives
from tests.engine.stage import arrival, at, put, setting

RULES = """
event cart
  total number
event ordered
event moved
  topic text
customer
  city text
  renewal date
segment keen where cart at least 2 times in last 3d
policy promotional
  quiet 22:00 to 07:00 local
  limit 2 messages per 1d defer 6h
  budget 3 EUR per 1d

rule carts when cart where total > 5
  once per 4h
  goal ordered within 2d
  expect 20 per 1d
  split "half" 50% "a" wait 3h unless ordered 50% "b" wait until tomorrow 09:00 end
  send email "x" then sms "y"

rule keen_ones when customer enters keen send push "k" wait 1d send email "k2"
rule gone when customer leaves keen send email "bye"
rule daily every day at 09:00 local for keen send sms "daily"
rule moves when customer.city changes send email "city"
rule renewals when 1d before customer.renewal send email "renew"
rule topics when cart per total until moved wait 12h send push "t"
"""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans that are cut wherever they can be."""
    monkeypatch.setattr(span, "_MOST_DUE", 3)
    monkeypatch.setattr(span, "_MOST_NEW", 4)


def _arrivals() -> Iterator[Arrival]:
    """Forty customers, many at the same moments; some sign in late, some live elsewhere."""
    start, number = at("2026-03-27T08:00Z"), 0

    def one(hours: float, name: str | None, who: str | None, **more: Any) -> Arrival:
        nonlocal number
        number += 1
        moment = start + int(hours * 3_600_000_000)
        when = timedelta(microseconds=moment)
        text = (at_epoch + when).isoformat().replace("+00:00", "Z")
        return arrival(f"m{number}", name, text, who, **more)

    from datetime import UTC, datetime

    at_epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for who in range(40):
        zone = ("UTC", "Asia/Tokyo", "America/New_York")[who % 3]
        yield one(0, None, f"c{who}", traits={"timezone": zone, "renewal": f"2026-03-{28 + who % 4}"})
    for hour in range(0, 96, 3):
        for who in range(0, 40, 1 + hour % 4):
            yield one(hour + 1, "cart", f"c{who}", total=who % 9)
            if (who + hour) % 5 == 0:
                yield one(hour + 1, "ordered", f"c{who}")
        if hour % 12 == 0:
            yield one(hour + 2, "moved", None, total=hour % 9)
            yield one(hour + 2, None, f"c{hour % 40}", traits={"city": f"city {hour}"})


def _publish(tx: Transaction, rules: m.Book) -> Running:
    publish(tx, rules, at("2026-03-27T07:00Z"), "test")
    how = msgspec.structs.replace(setting(), costs={"email": Money(Decimal("0.5"), "EUR")})
    running = resume(tx, how)
    assert running is not None
    return running


def _decide(**how: Any) -> tuple[list[DecisionLine], dict[str, list[tuple[Any, ...]]]]:
    words = Words(channels={name: ChannelWords(needs_content=False) for name in ("email", "sms", "push")})
    checked = check_book([Source("span.rules", RULES)], words)
    assert checked.ok, [one.message for one in checked.diagnostics if one.is_error]
    store = Store(None)
    try:
        running = store.apply(lambda tx: _publish(tx, checked.book))
        lines = list(Replay(store, running, Catalogue(), **how).run(_arrivals()))
        tables = ("customer", "journey", "message", "entry", "ignored", "tally", "lookout", "schedule", "spend", "arm")
        return lines, store.apply(lambda tx: {one: sorted(tx.rows(f"select * from {one}"), key=repr) for one in tables})
    finally:
        store.close()


@pytest.mark.usefixtures("small")
@settings(max_examples=60, deadline=None)
@given(lives())
def test_a_life_is_decided_alike_in_one_span_and_in_many(life: Life) -> None:
    assert live(life, span=1) == live(life)


def test_segments_calendars_policies_and_edges_are_decided_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _decide()
    assert {line.decision for line in whole[0]} >= {"entered", "sent", "deferred", "skipped", "finished", "exited"}
    assert _decide(span=1) == whole
    assert _decide(span=7) == whole
    monkeypatch.setattr(span, "_MOST_DUE", 3)
    monkeypatch.setattr(span, "_MOST_NEW", 4)
    assert _decide() == whole
    assert _decide(span=2) == whole


def test_progress_tells_how_far_the_replay_has_come() -> None:
    words = Words(channels={"email": ChannelWords(needs_content=False)})
    checked = check_book([Source("p.rules", "event cart\nwhen cart wait 1h send email")], words)
    store = Store(None)
    running = put(store, checked.book, setting())
    told: list[Progress] = []
    arrivals = [arrival(f"m{minute}", "cart", f"2026-01-05T10:{minute:02d}Z", f"c{minute}") for minute in range(50)]
    for _ in Replay(store, running, Catalogue(), span=10).run(arrivals, progress=told.append):
        pass
    store.close()
    assert [one.arrivals for one in told] == sorted(one.arrivals for one in told)
    assert told[-1] == Progress(50, at("2026-01-05T11:49Z"))
    assert len(told) >= 5
