"""From a template and values to the parts of a message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final

import msgspec
from liquid.exceptions import LiquidError

from segue.customers.normal import derived_zone
from segue.messages.attaching import ATTACH
from segue.messages.formats import Manner
from segue.messages.liquid import WITHOUT, BoundedTemplate, compile_source, environment
from segue.messages.locales import is_right_to_left, manner_of
from segue.messages.template import BODIES, Template

_ESCAPED = "html"
_NO_TAG: Final = re.compile(r"unexpected tag '(.*)'", re.DOTALL)
_NO_VALUE = "expected a primitive expression, found end of expression"
_PLAIN_LIQUID = environment(autoescape=False)
_HTML_LIQUID = environment(autoescape=True)

# Everything that str.splitlines ends a line at, and the rest of the control characters: none belongs into a header.
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_GAPS: Final = re.compile(r"\n{3,}")


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
    """A value that a template asks for, by its path (``customer.first_name``), and where it first does so: the line in
    the file, and ``index`` in the source of the part."""

    name: str
    part: str
    line: int
    index: int


def render(template: Template, values: Mapping[str, Any]) -> dict[str, str]:
    """The parts of a message for one customer. Pure: equal templates and values give equal text, always.

    ``values`` are plain JSON values: ``customer`` with the traits, ``event`` with the fields of the trigger, ``now``,
    and by name what the rule gave in ``with``. Beside them templates see ``brand``, ``locale`` and ``direction``
    (``ltr`` or ``rtl``). A value that is missing renders as nothing. ``html`` is escaped for HTML; all parts but
    ``text`` and ``html`` become one line. Raises RenderError.
    """
    manner = manner_for(template, values)
    direction = "rtl" if is_right_to_left(template.language) else "ltr"
    scope = {"brand": template.house.brand, "locale": manner.locale, "direction": direction, **values}
    return {part: _rendered(compiled, template, part, scope, manner) for part, compiled in _compile(template).items()}


def manner_for(template: Template, values: Mapping[str, Any]) -> Manner:
    """How dates, numbers and money are written to the customer of these values."""
    found = values.get("customer")
    customer = found if isinstance(found, Mapping) else {}
    zone = derived_zone(customer) or template.house.zone
    return Manner(manner_of(template.language, customer), zone, template.house.currency)


def _rendered(
    compiled: BoundedTemplate, template: Template, part: str, scope: Mapping[str, Any], manner: Manner
) -> str:
    try:
        text = compiled.render_bounded(scope, manner)
    except Exception as error:
        raise _error(error, part, template.lines.get(part, 1)) from error
    if part not in BODIES:
        return _BREAKS.sub(" ", text).strip()
    if part == "text" and part in template.made:
        # Where a paragraph was left out, its blank lines are left over.
        lines = "\n".join(line.rstrip(" \t") for line in text.split("\n"))
        return _GAPS.sub("\n\n", lines).strip() + "\n"
    return text


def undeclared(template: Template) -> tuple[Variable, ...]:
    """What the template expects from outside, sorted by path: each value once per part. Raises RenderError when it does
    not compile. A path that is itself looked up (``customer[field]``) is given up to that point."""
    first: dict[tuple[str, str], Variable] = {}
    for part, compiled in _compile(template).items():
        for variable in asked(part, compiled, template.parts[part], template.lines.get(part, 1)):
            known = first.get((part, variable.name))
            if known is None or variable.line < known.line:
                first[part, variable.name] = variable
    return tuple(sorted(first.values()))


def asked(part: str, compiled: BoundedTemplate, source: str, begin: int) -> list[Variable]:
    """What a compiled part expects, each time it does; ``begin`` is the line of the file on which its source begins."""
    found = []
    for uses in compiled.analyze(include_partials=False).globals.values():
        for use in uses:
            index = max(use.span.index, 0)
            line = source.count("\n", 0, index) + begin if begin else 0
            found.append(Variable(_path(use.segments), part, line, index))
    return found


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
        if part == ATTACH and template.report_days is not None:
            continue
        try:
            compiled[part] = compile_part(part, source)
        except RenderError as error:
            begin = template.lines.get(part, 1)
            line = error.line + begin - 1 if error.line and begin else 0
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


def _say_no_tag(name: str) -> str:
    if name in WITHOUT:
        return f"{name} is not carried out: a message is made of its own files; what all share belongs into the layout"
    if name.startswith(("end", "else", "elsif", "when")):
        return f"this {name} has nothing before it that it belongs to"
    near = get_close_matches(name, _PLAIN_LIQUID.tags, 1)
    return f"there is no tag called {name}{f'; did you mean {near[0]}?' if near else ''}"


def _error(error: Exception, part: str, begin: int) -> RenderError:
    """By whose fault: whatever a template makes Liquid or Python raise is the template's. ``begin`` is the line on
    which the part begins in its file, 0 where its lines are not those of a file."""
    if isinstance(error, RecursionError) or isinstance(error.__cause__, RecursionError):
        return RenderError("is nested too deeply", part)
    if not isinstance(error, LiquidError):
        return RenderError(f"cannot be rendered: {error}", part)
    token = error.token
    placed = begin and token is not None and token.start_index >= 0
    line = token.source.count("\n", 0, token.start_index) + begin if placed and token is not None else 0
    message = str(error.message or type(error).__name__)
    if (unknown := _NO_TAG.fullmatch(message)) is not None:
        message = _say_no_tag(unknown[1])
    return RenderError("a value is missing here" if message.startswith(_NO_VALUE) else message, part, line)
