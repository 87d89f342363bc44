"""Channels: what carries a message out of Segue.

A plugin declares a `ChannelSpec`; Segue opens the channel with its checked configuration, hands it lists of
messages, and takes a typed answer for each. A channel never decides whether to send, never retries by itself
and keeps no state that must survive a restart: the ledger does all that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, Protocol

import msgspec

from segue.api.http import GuardsAddresses, HttpClient, Request, Response
from segue.api.sms.keywords import Keyword
from segue.api.values import Instant, Money

Kind = Literal["transactional", "promotional", "informational"]


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that goes with a message: its ``name`` (letters of ASCII, digits, ``.``, ``-`` and ``_``), its ``media``
    type, such as ``text/html; charset=utf-8``, and what is in it."""

    name: str
    media: str
    data: bytes


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message, rendered, ready to hand over.

    ``key`` is the ledger's: the same message handed over again (after a crash or a time-out) carries the same key, so
    pass it to the provider as idempotency key or Message-ID. It is 32 lower-case hexadecimal characters.
    ``address`` is the value of the trait named by ``ChannelSpec.address``. ``content`` holds the parts
    that ``ChannelSpec.content`` names (``subject``, ``text``, ``html`` …). ``expires`` is the last instant at which the
    message may still go. ``unsubscribe`` is an address at which the customer unsubscribes from messages like this one:
    a POST of ``List-Unsubscribe=One-Click`` there does so at once (RFC 8058), a browser is shown a page. None for
    transactional messages, and for what stands until it is taken back. ``locale`` is the language that the content is
    written in (BCP 47: ``fi``, ``pt-BR``). ``attachments`` are files that go with it; there are none where
    ``ChannelSpec.attachments`` does not say that the channel carries them.
    """

    key: str
    channel: str
    name: str
    kind: Kind
    customer: str
    address: str
    content: Mapping[str, str]
    rule: str
    expires: Instant
    attempt: int = 1
    unsubscribe: str | None = None
    locale: str = ""
    attachments: tuple[Attachment, ...] = ()


class Sent(msgspec.Struct, frozen=True, tag="sent", omit_defaults=True):
    """The provider took the message. ``receipt`` is the provider's own id for it, by which reports come back. ``parts``
    is how often the channel's cost is charged for it (a long SMS goes in parts), ``cost`` what it costs altogether
    where the provider says so."""

    receipt: str = ""
    parts: int = 1
    cost: Money | None = None


class Retry(msgspec.Struct, frozen=True, tag="retry"):
    """The provider certainly did not take it, and may later. ``after`` is in seconds, where the provider said so.
    ``account``: it said so of the whole account (429 Too Many Requests), so that nothing else goes there either until
    then. ``address``: it said so of this address alone (greylisting, a full mailbox, too much for one device), so that
    it counts against nothing else: the provider itself is well."""

    reason: str
    after: float | None = None
    account: bool = False
    address: bool = False


class Rejected(msgspec.Struct, frozen=True, tag="rejected"):
    """The provider will never take this message. ``address_gone``: the address itself is dead (an
    unregistered token, an unknown mailbox), and nothing more should be sent to it. ``opted_out``: its owner told the
    provider to send no more, as a STOP from there would have told Segue."""

    reason: str
    address_gone: bool = False
    opted_out: bool = False


class Unknown(msgspec.Struct, frozen=True, tag="unknown"):
    """The call was cut off: the provider may or may not have taken it. What follows is ``ChannelSpec.unknown``."""

    reason: str


Answer = Sent | Retry | Rejected | Unknown


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider, or the customer, says about a message later.

    Give ``key`` where the provider returns it, else ``receipt``. ``what`` is ``delivered``, ``undelivered`` (permanent;
    the rule falls back if it can) or a reaction that the spec declares. ``id`` makes a repeated report harmless.
    """

    id: str
    what: str
    at: Instant
    key: str = ""
    receipt: str = ""
    reason: str = ""
    address_gone: bool = False


class Inbound(msgspec.Struct, frozen=True, kw_only=True):
    """A message from a customer (an SMS reply): ``address`` finds the customer, ``text`` is what they wrote.
    ``keyword`` is what the provider itself took it for, and acted on; where it says nothing Segue reads the words.
    ``key``, or ``receipt``, is that of the message they answer, where that is known: a mail names it in In-Reply-To."""

    id: str
    address: str
    text: str
    at: Instant
    keyword: Keyword | None = None
    key: str = ""
    receipt: str = ""


