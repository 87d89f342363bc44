"""What the log says of customers: hashes, and nothing by which a person could be known."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from segue.cli.discretion import Discretion, mask
from segue.cli.logs import configure
from segue.customers.pseudonyms import pseudonym
from segue.store.errors import StoreUnavailable
from tests.cli.test_logs import lines, logging_as_it_was

__all__ = ["logging_as_it_was"]

SECRET = b"s" * 32


def logged(discretion: Discretion | None = None, **values: Any) -> dict[str, Any]:
    out = io.StringIO()
    configure(stream=out, environment={}, discretion=discretion)
    structlog.get_logger().info("something", **values)
    (entry,) = lines(out)
    return entry


@pytest.mark.parametrize(
    "text",
    [
        "550 <ann.smith@example.com> unknown",
        'to "Ann Smith"@example.org',
        "Åsa@exämple.fi",
        "a=ann@ex.fi.",
        "+358 50 123 4567",
        "0501234567",
        "050-1234567",
        "(555) 123-4567",
        "00358501234567",
    ],
)
def test_addresses_and_numbers_are_masked_in_any_text(text: str) -> None:
    assert "…" in mask(text)
    assert not any(part in mask(text).lower() for part in ("ann", "åsa", "123", "4567"))


@pytest.mark.parametrize(
    "text",
    [
        "at 2026-11-25T13:31:51.219736Z",
        "5,000 rows in 12.5 s",
        "127.0.0.1:18431",
        "smtp://user:***@host.example/x",
        "segue.db: process 21690",
        "version 1.2.345.6789",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize("text", ["x" * 10_000 + " @", "@" * 10_000, "+1" + " " * 10_000, '"' * 10_000, "a@" * 5_000])
def test_no_text_takes_long(text: str) -> None:
    began = time.perf_counter()
    mask(text)
    assert time.perf_counter() - began < 0.5


def test_ids_are_hashes_that_the_store_s_secret_makes() -> None:
    entry = logged(Discretion(SECRET), customer="ann", message_id="ann-1", rule="carts", key="c0ffee", rows=123456789)
    assert entry["customer"] == pseudonym(SECRET, "ann")
    assert entry["message_id"].startswith("m:")
    assert (entry["rule"], entry["key"], entry["rows"]) == ("carts", "c0ffee", 123456789)
    assert logged(Discretion(), customer="ann")["customer"] == "c:…", "no secret is known yet"


def test_everything_is_in_the_clear_where_that_is_asked_for() -> None:
    assert logged(None, customer="ann", reason="550 <ann@example.com>")["reason"] == "550 <ann@example.com>"


@given(st.text("ANSÅÖ'\" @", min_size=5, max_size=20))
def test_a_value_under_a_name_for_a_person_is_left_out(value: str) -> None:
    entry = Discretion(SECRET)(None, "info", dict.fromkeys(("customer", "email", "first_name", "address"), value))
    assert value not in json.dumps(entry, ensure_ascii=False)


def test_an_exception_keeps_its_places_and_loses_its_words() -> None:
    out = io.StringIO()
    configure(stream=out, environment={}, discretion=Discretion(SECRET))
    try:
        try:
            raise KeyError("Ann Smith")
        except KeyError:
            raise StoreUnavailable("disk full, said ann@example.com")  # noqa: B904
    except StoreUnavailable:
        structlog.get_logger().exception("step failed")
    (entry,) = lines(out)
    assert "Ann" not in entry["exception"].replace('KeyError("Ann Smith")', "")
    assert "KeyError: …" in entry["exception"]
    assert entry["exception"].endswith("StoreUnavailable: disk full, said …")
