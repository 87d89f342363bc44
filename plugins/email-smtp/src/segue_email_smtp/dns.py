"""What the DNS says, as a mailbox provider would ask it."""

from __future__ import annotations

import asyncio
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.resolver

ANSWERED_WITHIN = 5.0
"""Seconds for one question, with all tries."""


class NoAnswer(Exception):
    """The DNS could not be asked, which says nothing of the record. The text says what went wrong."""


class Dns:
    """Asks ``nameserver`` (an address, and perhaps a port after a colon), or the system's."""

    def __init__(self, nameserver: str | None = None) -> None:
        if nameserver is None:
            self._resolver = dns.asyncresolver.Resolver()
        else:
            self._resolver = dns.asyncresolver.Resolver(configure=False)
            host, _, port = nameserver.partition(":")
            self._resolver.nameservers = [host]
            self._resolver.port = int(port or 53)
        self._resolver.lifetime = ANSWERED_WITHIN

    async def texts(self, name: str) -> list[str]:
        """The TXT records of a name, each with its pieces put together (RFC 7208, section 3.3). Raises NoAnswer."""
        return [b"".join(record.strings).decode("utf-8", "replace") for record in await self._ask(name, "TXT")]

    async def exchangers(self, name: str) -> list[str]:
        """The hosts that take mail for a domain, best first; the domain itself where it has an address and no MX (RFC
        5321, section 5.1); none where it says so (RFC 7505) or does not exist. Raises NoAnswer."""
        found = sorted(await self._ask(name, "MX"), key=lambda record: record.preference)
        if found:
            return [host for record in found if (host := str(record.exchange).rstrip("."))]
        addresses = await asyncio.gather(self._ask(name, "A"), self._ask(name, "AAAA"))
        return [name] if any(addresses) else []

    async def _ask(self, name: str, sort: str) -> list[Any]:
        try:
            return list(await self._resolver.resolve(name, sort))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from None
