"""What Segue reads of the bodies that WooCommerce posts; all else is passed over.

Source: https://woocommerce.github.io/woocommerce-rest-api-docs/#orders and #customers, which the bodies are. Empty
values come in many guises: "", null, 0 and, from PHP, an empty list for an empty object.
"""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["Address", "Customer", "Deleted", "Line", "Order", "Refund"]

Id = int | str | None
Amount = str | int | float | None


class Address(msgspec.Struct):
    """The address of a bill, with how its customer is reached."""

    first_name: str | None = None
    last_name: str | None = None
    address_1: str | None = None
    address_2: str | None = None
    city: str | None = None
    state: str | None = None
    postcode: str | None = None
    country: str | None = None
    email: str | None = None
    phone: str | None = None


class Line(msgspec.Struct):
    """A line of an order. ``price`` is that of one, after discounts and without tax."""

    product_id: Id = None
    variation_id: Id = None
    sku: str | None = None
    name: str | None = None
    price: Amount = None
    quantity: int | float | None = None


class CouponLine(msgspec.Struct):
    """A coupon that was used."""

    code: str | None = None


class Refund(msgspec.Struct):
    """A refund, whose total is negative. It has no time."""

    id: int | str
    reason: str | None = None
    total: Amount = None


class Order(msgspec.Struct):
    """An order. Moments are in UTC, without saying so."""

    id: int | str
    number: str | int | None = None
    status: str | None = None
    currency: str | None = None
    date_created_gmt: str | None = None
    date_modified_gmt: str | None = None
    date_paid_gmt: str | None = None
    date_completed_gmt: str | None = None
    discount_total: Amount = None
    shipping_total: Amount = None
    total: Amount = None
    total_tax: Amount = None
    customer_id: Id = None
    billing: Address | list[Any] | None = None
    payment_method: str | None = None
    payment_url: str | None = None
    line_items: list[Line] | None = None
    coupon_lines: list[CouponLine] | None = None
    refunds: list[Refund] | None = None


class Customer(msgspec.Struct):
    """An account."""

    id: int | str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    date_created_gmt: str | None = None
    date_modified_gmt: str | None = None
    billing: Address | list[Any] | None = None


class Deleted(msgspec.Struct):
    """What is left of something that was deleted."""

    id: int | str
