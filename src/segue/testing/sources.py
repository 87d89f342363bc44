"""The suite for sources."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from segue.api import Event, Instant, Received, Request, Source, SourceSpec, SourceTools
from segue.host.declarations import checked, faults_of_source
from segue.testing.callers import hostile_requests
from segue.testing.declarations import require_config, require_unknown_settings_refused

_NOW: Final = Instant(1_790_000_000_000_000)
_DAY: Final = 86_400_000_000
_CUTS: Final = 64


class SourceConformance:
    """Subclass it in a test module, with a name that starts with ``Test``, and say how to `make` the source and what a
    `good` request to it is. ``folder`` is an empty folder for each test."""

    folder: Path

    def make(self) -> tuple[SourceSpec, msgspec.Struct]:
        """The declaration, and a configuration with which the source opens."""
        raise NotImplementedError("say how to make the source: def make(self): return SPEC, Config(…)")

    def good(self) -> Request:
        """A request as a real client sends it, that brings at least one event. It arrives at 2026-09-21T14:13:20Z."""
        raise NotImplementedError("show a good request: def good(self): return Request('POST', …)")

    @pytest.fixture(autouse=True)
    def _own_folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def test_the_declaration_is_valid(self) -> None:
        spec, _ = self.make()
        faults = faults_of_source(spec)
        assert not faults, f"segue would set this plugin aside: {'; '.join(faults)}"

    def test_the_configuration_survives_a_round_trip(self) -> None:
        spec, config = self.make()
        require_config(spec.config, config)

    def test_unknown_settings_are_refused(self) -> None:
        spec, config = self.make()
        require_unknown_settings_refused(spec.config, config)

    def test_a_good_request_brings_its_events(self) -> None:
        received = self._receive(self._open(), self.good())
        assert received.response.status < 300, f"a good request is answered with {received.response}"
        assert received.events, "a good request brings no events"
        assert not received.rejections, f"some of a good request's events were refused: {received.rejections}"

    def test_receiving_is_pure(self) -> None:
        """The same request at the same instant gives the same, from the same source and from a new one."""
        source = self._open()
        first = self._receive(source, self.good())
        assert self._receive(source, self.good()) == first, "the same request gave something else the second time"
        assert self._receive(self._open(), self.good()) == first, "a new source made something else of the same request"

    def test_message_ids_are_stable_and_distinct(self) -> None:
        """A client that heard no answer sends the same request again: its events must be known as the same ones. A
        source may refuse one that was signed a day ago (401)."""
        source = self._open()
        now = [event.message_id for event in self._receive(source, self.good()).events]
        answer = self._receive(source, self.good(), Instant(_NOW + _DAY))
        later = [event.message_id for event in answer.events]
        assert all(now), "an event has an empty message_id"
        assert now == later or answer.response.status == 401, (
            f"the message ids depend on when the request arrives: {now}, a day later {later}"
        )
        assert len(set(now)) == len(now), f"two events of one request have the same message id: {now}"

    def test_no_event_of_a_good_request_is_later_than_its_arrival(self) -> None:
        """A good request comes from a clock that is right: a later time means that a unit or a zone was misread. A
        timestamp that really lies in the future is handed on as it is: Segue takes the event as of its arrival, and
        notices the clock."""
        late = [event for event in self._receive(self._open(), self.good()).events if event.timestamp > _NOW]
        assert not late, f"an event's timestamp is later than its arrival, as if a unit or a zone were misread: {late}"

    def test_hostile_requests_never_raise(self) -> None:
        source = self._open()
        headers = self.good().headers
        for path in self._paths():
            for request in hostile_requests(path):
                self._require_civil(source, request)
                # The same from someone who has the key.
                self._require_civil(source, msgspec.structs.replace(request, headers={**request.headers, **headers}))

    def test_a_damaged_request_never_raises(self) -> None:
        """A good body cut short at many places, and with single bytes changed."""
        source = self._open()
        good = self.good()
        length = len(good.body)
        for cut in sorted({length * step // _CUTS for step in range(_CUTS)}):
            self._require_civil(source, msgspec.structs.replace(good, body=good.body[:cut]))
            for byte in (0x00, 0x22, 0x7B, 0xFF):
                damaged = good.body[:cut] + bytes([byte]) + good.body[cut + 1 :]
                self._require_civil(source, msgspec.structs.replace(good, body=damaged))

    def test_too_large_a_request_is_refused(self) -> None:
        """The declared size is a promise to the operator; Segue cuts larger ones off, and the source survives one."""
        spec, _ = self.make()
        size = min(spec.body, 5_000_000) + 1
        self._require_civil(self._open(), msgspec.structs.replace(self.good(), body=b" " * size))

    def _open(self) -> Source:
        spec, config = self.make()
        source: Source = spec.open(config, SourceTools(source=spec.name))
        return source

    def _paths(self) -> list[str]:
        spec, _ = self.make()
        return [route.partition(" ")[2].replace("{", "").replace("}", "") for route in spec.routes]

    def _receive(self, source: Source, request: Request, now: Instant = _NOW) -> Received:
        received: object = source.receive(request, now)
        assert isinstance(received, Received), f"receive returned a {type(received).__name__}, not Received"
        for event in received.events:
            try:
                checked(event, Event)
            except ValueError as error:
                raise AssertionError(f"an event {error}: {event!r}") from None
            assert _storable([event.properties, event.traits]), f"an event holds what is no JSON: {event!r}"
        return received

    def _require_civil(self, source: Source, request: Request) -> None:
        shown = f"{request.method} {request.path} with {len(request.body)} bytes: {request.body[:40]!r}"
        try:
            received = self._receive(source, request)
        except AssertionError as error:
            raise AssertionError(f"{error}, for {shown}") from None
        except Exception as error:
            raise AssertionError(f"receive raised {type(error).__name__}: {error}, for {shown}") from error
        status = received.response.status
        assert 200 <= status < 500, f"receive answers {status} to {shown}; it is the caller's fault, so a 4xx"
        assert status < 400 or not received.events, f"receive answers {status}, and brings events, for {shown}"


def _storable(value: Any) -> bool:
    match value:
        case None | bool() | int():
            return True
        case float():
            return math.isfinite(value)
        case str():
            return not any("\ud800" <= character <= "\udfff" for character in value)
        case list() | tuple():
            return all(_storable(one) for one in value)
        case dict():
            return all(isinstance(key, str) and _storable(key) and _storable(one) for key, one in value.items())
        case _:
            return False
