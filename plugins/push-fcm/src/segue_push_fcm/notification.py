"""From a message to the body of FCM's ``messages:send``.

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

from segue.api import Message

LARGEST: Final = 4_096
"""Bytes of notification and data: https://firebase.google.com/docs/cloud-messaging/concept-options"""

_RESERVED: Final = ("google", "gcm", "from", "message_type", "notification", "collapse_key")


class ContentError(ValueError):
    """This content cannot go; the text says why."""


def body_of(message: Message, now: float, longest: int, android_channel: str = "") -> bytes:
    """The JSON to post. ``now`` is in seconds since 1970. Raises ContentError."""
    content = {name: part.strip() for name, part in message.content.items()}
    title = " ".join(content.get("title", "").split())
    if not title:
        raise ContentError("the title is empty")
    notification = {"title": title}
    if text := content.get("text"):
        notification["body"] = text
    if image := content.get("image"):
        if not image.startswith("https://"):
            raise ContentError(f"image is {image[:60]!r}: write an https: address, FCM takes no other")
        notification["image"] = image
    data = _data(content.get("data", ""))
    if url := content.get("url"):
        data["url"] = url
    topic = _topic(content.get("topic", ""))
    lives = max(0, min(longest, int(message.expires / 1_000_000 - now)))
    android: dict[str, Any] = {
        "ttl": f"{lives}s",
        "priority": "HIGH" if message.kind == "transactional" else "NORMAL",
        "notification": {"tag": topic or message.key},
    }
    apns = {"apns-expiration": str(int(now) + lives if lives else 0), "apns-collapse-id": topic or message.key}
    if topic:
        # FCM keeps four different collapse keys for a telephone, so a message that stands alone has none.
        android["collapseKey"] = topic
    if android_channel:
        android["notification"]["channelId"] = android_channel
    sent: dict[str, Any] = {
        "token": message.address,
        "notification": notification,
        "android": android,
        "apns": {"headers": apns},
    }
    if data:
        sent["data"] = data
    try:
        size = len(msgspec.json.encode(notification)) + len(msgspec.json.encode(data))
        encoded = msgspec.json.encode({"message": sent})
    except UnicodeEncodeError:
        raise ContentError("the content contains half a character (a lone surrogate)") from None
    if size > LARGEST:
        raise ContentError(
            f"the notification and its data take {size:,} bytes, and FCM takes {LARGEST:,}: shorten the text"
        )
    return encoded


def _topic(text: str) -> str:
    """What a later message replaces an earlier one by, in 32 characters; empty for none."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32] if text else ""


def _data(text: str) -> dict[str, str]:
    """The part ``data``: a JSON object of texts for the app. Raises ContentError."""
    if not text:
        return {}
    try:
        data = msgspec.json.decode(text.encode("utf-8", "replace"), type=dict[str, str])
    except (msgspec.DecodeError, RecursionError) as error:
        raise ContentError(f'data is not a JSON object of texts, such as {{"cart": "1"}}: {str(error)[:80]}') from None
    for name in data:
        if name.startswith(_RESERVED[:2]) or name in _RESERVED:
            raise ContentError(f"data has {name[:40]!r}, a name that FCM keeps for itself")
    return data
