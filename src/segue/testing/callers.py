"""What a channel makes of calls: those of its provider, and those of anybody else."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from segue.api import Callback, Channel, ChannelSpec, Request
from segue.host.answers import read_callback
from segue.testing.stage import ChannelStage


class CallerChecks(ChannelStage):
    """Anyone can call ``/callbacks/NAME``. What needs a call that is the provider's own is tried where `genuine` gives
    one."""

    def test_hostile_callbacks_never_raise(self) -> None:
        """Anyone can call /callbacks/NAME."""

        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            for request in hostile_requests(f"/callbacks/{self._channel()}"):
                shown = f"{request.method} {request.path} with {len(request.body)} bytes: {request.body[:40]!r}"
                try:
                    returned = await self._within(10.0, channel.receive(request), "receive")
                except Exception as error:
                    raise AssertionError(f"receive raised {type(error).__name__}: {error}, for {shown}") from error
                try:
                    callback = read_callback(returned, spec.reactions)
                except ValueError as error:
                    raise AssertionError(f"receive, for {shown}: {error}") from error
                status = callback.response.status
                assert status < 500, f"receive answers {status} to {shown}; it is the caller's fault, so a 4xx"
                assert not callback.reports, f"receive believes {shown}, which is nobody's: {callback.reports}"

        self._with_channel(exchange)

    def test_a_genuine_call_is_believed(self) -> None:
        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            call = self.genuine()
            if call is not None:
                callback = await self._receive(channel, spec, call)
                status = callback.response.status
                assert status < 300, f"receive answers {status} to what genuine() gives: {callback.response.body!r}"
                assert _said(callback), "receive finds neither a report nor a message in what genuine() gives"

        self._with_channel(exchange)

    def test_a_forged_call_is_refused(self) -> None:
        """The provider's call with another body, and without what it was signed by: at least one header or value of the
        query must be needed, or whoever finds the address can report what they like."""

        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            call = self.genuine()
            if call is None:
                return
            believed = _said(await self._receive(channel, spec, call))
            for altered in _altered(call):
                found = await self._receive(channel, spec, altered)
                assert not _said(found), f"receive believes a body that was altered: {altered.body[:60]!r}"
            needed = []
            for what, lesser in _lesser(call):
                found = await self._receive(channel, spec, lesser)
                status = found.response.status
                if not _said(found):
                    needed.append(what)
                    assert 400 <= status < 500, f"receive answers {status} to a call without {what}; refuse it by a 4xx"
                else:
                    assert _said(found) <= believed, f"without {what} receive reports something else"
            assert needed, "receive believes the call without any of its headers and values: anybody could make it"

        self._with_channel(exchange)

    def test_a_repeated_call_brings_the_same_ids(self) -> None:
        """Providers repeat calls, and so does whoever caught one: by its id what came before is known."""

        async def exchange(channel: Channel, spec: ChannelSpec) -> None:
            call = self.genuine()
            if call is not None:
                first = _said(await self._receive(channel, spec, call))
                again = _said(await self._receive(channel, spec, call))
                assert again <= first, f"the same call brings {sorted(first)} first, and then {sorted(again)}"

        self._with_channel(exchange)

    async def _receive(self, channel: Channel, spec: ChannelSpec, call: Request) -> Callback:
        return read_callback(await self._within(10.0, channel.receive(call), "receive"), spec.reactions)


def _said(callback: Callback) -> set[str]:
    """The ids of what a call brought."""
    return {one.id for one in callback.reports} | {one.id for one in callback.inbound}


def _altered(call: Request) -> Iterator[Request]:
    """The call with other bodies, and the signature of its own."""
    if call.body:
        for body in (call.body + b" ", call.body[:-1], call.body.replace(b"1", b"2", 1), b""):
            if body != call.body:
                yield msgspec.structs.replace(call, body=body)


def _lesser(call: Request) -> Iterator[tuple[str, Request]]:
    """The call without each of its headers, and of the values of its query."""
    for name in call.headers:
        others = {other: value for other, value in call.headers.items() if other != name}
        yield f"the header {name}", msgspec.structs.replace(call, headers=others)
    for name in call.query:
        values = {other: value for other, value in call.query.items() if other != name}
        yield f"{name} in the query", msgspec.structs.replace(call, query=values)


def hostile_requests(path: str) -> list[Request]:
    """Calls that no provider makes."""
    bodies: tuple[bytes, ...] = (
        b"",
        b"{}",
        b"[]",
        b"null",
        b"0",
        b'"text"',
        b"{",
        b"[" * 100_000,
        b'{"a":' * 10_000,
        b'{"id": 7, "status": ["delivered"], "to": {}, "text": null, "key": NaN}',
        b'{"status":"delivered","id":"1","MessageSid":"x","MessageStatus":"delivered"}',
        b"status=delivered&id=1&status=%00&=&&%ZZ&a[]=1",
        b"\xff\xfe\x00\x00",
        b"\x1f\x8b\x08\x00broken",
        b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
        b"x" * 200_000,
    )
    types = ("", "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=", "text/xml")
    requests = [
        Request("POST", path, {"content-type": kind} if kind else {}, {}, body) for body in bodies for kind in types
    ]
    queries: tuple[dict[str, str], ...] = (
        {},
        {"": ""},
        {"key": "", "status": ""},
        {"key": "0" * 32, "status": "delivered", "id": "1", "type": "1", "token": "guess", "secret": "guess"},
        {"key": "\0\ud800", "type": "-1", "status": "9" * 400, "to": "\r\nX: y"},
        {"from": "a" * 10_000, "text": "STOP\0", "id": "../../etc/passwd"},
    )
    requests += [Request(method, path, {}, query, b"") for method in ("GET", "POST", "PUT", "") for query in queries]
    requests.append(
        Request("POST", path + "/../../x", {"authorization": "Basic !!!", "x-signature": "\xff"}, {}, b"{}")
    )
    return requests
