"""Links that tell when they are opened, in a finished message; and the picture at its end that tells the same of it.

A link leads over an address of the shop's own, with a token in which everything stands: whose message it was, which of
its links, and where it leads. The token is signed, so that nobody but the shop decides where it leads, and says until
when it is good. In plain text, where every character counts, stands a short code instead, and the rest is stored.

Pure: the same message has the same links whenever it is rendered.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from segue.api import Instant, Kind
from segue.api.values import DAY, SECOND
from segue.messages.hrefs import find_in_html, find_in_text, put_in, put_last
from segue.messages.tokens import BadToken, Signer
from segue.messages.utm import add_parameters, host_of, is_own

__all__ = [
    "CLICKS",
    "OPENS",
    "SHORT",
    "TRAP",
    "About",
    "Expired",
    "Mark",
    "ShortLink",
    "Tracked",
    "Tracking",
    "allows",
    "location",
    "reactions_of",
    "read_mark",
    "track",
]

CLICKS: Final = "/l/"
OPENS: Final = "/o/"
SHORT: Final = "/s/"
"""Where the links lead, below the address by which Segue is reached."""

TRAP: Final = 0xFFFF
"""The number of the link that nobody sees: who opens it reads pages by machine."""
PICTURE: Final = 0
"""The number of the picture at the end; links begin with 1."""
MOST_LINKS: Final = 500
"""Links of a message that are told apart. Further ones are left as they are."""
LONGEST_TARGET: Final = 1_400
"""Bytes of an address that a token carries, which keeps it below what mail programs take (about 2,000). A longer one is
left as it is."""
CODE: Final = 9
"""Characters of a short code: 62 to the power of 9 are 53 bits, so that ten million of them leave one in a thousand
million guesses."""

TRAIT: Final = "tracking"
"""The trait by which a customer says whether their opens and clicks may be followed."""

_PURPOSE: Final = "track"
_HEAD: Final = struct.Struct(">16sHHI")
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\\]")
_AS_IT_IS: Final = "%/?#[]@!$&'()*+,;=:-._~|^`{}\"<>"


class Tracking(msgspec.Struct, frozen=True, kw_only=True):
    """How links are followed: ``[tracking]`` in segue.toml.

    ``url`` is the address of the shop's own under which links lead, None where there is none that the outside reaches:
    then no link is rewritten. ``clicks`` and ``opens`` say what is followed, ``kinds`` in which kinds of messages,
    ``short`` on which channels the links of plain text are too. ``asked``: only for customers whose trait ``tracking``
    is true; else for all for whom it is not false. ``trap``: whether HTML has a link that nobody sees. ``expires`` is
    how long links work after the last moment at which their message could go, in microseconds. ``parameters`` are
    those added to addresses below ``domains``. ``home`` is where a link leads that does not work any more.
    """

    url: str | None = None
    clicks: bool = True
    opens: bool = True
    kinds: frozenset[str] = frozenset(("promotional", "informational", "transactional"))
    short: frozenset[str] = frozenset()
    asked: bool = False
    trap: bool = True
    expires: int = 365 * DAY
    parameters: Mapping[str, str] = {}
    domains: tuple[str, ...] = ()
    home: str = ""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """The message whose links are followed. ``expires`` is the last moment at which it may go; ``traits`` are the
    customer's, as they were when it was claimed."""

    key: str
    channel: str
    name: str
    rule: str
    kind: Kind
    expires: Instant
    traits: Mapping[str, Any] = {}


class Mark(msgspec.Struct, frozen=True):
    """What a link says when it is opened: of which message it is (its key), which of how many different ``links``, and
    to where it leads."""

    key: str
    link: int
    links: int
    target: str = ""


class ShortLink(msgspec.Struct, frozen=True):
    """A short code that stands in a message, and what it stands for until a moment."""

    code: str
    mark: Mark
    until: Instant


class Tracked(msgspec.Struct, frozen=True):
    """A message's content with links that are followed. ``short`` has to be stored before the message goes."""

    content: dict[str, str]
    short: tuple[ShortLink, ...] = ()


def allows(tracking: Tracking, about: About) -> bool:
    """Whether this message's opens and clicks may be followed."""
    said = about.traits.get(TRAIT)
    return about.kind in tracking.kinds and (said is True if tracking.asked else said is not False)


def reactions_of(tracking: Tracking, channel: str, parts: Collection[str]) -> tuple[str, ...]:
    """The reactions that Segue itself sees to the messages of a channel with these parts."""
    if tracking.url is None:
        return ()
    clicks = tracking.clicks and ("html" in parts or ("text" in parts and channel in tracking.short))
    opens = tracking.opens and "html" in parts
    return (*(("clicked",) if clicks else ()), *(("opened",) if opens else ()))


def track(content: Mapping[str, str], about: About, tracking: Tracking, signer: Signer, own: Sequence[str]) -> Tracked:
    """A finished message with its links followed, and its addresses tagged. Addresses that begin with one of ``own``
    are Segue's pages for this customer, and stay as they are; so does whatever is no http or https address."""
    followed = tracking.url is not None and allows(tracking, about)
    clicks = followed and tracking.clicks
    message = _Message(about, tracking, signer, own)
    parts = dict(content)
    html, text = parts.get("html"), parts.get("text")
    short = clicks and about.channel in tracking.short
    of_html = list(find_in_html(html)) if html is not None and (clicks or message.tags) else []
    of_text = list(find_in_text(text)) if text is not None and (short or message.tags) else []
    message.look(link.address for link in ((*of_html, *of_text) if short else of_html) if clicks)
    if html is not None:
        parts["html"] = put_in(html, of_html, message.long if clicks else message.tag, html=True)
        if followed:
            parts["html"] = put_last(parts["html"], message.ending())
    if text is not None:
        parts["text"] = put_in(text, of_text, message.short if short else message.tag, html=False)
    return Tracked(parts, tuple(message.codes.values()))


