"""Answers over ASGI: JSON errors that say what is wrong, and the one way in which any answer goes out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec
from starlette.types import Send

from segue.api import Response

__all__ = ["CORS", "BadRequest", "json_answer", "problem", "send_answer", "unavailable"]

RawHeaders = Iterable[tuple[bytes, bytes]]

JSON: Mapping[str, str] = {"content-type": "application/json"}
CORS: tuple[tuple[bytes, bytes], ...] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"retry-after"),
)
"""For routes that pages on other sites may call. No cookie counts here, so that any site may: the write key decides."""


class BadRequest(Exception):
    """A request that cannot be understood before anyone looks at what it says."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


def json_answer(status: int, content: object, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with a JSON body; what JSON doesn't know is written as text."""
    return Response(status, msgspec.json.encode(content, enc_hook=str), {**JSON, **(headers or {})})


def problem(status: int, code: str, message: str, headers: Mapping[str, str] | None = None, **more: object) -> Response:
    """An error: ``code`` for programs, ``message`` for people."""
    return json_answer(status, {"success": False, "code": code, "message": message, **more}, headers)


def unavailable(reason: str, retry_after: float = 1.0) -> Response:
    """Not now: 503 with Retry-After in whole seconds (RFC 9110, section 10.2.3), at least one."""
    seconds = max(1, math.ceil(retry_after)) if math.isfinite(retry_after) else 60
    return problem(503, "unavailable", reason, {"retry-after": str(seconds)})


async def send_answer(send: Send, answer: Response, extra: RawHeaders = ()) -> None:
    """Send it. Raises ValueError, before anything has gone out, for a header that HTTP cannot carry."""
    headers = [(name.lower().encode("ascii"), _checked(value)) for name, value in answer.headers.items()]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    headers.extend(extra)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _checked(value: str) -> bytes:
    if "\r" in value or "\n" in value or "\0" in value:
        raise ValueError("a header holds a line break")
    return value.encode("latin-1")
