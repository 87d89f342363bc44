"""The source: from an HTTP request to events and an answer. Pure, and never raises for what a client sent."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Any

import msgspec

from segue.api import Event, Instant, Received, Rejection, Request, Response, SourceTools
from segue.api.bodies import Refused, clean, read_timestamp
from segue.api.calls import (
    TYPES,
    decode_batch,
    decode_call,
    event_of,
    happened_at,
    message_id_of,
    unknown_type,
)
from segue.api.shop import order_lines
from segue_segment.settings import settings_for

__all__ = ["LARGEST_REQUEST", "ROUTES", "Config", "SegmentSource"]

LARGEST_REQUEST = 500 * 1024
"""Bytes of a request, gzip undone: Segment's limit of 500 KB, as those SDKs count it that count generously."""
LARGEST_BATCH = 15_000
"""Calls in a batch: more of them than fit, even of the shortest possible ones."""
SHOWN_REJECTS = 100
"""How many refused calls of a batch the answer describes; it always says how many there were."""

_SHORT = {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias"}
_CALLS = {f"/v1/{name}": name for name in TYPES} | {f"/v1/{short}": name for short, name in _SHORT.items()}
_BATCHES = ("/v1/batch", "/v1/b", "/v1/import")
_SETTINGS = "/v1/projects/"

ROUTES = (*(f"POST {path}" for path in (*_CALLS, *_BATCHES)), f"GET {_SETTINGS}{{key}}/settings")

_SUCCESS = Response(200, b'{"success": true}', {"content-type": "application/json"})


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings under ``[sources.segment]``.

    ``write_keys`` is the key, or the list of keys, that clients must show; with none, every client is let in, which is
    meant for trying things out on one's own machine. ``url`` is the address under which browsers reach this Segue
    (``https://t.example.com``), for analytics.js; when absent, the address of the request itself.
    """

    write_keys: str | tuple[str, ...] = ()
    url: str | None = None


class SegmentSource:
    """The Segment tracking API for one set of write keys."""

    def __init__(self, config: Config, tools: SourceTools) -> None:
        keys = (config.write_keys,) if isinstance(config.write_keys, str) else config.write_keys
        if "" in keys:
            raise ValueError("`write_keys` is empty: give the key, or leave the line out to let every client in")
        self._keys = tuple(key.encode() for key in keys)
        self._url = config.url
        self._name = tools.source

    def receive(self, request: Request, now: Instant) -> Received:
        """Understand one request that arrived at ``now``. See the README for what is taken and what is refused."""
        try:
            path = request.path
            if kind := _CALLS.get(path):
                return self._single(request, kind, now)
            if path in _BATCHES:
                return self._batch(request, now)
            return self._settings(request)
        except Refused as refused:
            return Received((), _refusal(refused), (Rejection(reason=refused.describe(), raw=request.body),))

    def _single(self, request: Request, kind: str, now: Instant) -> Received:
        header = self._admit_by_header(request)
        raw = clean(request.body)
        call = decode_call(raw)
        if not header:
            self._admit(call.write_key)
        if call.type is not None and call.type != kind:
            raise Refused("type", f"is {call.type[:40]!r}, but {request.path} takes calls of type {kind}")
        timestamp = happened_at(call, None, now)
        event = event_of(call, kind, message_id_of(call, raw, 0, None, now), timestamp, self._name)
        return Received((event, *order_lines(event)), _SUCCESS)

    def _batch(self, request: Request, now: Instant) -> Received:
        header = self._admit_by_header(request)
        batch = decode_batch(clean(request.body))
        if not header:
            self._admit(batch.write_key)
        if len(batch.batch) > LARGEST_BATCH:
            raise Refused("batch", f"has {len(batch.batch):,} calls; it may have {LARGEST_BATCH:,}", status=413)
        sent = batch.sent_at
        if sent is not None:
            read_timestamp(sent, "sentAt")
        events: list[Event] = []
        refusals: list[tuple[int, Refused]] = []
        rejections: list[Rejection] = []
        for place, undecoded in enumerate(batch.batch):
            raw = bytes(undecoded)
            try:
                call = decode_call(raw)
                kind = call.type
                if kind not in TYPES:
                    raise unknown_type(kind)
                timestamp = happened_at(call, sent, now)
                message_id = message_id_of(call, raw, place, sent, now)
                event = event_of(call, kind, message_id, timestamp, self._name, batch.context)
                events += (event, *order_lines(event))
            except Refused as refused:
                refusals.append((place, refused))
                where = f"batch[{place}]"
                rejections.append(Rejection(place=where, reason=refused.describe(where), raw=raw))
        if not refusals:
            return Received(tuple(events), _SUCCESS)
        return Received(tuple(events), _partial(refusals, some=bool(events)), tuple(rejections))

    def _settings(self, request: Request) -> Received:
        key = request.path.removeprefix(_SETTINGS).removesuffix("/settings")
        self._admit(key)
        return Received((), _json(200, settings_for(key, self._url, request.headers)))

    def _admit_by_header(self, request: Request) -> bool:
        """Whether the header has shown a good key; False where there is none and the body must show it."""
        header = request.headers.get("authorization")
        if header is None:
            return False
        scheme, _, credentials = header.partition(" ")
        if scheme.lower() != "basic":
            raise _unauthorised("uses another scheme than Basic: send the write key as user name, with no password")
        try:
            pair = base64.b64decode(credentials.strip(), validate=True)
        except (binascii.Error, ValueError):
            raise _unauthorised("is not base64: send `Basic` and the base64 of the write key and a colon") from None
        self._admit_key(pair.partition(b":")[0])
        return True

    def _admit(self, key: str | None) -> None:
        if not self._keys:
            return
        if not key:
            raise _unauthorised("is missing: send the write key as user name, or as `writeKey` in the body")
        self._admit_key(key.encode())

    def _admit_key(self, key: bytes) -> None:
        # Every key is compared, each in constant time: the answer's time says nothing about any of them.
        known = [hmac.compare_digest(key, own) for own in self._keys]
        if known and not any(known):
            raise _unauthorised("does not hold a write key of this source")


def _unauthorised(problem: str) -> Refused:
    return Refused("authorization", problem, status=401)


def _refusal(refused: Refused) -> Response:
    # `code` and `message` are what the Python SDK prints.
    code = {401: "unauthorized", 413: "too_large"}.get(refused.status, "invalid")
    body = {"success": False, "code": code, "message": refused.describe(), "field": refused.field}
    challenge = {"www-authenticate": 'Basic realm="write key"'} if refused.status == 401 else {}
    return _json(refused.status, body, challenge)


def _partial(refusals: list[tuple[int, Refused]], *, some: bool) -> Response:
    """The answer to a batch with bad calls in it.

    SDKs throw a batch away that is answered with 400, and never send it again. So good calls beside bad ones are taken,
    and the answer says which were not. Only where none was good is the batch refused.
    """
    shown = [
        {"index": place, "field": refused.field, "error": refused.describe(f"batch[{place}]")}
        for place, refused in refusals[:SHOWN_REJECTS]
    ]
    body: dict[str, Any] = {"success": some, "rejected": shown, "rejected_count": len(refusals)}
    if some:
        return _json(200, body)
    place, first = refusals[0]
    status = first.status if all(refused.status == first.status for _, refused in refusals) else 400
    code = "too_large" if status == 413 else "invalid"
    where = f"batch[{place}]"
    return _json(status, body | {"code": code, "message": first.describe(where), "field": first.path(where)})


def _json(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(status, msgspec.json.encode(body), {"content-type": "application/json", **(headers or {})})