class _Message:
    """The links of one message while they are exchanged."""

    def __init__(self, about: About, tracking: Tracking, signer: Signer, own: Sequence[str]) -> None:
        self._about = about
        self._tracking = tracking
        self._signer = signer
        self._own = tuple(own)
        self._until = Instant(about.expires + tracking.expires)
        self._numbers: dict[str, int] = {}
        self._targets: dict[str, str] = {}
        self._links: dict[str, str] = {}
        self.codes: dict[str, ShortLink] = {}
        values = {"channel": about.channel, "rule": about.rule, "message": about.name}
        self._parameters = {name: _fill(pattern, values) for name, pattern in tracking.parameters.items()}
        self.tags = bool(self._parameters and tracking.domains)

    def look(self, addresses: Iterable[str]) -> None:
        """Number the different places that these addresses lead to, so that it is known how many there are."""
        for address in addresses:
            target = self._target(address)
            if target and len(self._numbers) < MOST_LINKS:
                self._numbers.setdefault(target, len(self._numbers) + 1)

    def tag(self, address: str) -> str | None:
        """The address with its campaign parameters, None where it gets none."""
        if not self.tags or address.startswith(self._own):
            return None
        host = host_of(address)
        if not host or not is_own(host, self._tracking.domains):
            return None
        tagged = add_parameters(address, self._parameters)
        return tagged if tagged != address else None

    def long(self, address: str) -> str | None:
        """The link with a token in the place of an address."""
        target = self._target(address)
        number = self._numbers.get(target)
        if number is None:
            return self.tag(address)
        link = self._links.get(target)
        if link is None:
            link = self._links[target] = self._link(CLICKS, number, target)
        return link

    def short(self, address: str) -> str | None:
        """The link with a short code in the place of an address."""
        target = self._target(address)
        number = self._numbers.get(target)
        if number is None:
            return self.tag(address)
        code = self._signer.code(_PURPOSE, bytes.fromhex(self._about.key) + target.encode(), CODE)
        mark = Mark(self._about.key, number, len(self._numbers), target)
        self.codes[code] = ShortLink(code, mark, self._until)
        return f"{self._tracking.url}{SHORT}{code}"

    def ending(self) -> str:
        """What stands at the end of HTML: the link that nobody sees, and the picture."""
        ending = ""
        if self._tracking.clicks and self._tracking.trap and self._numbers:
            trap = self._link(CLICKS, TRAP, self._tracking.home)
            ending += f'<a href="{trap}" style="display:none" aria-hidden="true" tabindex="-1"></a>'
        if self._tracking.opens:
            picture = self._link(OPENS, PICTURE, "")
            ending += f'<img src="{picture}" width="1" height="1" alt="" style="display:block;border:0">'
        return ending

    def _target(self, address: str) -> str:
        """To where a link leads; empty for one that is not followed."""
        target = self._targets.get(address)
        if target is None:
            alone = len(address) > LONGEST_TARGET or address.startswith(self._own)
            target = "" if alone else location(self.tag(address) or address)
            self._targets[address] = target = target if len(target) <= LONGEST_TARGET else ""
        return target

    def _link(self, path: str, number: int, target: str) -> str:
        head = _HEAD.pack(
            bytes.fromhex(self._about.key), number, len(self._numbers), min(self._until // SECOND, 0xFFFFFFFF)
        )
        return f"{self._tracking.url}{path}{self._signer.seal(_PURPOSE + path, head + target.encode())}"


def read_mark(signer: Signer, path: str, token: str, now: Instant) -> Mark:
    """What a token says that stands behind ``path``. Raises BadToken; `Expired` where it was good once."""
    raw = signer.unseal(_PURPOSE + path, token)
    if len(raw) < _HEAD.size:
        raise BadToken("this link is damaged")
    key, number, links, until = _HEAD.unpack_from(raw)
    if now >= until * SECOND:
        raise Expired("this link has expired")
    return Mark(key.hex(), number, links, location(raw[_HEAD.size :].decode("utf-8", "replace")))


class Expired(BadToken):
    """The token was made here, and is too old."""


@lru_cache(maxsize=4096)
def location(address: str) -> str:
    """An http or https address as a Location header takes it: its own characters, with all that is not ASCII encoded
    (RFC 3986, section 2.5; RFC 5891 for the host). Empty for any other address, and for one that has control
    characters, blanks or a user's name in it."""
    host = host_of(address)
    if not host or _FORBIDDEN.search(address) is not None:
        return ""
    parts = urlsplit(address)
    if parts.username is not None or parts.password is not None:
        return ""
    if address.isascii():
        return address
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return ""
    begin = address.lower().index("//") + 2
    end = begin + len(parts.netloc)
    netloc = parts.netloc.lower().replace(host, ascii_host) if not parts.netloc.isascii() else parts.netloc
    return f"{address[:begin]}{netloc}{quote(address[end:], safe=_AS_IT_IS)}"


def _fill(pattern: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        pattern = pattern.replace(f"{{{name}}}", value)
    return pattern
