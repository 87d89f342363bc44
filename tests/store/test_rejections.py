"""What is kept of rejections: the newest of each source, for a while, and never a secret."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from segue.api import Instant, Rejection
from segue.api.values import DAY
from segue.store import rejections
from segue.store.database import Store
from segue.store.rejections import (
    LONGEST_RAW,
    RejectedCount,
    count_rejections,
    forget_rejections,
    list_rejections,
    reject,
    strike_secrets,
)


@pytest.fixture
def store() -> Iterator[Store]:
    with contextlib.closing(Store(None)) as opened:
        yield opened


def keep(store: Store, source: str, *places: str, at: int = 1, dropped: int = 0) -> None:
    found = [Rejection(place=place, reason="No.", raw=b"{}") for place in places]
    store.apply(lambda tx: reject(tx, source, found, Instant(at), dropped))


def places(store: Store, source: str | None = None) -> list[str]:
    return [one.place for one in store.apply(lambda tx: list_rejections(tx, source, 100))]


def test_the_newest_come_first_and_each_source_has_its_own(store: Store) -> None:
    keep(store, "kafka", "1", "2")
    keep(store, "nats", "3")
    assert places(store) == ["3", "2", "1"]
    assert places(store, "kafka") == ["2", "1"]
    assert places(store, "none") == []


def test_of_each_source_only_the_newest_are_kept_and_all_are_counted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejections, "KEPT", 3)
    keep(store, "nats", "quiet")
    for n in range(5):
        keep(store, "kafka", f"{n}a", f"{n}b", at=n)
    keep(store, "kafka", *(f"many {n}" for n in range(10)), at=9)
    assert places(store, "kafka") == ["many 9", "many 8", "many 7"]
    assert places(store, "nats") == ["quiet"]
    assert store.apply(count_rejections) == [
        RejectedCount("kafka", 20, 3, Instant(9)),
        RejectedCount("nats", 1, 1, Instant(1)),
    ]


def test_what_nobody_kept_is_counted(store: Store) -> None:
    keep(store, "kafka", dropped=1_000)
    assert store.apply(count_rejections) == [RejectedCount("kafka", 1_000, 0, None)]


def test_after_a_month_they_are_forgotten(store: Store) -> None:
    keep(store, "kafka", "old", at=0)
    keep(store, "kafka", "new", at=2 * DAY)
    assert not store.apply(lambda tx: forget_rejections(tx, Instant(31 * DAY)))
    assert places(store) == ["new"]
    assert store.apply(count_rejections)[0].total == 2


def test_what_came_is_cut_and_texts_are_made_fit_to_store(store: Store) -> None:
    bad = Rejection(place="p" * 9_999, reason="half \ud83d and nul \0", raw=b"x" * 100_000)
    store.apply(lambda tx: reject(tx, "kafka", [bad], Instant(1)))
    (kept,) = store.apply(lambda tx: list_rejections(tx, None, 1))
    assert (len(kept.place), kept.reason, len(kept.raw)) == (500, "half ? and nul ", LONGEST_RAW)


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        (b'{"writeKey": "abc", "event": "Paid"}', b'{"writeKey": "***", "event": "Paid"}'),
        (b'{"a": {"api_key":"a\\"b", "Client-Secret" : "x"}}', b'{"a": {"api_key":"***", "Client-Secret" : "***"}}'),
        (b'{"password": 1234, "token": null}', b'{"password": "***", "token": null}'),
        (b'{"password": "cut in tw', b'{"password": "***"'),
        (b"user=ann&password=hunter2&next=1", b"user=ann&password=***&next=1"),
        (b'{"event": "Token Used", "tokens": "3"}', b'{"event": "Token Used", "tokens": "3"}'),
        (b'{"hub_signature": "sha256=abcd"}', b'{"hub_signature": "***"}'),
        (b"\xff\xfe\x00", b"\xff\xfe\x00"),
    ],
)
def test_secrets_are_struck_out_of_what_came(raw: bytes, left: bytes) -> None:
    assert strike_secrets(raw) == left


def test_a_hostile_body_is_struck_quickly() -> None:
    strike_secrets(b'"' + b"a-" * LONGEST_RAW)
    strike_secrets(b'"password": "' + b"\\" * LONGEST_RAW)
    strike_secrets(b"password=" * 2_000)
