"""What a period came to is read from the store."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from functools import partial
from pathlib import Path

from segue.api import Instant
from segue.api.values import DAY
from segue.delivery.ledger import MessageState
from segue.measure.period import Period
from segue.store.database import Store, Transaction, read_only
from segue.store.results import count_periods

NOW = Instant(1_780_000_000_000_000)


def test_reasons_differ_by_what_kept_a_message_back_and_not_by_what_was_in_its_way_this_time(tmp_path: Path) -> None:
    path = tmp_path / "segue.db"
    with closing(Store(path)) as store:
        for number in range(1, 4):
            store.apply(partial(_skip, number=number))
    now, before = Period(NOW, Instant(NOW + DAY)), Period(Instant(NOW - DAY), NOW)
    counts, none = count_periods(partial(read_only, path), (now, before), lambda _: date(2026, 5, 28), lambda *_: None)
    assert none.empty
    assert counts.reasons == {("email", "skipped", "limit 4 messages per 7d (promotional)"): 3}


def _skip(tx: Transaction, number: int) -> None:
    tx.run(
        "insert into message (id, key, journey, customer, rule, channel, message, kind, state, decided, expires, "
        "reason) values (?, ?, 1, ?, 'carts', 'email', 'offer', 'promotional', ?, ?, ?, ?)",
        (
            number,
            number.to_bytes(16),
            number,
            int(MessageState.SKIPPED),
            NOW + number,
            NOW + DAY,
            f"limit 4 messages per 7d (promotional), taken by rule{number} at 2026-05-{number:02}T08:00:00Z",
        ),
    )
