"""The settings under ``[channels.NAME]``."""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta

_ID: Final = re.compile(r"[0-9]{5,25}")
_URL: Final = re.compile(r"https?://[^\s?#]+[^\s?#/]")
_TOKEN: Final = re.compile(r"[!-~]+")
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The number that messages come from, and how Meta calls back.

    ``phone_number_id``  of the number, as the WhatsApp Manager shows it: not the number itself
    ``access_token``     of a system user with the permission ``whatsapp_business_messaging``
    ``app_secret``       of the app, by which Meta signs its calls; without it they are refused
    ``verify_token``     what you enter beside the address of the webhook
    ``language``         of templates, where a message names none; that of the message's content when absent
    ``url``              of the Graph API, with its version
    ``timeout``          seconds to wait for Meta's answer
    """

    phone_number_id: str
    access_token: str
    app_secret: str | None = None
    verify_token: str | None = None
    language: str | None = None
    url: str = "https://graph.facebook.com/v23.0"
    timeout: Annotated[float, Meta(gt=0, le=50)] = 20.0

    def __post_init__(self) -> None:
        if _ID.fullmatch(self.phone_number_id) is None:
            raise ValueError("phone_number_id must be digits: the WhatsApp Manager shows it beside the number")
        for name in ("access_token", "app_secret", "verify_token"):
            secret = getattr(self, name)
            if secret is not None and _TOKEN.fullmatch(secret) is None:
                raise ValueError(f"{name} is empty, or has spaces or line breaks in it")
        if self.language is not None and LANGUAGE.fullmatch(self.language) is None:
            raise ValueError(f"language {self.language[:20]!r} is none of WhatsApp's: write en, en_US, pt_BR")
        if _URL.fullmatch(self.url) is None:
            raise ValueError("url must be an https: address without a query, and without a slash at its end")

    def __repr__(self) -> str:
        hidden = {"access_token", "app_secret", "verify_token"}
        shown = (f"{f}={getattr(self, f)!r}" for f in self.__struct_fields__ if f not in hidden)
        return f"Config({', '.join(shown)})"
