"""What Segue reads of Stripe's objects; all else is passed over.

Source: https://docs.stripe.com/api, which adds fields without notice and expands ids into objects where it is asked to.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

__all__ = ["Charge", "Customer", "Envelope", "Intent", "Invoice", "Session", "Subscription", "money"]

WITHOUT_DECIMALS: Final = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF".split()  # noqa: SIM905
)
"""Currencies whose amounts are whole units. Source: https://docs.stripe.com/currencies#zero-decimal"""
THREE_DECIMALS: Final = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))
"""Currencies whose amounts are thousandths. Source: https://docs.stripe.com/currencies#three-decimal"""

Expandable = str | dict[str, Any] | None
"""An id, or the object that has it."""


class Address(msgspec.Struct):
    """Where somebody lives."""

    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Person(msgspec.Struct):
    """``customer_details`` and ``billing_details``."""

    email: str | None = None
    name: str | None = None
    phone: str | None = None
    address: Address | None = None


class Failure(msgspec.Struct):
    """Why a payment failed."""

    message: str | None = None
    code: str | None = None


class Price(msgspec.Struct):
    """A price, of which there are many in one product."""

    id: str | None = None
    nickname: str | None = None
    lookup_key: str | None = None
    unit_amount: int | None = None
    product: Expandable = None


class Item(msgspec.Struct):
    """A line: of a checkout, an invoice or a subscription."""

    description: str | None = None
    quantity: int | None = None
    price: Price | None = None
    amount_total: int | None = None
    current_period_end: int | None = None


class Items(msgspec.Struct):
    """A list of lines."""

    data: list[Item] = []


class Totals(msgspec.Struct):
    """The parts of a checkout's total."""

    amount_discount: int | None = None
    amount_shipping: int | None = None
    amount_tax: int | None = None


class Recovery(msgspec.Struct):
    """How an expired checkout can be gone on with."""

    url: str | None = None


class AfterExpiration(msgspec.Struct):
    """What there is after a checkout expired."""

    recovery: Recovery | None = None


class _Object(msgspec.Struct):
    id: str
    metadata: dict[str, Any] | None = None
    customer: Expandable = None
    currency: str | None = None


class Session(_Object):
    """A checkout session."""

    mode: str | None = None
    client_reference_id: str | None = None
    payment_intent: Expandable = None
    invoice: Expandable = None
    amount_total: int | None = None
    amount_subtotal: int | None = None
    total_details: Totals | None = None
    customer_email: str | None = None
    customer_details: Person | None = None
    line_items: Items | None = None
    after_expiration: AfterExpiration | None = None


class Intent(_Object):
    """A payment intent."""

    amount: int | None = None
    amount_received: int | None = None
    receipt_email: str | None = None
    invoice: Expandable = None
    last_payment_error: Failure | None = None


class Charge(_Object):
    """A charge, as its refund shows it."""

    amount_refunded: int | None = None
    payment_intent: Expandable = None
    invoice: Expandable = None
    receipt_email: str | None = None
    billing_details: Person | None = None


class Invoice(_Object):
    """An invoice."""

    customer_email: str | None = None
    customer_name: str | None = None
    customer_phone: str | None = None
    amount_paid: int | None = None
    amount_due: int | None = None
    last_finalization_error: Failure | None = None


class Customer(_Object):
    """A customer."""

    email: str | None = None
    name: str | None = None
    phone: str | None = None
    address: Address | None = None
    preferred_locales: list[str] | None = None
    created: int | None = None


class Cancellation(msgspec.Struct):
    """Why a subscription was given up."""

    reason: str | None = None
    comment: str | None = None
    feedback: str | None = None


class Subscription(_Object):
    """A subscription."""

    status: str | None = None
    quantity: int | None = None
    items: Items | None = None
    trial_end: int | None = None
    current_period_end: int | None = None
    cancel_at: int | None = None
    cancellation_details: Cancellation | None = None


class Data(msgspec.Struct):
    """What an event is about, still undecoded, and what of it was otherwise before."""

    object: msgspec.Raw
    previous_attributes: dict[str, Any] | None = None


class Envelope(msgspec.Struct):
    """An event as it is posted."""

    id: str
    type: str
    created: int
    data: Data


def money(amount: int | None, currency: str | None) -> float | int | None:
    """An amount in the smallest unit of its currency as one in the currency itself: 5980 EUR are 59.8, 500 JPY are
    500."""
    if amount is None:
        return None
    upper = (currency or "").upper()
    if upper in WITHOUT_DECIMALS:
        return amount
    whole, rest = divmod(amount, unit := 1000 if upper in THREE_DECIMALS else 100)
    return amount / unit if rest else whole
