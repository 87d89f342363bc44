"""The words that Stripe brings beside those of every shop: subscriptions."""

from __future__ import annotations

from segue.api import EventSpec, FieldSpec, Vocabulary

__all__ = ["SUBSCRIPTIONS"]

_FIELDS = (
    FieldSpec("subscription_id", "text", "The subscription's id"),
    FieldSpec("plan", "text", "What is subscribed to: the price's nickname or lookup key, else its id"),
    FieldSpec("status", "text", "trialing, active, past_due, canceled, unpaid, paused, incomplete"),
    FieldSpec("total", "money", "What it costs each time"),
    FieldSpec("currency", "text", "ISO 4217, as in EUR"),
    FieldSpec("quantity", "number", "How many"),
    FieldSpec("trial_end", "date", "When the trial ends"),
    FieldSpec("period_end", "date", "Up to when it is paid"),
    FieldSpec("cancel_at", "date", "When it will end"),
    FieldSpec("reason", "text", "Why it ended, as the customer said"),
)

SUBSCRIPTIONS = Vocabulary(
    events=(
        EventSpec("subscription_started", _FIELDS, (), "A subscription began"),
        EventSpec("subscription_updated", _FIELDS, (), "A subscription changed"),
        EventSpec("subscription_ended", _FIELDS, (), "A subscription is over"),
        EventSpec("trial_started", _FIELDS, (), "A trial began"),
        EventSpec("trial_ending", _FIELDS, (), "A trial ends in three days"),
        EventSpec("trial_ended", _FIELDS, (), "A trial is over"),
    )
)
"""Beside `segue.api.shop.SHOP`, with whose trials it agrees."""
