"""The settings under ``[channels.NAME]``."""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from segue.api.sms import Transliteration, check_sender, check_senders

LONGEST_VALIDITY: Final = 36_000
"""Seconds: the longest ValidityPeriod, https://www.twilio.com/docs/messaging/api/message-resource"""

_ACCOUNT: Final = re.compile(r"AC[0-9a-f]{32}")
_SERVICE: Final = re.compile(r"MG[0-9a-f]{32}")
_AGENT: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_URL: Final = re.compile(r"https?://[^\s?#]+[^\s?#/]")

Timeout = Annotated[float, Meta(gt=0, le=25)]
Validity = Annotated[int, Meta(ge=5, le=LONGEST_VALIDITY)]


class SmsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account, and who sends.

    ``account_sid``, ``auth_token``  of the Twilio account; with the token Twilio also signs what it calls Segue with
    ``sender``             what the customer sees: a number of the account in E.164, a short code, or a name
    ``messaging_service``  a Messaging Service that chooses the sender (``MG…``), in the place of ``sender``
    ``senders``            a sender for each country that wants one of its own (``US = "+12025550100"``)
    ``transliterate``      what may be replaced so that a text goes in GSM-7: ``never``, ``punctuation``, ``letters``
    ``most_parts``         longest text in parts of an SMS
    ``validity``           seconds that Twilio may keep a message in its queue, at the most
    ``url``                of Twilio's interface; others are those of its regions
    ``timeout``            seconds to wait for Twilio's answer
    """

    account_sid: str
    auth_token: str
    sender: str = ""
    messaging_service: str = ""
    senders: dict[str, str] = {}
    transliterate: Transliteration = "never"
    most_parts: Annotated[int, Meta(ge=1, le=10)] = 10
    validity: Validity = LONGEST_VALIDITY
    url: str = "https://api.twilio.com"
    timeout: Timeout = 20.0

    def __post_init__(self) -> None:
        _check_account(self.account_sid, self.auth_token, self.url)
        if bool(self.sender) == bool(self.messaging_service):
            raise ValueError("write either sender or messaging_service: Twilio needs one of them to send by")
        if self.sender:
            check_sender(self.sender)
        elif _SERVICE.fullmatch(self.messaging_service) is None:
            raise ValueError("messaging_service must be the SID of a Messaging Service: MG and 32 digits of 0-9, a-f")
        check_senders(self.senders)

    def __repr__(self) -> str:
        return _shown(self)


class RcsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account, and the RCS sender.

    ``account_sid``, ``auth_token``  of the Twilio account; with the token Twilio also signs what it calls Segue with
    ``sender``     the RCS sender's id, as the Twilio console shows it after ``rcs:``
    ``validity``   seconds that Twilio may keep a message in its queue, at the most
    ``url``        of Twilio's interface; others are those of its regions
    ``timeout``    seconds to wait for Twilio's answer
    """

    account_sid: str
    auth_token: str
    sender: str
    validity: Validity = LONGEST_VALIDITY
    url: str = "https://api.twilio.com"
    timeout: Timeout = 20.0

    def __post_init__(self) -> None:
        _check_account(self.account_sid, self.auth_token, self.url)
        if _AGENT.fullmatch(self.sender.removeprefix("rcs:")) is None:
            raise ValueError(f"sender {self.sender[:60]!r} is no id of an RCS sender, such as rcs:shop_agent")

    def __repr__(self) -> str:
        return _shown(self)


Config = SmsConfig | RcsConfig


def _check_account(account_sid: str, auth_token: str, url: str) -> None:
    if _ACCOUNT.fullmatch(account_sid) is None:
        raise ValueError("account_sid must be the account's SID: AC and 32 digits of 0-9, a-f")
    if not auth_token or not auth_token.isascii() or not auth_token.isprintable():
        raise ValueError("auth_token must be the account's auth token, as the Twilio console shows it")
    if _URL.fullmatch(url) is None:
        raise ValueError("url must be an https: address without a query, and without a slash at its end")


def _shown(config: Config) -> str:
    fields = (f"{f}={getattr(config, f)!r}" for f in config.__struct_fields__ if f != "auth_token")
    return f"{type(config).__name__}({', '.join(fields)})"
