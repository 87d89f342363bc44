"""What Segue reads of the bodies that Shopify posts; all else is passed over.

Source: https://shopify.dev/docs/api/webhooks?reference=toml, and the REST resources that the bodies are.
"""

from __future__ import annotations

import msgspec

__all__ = ["Cart", "Checkout", "Customer", "Fulfillment", "Line", "Order", "Privacy", "Refund"]

Id = int | str | None
Amount = str | int | float | None


class Money(msgspec.Struct):
    """An amount and its currency."""

    amount: Amount = None
    currency_code: str | None = None


class MoneyBag(msgspec.Struct):
    """An amount in the shop's currency; the customer's is beside it."""

    shop_money: Money | None = None


class Consent(msgspec.Struct):
    """What a customer said about marketing on one channel."""

    state: str | None = None
    opt_in_level: str | None = None
    consent_updated_at: str | None = None


class Address(msgspec.Struct):
    """Where somebody lives."""

    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    province: str | None = None
    zip: str | None = None
    country_code: str | None = None
    phone: str | None = None


class Customer(msgspec.Struct):
    """A customer: in a body of their own, or in an order's."""

    id: Id = None
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    state: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    default_address: Address | None = None
    email_marketing_consent: Consent | None = None
    sms_marketing_consent: Consent | None = None


class Line(msgspec.Struct):
    """A line of an order, a cart or a checkout."""

    product_id: Id = None
    variant_id: Id = None
    sku: str | None = None
    title: str | None = None
    variant_title: str | None = None
    vendor: str | None = None
    price: Amount = None
    quantity: int | None = None


class DiscountCode(msgspec.Struct):
    """A discount code that was used."""

    code: str | None = None


class Order(msgspec.Struct):
    """An order."""

    id: int | str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    customer: Customer | None = None
    customer_locale: str | None = None
    currency: str | None = None
    total_price: Amount = None
    subtotal_price: Amount = None
    total_tax: Amount = None
    total_discounts: Amount = None
    total_shipping_price_set: MoneyBag | None = None
    financial_status: str | None = None
    fulfillment_status: str | None = None
    discount_codes: list[DiscountCode] | None = None
    payment_gateway_names: list[str] | None = None
    checkout_token: str | None = None
    cart_token: str | None = None
    line_items: list[Line] | None = None
    created_at: str | None = None
    updated_at: str | None = None
    cancelled_at: str | None = None
    refunds: list[Refund] | None = None


class Transaction(msgspec.Struct):
    """A movement of money."""

    kind: str | None = None
    status: str | None = None
    amount: Amount = None
    currency: str | None = None


class RefundLine(msgspec.Struct):
    """A line that was taken back."""

    quantity: int | None = None
    line_item: Line | None = None


class Refund(msgspec.Struct):
    """A refund of an order, or of a part of it. By itself it does not say whose order that is."""

    id: int | str
    order_id: int | str
    created_at: str | None = None
    transactions: list[Transaction] | None = None
    refund_line_items: list[RefundLine] | None = None


class Fulfillment(msgspec.Struct):
    """A parcel."""

    id: int | str
    order_id: int | str
    status: str | None = None
    shipment_status: str | None = None
    email: str | None = None
    updated_at: str | None = None
    line_items: list[Line] | None = None


class Cart(msgspec.Struct):
    """A cart of the online shop. It does not say whose it is."""

    token: str
    line_items: list[Line] | None = None
    created_at: str | None = None
    updated_at: str | None = None


class Checkout(msgspec.Struct):
    """A checkout that was begun."""

    token: str
    cart_token: str | None = None
    email: str | None = None
    phone: str | None = None
    customer: Customer | None = None
    customer_locale: str | None = None
    currency: str | None = None
    total_price: Amount = None
    subtotal_price: Amount = None
    discount_codes: list[DiscountCode] | None = None
    abandoned_checkout_url: str | None = None
    line_items: list[Line] | None = None
    created_at: str | None = None
    updated_at: str | None = None
    completed_at: str | None = None


class Privacy(msgspec.Struct):
    """What a customer asks of their data."""

    customer: Customer
    shop_domain: str | None = None
