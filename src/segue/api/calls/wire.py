"""The wire format: calls and batches as SDKs post them, decoded into typed values.

Source: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
A batch is first cut into its calls, undecoded; each is then decoded by itself, so that one bad call harms no other.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar, cast

import msgspec

from segue.api.bodies import DEEPEST, Refused, read_json, refusal_of
from segue.api.calls.timestamps import Written

__all__ = [
    "LARGEST_CALL",
    "Batch",
    "Call",
    "Context",
    "Device",
    "Page",
    "decode_batch",
    "decode_call",
    "decode_json",
]

LARGEST_CALL = 32 * 1024
"""Bytes of one call, the limit of Segment's own API and of its SDKs."""

Id = str | int | float | None


class Device(msgspec.Struct, rename="camel"):
    """``context.device``; ``token`` is the push token."""

    token: str | None = None


class Page(msgspec.Struct, rename="camel"):
    """``context.page``: where the browser was."""

    url: str | None = None
    path: str | None = None
    title: str | None = None
    referrer: str | None = None
    search: str | None = None


class Context(msgspec.Struct, rename="camel"):
    """What Segue reads of ``context``; the rest is passed over. ``external_ids`` come from all sorts of hands: what is
    none of them is passed over too."""

    traits: dict[str, Any] | None = None
    device: Device | None = None
    page: Page | None = None
    locale: str | None = None
    timezone: str | None = None
    external_ids: Any = None


class Call(msgspec.Struct, rename="camel"):
    """One call of any type."""

    type: str | None = None
    message_id: str | int | None = None
    user_id: Id = None
    anonymous_id: Id = None
    previous_id: Id = None
    group_id: Id = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    timestamp: Written = None
    original_timestamp: Written = None
    sent_at: Written = None
    received_at: Written = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: Context | None = None
    write_key: str | None = None


class Batch(msgspec.Struct, rename="camel"):
    """Several calls. ``sentAt`` and ``context`` hold for every call without its own."""

    batch: list[msgspec.Raw]
    sent_at: Written = None
    write_key: str | None = None
    context: Context | None = None


_T = TypeVar("_T", Call, Batch)
_CALL = msgspec.json.Decoder(Call)
_BATCH = msgspec.json.Decoder(Batch)
_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def decode_call(raw: bytes, most: int = LARGEST_CALL) -> Call:
    """One call of at most so many bytes. Raises Refused: not JSON, a field of the wrong type or named twice, too large,
    too deep."""
    _refuse_large(raw, most)
    call = _decode(_CALL, raw)
    _refuse_repeated(raw, _CALL_FIELDS)
    if raw.count(b"{") + raw.count(b"[") > DEEPEST:
        for field, value in (("properties", call.properties), ("traits", call.traits), ("context", call.context)):
            if _deeper_than(value, DEEPEST):
                raise Refused(field, f"is nested more than {DEEPEST} deep")
    return call


def decode_json(raw: bytes, most: int = LARGEST_CALL) -> Any:
    """Any JSON, within the same bounds. Raises Refused."""
    _refuse_large(raw, most)
    return read_json(raw, _ANY)


def _refuse_large(raw: bytes, most: int) -> None:
    if len(raw) > most:
        raise Refused("body", f"has {len(raw):,} bytes; a call may have {most:,} ({most // 1024} KB)", status=413)


def decode_batch(body: bytes) -> Batch:
    """The outer part of a batch, its calls still undecoded. Raises Refused."""
    batch = _decode(_BATCH, body)
    if body.count(b'"batch"') > 1 or body.count(b'"writeKey"') > 1:
        _refuse_repeated(body, _BATCH_FIELDS)
    return batch


def _decode(decoder: msgspec.json.Decoder[_T], raw: bytes) -> _T:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise refusal_of(error) from None


# Fields that decide who did what and when. Two parsers may read a repeated one differently (RFC 8259, section 4), so
# that a call which names one twice is refused; in free-form objects the last value stands.
_CALL_FIELDS = (
    b'"messageId"',
    b'"userId"',
    b'"anonymousId"',
    b'"previousId"',
    b'"event"',
    b'"timestamp"',
    b'"properties"',
)
_BATCH_FIELDS = (b'"batch"', b'"writeKey"')


def _refuse_repeated(raw: bytes, fields: tuple[bytes, ...]) -> None:
    suspects = {field[1:-1].decode() for field in fields if raw.count(field) > 1}
    if not suspects:
        return
    outermost: list[tuple[str, Any]] = []

    def keep(pairs: list[tuple[str, Any]]) -> None:
        # Objects are completed from the inside out: the last one is the call itself.
        nonlocal outermost
        outermost = pairs

    try:
        json.loads(raw, object_pairs_hook=keep, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise refusal_of(error) from None
    seen: set[str] = set()
    for name, _ in outermost:
        if name in seen and name in suspects:
            raise Refused(name, "is given twice")
        seen.add(name)


def _deeper_than(value: object, most: int) -> bool:
    level: list[object] = [value.traits] if isinstance(value, Context) else [value]
    for _ in range(most):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (cast("dict[str, object]", outer).values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True
