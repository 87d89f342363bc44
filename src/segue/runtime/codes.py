"""The signed code that a customer shows in a shop, as a QR code: a card of their own."""

from __future__ import annotations

from typing import Final

from segue.api import Instant
from segue.customers.identity import Rules
from segue.messages.tokens import BadToken, Signer
from segue.runtime.whom import whom
from segue.store.database import Transaction

_PURPOSE: Final = "customer"
_ALWAYS: Final = Instant(0)
"""Codes do not expire, so the moment of signing says nothing."""


def sign_code(signer: Signer, name: str) -> str:
    """The code of the customer with an id. It is always the same, and good until the link keys are replaced."""
    return signer.sign(_PURPOSE, name, _ALWAYS)


def read_code(tx: Transaction, signer: Signer, code: str, rules: Rules) -> list[int] | str:
    """The customers, one or none, whom a code means; a sentence where it is no code of this project."""
    try:
        name = signer.read(_PURPOSE, code.strip(), _ALWAYS)
    except BadToken:
        return "this code is damaged, or is not one of this shop's: ask for another way to find the customer"
    return whom(tx, name, rules) if isinstance(name, str) else []
