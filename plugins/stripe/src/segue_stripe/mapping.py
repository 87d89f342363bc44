"""From Stripe's events to those of a shop. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar

import msgspec

from segue.api import Event, to_rfc3339
from segue.api.bodies import read_id, read_json, read_timestamp
from segue.api.shop import item_ids
from segue.api.webhooks import present
from segue_stripe.objects import (
    Address,
    Charge,
    Customer,
    Envelope,
    Expandable,
    Failure,
    Intent,
    Invoice,
    Item,
    Person,
    Session,
    Subscription,
    money,
)

__all__ = ["UserId", "events_of"]

UserId = Literal["id", "email", "reference"]
"""What is the shop's own id of a customer: Stripe's, the email, or the ``client_reference_id`` of a checkout, elsewhere
the metadata's ``user_id``."""

T = TypeVar("T", Session, Intent, Charge, Invoice, Customer, Subscription)


class _Found(msgspec.Struct):
    """What one object means: the event's name (None: traits only), its fields, whom it names, and their traits."""

    name: str | None
    fields: dict[str, Any]
    customer: Expandable
    traits: dict[str, Any]
    reference: str | None = None


def events_of(envelope: Envelope, source: str, user_id: UserId | None) -> tuple[Event, ...]:
    """What an event of Stripe means; nothing for the types that Segue does not read. Raises Refused where its object is
    not what the type says."""
    read = _TYPES.get(envelope.type)
    found = read(envelope) if read is not None else None
    if found is None:
        return ()
    stripe = read_id(_id(found.customer), "customer")
    named = {"id": stripe, "email": found.traits.get("email"), "reference": found.reference}
    return (
        Event(
            message_id=read_id(envelope.id, "id") or "",
            timestamp=read_timestamp(envelope.created, "created"),
            source=source,
            name=found.name,
            user_id=read_id(named[user_id], user_id) if user_id is not None else None,
            ids={"stripe": stripe} if stripe is not None else {},
            properties=found.fields,
            traits=found.traits,
        ),
    )


# Checkouts and payments. A payment's intent is what all its objects name, so that it is the order's number where the
# shop put none of its own into the metadata.


def _completed(envelope: Envelope) -> _Found | None:
    session = _object(envelope, Session)
    if session.mode == "setup":
        return None
    return _checkout(session, "ordered")


def _expired(envelope: Envelope) -> _Found:
    return _checkout(_object(envelope, Session), "cart_abandoned")


def _checkout(session: Session, name: str) -> _Found:
    totals, currency = session.total_details, _currency(session.currency)
    products = [_line(item, currency) for item in session.line_items.data] if session.line_items is not None else []
    recovery = session.after_expiration.recovery if session.after_expiration is not None else None
    fields = {
        "checkout_id": session.id,
        "total": money(session.amount_total, currency),
        "currency": currency,
        "products": products,
        "items": item_ids(products),
    }
    if name == "ordered":
        fields |= {
            "order_id": _order_id(session.metadata, session.payment_intent, session.invoice, session.id),
            "subtotal": money(session.amount_subtotal, currency),
            "discount": money(totals.amount_discount, currency) if totals is not None else None,
            "shipping": money(totals.amount_shipping, currency) if totals is not None else None,
            "tax": money(totals.amount_tax, currency) if totals is not None else None,
        }
    else:
        fields |= {"cart_id": session.id, "url": recovery.url if recovery is not None else None}
    traits = _person(session.customer_details)
    traits = traits if "email" in traits else present({"email": session.customer_email}) | traits
    return _Found(name, present(fields), session.customer, traits, session.client_reference_id)


def _line(item: Item, currency: str | None) -> dict[str, Any]:
    price = item.price
    product = _id(price.product) if price is not None else None
    return present(
        {
            "product_id": product or (price.id if price is not None else None),
            "sku": price.lookup_key if price is not None else None,
            "name": item.description,
            "price": money(price.unit_amount, currency) if price is not None else None,
            "quantity": item.quantity,
        }
    )


def _succeeded(envelope: Envelope) -> _Found | None:
    intent = _object(envelope, Intent)
    # The invoice that it paid says so too, with all that it is for.
    return _payment(intent, "paid", intent.amount_received) if intent.invoice is None else None


def _failed(envelope: Envelope) -> _Found | None:
    intent = _object(envelope, Intent)
    return _payment(intent, "payment_failed", intent.amount) if intent.invoice is None else None


def _payment(intent: Intent, name: str, amount: int | None) -> _Found:
    fields = {
        "order_id": _order_id(intent.metadata, intent.id),
        "total": money(amount, _currency(intent.currency)),
        "currency": _currency(intent.currency),
        "reason": _reason(intent.last_payment_error) if name == "payment_failed" else None,
    }
    traits = present({"email": intent.receipt_email})
    return _Found(name, present(fields), intent.customer, traits, _reference(intent.metadata))


def _refunded(envelope: Envelope) -> _Found:
    charge = _object(envelope, Charge)
    currency = _currency(charge.currency)
    fields = {
        "order_id": _order_id(charge.metadata, charge.payment_intent, charge.invoice, charge.id),
        "total": money(_refunded_now(charge, envelope), currency),
        "currency": currency,
    }
    traits = present({"email": charge.receipt_email}) | _person(charge.billing_details)
    return _Found("order_refunded", present(fields), charge.customer, traits, _reference(charge.metadata))


