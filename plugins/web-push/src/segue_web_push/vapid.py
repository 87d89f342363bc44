"""Who sends: a signed token for each push service (VAPID, RFC 8292)."""

from __future__ import annotations

import base64
import json
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

_VALID: Final = 12 * 3600
"""Seconds. A token may hold for 24 hours at the most (RFC 8292, 2), by the clock of the push service."""
_RENEWED: Final = 6 * 3600


def load_key(text: str) -> ec.EllipticCurvePrivateKey:
    """The private key, of 43 characters of base64url or of PEM. Raises ValueError, which does not show the key."""
    try:
        if "-----" in text:
            key = load_pem_private_key(text.encode(), None)
        else:
            number = int.from_bytes(base64.b64decode(text.rstrip("=") + "=", b"-_", validate=True), "big")
            key = ec.derive_private_key(number, ec.SECP256R1())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("private_key cannot be read as a private key: python -m segue_web_push makes a pair") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("private_key is not of the curve P-256, which web push asks for")
    return key


def public_key(key: ec.EllipticCurvePrivateKey) -> str:
    """The public key as browsers want it for ``applicationServerKey``."""
    return _encode(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


class Signer:
    """Makes the header ``Authorization`` and keeps it: signing anew for each message would cost as much as encrypting,
    and push services remember a token that they have checked."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, subject: str) -> None:
        self._key = key
        self._subject = subject
        self._public = public_key(key)
        self._kept: dict[str, tuple[float, str]] = {}

    def authorization(self, origin: str, now: float) -> str:
        """The header's value for a push service. ``now`` is in seconds since 1970."""
        kept = self._kept.get(origin)
        if kept is None or not 0 <= now - kept[0] < _RENEWED:
            kept = (now, f"vapid t={self._sign(origin, now)}, k={self._public}")
            self._kept[origin] = kept
        return kept[1]

    def _sign(self, origin: str, now: float) -> str:
        claims = {"aud": origin, "exp": int(now) + _VALID, "sub": self._subject}
        signed = ".".join(
            _encode(json.dumps(part, separators=(",", ":")).encode())
            for part in ({"typ": "JWT", "alg": "ES256"}, claims)
        )
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(SHA256())))
        return f"{signed}.{_encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"  # RFC 7518, 3.4


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
