"""Streams: transactional mail and marketing apart, each with a server, a sender and a signature of its own.

Receivers judge mail by where it comes from. What sends receipts from another domain or address than campaigns keeps
complaints about the one from delaying the other.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from segue_email_smtp.addresses import AddressError, parse_mailbox

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts to which a password may go unencrypted."""

Tls = Literal["none", "starttls", "tls"]
Port = Annotated[int, Meta(ge=1, le=65535)]
Timeout = Annotated[float, Meta(gt=0, le=60)]
Connections = Annotated[int, Meta(ge=1, le=50)]

RELAY = ("host", "port", "tls", "ca_file", "username", "password")
"""Settings that belong to a server: a stream with a ``host`` of its own inherits none of them, so that no password goes
to a server that it was not meant for."""

_SELECTOR = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*")


class DkimKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to sign with (RFC 6376): the ``key`` in PEM, the ``selector`` under which its public half is published, and
    the ``domain`` that signs, the sender's when absent."""

    selector: str
    key: str
    domain: str | None = None

    def __post_init__(self) -> None:
        if _SELECTOR.fullmatch(self.selector) is None or len(self.selector) > 63:
            raise ValueError(f"dkim: the selector {self.selector[:80]!r} is no name in the DNS")
        if self.domain is not None:
            try:
                parse_mailbox(f"x@{self.domain}")
            except AddressError:
                raise ValueError(f"dkim: {self.domain[:80]!r} is no domain") from None
        if "PRIVATE KEY-----" not in self.key:
            raise ValueError("dkim: the key is no private key in PEM, such as `openssl genrsa 2048` makes one")

    def __repr__(self) -> str:
        return f"DkimKey(selector={self.selector!r}, domain={self.domain!r})"


class Stream(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is different for one kind of mail, under ``[channels.NAME.transactional]`` or ``[channels.NAME.marketing]``.
    What is absent is as for the channel; `RELAY` says of what that is not so."""

    host: Annotated[str, Meta(min_length=1)] | None = None
    port: Port | None = None
    tls: Tls | None = None
    ca_file: str | None = None
    username: str | None = None
    password: str | None = None
    timeout: Timeout | None = None
    connections: Connections | None = None
    sender: str | None = None
    sender_name: str | None = None
    reply_to: str | None = None
    envelope_sender: str | None = None
    message_id_domain: str | None = None
    unsubscribe: str | None = None
    feedback_id: str | None = None
    dkim: tuple[DkimKey, ...] | None = None

    def __repr__(self) -> str:
        shown = (f"{f}={getattr(self, f)!r}" for f in self.__struct_fields__ if f != "password")
        return f"Stream({', '.join(shown)})"
