"""From a message's content to what the service worker gets, and what the push service is told of it."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Final

from segue.api import Message
from segue_web_push.encryption import LARGEST

_URGENCIES: Final = ("very-low", "low", "normal", "high")


class ContentError(ValueError):
    """This content cannot be shown; the text says why."""


def payload_of(message: Message) -> bytes:
    """The JSON that ``segue-push-worker.js`` reads. Raises ContentError."""
    content = {name: part.strip() for name, part in message.content.items()}
    title = " ".join(content.get("title", "").split())
    if not title:
        raise ContentError("the title is empty, and browsers show no notification without one")
    shown = {"title": title, "body": content.get("text", ""), "tag": topic_of(message)}
    for name in ("url", "icon", "image"):
        if address := content.get(name):
            shown[name] = _address(name, address)
    payload = json.dumps({k: v for k, v in shown.items() if v}, ensure_ascii=False, separators=(",", ":"))
    try:
        encoded = payload.encode()
    except UnicodeEncodeError:
        raise ContentError("the content contains half a character (a lone surrogate)") from None
    if len(encoded) > LARGEST:
        raise ContentError(
            f"the content takes {len(encoded):,} bytes, and a push may have {LARGEST:,}: shorten the text or addresses"
        )
    return encoded


def topic_of(message: Message) -> str:
    """What a later message replaces an earlier one by, 32 characters of base64url (RFC 8030, 5.4): of the part
    ``topic`` where the content has one, else the message's own key, so that only a repetition replaces it."""
    topic = message.content.get("topic", "").strip()
    if not topic:
        return message.key
    return base64.urlsafe_b64encode(hashlib.sha256(topic.encode("utf-8", "replace")).digest()[:24]).decode()


def urgency_of(message: Message) -> str:
    """How far a battery is to be spared (RFC 8030, 5.3): the part ``urgency``, else ``high`` for transactional messages
    and ``normal`` for others. Raises ContentError."""
    urgency = message.content.get("urgency", "").strip().lower()
    if not urgency:
        return "high" if message.kind == "transactional" else "normal"
    if urgency not in _URGENCIES:
        raise ContentError(f"urgency is {urgency[:20]!r}: write one of {', '.join(_URGENCIES)}")
    return urgency


def _address(name: str, address: str) -> str:
    own = address.startswith("/") and not address.startswith(("//", "/\\"))
    if not (own or address.startswith("https://")) or any(c.isspace() or not c.isprintable() for c in address):
        raise ContentError(f"{name} is {address[:60]!r}: write an https: address, or a path of your site (/cart)")
    return address
