"""Reactions by hand: nobody opens what stands in a terminal, but rules that hang on it are to be tried as well.

    curl http://127.0.0.1:8080/callbacks/email -d '{"key": "…", "what": "opened"}'

The key is the message's, as the mailbox file and ``segue why --json`` show it.
"""

from __future__ import annotations

from typing import Final

import msgspec

from segue.api import Callback, Instant, Report, Request, Response

REACTIONS: Final = ("opened", "clicked", "replied")
"""What can be said of a message, beside that it arrived (``delivered``)."""

_LARGEST: Final = 10_000
_ON_ARRIVAL: Final = Instant(2**62)
"""Segue takes no report as later than its arrival, and only its own clock knows when that is: it may be compressed."""


class Reaction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a call: the message's key, and what the customer did."""

    key: str
    what: str


_decode: Final = msgspec.json.Decoder(Reaction).decode


def read_reaction(request: Request, now: Instant) -> Callback:
    """Understand one call; what cannot be understood is answered 400, with the reason."""
    if request.method != "POST":
        return _refuse(405, "POST a reaction as JSON")
    if len(request.body) > _LARGEST:
        return _refuse(413, "a reaction is a short line of JSON")
    try:
        reaction = _decode(request.body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        return _refuse(400, f'{error}; a reaction looks like {{"key": "…", "what": "opened"}}')
    if reaction.what not in (*REACTIONS, "delivered"):
        return _refuse(400, f"what: there are {', '.join(REACTIONS)} and delivered")
    report = Report(id=f"{reaction.key}/{reaction.what}/{now}", what=reaction.what, at=_ON_ARRIVAL, key=reaction.key)
    return Callback(reports=(report,), response=Response(202))


def _refuse(status: int, why: str) -> Callback:
    return Callback(response=Response(status, f"{why}\n".encode()))
