"""From the settings in segue.toml to the Struct that a plugin asked for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeVar, get_args, get_origin

import msgspec

from segue.host.secrets import SecretError, is_reference, resolve, strike

S = TypeVar("S", bound=msgspec.Struct)


class ConfigurationError(Exception):
    """Settings that a plugin cannot take. ``problems`` has one sentence for each; no sentence holds a secret."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` was probably meant to be."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def unknown_key(name: str, known: Iterable[str]) -> str:
    """What to say about a key that nobody reads."""
    names = sorted(known)
    close = nearest(name, names)
    if close is not None:
        return f"is not a setting; did you mean {close}?"
    return f"is not a setting; there are {', '.join(names)}" if names else "is not a setting; there are none here"


def configure(spec_config: type[S], settings: Mapping[str, Any], where: str) -> S:
    """The plugin's configuration, checked against its Struct, with references to secrets resolved.

    ``where`` begins each sentence of an error (``channels.email``). Unknown keys are refused whether or not the
    Struct forbids them. Raises ConfigurationError with everything that is wrong.
    """
    problems: list[str] = []
    resolved: list[str] = []
    values = {name: _resolved(value, f"{where}.{name}", problems, resolved) for name, value in settings.items()}
    fields = {field.encode_name: field for field in msgspec.structs.fields(spec_config)}
    for name in values.keys() - fields.keys():
        problems.append(f"{where}.{name} {unknown_key(name, fields)}")
    if not problems:
        for name, field in fields.items():
            if name not in values:
                if field.required:
                    problems.append(f"{where}.{name} is missing: it must be set")
                continue
            try:
                msgspec.convert(values[name], field.type, strict=True)
            except msgspec.ValidationError as error:
                choices = f"; there are {', '.join(_choices(field.type))}" if _choices(field.type) else ""
                problems.append(_in_words(str(error), f"{where}.{name}") + choices)
    if not problems:
        try:
            return msgspec.convert(values, spec_config, strict=True)
        except msgspec.ValidationError as error:
            problems.append(_in_words(str(error), where))
    raise ConfigurationError(tuple(strike(problem, tuple(resolved)) for problem in sorted(problems)))


def _resolved(value: Any, where: str, problems: list[str], resolved: list[str]) -> Any:
    if is_reference(value):
        try:
            secret = resolve(value)
        except SecretError as error:
            problems.append(f"{where}: {error}")
            return ""
        resolved.append(secret)
        return secret
    if isinstance(value, dict):
        return {name: _resolved(inner, f"{where}.{name}", problems, resolved) for name, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, f"{where}[{place}]", problems, resolved) for place, inner in enumerate(value)]
    return value


def _choices(type_: Any) -> tuple[str, ...]:
    """The texts that a setting may be, where its type lists them (also in ``Literal["a", "b"] | None``)."""
    if get_origin(type_) is Literal:
        return tuple(str(choice) for choice in get_args(type_))
    return tuple(choice for inner in get_args(type_) for choice in _choices(inner))


_TYPES: Final = {
    "str": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "absent",
    "datetime": "a date with time",
}
_EXPECTED: Final = re.compile(r"^Expected `([^`]+)`(?:, got `([^`]+)`)?")
_PATH: Final = re.compile(r" - at `(key in )?\$([^`]*)`$")
_UNKNOWN: Final = re.compile(r"^Object contains unknown field `([^`]*)`$")
_MISSING: Final = re.compile(r"^Object missing required field `([^`]*)`$")


def _in_words(error: str, where: str) -> str:
    """msgspec's sentence in the words of someone who edits segue.toml."""
    path = _PATH.search(error)
    if path is not None:
        error = error[: path.start()]
        where += path.group(2)
    if (match := _EXPECTED.match(error)) is not None:
        expected = " or ".join(
            _TYPES.get(name.strip(), name.strip()) for name in match.group(1).split("|") if name.strip() != "null"
        )
        got = f", and is {_TYPES.get(match.group(2), match.group(2))}" if match.group(2) else ""
        return f"{where} should be {expected}{error[match.end() :]}{got}"
    if (match := _UNKNOWN.match(error)) is not None:
        return f"{where}.{match.group(1)} is not a setting"
    if (match := _MISSING.match(error)) is not None:
        return f"{where}.{match.group(1)} is missing: it must be set"
    return f"{where}: {error[:1].lower()}{error[1:]}"
