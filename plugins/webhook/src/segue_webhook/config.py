"""The settings under ``[channels.NAME]``."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from segue.api.webhooks import secrets_of, standard_key

SHORTEST_KEY: Final = 24
"""Bytes of a secret, as Standard Webhooks asks:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme"""

_URL: Final = re.compile(r"https?://[^\s/?#@\\]+([/?][^\s#\\]*)?")
_PLACE: Final = re.compile(r"\$(\.[^.\s\[\]]+)+")


class CustomerConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How messages go, and to whom they may.

    ``secret``      of Standard Webhooks, ``whsec_…``; a list of them while it is changed: every one of them signs
    ``allow``       networks that may be called although they are not public, as ``["10.0.0.0/8"]``
    ``https_only``  whether an address that begins with ``http:`` is refused
    ``ok``          where in an answer of JSON it says whether the message was taken, as ``"$.ok"``
    ``error``       where in an answer of JSON an error stands, as ``"$.error.message"``
    ``timeout``     seconds to wait for the receiver's answer
    """

    secret: str | tuple[str, ...]
    allow: tuple[str, ...] = ()
    https_only: bool = True
    ok: str = ""
    error: str = ""
    timeout: Annotated[float, Meta(gt=0, le=50)] = 15.0

    def __post_init__(self) -> None:
        for key in self.keys():
            if len(key) < SHORTEST_KEY:
                raise ValueError(
                    f"`secret` holds {len(key)} bytes, and Standard Webhooks asks for {SHORTEST_KEY} at least: "
                    "make one by  echo whsec_$(openssl rand -base64 32)"
                )
        for network in self.allow:
            try:
                ip_network(network)
            except ValueError as error:
                raise ValueError(f"allow: {error}; write a network as in 10.0.0.0/8 or fd00::/8") from None
        for name in ("ok", "error"):
            place = getattr(self, name)
            if place and _PLACE.fullmatch(place) is None:
                raise ValueError(
                    f'{name} is {place[:60]!r}: write where it stands in the answer, as in "$.status.{name}"'
                )

    def keys(self) -> tuple[bytes, ...]:
        """What is signed with."""
        return tuple(standard_key(secret) for secret in secrets_of(self.secret))

    def __repr__(self) -> str:
        shown = (f"{f}={getattr(self, f)!r}" for f in self.__struct_fields__ if f != "secret")
        return f"{type(self).__name__}({', '.join(shown)})"


class Config(CustomerConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same, with the address.

    ``url``  that is called; a message may name another in its front matter, and must where there is none here
    """

    url: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.url and not is_url(self.url, self.https_only):
            raise ValueError(
                "url must be an https: address without a user and a fragment; for http: set https_only = false"
            )

    def __repr__(self) -> str:
        """Without the path, where many receivers have their key."""
        host = self.url.partition("://")[2].partition("/")[0].partition("?")[0]
        return f"Config(host={host!r}, allow={self.allow!r}, ok={self.ok!r}, error={self.error!r})"


def is_url(text: str, https_only: bool) -> bool:
    """Whether this can be called: an address of https, or of http, with a host, and with no user and no fragment."""
    if len(text) > 2_000 or not text.isprintable() or _URL.fullmatch(text) is None:
        return False
    return text.startswith("https:") or not https_only
