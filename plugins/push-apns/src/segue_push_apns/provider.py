"""Who sends: the provider token.

https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns: signed by
ES256, and renewed no more often than every 20 minutes and no less often than every 60.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_RENEWED: Final = 40 * 60.0
_SOONEST: Final = 20 * 60.0
"""Seconds. With a younger one Apple answers TooManyProviderTokenUpdates."""


def load_key(text: str) -> ec.EllipticCurvePrivateKey:
    """The key of a .p8 file. Raises ValueError, which does not show it."""
    try:
        key: Any = load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("private_key cannot be read: take the text of the .p8 file as Apple gave it out") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("private_key is not of the curve P-256, as Apple's are")
    return key


class ProviderToken:
    """The token, made when it is needed and kept for 40 minutes."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, key_id: str, team_id: str) -> None:
        self._key = key
        self._key_id = key_id
        self._team_id = team_id
        self._made = 0.0
        self._token = ""

    def current(self, now: float) -> str:
        """A token that Apple takes. ``now`` is in seconds since 1970."""
        if not self._token or not 0 <= now - self._made < _RENEWED:
            self._token, self._made = self._sign(now), now
        return self._token

    def renew(self, refused: str, now: float) -> None:
        """Apple calls a token expired: make another, if that is allowed already."""
        if refused == self._token and not 0 <= now - self._made < _SOONEST:
            self._token = ""

    def _sign(self, now: float) -> str:
        parts = ({"alg": "ES256", "kid": self._key_id}, {"iss": self._team_id, "iat": int(now)})
        signed = ".".join(_encode(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(SHA256())))
        return f"{signed}.{_encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"  # RFC 7518, 3.4


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
