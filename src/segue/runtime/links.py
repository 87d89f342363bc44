"""Signed links: the keys they are signed with, and the addresses that messages carry.

The keys are those that segue.toml refers to under ``[links]``, else one of the store's own, made at the first start.
A link names a message by its key, and so holds nothing of a person: whose message it was, and by which channel it
came, is looked up when the link is opened. The same message gets the same links whenever it is rendered.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from segue.api import Instant
from segue.messages.links import About, Mark, Tracked, Tracking, read_mark, track
from segue.messages.template import Template
from segue.messages.tokens import BadToken, Signer
from segue.store.books import load_meta, put_meta
from segue.store.database import Transaction

Purpose = Literal["preferences", "unsubscribe", "confirm"]

PATHS: Final[dict[Purpose, str]] = {"preferences": "/p/", "unsubscribe": "/u/", "confirm": "/c/"}
"""Where the links lead, below the address by which Segue is reached."""
VARIABLES: Final[dict[str, Purpose]] = {
    "preferences_url": "preferences",
    "unsubscribe_url": "unsubscribe",
    "confirm_url": "confirm",
}
"""What templates call them."""


def samples_of_links(url: str) -> dict[str, str]:
    """What each of them may look like, for a project that is reached at ``url``: as long as a real one."""
    signer = Signer(["a key of samples, by which nothing is ever read"])
    links = Links(signer, url)
    return {name: links.link(purpose, "5e6ae0b1c7" * 3 + "d4") for name, purpose in VARIABLES.items()}


_META: Final = "link_key"
_KEY_BYTES: Final = 16
_ALWAYS: Final = Instant(0)
"""These links do not expire, so the moment of signing says nothing."""


def load_keys(tx: Transaction, configured: Sequence[str]) -> Signer:
    """What links and codes of this project are signed with: the configured keys, else the store's own."""
    if configured:
        return Signer(configured)
    key = load_meta(tx, _META)
    if key is None:
        key = secrets.token_urlsafe(32)
        put_meta(tx, _META, key)
    return Signer([key])


class Links:
    """Makes and reads the links of messages. ``url`` is the address by which the outside reaches this Segue;
    ``tracking`` says how the links that authors write are followed, None: not at all."""

    def __init__(self, signer: Signer, url: str, tracking: Tracking | None = None) -> None:
        self._signer = signer
        self._url = url.rstrip("/")
        self._own = tuple(f"{self._url}{path}" for path in PATHS.values())
        self.tracking = tracking

    def link(self, purpose: Purpose, key: str) -> str:
        """The link for one purpose, of the message with this key."""
        return f"{self._url}{self.path(purpose, key)}"

    def path(self, purpose: Purpose, key: str) -> str:
        """The same below the address by which Segue is reached."""
        named = base64.urlsafe_b64encode(bytes.fromhex(key)).decode().rstrip("=")
        return f"{PATHS[purpose]}{self._signer.sign(purpose, named, _ALWAYS)}"

    def read(self, purpose: Purpose, token: str) -> str:
        """The key of the message that a link belongs to. Raises BadToken."""
        named = self._signer.read(purpose, token, _ALWAYS)
        try:
            raw = base64.urlsafe_b64decode(f"{named}==")
        except (ValueError, TypeError):
            raise BadToken("this link is damaged, or was not made here") from None
        if not isinstance(named, str) or len(raw) != _KEY_BYTES:
            raise BadToken("this link is damaged, or was not made here")
        return raw.hex()

    def follow(self, content: Mapping[str, str], about: About) -> Tracked:
        """A finished message whose links tell when they are opened."""
        if self.tracking is None:
            return Tracked(dict(content))
        return track(content, about, self.tracking, self._signer, self._own)

    @property
    def short_url(self) -> str:
        """The address of the shop's own under which short codes stand."""
        return (self.tracking.url if self.tracking is not None else None) or self._url

    def mark(self, path: str, token: str, now: Instant) -> Mark:
        """What a followed link says. Raises BadToken."""
        return read_mark(self._signer, path, token, now)

    def values(self, template: Template, key: str) -> dict[str, str]:
        """The links that a template asks for, by the names it knows them by."""
        return {
            name: self.link(purpose, key)
            for name, purpose in VARIABLES.items()
            if any(name in source for source in template.parts.values())
        }