class Forget(msgspec.Struct, frozen=True, kw_only=True):
    """A customer whose data is to be erased at the provider. ``key`` names the erasure, also when it is asked again.
    ``addresses`` are all that the channel ever sent to, ``receipts`` the provider's ids of what was sent."""

    key: str
    customer: str
    addresses: tuple[str, ...] = ()
    receipts: tuple[str, ...] = ()


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider's call to Segue meant, and the answer it gets once that is committed."""

    reports: tuple[Report, ...] = ()
    inbound: tuple[Inbound, ...] = ()
    response: Response = Response(200)


class Polled(msgspec.Struct, frozen=True, kw_only=True):
    """What came in since a channel was last asked (bounces in a mailbox, reports in a queue): a few hundred at the
    most. ``taken`` says, in the channel's own words, where it came from; once the reports are committed it is handed to
    `Channel.settle`. ``again`` is in how many seconds to ask next, 0 for at once; None where there is nothing to ask.
    """

    reports: tuple[Report, ...] = ()
    inbound: tuple[Inbound, ...] = ()
    taken: tuple[str, ...] = ()
    again: float | None = 60.0


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at for ``segue doctor``: ``what`` in a word, ``found`` a fact and why it matters, and,
    where it is not well, what to do about it in ``advice``."""

    what: str
    well: bool
    found: str
    advice: str = ""


class Tools(msgspec.Struct, frozen=True, kw_only=True):
    """What the host lends a channel: the shared HTTP client, the name it serves in rules, and the
    address under which this Segue is reached from outside (None when nothing was configured)."""

    channel: str
    http: HttpClient
    callback_url: str | None = None

    def guarded(self, allow: Sequence[str] = ()) -> HttpClient:
        """A client for addresses that others chose, such as a trait of a customer: it raises `ForbiddenAddress` for any
        that is not public (loopback, private networks, a cloud's metadata), however it is spelt and whatever a name
        points to, save those in the networks ``allow``, such as ``10.0.0.0/8``. Raises ValueError where one of these is
        no network, and where the host lends no such client."""
        if not isinstance(self.http, GuardsAddresses):
            raise ValueError("this host lends no client that can be guarded")
        return self.http.guarded(allow)


class Channel(Protocol):
    """An open channel. It runs on an event loop of its own, never on the engine's."""

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Hand over; one answer per message, in order. At most ``ChannelSpec.batch`` messages come at once.
        Raising means ``Unknown`` for all of them."""
        ...

    async def receive(self, request: Request) -> Callback:
        """Understand a provider's call (``/callbacks/NAME``), checking that it really is the provider's."""
        ...

    async def retract(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Take back what stands or is queued; asked only where ``ChannelSpec.retracts``."""
        ...

    async def forget(self, customers: Sequence[Forget]) -> Sequence[Answer]:
        """Erase what the provider keeps of customers (an audience's member, a pass, a contact); asked only where
        ``ChannelSpec.keeps``. One answer per customer, in order: `Sent` once it is erased; `Retry` is asked again."""
        ...

    async def poll(self) -> Polled:
        """Bring what came in; asked only where ``ChannelSpec.polls``, one call at a time. Raising means that the other
        side cannot be reached: it is asked again later, ever less often, and sending goes on."""
        ...

    async def settle(self, polled: Polled) -> None:
        """All reports of it are committed: take it from where it came. What was not settled comes again, with the same
        ids, and is known by them."""
        ...

    async def examine(self) -> Sequence[Finding]:
        """Look, for ``segue doctor``, at what must hold outside Segue (records in the DNS, a login); asked only where
        ``ChannelSpec.examines``. Nothing is sent."""
        ...

    async def close(self) -> None:
        """Let go of connections. Nothing is in flight when this is called."""
        ...


class BaseChannel:
    """Defaults for the calls that many channels don't need."""

    async def receive(self, request: Request) -> Callback:
        return Callback(response=Response(404, b"this channel takes no callbacks"))

    async def retract(self, messages: Sequence[Message]) -> Sequence[Answer]:
        return [Rejected("this channel cannot take a message back") for _ in messages]

    async def forget(self, customers: Sequence[Forget]) -> Sequence[Answer]:
        return [Rejected("this channel keeps nothing of a customer") for _ in customers]

    async def poll(self) -> Polled:
        return Polled(again=None)

    async def settle(self, polled: Polled) -> None:
        return None

    async def examine(self) -> Sequence[Finding]:
        return []

    async def close(self) -> None:
        return None


class ContentPart(msgspec.Struct, frozen=True):
    """A part of a message's content, where it is found, and whether it must be there.

    ``extensions`` are the endings of the content files that hold it (``txt``, ``html``); a part with none is a line of
    the file's front matter (``subject``), or a key of a ``.toml`` file. A channel with the part ``html`` gets it made
    of MJML and Markdown as well, and the part ``text`` of it. ``most`` is the longest it may be, in characters, once
    rendered.
    """

    name: str
    required: bool = True
    extensions: tuple[str, ...] = ()
    most: int | None = None


class ChannelSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A channel that a plugin offers. ``name`` is what segue.toml says in ``use``.

    ``config``        a msgspec Struct (``forbid_unknown_fields=True``): settings under ``[channels.NAME]``, checked
                      before ``open`` is called
    ``open``          makes the channel; called on the channel's own event loop
    ``address``       the trait that says where to reach a customer (``email``, ``phone``); None when it needs none
    ``content``       the parts it carries; empty when it can do without content
    ``serves``        names in rules that it serves without a segue.toml; usually none
    ``batch``         most messages in one ``send``;  ``in_flight``  most ``send`` calls under way at once
    ``rate``          most messages a second, None for no limit
    ``settles``       when a hand-over counts: on the provider's ``acceptance`` or on its ``report``, waited for
                      ``settles_within`` seconds at the most
    ``unknown``       after a call that was cut off: ``retry`` with the same key, or ``hold``
    ``timeout``       seconds after which a ``send`` counts as cut off
    ``cost``          of one message, for budgets and reports
    ``reactions``     what its reports may say beside ``delivered`` and ``undelivered``
    ``retracts``      whether ``retract`` takes messages back
    ``stands``        whether what it sends stays until taken back (an audience, a banner)
    ``keeps``         whether its provider keeps data of customers that ``forget`` erases
    ``polls``         whether reports and replies are asked for by ``poll``, beside or in place of callbacks
    ``examines``      whether ``examine`` has something to look at for ``segue doctor``
    ``attachments``   whether it carries files with a message (`Message.attachments`)
    ``stand_in``      it takes the place of any channel for trials: what it sends stands, or can be taken back, where
                      the name it serves in rules says so (see `in_the_place_of`)
    """

    name: str
    doc: str
    config: type[msgspec.Struct]
    open: Callable[[Any, Tools], Channel]
    address: str | None
    content: tuple[ContentPart, ...] = ()
    serves: tuple[str, ...] = ()
    batch: int = 100
    in_flight: int = 1
    rate: float | None = None
    settles: Literal["acceptance", "report"] = "acceptance"
    settles_within: float = 0.0
    unknown: Literal["retry", "hold"] = "retry"
    timeout: float = 60.0
    cost: Money | None = None
    reactions: tuple[str, ...] = ()
    retracts: bool = False
    stands: bool = False
    keeps: bool = False
    polls: bool = False
    examines: bool = False
    attachments: bool = False
    stand_in: bool = False
    api: int = 1


def address_of(channel: str) -> str | None:
    """The trait by which a channel of that name usually reaches a customer, None for a name of one's own."""
    return _ADDRESS.get(channel)


def in_the_place_of(channel: str, spec: ChannelSpec) -> ChannelSpec:
    """What a channel that stands in for others is under a name in rules: on-site content and audiences stand, a letter
    is queued and can be taken back until it is printed."""
    if not spec.stand_in:
        return spec
    stands = channel in _STANDING
    return msgspec.structs.replace(spec, stands=stands, retracts=stands or channel in _QUEUED)


_STANDING: Final = frozenset({"ads", "audience", "display", "onsite", "popup", "wallet"})
_QUEUED: Final = frozenset({"letter"})

_ADDRESS: dict[str, str] = {
    "email": "email",
    "sms": "phone",
    "whatsapp": "phone",
    "rcs": "phone",
    "push": "push_token",
    "web_push": "web_push_token",
    "letter": "postal_address",
}
