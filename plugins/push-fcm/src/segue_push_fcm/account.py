"""A service account, and the access token that it gets for a signed statement (RFC 7523).

https://developers.google.com/identity/protocols/oauth2/service-account#httprest. By hand rather than by google-auth:
that one brings a client of its own, which blocks, and with it proxies and time-outs that Segue does not know of.
"""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from segue.api import HttpClient
from segue.api.replies import quotable

SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"

_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_MARGIN: Final = 300.0
"""Seconds before its end in which a token is renewed."""


class TokenError(Exception):
    """Google gave no token; the text says why, and holds no secret."""


class ServiceAccount(msgspec.Struct, frozen=True):
    """What a key file says; there is more in it, which nobody needs."""

    project_id: str
    client_email: str
    private_key: str
    private_key_id: str = ""
    token_uri: str = "https://oauth2.googleapis.com/token"


class _Granted(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float = 3_600.0


def read_account(text: str) -> tuple[ServiceAccount, rsa.RSAPrivateKey]:
    """The account and its key. Raises ValueError, which shows neither."""
    try:
        account = msgspec.json.decode(text.encode(), type=ServiceAccount)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise ValueError(f"service_account is not a service account's key in JSON: {str(error)[:100]}") from None
    if not account.token_uri.startswith(("https://", "http://127.0.0.1:")) or not account.project_id.isascii():
        raise ValueError("service_account has a token_uri that is no https: address, or a strange project_id")
    try:
        key: Any = load_pem_private_key(account.private_key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(
            "service_account has a private_key that is no PEM: take the file as it was given out"
        ) from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("service_account has a private_key that is not of RSA")
    return account, key


class Tokens:
    """The access token, asked for once for all messages that wait for it, and kept until shortly before its end."""

    def __init__(self, account: ServiceAccount, key: rsa.RSAPrivateKey, http: HttpClient) -> None:
        self._account = account
        self._key = key
        self._http = http
        self._token = ""
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def current(self, now: float) -> str:
        """A token that holds. ``now`` is in seconds since 1970. Raises TokenError, and what the client raises."""
        async with self._asking:
            if not self._token or now >= self._until:
                granted = await self._ask(now)
                self._token, self._until = granted.access_token, now + max(granted.expires_in - _MARGIN, 0.0)
            return self._token

    def forget(self, token: str) -> None:
        """FCM refused this token: the next message asks for another."""
        if token == self._token:
            self._token = ""

    async def _ask(self, now: float) -> _Granted:
        body = urlencode({"grant_type": _GRANT, "assertion": self._sign(now)}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await self._http.request("POST", self._account.token_uri, headers=headers, body=body, timeout=15.0)
        if answer.status != 200:
            raise TokenError(f"Google gave no access token, and answered {answer.status} {quotable(answer.body)}")
        try:
            granted = msgspec.json.decode(answer.body, type=_Granted)
        except (msgspec.DecodeError, RecursionError):
            raise TokenError("Google's answer holds no access token that can be read") from None
        if not granted.access_token or not granted.access_token.isascii() or not granted.access_token.isprintable():
            raise TokenError("Google's answer holds no access token that can be read")
        return granted

    def _sign(self, now: float) -> str:
        header = {"alg": "RS256", "typ": "JWT", "kid": self._account.private_key_id}
        claims = {
            "iss": self._account.client_email,
            "scope": SCOPE,
            "aud": self._account.token_uri,
            "iat": int(now),
            "exp": int(now) + 3_600,
        }
        signed = ".".join(_encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        return f"{signed}.{_encode(self._key.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
