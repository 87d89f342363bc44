"""Content in TOML: a part for each key, as a notification or a card has them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from segue.messages.shielding import LIQUID, ContentError

_KEY: Final = re.compile(r"[a-z][a-z0-9_]*")
_AT: Final = re.compile(r"\(at line (\d+), column \d+\)")
_BODY: Final = "body"
_TEXT: Final = "text"


def read_parts(source: str) -> Iterator[tuple[str, str, int]]:
    """The parts of a TOML text, each with its Liquid source and its line. ``body`` is the part ``text``. A table or a
    list becomes JSON, with Liquid inside its texts. Raises ContentError."""
    try:
        found = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        at = _AT.search(str(error))
        said = _AT.sub("", str(error)).strip()
        raise ContentError(f"is not valid TOML here: {said[:1].lower()}{said[1:]}", int(at[1]) if at else 0) from None
    except RecursionError:
        raise ContentError("is nested too deeply") from None
    if _BODY in found and _TEXT in found:
        raise ContentError("body and text are the same part; keep one", _line_of(source, _TEXT))
    for key, value in found.items():
        line = _line_of(source, key)
        if _KEY.fullmatch(key) is None:
            raise ContentError(f"“{key[:60]}” is no name of a part: small letters, digits and _", line)
        yield _TEXT if key == _BODY else key, _written(key, value, line), line


def _written(key: str, value: Any, line: int) -> str:
    match value:
        case str():
            return value.strip("\n")
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case dict() | list():
            return _json(value, key, line)
        case _:
            raise ContentError(f"{key} is a date or a time; write it in quotes", line)


def _json(value: Any, key: str, line: int) -> str:
    """JSON that is still JSON when Liquid has written any value into its texts."""
    kept: list[str] = []

    def hide(match: re.Match[str]) -> str:
        kept.append(match[0])
        return f"\ue004{len(kept) - 1}\ue005"

    def walk(one: Any) -> Any:
        match one:
            case str():
                return LIQUID.sub(hide, one)
            case dict():
                return {name: walk(inner) for name, inner in one.items()}
            case list():
                return [walk(inner) for inner in one]
            case bool() | int() | float():
                return one
            case _:
                raise ContentError(f"{key} holds a date or a time; write it in quotes", line)

    made = msgspec.json.encode(walk(value)).decode()
    return re.sub("\ue004(\\d+)\ue005", lambda match: _as_text(kept[int(match[1])]), made)


def _as_text(piece: str) -> str:
    if not piece.startswith("{{"):
        return piece
    end = -3 if piece.endswith("-}}") else -2
    return f"{piece[:end].rstrip()} | in_json {piece[end:]}"


def _line_of(source: str, key: str) -> int:
    found = re.search(rf"^[ \t]*(?:\[{{1,2}})?[ \t]*[\"']?{re.escape(key)}\b", source, re.MULTILINE)
    return source.count("\n", 0, found.start()) + 1 if found is not None else 0
