"""The settings under ``[channels.NAME]``."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta

from segue.api.sms import Transliteration, check_sender, check_senders

_SECRET = re.compile(r"[A-Za-z0-9_-]{16,200}")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The gateway, and how it reports back.

    ``url``              of ``sendsms``, as in ``http://127.0.0.1:13013/cgi-bin/sendsms``
    ``username``, ``password``  of the gateway's ``sendsms-user``
    ``sender``           what the customer sees: a number, or up to 11 letters and digits; the gateway's own when empty
    ``senders``          a sender for each country that wants one of its own (``US = "+12025550100"``)
    ``transliterate``    what may be replaced so that a text goes in GSM-7: ``never``, ``punctuation``, ``letters``
    ``smsc``             the route to use, where the gateway has several
    ``callback_secret``  16 or more letters, digits, ``-`` and ``_``. With it, and with the address under which Segue is
                         reached from outside, delivery reports are asked for and customers' replies are taken
    ``most_parts``       longest text in parts of an SMS; no larger than ``max-messages`` of the gateway's user, beyond
                         which Kannel cuts a text off without a word
    ``validity``         minutes for which the operator keeps trying to deliver, at the most; without it as long as the
                         message may still go
    ``timeout``          seconds to wait for the gateway's answer
    """

    url: str
    username: str
    password: str
    sender: str = ""
    senders: dict[str, str] = {}
    transliterate: Transliteration = "never"
    smsc: str = ""
    callback_secret: str | None = None
    most_parts: Annotated[int, Meta(ge=1, le=255)] = 10
    validity: Annotated[int, Meta(ge=1, le=44_640)] | None = None
    timeout: Annotated[float, Meta(gt=0, le=60)] = 20.0

    def __post_init__(self) -> None:
        if re.fullmatch(r"https?://[^\s?#]+", self.url) is None:
            raise ValueError("url must be the http: or https: address of the gateway's sendsms, without a query")
        if self.sender:
            check_sender(self.sender)
        check_senders(self.senders)
        if self.callback_secret is not None and _SECRET.fullmatch(self.callback_secret) is None:
            raise ValueError(
                "callback_secret must be 16 to 200 letters, digits, - and _, so that it can stand in a URL"
            )

    def __repr__(self) -> str:
        hidden = {"password", "callback_secret"}
        shown = (f"{f}={getattr(self, f)!r}" for f in self.__struct_fields__ if f not in hidden)
        return f"Config({', '.join(shown)})"
