"""Calls from Meta: the check when the webhook is set up, reports on messages, and messages from customers.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started and
https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/payload-examples. A call that is caught and repeated
does no harm: the id of a report or message is taken once.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Iterator
from typing import Any, Final, TypeVar

import msgspec

from segue.api import Callback, Inbound, Instant, Report, Request, Response
from segue.api.sms import Keyword
from segue.api.webhooks import sign
from segue_whatsapp.config import Config
from segue_whatsapp.replies import OPTED_OUT, MetaError

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_KEY: Final = re.compile(r"[0-9a-f]{32}")
_WHAT: Final = {"delivered": "delivered", "read": "read", "failed": "undelivered"}
"""``sent`` says no more than the answer did."""
_NUMBER: Final = re.compile(r"[0-9]{5,20}")
_CHOSEN: Final[dict[str, Keyword]] = {"stop": "stop", "resume": "start"}
"""What a customer sets in WhatsApp itself, of marketing from this number:
https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/user_preferences"""
_LONGEST: Final = 5_000
"""Characters of a customer's message that are kept."""

T = TypeVar("T")


class _Metadata(msgspec.Struct, frozen=True):
    phone_number_id: str = ""


class _Value(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()
    statuses: tuple[msgspec.Raw, ...] = ()
    messages: tuple[msgspec.Raw, ...] = ()
    user_preferences: tuple[msgspec.Raw, ...] = ()


class _Change(msgspec.Struct, frozen=True):
    field: str
    value: msgspec.Raw


class _Entry(msgspec.Struct, frozen=True):
    changes: tuple[_Change, ...] = ()


class _Call(msgspec.Struct, frozen=True):
    entry: tuple[_Entry, ...]


class _Status(msgspec.Struct, frozen=True):
    id: str
    status: str
    timestamp: Any = ""
    recipient_id: Any = ""
    biz_opaque_callback_data: str = ""
    errors: Any = None


class _Preference(msgspec.Struct, frozen=True):
    wa_id: str
    category: str
    value: str
    timestamp: Any = ""


class _Incoming(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    id: str
    sender: str
    type: str
    timestamp: Any = ""
    text: Any = None
    button: Any = None
    interactive: Any = None
    image: Any = None
    video: Any = None
    document: Any = None


def read_callback(request: Request, config: Config) -> Callback:
    """Understand one call. Forged ones are answered 403, unreadable ones 400; nothing is reported for either."""
    if request.method == "GET":
        return _subscribe(request, config.verify_token)
    if request.method != "POST":
        return _refuse(405, "GET or POST only")
    if config.app_secret is None:
        return _refuse(403, "app_secret is not set for this channel")
    good = b"sha256=" + sign(config.app_secret.encode(), request.body).hex().encode()
    if not hmac.compare_digest(good, request.headers.get("x-hub-signature-256", "").encode("utf-8", "replace")):
        return _refuse(403, "wrong signature")
    try:
        call = msgspec.json.decode(request.body, type=_Call)
    except (msgspec.DecodeError, RecursionError):
        return _refuse(400, "this is no call of WhatsApp's")
    values = [value for value in _values(call) if value.metadata.phone_number_id in {"", config.phone_number_id}]
    return Callback(
        reports=tuple(report for value in values for report in _reports(value)),
        inbound=tuple(message for value in values for read in (_messages, _told, _chosen) for message in read(value)),
    )


def _subscribe(request: Request, verify_token: str | None) -> Callback:
    """Meta asks once, when the webhook is set up: who knows the token is to say the challenge again."""
    shown = request.query.get("hub.verify_token", "").encode("utf-8", "replace")
    if verify_token is None or not hmac.compare_digest(shown, verify_token.encode()):
        return _refuse(403, "wrong hub.verify_token")
    challenge = request.query.get("hub.challenge", "")
    if request.query.get("hub.mode") != "subscribe" or _CHALLENGE.fullmatch(challenge) is None:
        return _refuse(400, "this is no subscription")
    return Callback(response=Response(200, challenge.encode(), {"content-type": "text/plain"}))


def _values(call: _Call) -> Iterator[_Value]:
    for entry in call.entry:
        for change in entry.changes:
            if change.field in {"messages", "user_preferences"} and (value := _read(change.value, _Value)) is not None:
                yield value


def _statuses(value: _Value) -> Iterator[_Status]:
    for raw in value.statuses:
        status = _read(raw, _Status)
        if status is not None and status.status in _WHAT and status.id:
            yield status  # what one of many says in a way of its own must not cost the others


def _errors(status: _Status) -> list[MetaError]:
    errors = status.errors if isinstance(status.errors, list) else []
    read = [_read(msgspec.Raw(msgspec.json.encode(error)), MetaError) for error in errors[:3]]
    return [error for error in read if error is not None]


def _reports(value: _Value) -> Iterator[Report]:
    for status in _statuses(value):
        key = status.biz_opaque_callback_data
        yield Report(
            id=f"{status.id}:{status.status}",
            what=_WHAT[status.status],
            at=_instant(status.timestamp),
            key=key if _KEY.fullmatch(key) is not None else "",
            receipt=status.id,
            reason="; ".join(error.words() for error in _errors(status))[:400],
        )


def _told(value: _Value) -> Iterator[Inbound]:
    """A message failed because WhatsApp was told to bring no marketing: as good as a STOP, told to Segue."""
    for status in _statuses(value):
        number = status.recipient_id
        told = any(error.code == OPTED_OUT for error in _errors(status))
        if told and isinstance(number, str) and _NUMBER.fullmatch(number) is not None:
            yield Inbound(
                id=f"{status.id}:stop",
                address=f"+{number}",
                text="STOP (told to WhatsApp)",
                at=_instant(status.timestamp),
                keyword="stop",
            )


def _chosen(value: _Value) -> Iterator[Inbound]:
    """What customers set in WhatsApp: no marketing, or marketing again."""
    for raw in value.user_preferences:
        preference = _read(raw, _Preference)
        if preference is None or preference.category != "marketing_messages":
            continue
        keyword = _CHOSEN.get(preference.value)
        if keyword is not None and _NUMBER.fullmatch(preference.wa_id) is not None:
            yield Inbound(
                id=f"chosen:{hashlib.sha256(raw).hexdigest()[:32]}",
                address=f"+{preference.wa_id}",
                text=f"{keyword.upper()} (set in WhatsApp)",
                at=_instant(preference.timestamp),
                keyword=keyword,
            )


def _messages(value: _Value) -> Iterator[Inbound]:
    for raw in value.messages:
        message = _read(raw, _Incoming)
        if message is None or not message.id or _NUMBER.fullmatch(message.sender) is None:
            continue
        text = _text(message)
        if text:
            number = f"+{message.sender}"
            yield Inbound(id=message.id, address=number, text=text, at=_instant(message.timestamp))


def _text(message: _Incoming) -> str:
    """What the customer said: words, the button that was pressed, or what stands below a picture."""
    match message.type:
        case "text":
            found = _member(message.text, "body")
        case "button":
            found = _member(message.button, "text")
        case "interactive":
            chosen = _inside(message.interactive, "button_reply") or _inside(message.interactive, "list_reply")
            found = _member(chosen, "title")
        case "image" | "video" | "document":
            found = _member(getattr(message, message.type), "caption")
        case _:
            found = ""
    return found.replace("\0", "")[:_LONGEST]


def _read(raw: msgspec.Raw, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, RecursionError):
        return None


def _inside(of: Any, name: str) -> Any:
    return of.get(name) if isinstance(of, dict) else None


def _member(of: Any, name: str) -> str:
    found = _inside(of, name)
    return found if isinstance(found, str) else ""


def _instant(said: Any) -> Instant:
    """When it happened, by Meta's clock (text in one call, a number in another), and never later than now."""
    now = time.time_ns() // 1000
    seconds = str(said)
    if seconds.isascii() and seconds.isdigit() and len(seconds) <= 11:
        return Instant(min(int(seconds) * 1_000_000, now))
    return Instant(now)


def _refuse(status: int, reason: str) -> Callback:
    return Callback(response=Response(status, reason.encode(), {"content-type": "text/plain"}))
