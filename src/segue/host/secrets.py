"""Secrets by reference: ``{ env = … }``, ``{ file = … }``, ``{ credential = … }``.

A reference is resolved when the plugin that needs it is opened. The secret itself is never kept in `Project`,
and no error text here holds one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

KINDS: Final = ("env", "file", "credential")
"""``env`` names an environment variable, ``file`` a file, ``credential`` a systemd credential (LoadCredential=)."""

_LARGEST: Final = 64_000
_NAME: Final = re.compile(
    r"((password|passphrase|passwd|secret|token|api[_-]?key|private[_-]?key|access[_-]?key)s?$)|^key$"
)


class SecretError(Exception):
    """A reference that leads nowhere. The text says which, and what to do; it never holds a secret."""


def is_secret(name: str) -> bool:
    """Whether a setting of that name holds a secret: it ends with password, secret, token, api_key and the like."""
    return _NAME.search(name.lower()) is not None


def is_reference(value: object) -> bool:
    """Whether a value from segue.toml is a reference: a table with one key, which is one of `KINDS`."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in KINDS


def resolve(reference: Mapping[str, object]) -> str:
    """The secret that the reference leads to, without a final line break. Raises SecretError."""
    (kind, target), *_ = reference.items()
    if not isinstance(target, str) or not target:
        raise SecretError(f'{{ {kind} = … }} needs a name in quotes, such as {{ {kind} = "SMTP_PASSWORD" }}')
    if kind == "env":
        found = os.environ.get(target)
        if not found:
            how = "empty" if found == "" else "not set"
            raise SecretError(f"the environment variable {target} is {how}; set it before starting Segue")
        return found
    if kind == "file":
        return _read(Path(target), f"the file {target}")
    return _credential(target)


def _credential(name: str) -> str:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise SecretError(
            f"the credential {name} comes from systemd, and this process was not started with any; "
            f"add LoadCredential={name}:/path/to/{name} to the unit, or use {{ file = … }}"
        )
    if "/" in name or name in {".", ".."}:
        raise SecretError(f"{name} is not the name of a credential: it may not contain a slash")
    return _read(Path(folder, name), f"the credential {name}")


def _read(path: Path, what: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise SecretError(f"{what} cannot be read: {error.strerror or 'not a file'}") from None
    except ValueError:
        raise SecretError(f"{what} cannot be read: its name holds a NUL") from None
    if len(content) > _LARGEST:
        raise SecretError(f"{what} holds more than {_LARGEST} bytes; that is no secret")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretError(f"{what} is not UTF-8 text") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise SecretError(f"{what} is empty")
    return text


def secrets_in(config: object) -> Iterator[str]:
    """The texts under secret names in an opened configuration, so that they can be struck from what a plugin says."""
    match config:
        case msgspec.Struct():
            pairs: Iterator[tuple[Any, Any]] = iter(
                [(name, getattr(config, name, None)) for name in config.__struct_fields__]
            )
        case dict():
            pairs = iter(config.items())
        case _:
            return
    for name, value in pairs:
        if isinstance(value, str):
            if isinstance(name, str) and is_secret(name) and value:
                yield value
        elif isinstance(value, list | tuple):
            for one in value:
                yield from (one,) if isinstance(one, str) and is_secret(str(name)) and one else secrets_in(one)
        else:
            yield from secrets_in(value)


def strike(text: str, secrets: tuple[str, ...]) -> str:
    """``text`` with each of the secrets replaced by an ellipsis."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "…")
    return text
