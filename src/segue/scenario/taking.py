"""What a channel is taken to say where nobody recorded it: that it took the message, and an SMS in how many parts."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from segue.api import Answer, Instant, Sent
from segue.api.channels import address_of
from segue.api.sms import TextError, readable_text, split_text
from segue.messages.checking.sheet import medium_of
from segue.messages.rendering import RenderError, render
from segue.runtime.dispatch import Claim
from segue.runtime.links import samples_of_links
from segue.runtime.running import Running

_TAKEN: Final = Sent()
_SITE: Final = "https://shop.example"
"""Links of a message are signed by the daemon; here they are as long as such links are."""


class Taking:
    """The answers of a project's channels. Parts count where they cost something: each costs what the channel costs.
    What stands in for a channel, such as the console, splits nothing."""

    def __init__(self, running: Running) -> None:
        self._by_parts = frozenset(
            name
            for name, spec in running.channels.items()
            if name in running.costs
            and not spec.stand_in
            and medium_of(name, spec.address if spec.address is not None else address_of(name)) == "sms"
        )

    def __call__(self, claimed: Claim, _moment: Instant) -> Answer:
        """Taken, whatever it is."""
        template = claimed.template
        if claimed.channel not in self._by_parts or template is None:
            return _TAKEN
        try:
            text = render(template, {"kind": claimed.kind, **_links(), **claimed.values}).get("text", "")
            return Sent(parts=_parts(readable_text(text)))
        except (RenderError, TextError):
            return _TAKEN


@lru_cache(maxsize=1)
def _links() -> dict[str, str]:
    return samples_of_links(_SITE)


@lru_cache(maxsize=1024)
def _parts(text: str) -> int:
    """One text is often that of many messages."""
    return split_text(text).count
