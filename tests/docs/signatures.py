"""What `segue.api` exports, written as a reference shows it."""

from __future__ import annotations

import inspect
import re
from types import UnionType
from typing import Any, get_args

import msgspec

_LONGEST = 100


def write_signature(name: str, found: Any) -> str:
    """The declaration of an exported name, without bodies."""
    if isinstance(found, type) and issubclass(found, msgspec.Struct):
        return _struct(name, found)
    if isinstance(found, type):
        return _class(name, found)
    if inspect.isfunction(found):
        return write_function(name, found)
    if isinstance(found, UnionType):
        return f"{name} = {' | '.join(choice.__name__ for choice in get_args(found))}"
    if isinstance(found, int):
        return f"{name} = {found}"
    if hasattr(found, "__supertype__"):
        return f'{name} = NewType("{name}", {found.__supertype__.__name__})'
    if hasattr(found, "__origin__"):
        return f"{name} = Literal[{', '.join(_value(choice) for choice in get_args(found))}]"
    return f"{name} = {type(found).__name__}({_value(found.project_name)})"


def write_function(name: str, function: Any, indent: str = "") -> str:
    """A function's first line, broken where it is long. Annotations stand as they were written."""
    signature = inspect.signature(function)
    result = f" -> {signature.return_annotation}" if signature.return_annotation is not inspect.Signature.empty else ""
    word = "async def" if inspect.iscoroutinefunction(function) else "def"
    inner = str(signature.replace(return_annotation=inspect.Signature.empty))[1:-1]
    inner = re.sub(r": '([^']*)'", r": \1", inner)
    line = f"{indent}{word} {name}({inner}){result}"
    if len(line) <= _LONGEST:
        return line
    parts = re.split(r", (?=[\w*])(?![^\[]*\])", inner)
    return "\n".join([f"{indent}{word} {name}(", *(f"{indent}    {part}," for part in parts), f"{indent}){result}"])


def _struct(name: str, found: type[msgspec.Struct]) -> str:
    lines = [f"class {name}(Struct):"]
    for field in msgspec.structs.fields(found):
        default = "" if field.required else f" = {_value(_default(field))}"
        annotation = _double_quoted(found.__annotations__[field.name])
        lines.append(f"    {field.name}: {annotation}{default}")
    return "\n".join(lines)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return field.default_factory()


def _value(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, msgspec.Struct):
        given = [getattr(value, name) for name in value.__struct_fields__]
        return f"{type(value).__name__}({_value(given[0])})"
    return _double_quoted(repr(value))


def _double_quoted(code: str) -> str:
    """Python prints code in single quotes; ours, and so the page's, has double ones."""
    return code.replace("'", '"')


def _class(name: str, found: type) -> str:
    raised = issubclass(found, Exception)
    kind = found.__bases__[0].__name__ if raised else "Protocol" if getattr(found, "_is_protocol", False) else ""
    lines = [f"class {name}({kind}):" if kind else f"class {name}:"]
    for member, value in vars(found).items():
        if inspect.isfunction(value) and (not member.startswith("_") or raised):
            lines.append(write_function(member, value, "    "))
    return "\n".join(lines)
