"""Mail addresses (RFC 5321 4.1.2, RFC 6531): what may stand in an envelope and in a header, and what may not."""

from __future__ import annotations

import re
import unicodedata

import idna
import msgspec


class AddressError(ValueError):
    """This is not a mail address; the text says why."""


class Mailbox(msgspec.Struct, frozen=True):
    """A mail address in two parts; an international domain is already in its ASCII form (RFC 5891)."""

    local: str
    domain: str

    @property
    def address(self) -> str:
        return f"{self.local}@{self.domain}"


_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def has_control_characters(text: str) -> bool:
    """Whether the text holds what no header line may: controls, line and paragraph separators, lone surrogates."""
    return any(unicodedata.category(c) in {"Cc", "Zl", "Zp", "Cs"} for c in text)


def parse_mailbox(text: str) -> Mailbox:
    """The address in ``text``, a bare one such as ``ann@example.com``. Raises AddressError.

    Quoted local parts and address literals (``"a b"@[192.0.2.1]``) are refused: they are legal, no mailbox of a
    customer has them, and they are where servers disagree about what an address is.
    """
    shown = text if len(text) <= 80 else text[:80] + "…"
    if has_control_characters(text):
        raise AddressError(f"the address {shown!r} contains a line break or another control character")
    local, at, domain = text.strip().rpartition("@")
    if not at or not local or not domain:
        raise AddressError(f"{shown!r} is not an email address: it needs a name, an @ and a domain")
    if _DOT_ATOM.fullmatch(local) is None or any(unicodedata.category(c).startswith("Z") for c in local):
        raise AddressError(f"{shown!r} is not an email address: {local[:80]!r} cannot stand before the @")
    try:
        ascii_domain = domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise AddressError(f"{shown!r} is not an email address: {domain[:80]!r} is no domain ({error})") from None
    if len(ascii_domain) > 255 or any(_LABEL.fullmatch(label) is None for label in ascii_domain.split(".")):
        raise AddressError(f"{shown!r} is not an email address: {domain[:80]!r} is no domain")
    if len(local.encode()) > 64:
        raise AddressError(f"{shown!r} is not an email address: more than 64 bytes before the @ (RFC 5321 4.5.3.1.1)")
    return Mailbox(local, ascii_domain)
