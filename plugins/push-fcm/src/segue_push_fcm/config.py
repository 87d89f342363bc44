"""The settings under ``[channels.NAME]``."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta

LONGEST_TTL = 28 * 86_400
"""Seconds: FCM's own longest, and what it takes where nothing is said."""

_URL = re.compile(r"https?://[^\s?#]+[^\s?#/]")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The Firebase project, and how messages go.

    ``service_account``  the JSON of a service account's key, as the Firebase console gives it out; a secret
    ``android_channel``  the notification channel that the app has made for these messages; the app's own when absent
    ``longest``          seconds that FCM keeps a message for a telephone that is off, at the most
    ``url``              of FCM, for those who reach it by a gateway of their own
    ``timeout``          seconds to wait for FCM's answer
    """

    service_account: str
    android_channel: str = ""
    longest: Annotated[int, Meta(ge=0, le=LONGEST_TTL)] = LONGEST_TTL
    url: str = "https://fcm.googleapis.com"
    timeout: Annotated[float, Meta(gt=0, le=25)] = 15.0

    def __post_init__(self) -> None:
        if not self.service_account.lstrip().startswith("{"):
            raise ValueError(
                "service_account must be the JSON of a service account's key: Firebase console, Project settings, "
                "Service accounts, Generate new private key"
            )
        if _URL.fullmatch(self.url) is None:
            raise ValueError("url must be an https: address without a query, and without a slash at its end")

    def __repr__(self) -> str:
        shown = (f"{f}={getattr(self, f)!r}" for f in self.__struct_fields__ if f != "service_account")
        return f"Config({', '.join(shown)})"
