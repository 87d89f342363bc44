"""From a template and values to the parts of a message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from liquid.exceptions import LiquidError

from segue.messages.liquid import BoundedTemplate, compile_source, environment
from segue.messages.template import BODIES, Template

_ESCAPED = "html"
_NO_VALUE = "expected a primitive expression, found end of expression"
_PLAIN_LIQUID = environment(autoescape=False)
_HTML_LIQUID = environment(autoescape=True)

# Everything that str.splitlines ends a line at, and the rest of the control characters: none belongs into a header.
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class RenderError(Exception):
    """A template that cannot be compiled or rendered. ``line`` counts from 1 in the file of the part (in the part
    itself where the file is not known), and is 0 where no line can be named."""

    def __init__(self, message: str, part: str, line: int = 0) -> None:
        where = f"{part}, line {line}" if line else part
        super().__init__(f"{where}: {message}")
        self.message = message
        self.part = part
        self.line = line


class Variable(msgspec.Struct, frozen=True, order=True):
    """A value that a template asks for, by its path (``customer.first_name``), and where it first does so."""

    name: str
    part: str
    line: int


def render(template: Template, values: Mapping[str, Any]) -> dict[str, str]:
    """The parts of a message for one customer. Pure: equal templates and values give equal text, always.

    ``values`` are plain JSON values: ``customer`` with the traits, ``event`` with the fields of the trigger,
    ``brand``, ``now``, and by name what the rule gave in ``with``. A value that is missing renders as nothing.
    ``html`` is escaped for HTML; all parts but ``text`` and ``html`` become one line. Raises RenderError.
    """
    parts = {}
    for part, compiled in _compile(template).items():
        try:
            text = compiled.render_bounded(values)
        except Exception as error:
            raise _error(error, part, template.lines.get(part, 1)) from error
        parts[part] = text if part in BODIES else _BREAKS.sub(" ", text).strip()
    return parts


def undeclared(template: Template) -> tuple[Variable, ...]:
    """What the template expects from outside, sorted by path: each value once per part. Raises RenderError when it does
    not compile. A path that is itself looked up (``customer[field]``) is given up to that point."""
    first: dict[tuple[str, str], Variable] = {}
    for part, compiled in _compile(template).items():
        begin = template.lines.get(part, 1)
        source = template.parts[part]
        for uses in compiled.analyze(include_partials=False).globals.values():
            for use in uses:
                name = _path(use.segments)
                line = source.count("\n", 0, max(use.span.index, 0)) + begin
                known = first.get((part, name))
                if known is None or line < known.line:
                    first[part, name] = Variable(name, part, line)
    return tuple(sorted(first.values()))


def compile_part(part: str, source: str) -> BoundedTemplate:
    """Parse one part. Raises RenderError, whose line is the source's own."""
    try:
        return compile_source(_HTML_LIQUID if part == _ESCAPED else _PLAIN_LIQUID, source)
    except Exception as error:
        raise _error(error, part, 1) from error


@lru_cache(maxsize=4096)
def _compile(template: Template) -> dict[str, BoundedTemplate]:
    compiled = {}
    for part, source in template.parts.items():
        try:
            compiled[part] = compile_part(part, source)
        except RenderError as error:
            line = error.line + template.lines.get(part, 1) - 1 if error.line else 0
            raise RenderError(error.message, part, line) from error
    return compiled


def _path(segments: list[Any]) -> str:
    names: list[str] = []
    for segment in segments:
        if isinstance(segment, list):
            break
        if isinstance(segment, int):
            names[-1] += f"[{segment}]"
        else:
            names.append(segment)
    return ".".join(names)


def _error(error: Exception, part: str, begin: int) -> RenderError:
    """By whose fault: whatever a template makes Liquid or Python raise is the template's."""
    if isinstance(error, RecursionError) or isinstance(error.__cause__, RecursionError):
        return RenderError("is nested too deeply", part)
    if not isinstance(error, LiquidError):
        return RenderError(f"cannot be rendered: {error}", part)
    token = error.token
    line = token.source.count("\n", 0, token.start_index) + begin if token is not None and token.start_index >= 0 else 0
    message = str(error.message or type(error).__name__)
    return RenderError("a value is missing here" if message.startswith(_NO_VALUE) else message, part, line)
