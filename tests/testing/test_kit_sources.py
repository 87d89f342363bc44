"""The kit for sources: a good source passes it, and each way of being broken fails the check that is meant for it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import msgspec
import pytest

from segue.api import Event, Instant, Received, Request, Response, Source, SourceSpec, SourceTools
from segue.testing import SourceConformance


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: str = "k"


class Sale(msgspec.Struct, frozen=True):
    id: str
    customer: str


class Till:
    """A good source."""

    def __init__(self, config: Config, _: SourceTools) -> None:
        self.key = config.key

    def receive(self, request: Request, now: Instant) -> Received:
        if request.headers.get("x-key") != self.key:
            return Received((), Response(401, b"wrong key"))
        try:
            sales = msgspec.json.decode(request.body, type=list[Sale])
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            return Received((), Response(400, str(error).encode()))
        if len({sale.id for sale in sales}) < len(sales):
            return Received((), Response(400, b"two sales with one id"))
        return self.answer(sales, now)

    def answer(self, sales: list[Sale], now: Instant) -> Received:
        return Received(tuple(self.event(sale, now) for sale in sales), Response(200))

    def event(self, sale: Sale, now: Instant) -> Event:
        return Event(message_id=sale.id, timestamp=now, source="till", name="Sold", user_id=sale.customer)


SPEC = SourceSpec(name="till", doc="Tills", config=Config, open=Till, routes=("POST /till/{shop}",))
GOOD = Request(
    "POST", "/till/1", {"x-key": "k"}, {}, b'[{"id": "1", "customer": "ann"}, {"id": "2", "customer": "bea"}]'
)


class TestTill(SourceConformance):
    def make(self) -> tuple[SourceSpec, Config]:
        return SPEC, Config()

    def good(self) -> Request:
        return GOOD


class Fragile(Till):
    def receive(self, request: Request, now: Instant) -> Received:
        sales = [Sale(**one) for one in json.loads(request.body)]
        return self.answer(sales, now)


class Counting(Till):
    counter = itertools.count()

    def event(self, sale: Sale, now: Instant) -> Event:
        return msgspec.structs.replace(super().event(sale, now), message_id=str(next(self.counter)))


class Clocked(Till):
    def event(self, sale: Sale, now: Instant) -> Event:
        return msgspec.structs.replace(super().event(sale, now), message_id=f"{sale.id}-{now}")


class Same(Till):
    def event(self, sale: Sale, now: Instant) -> Event:
        return msgspec.structs.replace(super().event(sale, now), message_id="1")


class Silent(Till):
    def answer(self, sales: list[Sale], now: Instant) -> Received:
        return Received((), Response(200))


class Failing(Till):
    def receive(self, request: Request, now: Instant) -> Received:
        received = super().receive(request, now)
        return Received((), Response(500)) if received.response.status == 400 else received


class Both(Till):
    def receive(self, request: Request, now: Instant) -> Received:
        received = super().receive(request, now)
        event = self.event(Sale("9", "x"), now)
        return Received((event,), received.response) if received.response.status == 400 else received


class Odd(Till):
    def event(self, sale: Sale, now: Instant) -> Event:
        return msgspec.structs.replace(super().event(sale, now), properties={"when": {1, 2}})


class Untyped(Till):
    def event(self, sale: Sale, now: Instant) -> Event:
        return msgspec.structs.replace(super().event(sale, now), timestamp="now")


class Nothing(Till):
    def receive(self, request: Request, now: Instant) -> Any:
        return None


@pytest.mark.parametrize(
    ("check", "source", "said"),
    [
        ("test_a_good_request_brings_its_events", Silent, "brings no events"),
        ("test_a_good_request_brings_its_events", Nothing, "returned a NoneType"),
        ("test_a_good_request_brings_its_events", Untyped, "an event Expected `int`"),
        ("test_a_good_request_brings_its_events", Odd, "what is no JSON"),
        ("test_receiving_is_pure", Counting, "something else the second time"),
        ("test_message_ids_are_stable_and_distinct", Clocked, "depend on when the request arrives"),
        ("test_message_ids_are_stable_and_distinct", Same, "the same message id"),
        ("test_hostile_requests_never_raise", Fragile, "receive raised"),
        ("test_hostile_requests_never_raise", Failing, "receive answers 500"),
        ("test_a_damaged_request_never_raises", Fragile, "receive raised"),
        ("test_a_damaged_request_never_raises", Both, "answers 400, and brings events"),
        ("test_too_large_a_request_is_refused", Fragile, "receive raised"),
    ],
)
def test_a_broken_source_fails(check: str, source: type[Source], said: str) -> None:
    class Suite(SourceConformance):
        def make(self) -> tuple[SourceSpec, Config]:
            return msgspec.structs.replace(SPEC, open=source), Config()

        def good(self) -> Request:
            return GOOD

    with pytest.raises(AssertionError, match=said):
        getattr(Suite(), check)()


def test_a_broken_declaration_fails() -> None:
    class Suite(TestTill):
        def make(self) -> tuple[SourceSpec, Config]:
            return msgspec.structs.replace(SPEC, routes=("/till",)), Config()

    with pytest.raises(AssertionError, match="write a method and a path"):
        Suite().test_the_declaration_is_valid()