def _refunded_now(charge: Charge, envelope: Envelope) -> int | None:
    """What this refund paid back, where earlier ones did so too."""
    before = (envelope.data.previous_attributes or {}).get("amount_refunded")
    if charge.amount_refunded is None or not isinstance(before, int):
        return charge.amount_refunded
    return charge.amount_refunded - before


def _invoice_paid(envelope: Envelope) -> _Found:
    invoice = _object(envelope, Invoice)
    return _invoice(invoice, "paid", invoice.amount_paid)


def _invoice_failed(envelope: Envelope) -> _Found:
    invoice = _object(envelope, Invoice)
    return _invoice(invoice, "payment_failed", invoice.amount_due)


def _invoice(invoice: Invoice, name: str, amount: int | None) -> _Found:
    fields = {
        "order_id": _order_id(invoice.metadata, invoice.id),
        "total": money(amount, _currency(invoice.currency)),
        "currency": _currency(invoice.currency),
        "reason": _reason(invoice.last_finalization_error) if name == "payment_failed" else None,
    }
    traits = present({"email": invoice.customer_email, "name": invoice.customer_name, "phone": invoice.customer_phone})
    return _Found(name, present(fields), invoice.customer, traits, _reference(invoice.metadata))


# Customers and subscriptions


def _customer(envelope: Envelope) -> _Found:
    customer = _object(envelope, Customer)
    traits = _person(Person(customer.email, customer.name, customer.phone, customer.address)) | present(
        {
            "locale": customer.preferred_locales[0] if customer.preferred_locales else None,
            "created_at": _date(customer.created, "created"),
        }
    )
    return _Found(None, {}, customer.id, traits, _reference(customer.metadata))


def _begun(envelope: Envelope) -> _Found:
    subscription = _object(envelope, Subscription)
    return _subscription(subscription, "trial_started" if subscription.status == "trialing" else "subscription_started")


def _changed(envelope: Envelope) -> _Found:
    subscription = _object(envelope, Subscription)
    before = (envelope.data.previous_attributes or {}).get("status")
    over = before == "trialing" and subscription.status != "trialing"
    return _subscription(subscription, "trial_ended" if over else "subscription_updated")


def _ended(envelope: Envelope) -> _Found:
    return _subscription(_object(envelope, Subscription), "subscription_ended")


def _trial_ending(envelope: Envelope) -> _Found:
    return _subscription(_object(envelope, Subscription), "trial_ending")


def _subscription(subscription: Subscription, name: str) -> _Found:
    item = subscription.items.data[0] if subscription.items is not None and subscription.items.data else Item()
    price, currency = item.price, _currency(subscription.currency)
    why = subscription.cancellation_details
    quantity = subscription.quantity if subscription.quantity is not None else item.quantity
    amount = price.unit_amount if price is not None else None
    ends = subscription.current_period_end if subscription.current_period_end is not None else item.current_period_end
    fields = {
        "subscription_id": subscription.id,
        "plan": (price.nickname or price.lookup_key or price.id) if price is not None else None,
        "status": subscription.status,
        "total": money(amount * (1 if quantity is None else quantity), currency) if amount is not None else None,
        "currency": currency,
        "quantity": quantity,
        "trial_end": _date(subscription.trial_end, "trial_end"),
        "period_end": _date(ends, "current_period_end"),
        "cancel_at": _date(subscription.cancel_at, "cancel_at"),
        "reason": (why.feedback or why.comment or why.reason) if why is not None else None,
    }
    return _Found(name, present(fields), subscription.customer, {}, _reference(subscription.metadata))


_TYPES: Final[dict[str, Callable[[Envelope], _Found | None]]] = {
    "checkout.session.completed": _completed,
    "checkout.session.expired": _expired,
    "payment_intent.succeeded": _succeeded,
    "payment_intent.payment_failed": _failed,
    "charge.refunded": _refunded,
    "invoice.paid": _invoice_paid,
    "invoice.payment_failed": _invoice_failed,
    "customer.created": _customer,
    "customer.updated": _customer,
    "customer.subscription.created": _begun,
    "customer.subscription.updated": _changed,
    "customer.subscription.deleted": _ended,
    "customer.subscription.trial_will_end": _trial_ending,
}


# Parts


def _object(envelope: Envelope, type_: type[T]) -> T:
    return read_json(bytes(envelope.data.object), msgspec.json.Decoder(type_))


def _id(found: Expandable) -> Any:
    return found.get("id") if isinstance(found, dict) else found


def _order_id(metadata: dict[str, Any] | None, *others: Expandable) -> str | None:
    own = (metadata or {}).get("order_id")
    return next((found for one in (own, *others) if (found := read_id(_id(one), "order_id")) is not None), None)


def _reference(metadata: dict[str, Any] | None) -> str | None:
    return read_id((metadata or {}).get("user_id"), "metadata.user_id")


def _currency(currency: str | None) -> str | None:
    return currency.upper() if currency else None


def _reason(failure: Failure | None) -> str | None:
    return (failure.message or failure.code) if failure is not None else None


def _date(seconds: int | None, field: str) -> str | None:
    return to_rfc3339(read_timestamp(seconds, field)) if seconds is not None else None


def _person(person: Person | None) -> dict[str, Any]:
    if person is None:
        return {}
    address = person.address or Address()
    street = " ".join(line for line in (address.line1, address.line2) if line)
    return present(
        {
            "email": person.email,
            "name": person.name,
            "phone": person.phone,
            "street": street,
            "city": address.city,
            "state": address.state,
            "postal_code": address.postal_code,
            "country": address.country,
        }
    )
