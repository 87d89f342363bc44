"""Customers: identity, consent and reach, as values and pure decisions."""
