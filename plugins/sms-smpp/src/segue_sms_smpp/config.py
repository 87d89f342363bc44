"""The settings under ``[channels.NAME]``."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from segue.api.sms import Transliteration, check_sender, check_senders

Concatenation = Literal["udh", "sar", "payload"]
MessageIds = Literal["same", "hex-then-decimal", "decimal-then-hex"]

_HOST: Final = re.compile(r"[A-Za-z0-9.:_-]{1,253}")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The operator's message centre, and how texts go there.

    ``host``, ``port``   of the message centre
    ``tls``              whether the connection is encrypted
    ``trusted``          a file of certificates to trust instead of the system's, for an operator that signs its own
    ``system_id``, ``password``  of the account; at most 15 and 8 characters by the protocol, though some take more
    ``system_type``      where the operator asks for one
    ``sender``           what the customer sees: a number, a short code, or up to 11 letters and digits
    ``senders``          a sender for each country that wants one of its own (``US = "+12025550100"``)
    ``alphabet``         what the message centre takes for its default alphabet (data coding 0)
    ``transliterate``    what may be replaced so that a text goes in GSM-7: ``never``, ``punctuation``, ``letters``
    ``concatenation``    how the parts of a long text are told to belong together: by a header (``udh``), by parameters
                         (``sar``), or by the message centre, which gets the text whole (``payload``)
    ``message_ids``      how a report names a message that was answered with an id: the ``same``, or in another base
    ``most_parts``       longest text in parts of an SMS
    ``window``           most requests that wait for their answer
    ``keepalive``        seconds of silence after which the other side is asked whether it is there
    ``timeout``          seconds to wait for an answer
    """

    host: str
    port: Annotated[int, Meta(ge=1, le=65_535)] = 2775
    tls: bool = False
    trusted: str | None = None
    system_id: Annotated[str, Meta(min_length=1, max_length=64)]
    password: Annotated[str, Meta(max_length=64)]
    system_type: Annotated[str, Meta(max_length=12)] = ""
    sender: str
    senders: dict[str, str] = {}
    alphabet: Literal["gsm-7", "latin-1"] = "gsm-7"
    transliterate: Transliteration = "never"
    concatenation: Concatenation = "udh"
    message_ids: MessageIds = "same"
    most_parts: Annotated[int, Meta(ge=1, le=10)] = 10
    window: Annotated[int, Meta(ge=1, le=1_000)] = 10
    keepalive: Annotated[float, Meta(gt=0, le=600)] = 30.0
    timeout: Annotated[float, Meta(gt=0, le=25)] = 10.0

    def __post_init__(self) -> None:
        if _HOST.fullmatch(self.host) is None:
            raise ValueError(f"host {self.host[:60]!r} is no name or address of a machine")
        for name in ("system_id", "password", "system_type"):
            text = getattr(self, name)
            if not text.isascii() or not (text.isprintable() or not text):
                raise ValueError(f"{name} must be of printable ASCII characters")
        if self.trusted is not None and not self.tls:
            raise ValueError("trusted says whom to trust with tls, and tls is not set")
        check_sender(self.sender)
        check_senders(self.senders)

    def __repr__(self) -> str:
        shown = (f"{f}={getattr(self, f)!r}" for f in self.__struct_fields__ if f != "password")
        return f"Config({', '.join(shown)})"
