"""The settings under ``[channels.NAME]``."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta

LONGEST = 30 * 86_400
"""Seconds: APNs keeps a notification for 30 days at the most."""

_ID = re.compile(r"[A-Z0-9]{10}")
_TOPIC = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,254}")
_URL = re.compile(r"https://[A-Za-z0-9.:\[\]-]+")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The key, the app, and how messages go.

    ``private_key``      the text of the .p8 file that Apple gives out once; a secret
    ``key_id``           of that key, 10 letters and digits
    ``team_id``          of the developer account, 10 letters and digits
    ``bundle_id``        of the app: com.example.shop
    ``url``              of APNs: the sandbox, for apps that run from Xcode, is https://api.sandbox.push.apple.com
    ``trusted``          a file of certificates to trust instead of the system's, for a gateway of one's own
    ``longest``          seconds that APNs keeps a message for a telephone that is off, at the most
    ``timeout``          seconds to wait for Apple's answer
    """

    private_key: str
    key_id: str
    team_id: str
    bundle_id: str
    url: str = "https://api.push.apple.com"
    trusted: str | None = None
    longest: Annotated[int, Meta(ge=0, le=LONGEST)] = LONGEST
    timeout: Annotated[float, Meta(gt=0, le=50)] = 20.0

    def __post_init__(self) -> None:
        if "PRIVATE KEY-----" not in self.private_key:
            raise ValueError("private_key must be the text of the .p8 file: -----BEGIN PRIVATE KEY----- and so on")
        for name, value in (("key_id", self.key_id), ("team_id", self.team_id)):
            if _ID.fullmatch(value) is None:
                raise ValueError(f"{name} is {value[:20]!r}, and Apple's have 10 capital letters and digits")
        if _TOPIC.fullmatch(self.bundle_id) is None:
            raise ValueError("bundle_id must be the app's, such as com.example.shop")
        if _URL.fullmatch(self.url) is None:
            raise ValueError("url must be an https: address without a path, such as https://api.push.apple.com")

    def __repr__(self) -> str:
        shown = (f"{f}={getattr(self, f)!r}" for f in self.__struct_fields__ if f != "private_key")
        return f"Config({', '.join(shown)})"
