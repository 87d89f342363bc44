"""Crowds made by hand of customers, each of whom can also be judged alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from segue.customers.bulk.crowd import ABSENT, Crowd, Happenings
from segue.customers.bulk.reading import columns, whole
from segue.customers.bulk.survey import Survey
from segue.language import model as m
from segue.program.facts import Customer, Past


def crowd_of(
    survey: Survey, customers: Sequence[Customer], segments: Mapping[str, m.Segment], *also: m.Expression
) -> Crowd:
    """The customers as columns, with what the segments (and further conditions) read."""
    wanted = columns(whole([*(segment.condition for segment in segments.values()), *also], segments))
    return Crowd(
        survey.dictionaries,
        range(1, len(customers) + 1),
        [customer.zone for customer in customers],
        lambda name: [_trait(customer, name) for customer in customers],
        {event: _happenings(survey, customers, event, fields) for event, fields in wanted.items()},
        lambda channel: [customer.refusal(channel, "promotional") is not None for customer in customers],
        lambda rule: [customer.standing.inside(rule) for customer in customers],
    )


def _happenings(survey: Survey, customers: Sequence[Customer], event: str, fields: frozenset[str]) -> Happenings:
    rows = [
        (who, past.at, past.order, past)
        for who, customer in enumerate(customers)
        for past in customer.history.get(event, ())
    ]
    rows.sort(key=lambda row: row[:3])
    return Happenings(
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.int64),
        {name: survey.dictionaries.field(name).of(_raw(row[3], name) for row in rows) for name in fields},
    )


def _trait(customer: Customer, name: str) -> bytes:
    return msgspec.json.encode(customer.traits[name]) if name in customer.traits else ABSENT


def _raw(past: Past, name: str) -> bytes:
    return msgspec.json.encode(past.fields[name]) if name in past.fields else ABSENT
