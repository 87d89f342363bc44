"""What a condition looks at: the facts of one customer at one instant, as values.

The runtime fetches them for a whole batch; a condition only reads. Nothing here knows where they come from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.program.aggregates import Bucket, Definition

ZONE_TRAIT: Final = "timezone"
"""The trait that names the customer's zone."""

_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
_NO_SEGMENTS: Final[Mapping[str, Callable[[Scene], bool]]] = {}


class Past:
    """A past event: when it happened, its place in the order of arrival, and its fields, decoded on first use."""

    __slots__ = ("_fields", "_raw", "at", "order")

    def __init__(self, at: Instant, order: int, raw: bytes) -> None:
        self.at = at
        self.order = order
        self._raw = raw
        self._fields: dict[str, Any] | None = None

    @property
    def fields(self) -> dict[str, Any]:
        if self._fields is None:
            self._fields = _decode(self._raw) if self._raw else {}
        return self._fields


class LongHistory:
    """The past events of one name of a customer who has many of them: read where they are needed, and answered from
    what is kept of them. This one is of no events; the runtime gives those of the store."""

    __slots__ = ()

    def since(self, low: Instant | None) -> Sequence[Past]:
        """The events, at least those from ``low`` on (None: all), in no particular order."""
        return ()

    def parts(
        self, definition: Definition, low: Instant | None, now: Instant, without: int, *, counting: bool
    ) -> Sequence[Bucket] | None:
        """What the events after ``low`` (None: all) and up to ``now`` come to, in parts; None where that is not kept.
        The event whose place in the order of arrival is ``without`` does not count; with ``counting`` the parts need
        only be right in how many they are."""
        return None

    def first_after(self, moment: Instant) -> Instant | None:
        """When the first event after a moment happened."""
        return None

    def last_until(self, moment: Instant) -> Instant | None:
        """When the last event happened that is not later than a moment."""
        return None

    def newest(self, definition: Definition, count: int, low: Instant, now: Instant) -> Instant | None:
        """When the ``count``-th newest event that counts happened, between ``low`` and ``now``; None where there are
        not so many. Where nothing is kept of the definition, every event counts."""
        return None


class Reaction(msgspec.Struct, frozen=True, array_like=True):
    """One reaction to a message of a journey."""

    what: str
    channel: str
    message: str
    at: Instant
    key: str = ""


class Standing:
    """What is known of a customer beside traits and history, looked up when it is asked for. These are the answers
    where nothing is known; the runtime gives those of the store."""

    __slots__ = ()

    seed = ""
    """The first key that this customer was ever known by (``""``: the key itself). Shares and arms hang on it, so that
    they stay when a visitor signs in."""

    def inside(self, rule: str) -> bool:
        """Whether the customer is inside a rule now."""
        return False

    def arm(self, rule: str, split: str) -> str | None:
        """The arm that the customer was assigned before, None where there was none."""
        return None

    def weights(self, rule: str, split: str) -> Mapping[str, float] | None:
        """The shares by arm that a split ``towards`` a condition has learned, None while the written ones hold."""
        return None

    def preferred(self, kind: str, message: str) -> Sequence[str]:
        """The channels with content for the message, the one preferred for this kind first."""
        return ()

    def best_minute(self, now: Instant) -> int:
        """When this customer answers most in the day that begins now, in minutes since midnight of their own clock."""
        return 600


NOTHING_STANDS: Final = Standing()
_NOTHING_LONG: Final[Mapping[str, LongHistory]] = {}


class Customer:
    """The facts of a customer that do not depend on a journey.

    ``history`` maps an event's name to its past occurrences, at least those that the conditions at hand can reach;
    names of which the customer has too many to look through are in ``long`` instead.
    ``refusal`` gives, for a channel and a kind of message, the reason why it cannot reach the customer, None where it
    can. ``segments`` are the published ones, compiled. ``standing`` are the facts that the runtime looks up only when
    they are asked for.
    """

    __slots__ = ("currency", "history", "key", "long", "refusal", "segments", "standing", "traits", "zone")

    def __init__(
        self,
        key: str,
        traits: Mapping[str, Any],
        zone: tzinfo,
        currency: str,
        history: Mapping[str, Sequence[Past]],
        refusal: Callable[[str, str], str | None],
        segments: Mapping[str, Callable[[Scene], bool]] = _NO_SEGMENTS,
        standing: Standing | None = None,
        long: Mapping[str, LongHistory] = _NOTHING_LONG,
    ) -> None:
        self.long = long
        self.segments = segments
        self.standing = standing if standing is not None else NOTHING_STANDS
        self.key = key
        self.traits = traits
        self.zone = zone
        self.currency = currency
        self.history = history
        self.refusal = refusal

    def with_trait(self, name: str, value: Any) -> Customer:
        """The same customer after one trait was set."""
        return Customer(
            key=self.key,
            traits={**self.traits, name: value},
            zone=self.zone,
            currency=self.currency,
            history=self.history,
            refusal=self.refusal,
            segments=self.segments,
            standing=self.standing,
            long=self.long,
        )

    def past(self, event: str, low: Instant | None = None) -> Sequence[Past]:
        """The past events of a name, at least those from ``low`` on (None: all), in no particular order."""
        if self.long and (long := self.long.get(event)) is not None:
            return long.since(low)
        return self.history.get(event, ())

    def belongs(self, segment: str, now: Instant) -> bool:
        """Whether the customer is in a segment at an instant; in one that is not published nobody is."""
        judge = self.segments.get(segment)
        return judge is not None and judge(Scene(self, now))


class Scene:
    """What one condition is judged against: a customer, an instant, and the journey's own facts.

    ``start`` is where "since this journey began" begins, as (instant, order of arrival): the journey's entry, or for
    ``wait for next`` the moment the wait was reached. ``trigger`` is the JSON of the event that began the journey,
    ``began`` when that happened, and ``without`` its order of arrival: it is not part of the journey's history.
    ``reactions`` are those after ``start``. ``subject`` is the event inside ``where (…)``.
    """

    __slots__ = (
        "_trigger",
        "began",
        "customer",
        "kind",
        "now",
        "per",
        "reactions",
        "start",
        "subject",
        "value",
        "without",
    )

    def __init__(
        self,
        customer: Customer,
        now: Instant,
        start: tuple[Instant, int] | None = None,
        trigger: bytes = b"",
        began: Instant | None = None,
        without: int = -1,
        reactions: Sequence[Reaction] = (),
        kind: str = "promotional",
        per: str | None = None,
        value: str | None = None,
    ) -> None:
        self.customer = customer
        self.now = now
        self.start = start
        self.began = began
        self._trigger: bytes | dict[str, Any] = trigger
        self.without = without
        self.reactions = reactions
        self.kind = kind
        self.per = per
        self.value = value
        self.subject: Past | None = None

    @property
    def trigger(self) -> dict[str, Any]:
        if isinstance(self._trigger, bytes):
            self._trigger = _decode(self._trigger) if self._trigger else {}
        return self._trigger
