"""The settings under ``[channels.NAME]``."""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta

TARGET: Final = "{target}"
"""Where the customer's account stands in the address."""

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://\S+")


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The service.

    ``url_secret``  the address as Apprise writes it, with its keys in it, such as ``tgram://BOT_TOKEN/CHAT_ID``; a
                    secret
    ``timeout``     seconds to wait for the service
    """

    url_secret: str
    timeout: Annotated[float, Meta(gt=0, le=50)] = 20.0

    def __post_init__(self) -> None:
        if _SCHEME.fullmatch(self.url_secret) is None:
            raise ValueError(
                "url_secret is no address of Apprise: it begins with a service, as in tgram://BOT_TOKEN/CHAT_ID"
            )
        if self.target_wanted != (TARGET in self.url_secret):
            raise ValueError(
                "url_secret must say where the customer's account stands in it, as in tgram://BOT_TOKEN/{target}"
                if self.target_wanted
                else "url_secret holds {target}: use customer-apprise to send to each customer's own account"
            )

    @property
    def target_wanted(self) -> bool:
        """Whether the address has a place for the customer's account."""
        return False

    def __repr__(self) -> str:
        service = self.url_secret.partition("://")[0]
        return f"{type(self).__name__}(service={service!r}, timeout={self.timeout!r})"


class CustomerConfig(Config, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The service, with ``{target}`` in its address where the customer's account belongs."""

    @property
    def target_wanted(self) -> bool:
        return True
