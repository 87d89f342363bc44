"""Reading a request's body: never more of it than allowed, on the wire or inflated."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping

from starlette.types import Receive

from segue.web.answers import BadRequest, problem

__all__ = ["ClientGone", "read_body"]

READ_WITHIN = 30.0
"""Seconds in which a whole body must have come: who trickles longer is cut off."""


class ClientGone(Exception):
    """The client hung up before its request was complete: there is nobody to answer."""


async def read_body(receive: Receive, headers: Mapping[str, str], most: int) -> bytes:
    """The body, gzip undone.

    Raises BadRequest: 413 over ``most`` bytes (as sent, or inflated: a bomb is stopped while it inflates), 415 for an
    encoding other than gzip, 400 for gzip that is none, 408 for a body that never ends. Raises ClientGone.
    """
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise BadRequest(
            problem(
                415,
                "unsupported_encoding",
                f"content-encoding {encoding[:40]!r} is not understood: send gzip, or none",
                {"accept-encoding": "gzip"},
            )
        )
    declared = headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and (len(declared) > 15 or int(declared) > most):
        raise _too_large(most)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        if len(body) > most:
            raise _too_large(most)
    else:
        body = await _read_on(receive, message, most)
    return _inflate(body, most) if encoding in ("gzip", "x-gzip") else body


async def _read_on(receive: Receive, message: Mapping[str, object], most: int) -> bytes:
    pieces = bytearray()
    try:
        async with asyncio.timeout(READ_WITHIN):
            while True:
                if message["type"] != "http.request":
                    raise ClientGone
                piece = message.get("body", b"")
                assert isinstance(piece, bytes)
                if len(pieces) + len(piece) > most:
                    raise _too_large(most)
                pieces += piece
                if not message.get("more_body", False):
                    return bytes(pieces)
                message = await receive()
    except TimeoutError:
        answer = problem(408, "too_slow", f"the body did not come within {READ_WITHIN:g} s", {"connection": "close"})
        raise BadRequest(answer) from None


def _inflate(body: bytes, most: int) -> bytes:
    """Undo gzip, of one member or several (RFC 1952, section 2.2)."""
    inflated = bytearray()
    rest = body
    while rest or not inflated:
        member = zlib.decompressobj(wbits=31)
        try:
            inflated += member.decompress(rest, most + 1 - len(inflated))
        except zlib.error as error:
            raise _not_gzip(str(error)) from None
        if len(inflated) > most:
            raise _too_large(most)
        if not member.eof:
            raise _not_gzip("it ends too early")
        rest = member.unused_data
        if not inflated and not rest:
            break
    return bytes(inflated)


def _too_large(most: int) -> BadRequest:
    return BadRequest(problem(413, "too_large", f"the body is larger than {most:,} bytes, the most that is taken here"))


def _not_gzip(why: str) -> BadRequest:
    return BadRequest(problem(400, "invalid", f"the body is announced as gzip and is not: {why}"))
