"""A browser's subscription, as `PushSubscription.toJSON()` has it (W3C Push API), and where it may lead.

An endpoint is sent in by whoever can call the site's intake, and Segue then posts to it: a subscription could name a
machine of the local network. So only the push services of the browsers' makers are called, over https, and those that
the settings name. A list of names holds where a look at the network address does not: names can be pointed elsewhere
between the look and the call.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import urlsplit

import msgspec

_SERVICES = (
    "fcm.googleapis.com",  # Chrome, Edge on Android, Opera, Samsung Internet
    "jmt17.google.com",  # Chrome's early channels
    "updates.push.services.mozilla.com",  # Firefox
    "web.push.apple.com",  # Safari
)
_SERVICES_BELOW = (
    ".push.services.mozilla.com",
    ".notify.windows.com",  # Edge; each region has its own name
    ".push.apple.com",  # https://developer.apple.com/documentation/usernotifications/sending-web-push-notifications-in-web-apps-and-browsers
)


class SubscriptionError(ValueError):
    """This is no subscription to which anything can be sent; the text says why."""


class Subscription(msgspec.Struct, frozen=True):
    """``endpoint`` is where to post, ``origin`` its scheme and host. ``key`` is the browser's public point (65 bytes),
    ``secret`` what only it and the site know (16 bytes)."""

    endpoint: str
    origin: str
    key: bytes
    secret: bytes


class _Keys(msgspec.Struct, frozen=True):
    p256dh: str
    auth: str


class _Sent(msgspec.Struct, frozen=True):
    endpoint: str
    keys: _Keys
    expiration: Any = msgspec.field(default=None, name="expirationTime")


def parse_subscription(text: str, other_services: tuple[str, ...] = ()) -> Subscription:
    """Read the trait. Raises SubscriptionError."""
    try:
        sent = msgspec.json.decode(text.encode("utf-8", "replace"), type=_Sent)
    except (msgspec.DecodeError, RecursionError):
        raise SubscriptionError(
            "web_push_token is not a browser's subscription in JSON, with endpoint, keys.p256dh and keys.auth"
        ) from None
    key, secret = _bytes(sent.keys.p256dh, "p256dh"), _bytes(sent.keys.auth, "auth")
    if len(key) != 65 or key[0] != 4:
        raise SubscriptionError("the subscription's keys.p256dh is no uncompressed point of P-256")
    if len(secret) != 16:
        raise SubscriptionError("the subscription's keys.auth has not 16 bytes")
    return Subscription(sent.endpoint, _origin(sent.endpoint, other_services), key, secret)


def _origin(endpoint: str, other_services: tuple[str, ...]) -> str:
    if len(endpoint) > 2_000 or not endpoint.isascii() or not endpoint.isprintable() or set(" \\#@") & set(endpoint):
        raise SubscriptionError("the subscription's endpoint is not an address as push services give them out")
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise SubscriptionError("the subscription's endpoint is no address") from None
    origin = f"{parts.scheme}://{parts.netloc.lower()}"
    if origin in other_services:
        return origin
    known = host in _SERVICES or host.endswith(_SERVICES_BELOW)
    if parts.scheme != "https" or port not in {None, 443} or not known:
        raise SubscriptionError(
            f"the subscription's endpoint is at {origin[:100]}, which is not a known push service over https; "
            "if it is one, name it in other_services"
        )
    return f"https://{host}"


def _bytes(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise SubscriptionError(f"the subscription's keys.{name} is not base64url") from None
