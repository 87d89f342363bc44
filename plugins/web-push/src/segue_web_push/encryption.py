"""Encryption for one browser: RFC 8291 over aes128gcm (RFC 8188), in a single record.

By the primitives of `cryptography` rather than by http-ece, which has no types, or pywebpush, which brings clients of
its own. RFC 8291 has an example with every value, which the tests hold this to.
"""

from __future__ import annotations

import os
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from segue_web_push.subscription import Subscription, SubscriptionError

LARGEST: Final = 3_993
"""Bytes of a payload: push services take 4,096 of the encrypted body (RFC 8291, 4), of which 103 are its frame."""

_RECORD: Final = 4_096


def encrypt(
    payload: bytes,
    subscription: Subscription,
    *,
    own: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """The body to post. ``own`` and ``salt`` are made anew for each message unless a test gives them.

    Raises SubscriptionError where the browser's key is none."""
    own = own or ec.generate_private_key(ec.SECP256R1())
    salt = salt or os.urandom(16)
    try:
        browser = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), subscription.key)
    except ValueError:
        raise SubscriptionError("the subscription's keys.p256dh is no point of P-256") from None
    point = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = own.exchange(ec.ECDH(), browser)
    secret = _derive(shared, subscription.secret, b"WebPush: info\0" + subscription.key + point, 32)
    key = _derive(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(secret, salt, b"Content-Encoding: nonce\0", 12)
    header = salt + _RECORD.to_bytes(4, "big") + bytes([len(point)]) + point
    return header + AESGCM(key).encrypt(nonce, payload + b"\x02", None)  # 2 ends the last record


def _derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
