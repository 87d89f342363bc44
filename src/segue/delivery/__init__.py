"""Delivery: the states of a message and the pure decisions about it; no calls are made here."""
