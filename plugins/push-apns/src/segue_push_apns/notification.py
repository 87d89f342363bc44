"""From a message to a notification of APNs.

https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification for the payload, and
https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns for the headers.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any, Final

import msgspec

from segue.api import Message

LARGEST: Final = 4_096
"""Bytes of a payload."""


class ContentError(ValueError):
    """This content cannot go; the text says why."""


def payload_of(message: Message) -> bytes:
    """The JSON to post. Raises ContentError."""
    content = {name: part.strip() for name, part in message.content.items()}
    title = " ".join(content.get("title", "").split())
    if not title:
        raise ContentError("the title is empty")
    alert = {"title": title}
    if subtitle := " ".join(content.get("subtitle", "").split()):
        alert["subtitle"] = subtitle
    if text := content.get("text"):
        alert["body"] = text
    aps: dict[str, Any] = {"alert": alert, "sound": content.get("sound") or "default"}
    sent: dict[str, Any] = {"aps": aps} | _data(content.get("data", ""))
    if url := content.get("url"):
        sent["url"] = url
    try:
        payload = msgspec.json.encode(sent)
    except UnicodeEncodeError:
        raise ContentError("the content contains half a character (a lone surrogate)") from None
    if len(payload) > LARGEST:
        raise ContentError(f"the content takes {len(payload):,} bytes, and APNs takes {LARGEST:,}: shorten the text")
    return payload


def headers_of(message: Message, bundle_id: str, now: float, longest: int) -> dict[str, str]:
    """All headers but the token. ``apns-expiration`` 0 means now or never; priority 5 spares the battery."""
    until = min(message.expires / 1_000_000, now + longest)
    topic = message.content.get("topic", "").strip()
    return {
        "apns-id": str(uuid.UUID(message.key)),
        "apns-topic": bundle_id,
        "apns-push-type": "alert",
        "apns-expiration": str(int(until)) if until - now >= 1 else "0",
        "apns-priority": "10" if message.kind == "transactional" else "5",
        "apns-collapse-id": hashlib.sha256(topic.encode("utf-8", "replace")).hexdigest() if topic else message.key,
    }


def _data(text: str) -> dict[str, Any]:
    """The part ``data``: a JSON object for the app. Raises ContentError."""
    if not text:
        return {}
    try:
        data = msgspec.json.decode(text.encode("utf-8", "replace"), type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise ContentError(f'data is not a JSON object, such as {{"cart": "1"}}: {str(error)[:80]}') from None
    if "aps" in data:
        raise ContentError("data has aps, a name that Apple keeps for itself")
    return data
