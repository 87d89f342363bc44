"""Liquid, held to a budget and without a clock.

Laws of this file:

- What a template does depends on its source and its values only: no clock, no time zone of the machine, no files.
- Every render ends soon. Limits are counted, not timed, so that a template fails on every machine or on none:
  *work* (one unit is about a microsecond), *output* written, and the *size* of any value that the template makes.

python-liquid's own limits leave gaps that its tests do not close: loops one after another each get the full allowance,
``replace`` and ``join`` build their result before anything looks at its size, ``(1..1000000000)`` is unrolled
by some filters, and the size of all variables is added up anew at each ``assign``. So the counting is done here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from io import StringIO
from typing import Any, TextIO

from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression
from liquid.builtin.expressions.logical import ContainsExpression
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.builtin.tags.tablerow_tag import TablerowNode, TablerowTag
from liquid.exceptions import LiquidError, ResourceLimitError, UnknownFilterError
from liquid.expression import Expression
from liquid.filter import with_context
from liquid.token import Token
from liquid.undefined import Undefined
from liquid.utils import ReadOnlyChainMap

from segue.messages.filters import FILTERS
from segue.messages.formats import PLAIN, Manner
from segue.messages.recommending import Recommend, RecommendTag
from segue.messages.syntax import check_closed

WORK = 50_000
"""Units of work in one part: a node, an expression, an argument, 32 characters through a filter."""

OUTPUT = 500_000
"""Characters that one part may write, those of ``capture`` included."""

SIZE = 65_536
"""Characters of a text, or items of a list with the characters in them, that a filter or ``assign`` may make."""

DIGITS = 4_096
"""Bits of a whole number."""


class Bounded(RenderContext):
    """The state of one render, how it writes, and what it has used up."""

    def __init__(self, template: BoundTemplate, values: Mapping[str, object], manner: Manner = PLAIN) -> None:
        super().__init__(template, globals=values)
        self.manner = manner
        # The chain of python-liquid ends in `now` and `today` by the machine's clock.
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)
        self.work = 0
        self.written = 0
        self.body = 0
        self.sizes: dict[str, int] = {}
        self.held = 0

    def spend(self, units: int) -> None:
        """Count work; raises ResourceLimitError when the budget is gone."""
        self.work += units
        if self.work > WORK:
            raise ResourceLimitError("does too much: shorten its loops", token=None)

    def weigh(self, value: object, limit: int = SIZE) -> int:
        """The size of a value, counting the work of finding it out."""
        size = measure(value, limit)
        self.spend(size // 32 if isinstance(value, str) else size // 8)
        return size

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """A loop is about to run: count all of its turns, each at the weight of its body."""
        self.spend(length * max(self.body, 1))

    def assign(self, key: str, val: Any) -> None:
        """Keep a variable, unless variables take too much room."""
        size = self.weigh(val)
        self.held += size - self.sizes.get(key, 0)
        self.sizes[key] = size
        if self.held > 4 * SIZE:
            raise ResourceLimitError("keeps too much in its variables", token=None)
        self.locals[key] = val

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        """A buffer whose characters count towards the output of the whole part."""
        return _Output(self)


class _Output(StringIO):
    """Where a part is written to."""

    def __init__(self, context: Bounded) -> None:
        super().__init__()
        self._context = context

    def write(self, text: str, /) -> int:
        context = self._context
        context.written += len(text)
        if context.written > OUTPUT:
            raise ResourceLimitError(f"writes more than {OUTPUT:,} characters", token=None)
        return super().write(text)


class BoundedTemplate(BoundTemplate):
    """A part, compiled. ``weight`` is the work of going through it once."""

    weight = 0

    def make_partial_namespace(self, partial: bool, render_args: Mapping[str, object]) -> Mapping[str, object]:
        """Nothing: a customer's value called ``partial`` is the customer's."""
        return render_args

    def render_bounded(self, values: Mapping[str, object], manner: Manner = PLAIN) -> str:
        """Render; raises LiquidError, or what a filter raised."""
        context = Bounded(self, values, manner)
        context.spend(self.weight)
        buffer = _Output(context)
        self.render_with_context(context, buffer)
        return buffer.getvalue()


class _For(ForNode):
    """``for`` that knows the weight of its body."""

    weight = 1

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        if isinstance(context, Bounded):
            context.body = self.weight
        return super().render_to_output(context, buffer)


class _TableRow(TablerowNode):
    """``tablerow`` that knows the weight of its body."""

    weight = 1

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        if isinstance(context, Bounded):
            context.body = self.weight
        return super().render_to_output(context, buffer)


class _ForTag(ForTag):
    node_class = _For


class _TablerowTag(TablerowTag):
    node_class = _TableRow


class _Range(RangeLiteral):
    """``(1..n)`` of a length that can be afforded; takes the place of the plain range after parsing."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> range:
        made = super().evaluate(context)
        if made.stop - made.start > SIZE:
            raise ResourceLimitError(f"counts further than {SIZE:,}", token=self.token)
        return made


