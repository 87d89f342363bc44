"""Whom a customer sees as the sender: some countries want a local number, some a registered name, some take any."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from segue.api.sms.numbers import country_of

__all__ = ["check_sender", "check_senders", "sender_for"]

_SENDER: Final = re.compile(r"\+?[0-9]{3,15}|(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9 &._-]{1,11}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")


def check_sender(sender: str, place: str = "sender") -> None:
    """Raises ValueError where this is no sender: a number, a short code, or up to 11 letters and digits (3GPP TS 23.040
    9.1.2.5)."""
    if _SENDER.fullmatch(sender) is None:
        raise ValueError(f"{place} {sender!r} is neither a number nor up to 11 letters and digits")


def check_senders(senders: Mapping[str, str]) -> None:
    """Raises ValueError where this is no table of senders by country."""
    for country, sender in senders.items():
        if _COUNTRY.fullmatch(country) is None:
            raise ValueError(f"senders names {country!r}: write the country as two capital letters, such as FI")
        check_sender(sender, f"senders.{country}")


def sender_for(number: str, senders: Mapping[str, str], otherwise: str) -> str:
    """The sender for a number in E.164: that of its country, else ``otherwise``."""
    return senders.get(country_of(number), otherwise) if senders else otherwise
