"""What the log says of customers: their ids as hashes, and nothing else by which a person could be known.

A value under a name that means an id becomes a pseudonym, which `segue customer find` resolves; one that means an
address or a name is left out. In every other text addresses and numbers are masked, whoever wrote it. Of an exception
the type and the places stay and its words go, since they may quote anything.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final

from structlog.typing import EventDict, WrappedLogger

from segue.customers.pseudonyms import PSEUDONYM, pseudonym
from segue.store.errors import StoreError

HIDDEN: Final = "…"

_IDS: Final = frozenset({"customer", "customers", "user", "user_id", "anonymous_id", "previous_id", "device"})
_MESSAGES: Final = frozenset({"message_id", "message_ids"})
_PERSONAL: Final = re.compile(
    r"(?:^|_)(?:e?mail|phone|address(?:es)?|(?:first|last|full|given|family)_?name|birthday|traits|ids|push_token)$"
)
_OURS: Final = frozenset({"timestamp", "level", "at", "key", "url", "database", "code", "place", "exception", "stack"})
"""Values that Segue makes itself and in which digits mean no telephone."""

# An address begins where no character of one stands before, so that a long text is looked at only once.
_EMAIL: Final = re.compile(
    r"""(?:"[^"\n]*"|(?<![^\s@<>"'(),;:\[\]{}=])[^\s@<>"'(),;:\[\]{}=]+)@[^\s@<>"'(),;:\[\]{}]*[^\s@<>"'(),;:\[\]{}.]"""
)
_PHONE: Final = re.compile(
    r"""(?<![\w.])\+\d[\d\s().\-/]{5,}\d|(?<![\w.:-])\(?\d{2,4}\)?[\s.\-/]\d{3,4}[\s.\-/]\d{3,5}(?![\w:-])"""
    r"""|(?<![\w.:-])0\d{1,3}[\s\-/]\d{5,8}(?![\w:-])|(?<![\w.:-])\d{9,15}(?![\w.:-])"""
)


class Discretion:
    """A processor of structlog. Without ``secret`` (before the store is open) all customers look alike."""

    def __init__(self, secret: bytes | None = None) -> None:
        self._secret = secret

    def __call__(self, _logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
        return {name: self._value(name, value) for name, value in entry.items()}

    def _value(self, name: str, value: Any) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if name in _IDS or name in _MESSAGES:
            return [self._hash(name, one) for one in value] if isinstance(value, list) else self._hash(name, value)
        if _PERSONAL.search(name):
            return HIDDEN
        if isinstance(value, str):
            return value if name in _OURS else mask(value)
        if isinstance(value, dict):
            return {mask(inner): self._value(inner, one) for inner, one in value.items()}
        if isinstance(value, list):
            return [self._value(name, one) for one in value]
        return value

    def _hash(self, name: str, value: Any) -> str:
        found = pseudonym(self._secret, str(value)) if self._secret is not None else PSEUDONYM + HIDDEN
        return found if name in _IDS else f"m:{found.removeprefix(PSEUDONYM)}"


def mask(text: str) -> str:
    """A text without email addresses and telephone numbers."""
    return _PHONE.sub(HIDDEN, _EMAIL.sub(_mask_address, text))


def _mask_address(found: re.Match[str]) -> str:
    # A password that was struck out of a URL stands before its host.
    return found.group() if found.group().startswith("***@") else HIDDEN


def tell_places(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    """In the place of structlog's ``format_exc_info``: where an exception was raised, and of what type."""
    exc_info = entry.pop("exc_info", None)
    if exc_info:
        error = exc_info if isinstance(exc_info, BaseException) else _current(exc_info)
        if error is not None:
            entry["exception"] = "\n".join(_places(error))
    return entry


def _current(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, tuple):
        found: tuple[type[BaseException] | None, BaseException | None, TracebackType | None] = exc_info
        return found[1]
    import sys

    return sys.exc_info()[1]


def _places(error: BaseException, depth: int = 0) -> Iterator[str]:
    """The causes first, as Python shows them; each with its places and its type. Errors of Segue's own, and of the
    system, say in words what is wrong and quote no customer."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and depth < 10:
        yield from _places(before, depth + 1)
        yield "which led to:"
    for line in traceback.format_tb(error.__traceback__):
        yield line.rstrip("\n")
    own = isinstance(error, StoreError | OSError)
    yield f"{type(error).__name__}: {mask(str(error)) if own else HIDDEN}"
