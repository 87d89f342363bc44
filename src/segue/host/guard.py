"""Which addresses of the network may be called where somebody else chose the URL.

A customer, or whoever fills a customer's traits, could name an address inside: the cloud's metadata service, a database
on the local network, Segue itself. So an address is judged as the number that a connection is made to, never by how it
is spelt: ``0x7f.1``, ``2130706433``, ``[::ffff:127.0.0.1]`` and a name that points to 127.0.0.1 are all the same one.
It is judged twice: what the resolver found, and once more what the socket is opened for, so that a name that points
elsewhere a moment later (DNS rebinding) gains nothing.

The networks are those of IANA's registries of special-purpose addresses that are not reachable globally:
https://www.iana.org/assignments/iana-ipv4-special-registry and …/iana-ipv6-special-registry. They stand here in full,
because what Python's ``is_global`` says changes from version to version.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_CLOSED_4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network: Linux takes it for itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # behind a provider's NAT; one cloud's metadata are at 100.100.100.200
        "127.0.0.0/8",
        "168.63.129.16/32",  # public by its number, and the host of every virtual machine in Azure
        "169.254.0.0/16",  # link-local; the metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # the metadata of Oracle's cloud are at 192.0.0.192
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and the broadcast address
    )
)
_OPEN_6: Final = IPv6Network("2000::/3")
"""All that was ever given out for use on the Internet; what lies outside is local, multicast or reserved."""
_CLOSED_6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments; Teredo, which wraps an IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4, which wraps an IPv4 address
        "3fff::/20",
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")


class Forbidden(OSError):
    """A connection was asked for that the guard does not allow. The text names the address."""


class Guard:
    """What may be called: public addresses, and ``allow``, which are networks as in ``10.0.0.0/8``. Raises ValueError
    where one of these is none."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._allowed = tuple(_network(text) for text in allow)

    def permits(self, address: Address) -> bool:
        """Whether a connection to this address may be made."""
        meant = _meant(address)
        if any(meant in network for network in self._allowed if network.version == meant.version):
            return True
        if isinstance(meant, IPv4Address):
            return not any(meant in network for network in _CLOSED_4)
        return meant in _OPEN_6 and not any(meant in network for network in _CLOSED_6)

    def require(self, address: str) -> None:
        """Raises Forbidden unless a connection to this address, a number as the system writes it, may be made."""
        try:
            permitted = self.permits(ipaddress.ip_address(address))
        except ValueError:
            permitted = False
        if not permitted:
            raise Forbidden(f"{address} is not a public address, and may not be called")

    def open_socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """The socket for one connection, if it may be made: the last look, at the very address that is connected to."""
        family, kind, protocol, _, place = info
        self.require(str(place[0]))
        return socket.socket(family, kind, protocol)


class GuardedResolver(AbstractResolver):
    """Names as the system knows them, without the addresses that may not be called."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a host that may be called. Raises Forbidden where it has others only, and OSError where it
        has none."""
        found = await self._resolver.resolve(host, port, family)
        allowed: list[ResolveResult] = []
        refusal: Forbidden | None = None
        for one in found:
            try:
                self._guard.require(one["host"])
            except Forbidden as error:
                refusal = error
            else:
                allowed.append(one)
        if not allowed and refusal is not None:
            raise refusal
        return allowed

    async def close(self) -> None:
        """Let go of what the system's resolver holds."""
        await self._resolver.close()


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise ValueError(f"{text[:60]!r} is no network: write one as in 10.0.0.0/8 or fd00::/8") from None


def _meant(address: Address) -> Address:
    """The address that a connection really goes to: an IPv4 address may be wrapped in one of IPv6."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
