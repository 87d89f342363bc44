"""The settings under ``[channels.NAME]``."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta

LONGEST_TTL = 28 * 86_400
"""Seconds: what the push service of Chrome keeps a message at the most."""

_RAW_KEY = re.compile(r"[A-Za-z0-9_-]{43}=?")
_SUBJECT = re.compile(r"mailto:[^\s@]+@[^\s@]+|https://[^\s]+")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The key pair that names the shop to push services, and how messages go.

    ``private_key``     of the VAPID key pair: 43 characters of base64url, or PEM; ``python -m segue_web_push`` makes it
    ``subject``         whom a push service may write to about these messages: ``mailto:`` or ``https:`` (RFC 8292, 2.1)
    ``other_services``  further push services that may be called beside those of the browsers' makers, as origins:
                        ``https://push.example.com``
    ``longest``         seconds that a push service keeps a message for a browser that is off, at the most
    ``timeout``         seconds to wait for a push service's answer
    """

    private_key: str
    subject: str
    other_services: tuple[str, ...] = ()
    longest: Annotated[int, Meta(ge=0, le=LONGEST_TTL)] = LONGEST_TTL
    timeout: Annotated[float, Meta(gt=0, le=50)] = 20.0

    def __post_init__(self) -> None:
        if _RAW_KEY.fullmatch(self.private_key) is None and "PRIVATE KEY-----" not in self.private_key:
            raise ValueError(
                "private_key is neither 43 characters of base64url nor PEM: python -m segue_web_push makes a pair"
            )
        if _SUBJECT.fullmatch(self.subject) is None:
            raise ValueError("subject must be a mailto: or https: address, so that a push service can write to you")
        for origin in self.other_services:
            if _ORIGIN.fullmatch(origin) is None:
                raise ValueError(f"other_services has {origin!r}: write origins, such as https://push.example.com")

    def __repr__(self) -> str:
        shown = (f"{f}={getattr(self, f)!r}" for f in self.__struct_fields__ if f != "private_key")
        return f"Config({', '.join(shown)})"
