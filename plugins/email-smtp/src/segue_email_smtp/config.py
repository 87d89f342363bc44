"""The settings under ``[channels.NAME]`` and what must hold between them."""

from __future__ import annotations

import re
import ssl
from functools import cached_property
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from segue.api import Kind
from segue_email_smtp.addresses import AddressError, Mailbox, has_control_characters, parse_mailbox
from segue_email_smtp.mailboxes import Bounces
from segue_email_smtp.seals import Seals
from segue_email_smtp.streams import LOOPBACK, RELAY, Connections, DkimKey, Port, Stream, Timeout, Tls

_PORTS = {"none": 25, "starttls": 587, "tls": 465}
_NAMESERVER = re.compile(r"\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?")
_FEEDBACK_ID = re.compile(r"[A-Za-z0-9_-]{5,15}")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """Where mail is handed over, and what it says of itself.

    ``host``, ``port``    the SMTP server; the port is 25, 587 or 465 by ``tls`` when absent
    ``tls``               ``starttls`` (RFC 3207) or ``tls`` from the first byte (RFC 8314); both fail rather than fall
                          back to plain text. ``none`` is for a server on the same machine or a private network
    ``ca_file``           certificates to trust (PEM) instead of the system's, for a server with one of its own
    ``username``, ``password``  for SMTP AUTH
    ``sender``            the address in ``From``; ``sender_name`` the name beside it
    ``envelope_sender``   where bounces go (MAIL FROM), the sender when absent; ``{key}`` stands for the message's key,
                          as in ``bounces+{key}@example.com`` (VERP)
    ``reply_to``          the address in ``Reply-To``
    ``unsubscribe``       an ``https:`` or ``mailto:`` address of your own for ``List-Unsubscribe`` (RFC 2369), on all
                          but transactional messages; ``{key}`` as above. An https address takes the place of Segue's,
                          by which one unsubscribes with one click (RFC 8058); a mailto address stands beside it
    ``message_id_domain`` right side of ``Message-ID``, the sender's domain when absent
    ``feedback_id``       5 to 15 letters and digits that name the sender in ``Feedback-ID``, by which Gmail's
                          Postmaster Tools tell complaints apart (https://support.google.com/mail/answer/6254652)
    ``bounces``           the mailbox where bounces, complaints and replies are read; with it the key carries a code
    ``nameserver``        the address of a DNS server, and perhaps a port after a colon, for ``segue doctor`` to ask in
                          place of the system's: where a network's own server does not show what the world sees
    ``dkim``              keys to sign with; every mail gets a signature of each
    ``timeout``           seconds to wait for the server's answer to one command
    ``connections``       most connections at once
    ``transactional``, ``marketing``  what is different for these mails; marketing is all that is not transactional
    """

    host: Annotated[str, Meta(min_length=1)]
    sender: str
    port: Port | None = None
    sender_name: str = ""
    tls: Tls = "starttls"
    ca_file: str | None = None
    username: str | None = None
    password: str | None = None
    timeout: Timeout = 20.0
    connections: Connections = 4
    message_id_domain: str | None = None
    reply_to: str | None = None
    envelope_sender: str | None = None
    unsubscribe: str | None = None
    feedback_id: str | None = None
    bounces: Bounces | None = None
    nameserver: str | None = None
    dkim: tuple[DkimKey, ...] = ()
    transactional: Stream | None = None
    marketing: Stream | None = None

    def __post_init__(self) -> None:
        _check_mailbox("sender", self.sender)
        if self.reply_to is not None:
            _check_mailbox("reply_to", self.reply_to)
        if self.envelope_sender is not None:
            _check_mailbox("envelope_sender", _fill(self.envelope_sender, self.sealed("0" * 32)))
        if self.message_id_domain is not None:
            _check_mailbox("message_id_domain", f"x@{self.message_id_domain}")
        for name, value in (
            ("sender_name", self.sender_name),
            ("host", self.host),
            ("unsubscribe", self.unsubscribe or ""),
        ):
            if has_control_characters(value):
                raise ValueError(f"{name} contains a line break or another control character")
        if self.unsubscribe is not None and not (
            self.unsubscribe.startswith(("https://", "mailto:"))
            and self.unsubscribe.isascii()
            and not set(self.unsubscribe) & set(" <>,")
        ):
            raise ValueError(
                "unsubscribe must be one https: or mailto: address, without spaces, commas or angle brackets"
            )
        if self.nameserver is not None and _NAMESERVER.fullmatch(self.nameserver) is None:
            raise ValueError('nameserver must be an IPv4 address, such as "9.9.9.9", and perhaps a colon and a port')
        if self.feedback_id is not None and _FEEDBACK_ID.fullmatch(self.feedback_id) is None:
            raise ValueError("feedback_id must be 5 to 15 letters, digits, - and _")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together: give both or neither")
        if self.username is not None and self.tls == "none" and self.host not in LOOPBACK:
            raise ValueError(f'the password would go to {self.host} unencrypted: set tls to "starttls" or "tls"')
        for name in ("transactional", "marketing"):
            try:
                self._with(getattr(self, name))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None

    def __repr__(self) -> str:
        shown = (f"{f}={getattr(self, f)!r}" for f in self.__struct_fields__ if f != "password")
        return f"Config({', '.join(shown)})"

    @cached_property
    def streams(self) -> tuple[Config, Config]:
        """The settings of transactional mail, and of marketing; each is this one where nothing is different."""
        return self._with(self.transactional), self._with(self.marketing)

    def of(self, kind: Kind) -> Config:
        """The settings for messages of a kind."""
        return self.streams[0 if kind == "transactional" else 1]

    def _with(self, stream: Stream | None) -> Config:
        if stream is None:
            return self
        values: dict[str, Any] = {name: getattr(self, name) for name in self.__struct_fields__}
        own = {name: value for name in stream.__struct_fields__ if (value := getattr(stream, name)) is not None}
        if "host" in own:
            values = {name: value for name, value in values.items() if name not in RELAY}
        elif ("username" in own) != ("password" in own):
            raise ValueError("username and password belong together: give both or neither")
        return Config(**values | {"transactional": None, "marketing": None} | own)

    @property
    def relay(self) -> tuple[object, ...]:
        """What makes a connection: mails whose settings agree in this can share one."""
        return (*(getattr(self, name) for name in RELAY), self.timeout, self.connections, self.id_domain)

    @property
    def server_port(self) -> int:
        return self.port or _PORTS[self.tls]

    @cached_property
    def from_mailbox(self) -> Mailbox:
        return parse_mailbox(self.sender)

    @cached_property
    def reply_mailbox(self) -> Mailbox | None:
        return None if self.reply_to is None else parse_mailbox(self.reply_to)

    @cached_property
    def id_domain(self) -> str:
        if self.message_id_domain is not None:
            return parse_mailbox(f"x@{self.message_id_domain}").domain
        return self.from_mailbox.domain

    def domain_of(self, key: DkimKey) -> str:
        """The domain that signs with a key."""
        return self.from_mailbox.domain if key.domain is None else parse_mailbox(f"x@{key.domain}").domain

    @cached_property
    def seals(self) -> Seals | None:
        return None if self.bounces is None else Seals(self.bounces.secret)

    def sealed(self, key: str) -> str:
        """A key as it stands in the return path."""
        return key if self.seals is None else self.seals.seal(key)

    def message_id(self, key: str, recipient: str) -> str:
        """The Message-ID for the message with this key: the same whenever it is handed over."""
        return f"<{key if self.seals is None else self.seals.seal_for(key, recipient)}@{self.id_domain}>"

    def bounce_address(self, key: str) -> str:
        """The envelope's sender for the message with this key."""
        return parse_mailbox(_fill(self.envelope_sender or self.sender, self.sealed(key))).address

    def unsubscribe_address(self, key: str) -> str | None:
        return None if self.unsubscribe is None else _fill(self.unsubscribe, key)

    def tls_context(self) -> ssl.SSLContext | None:
        """What the server's certificate is checked with. Raises OSError when ``ca_file`` cannot be read."""
        return None if self.tls == "none" else ssl.create_default_context(cafile=self.ca_file)


def _fill(template: str, key: str) -> str:
    return template.replace("{key}", key)


def _check_mailbox(setting: str, value: str) -> None:
    try:
        mailbox = parse_mailbox(value)
    except AddressError as error:
        raise ValueError(f"{setting}: {error}") from None
    if not mailbox.local.isascii():
        raise ValueError(
            f"{setting}: {value!r} has letters outside ASCII before the @, which few servers let a sender use"
        )