def compile_source(environment: Environment, source: str) -> BoundedTemplate:
    """Parse a part and weigh it. Raises LiquidError."""
    check_closed(source)
    template = environment.from_string(source)
    assert isinstance(template, BoundedTemplate)
    context = RenderContext(template)
    for node in _nodes(template.nodes, context):
        for expression in _expressions(node):
            if type(expression) is RangeLiteral:
                expression.__class__ = _Range
            elif isinstance(expression, FilteredExpression):
                _check_filters(environment, expression)
        if isinstance(node, _For | _TableRow | Recommend):
            node.weight = _weight([node], context)
    template.weight = _weight(template.nodes, context)
    return template


def _check_filters(environment: Environment, expression: FilteredExpression) -> None:
    for used in expression.filters or ():
        if used.name not in environment.filters:
            near = get_close_matches(used.name, environment.filters, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UnknownFilterError(f"there is no filter called {used.name}{hint}", token=used.token)


def _nodes(roots: Sequence[Node], context: RenderContext) -> Iterator[Node]:
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.children(context, include_partials=False))


def _expressions(node: Node) -> Iterator[Expression]:
    waiting = list(node.expressions())
    while waiting:
        expression = waiting.pop()
        yield expression
        waiting.extend(expression.children())


def _weight(roots: Sequence[Node], context: RenderContext) -> int:
    """Work of going through these nodes once, with every branch taken."""
    work = 0
    for node in _nodes(roots, context):
        work += 1 + (len(node.text) // 256 if isinstance(node, ContentNode) else 0)
        for expression in _expressions(node):
            # Looking for a text in a text of the greatest size takes this long.
            work += 20 if isinstance(expression, ContainsExpression) else 1
    return work


def measure(value: object, limit: int = SIZE) -> int:
    """Characters and items of a value as written out, shared ones counted each time they occur.

    Raises ResourceLimitError as soon as ``limit`` is passed, which ends the walk of a list that holds one many times.
    """
    if isinstance(value, str):
        size = len(value)
    elif isinstance(value, int):
        if value.bit_length() > DIGITS:
            raise ResourceLimitError("makes a number that is too large", token=None)
        return 1
    elif isinstance(value, list | tuple | dict):
        size = 0
        waiting: list[object] = [value]
        while waiting and size <= limit:
            one = waiting.pop()
            size += len(one) if isinstance(one, str) else 1
            if isinstance(one, list | tuple):
                waiting.extend(one)
            elif isinstance(one, dict):
                waiting.extend(one)
                waiting.extend(one.values())
            size = max(size, len(waiting))
    else:
        return 1
    if size > limit:
        raise ResourceLimitError(f"makes a text or list larger than {limit:,}", token=None)
    return size


def _bound(name: str, function: Callable[..., Any], growth: Callable[..., int] | None) -> Callable[..., Any]:
    """The filter, counting what goes in and out. ``growth`` says how large the result would be, before it is made."""
    wants_context = getattr(function, "with_context", False)
    wants_environment = getattr(function, "with_environment", False)

    @with_context
    def bounded(left: Any, *args: Any, context: Bounded, **options: Any) -> Any:
        context.weigh(left, 4 * SIZE)
        items = len(left) if isinstance(left, list | tuple | range) else 0
        # `uniq` compares each item with each.
        context.spend(1 + len(args) + items + (items * items // 64 if name == "uniq" else 0))
        if growth is not None and growth(left, *args) > SIZE:
            raise ResourceLimitError(f"makes a text larger than {SIZE:,}", token=None)
        if wants_context:
            options["context"] = context
        if wants_environment:
            options["environment"] = context.env
        result = function(left, *args, **options)
        context.weigh(result)
        return result

    return bounded


def _text_length(value: object) -> int:
    return len(value) if isinstance(value, str) else len(str(value))


def _replaced(left: object, old: object = "", new: object = "", *_: object) -> int:
    text = "" if left is None or isinstance(left, Undefined) else str(left)
    return len(text) + text.count(str(old)) * _text_length(new)


def _joined(left: object, glue: object = " ", *_: object) -> int:
    if isinstance(left, range):
        return len(left) * (_text_length(glue) + 5)
    if isinstance(left, list | tuple):
        return len(left) * _text_length(glue)
    return 0


_GROWTH: dict[str, Callable[..., int]] = {"replace": _replaced, "join": _joined}

WITHOUT = ("include", "render")
"""Tags of Liquid that load files: a message is made of its own, and of the layout."""


class _Environment(Environment):
    template_class = BoundedTemplate

    def error(self, exc: type[LiquidError] | LiquidError, msg: str | None = None, token: Token | None = None) -> None:
        """Raise, with a place: the end of an expression has none of its own in python-liquid."""
        if isinstance(exc, LiquidError) and exc.token is not None and exc.token.start_index < 0 and token is not None:
            exc.token = token
        super().error(exc, msg, token)


def environment(*, autoescape: bool) -> Environment:
    """Liquid with its standard tags and filters, Segue's own, and every filter bounded."""
    made = _Environment(autoescape=autoescape)
    for tag in WITHOUT:
        del made.tags[tag]
    made.add_tag(_ForTag)
    made.add_tag(_TablerowTag)
    made.add_tag(RecommendTag)
    made.filters.update(FILTERS)
    made.filters = {name: _bound(name, function, _GROWTH.get(name)) for name, function in made.filters.items()}
    return made
