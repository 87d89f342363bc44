"""The settings under ``[channels.NAME]`` and what must hold between them."""

from __future__ import annotations

import ssl
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from segue_email_smtp.addresses import AddressError, Mailbox, has_control_characters, parse_mailbox

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"none": 25, "starttls": 587, "tls": 465}


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
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
    ``timeout``           seconds to wait for the server's answer to one command
    ``connections``       most connections at once
    """

    host: Annotated[str, Meta(min_length=1)]
    sender: str
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    sender_name: str = ""
    tls: Literal["none", "starttls", "tls"] = "starttls"
    ca_file: str | None = None
    username: str | None = None
    password: str | None = None
    timeout: Annotated[float, Meta(gt=0, le=60)] = 20.0
    connections: Annotated[int, Meta(ge=1, le=50)] = 4
    message_id_domain: str | None = None
    reply_to: str | None = None
    envelope_sender: str | None = None
    unsubscribe: str | None = None

    def __post_init__(self) -> None:
        _check_mailbox("sender", self.sender)
        if self.reply_to is not None:
            _check_mailbox("reply_to", self.reply_to)
        if self.envelope_sender is not None:
            _check_mailbox("envelope_sender", _fill(self.envelope_sender, "0" * 32))
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
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together: give both or neither")
        if self.username is not None and self.tls == "none" and self.host not in _LOOPBACK:
            raise ValueError(f'the password would go to {self.host} unencrypted: set tls to "starttls" or "tls"')

    def __repr__(self) -> str:
        shown = (f"{f}={getattr(self, f)!r}" for f in self.__struct_fields__ if f != "password")
        return f"Config({', '.join(shown)})"

    @property
    def server_port(self) -> int:
        return self.port or _PORTS[self.tls]

    @property
    def from_mailbox(self) -> Mailbox:
        return parse_mailbox(self.sender)

    @property
    def id_domain(self) -> str:
        if self.message_id_domain is not None:
            return parse_mailbox(f"x@{self.message_id_domain}").domain
        return self.from_mailbox.domain

    def bounce_address(self, key: str) -> str:
        """The envelope's sender for the message with this key."""
        return parse_mailbox(_fill(self.envelope_sender or self.sender, key)).address

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
