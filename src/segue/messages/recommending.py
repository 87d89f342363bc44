"""``{% recommend 3 %} … {% endrecommend %}``: what stands inside, once for each product recommended to the customer.

Which products these are is fixed by the claim of a message, with its other values, so that a message that is rendered
again has the same bytes. Inside, ``product`` has what the latest event about it said: ``product.name``,
``product.price`` …; ``forloop`` counts as in ``for``, and what stands after ``{% else %}`` is shown where nothing can
be recommended.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TextIO

from liquid import RenderContext
from liquid.ast import Node
from liquid.builtin.expressions.loop import LoopExpression
from liquid.builtin.expressions.primitive import IntegerLiteral
from liquid.builtin.tags.for_tag import ForNode
from liquid.exceptions import LiquidSyntaxError
from liquid.expression import Expression
from liquid.parser import get_parser
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_EOF, TOKEN_EXPRESSION, TOKEN_INTEGER, TOKEN_TAG

VALUE: Final = "recommended"
"""The name under which the products stand among the values of a message."""
SHOWN: Final = ("name", "category", "brand", "variant", "price", "currency", "url", "image_url", "sku")
"""What a product may have beside its ``product_id``, as events say it."""
MOST: Final = 20
"""Products that one tag may ask for."""

_ASKED: Final = re.compile(r"{%-?\s*recommend\s+(\d{1,4})\s*-?%}")


class _Recommended(Expression):
    """The products, as the claim fixed them. It is no name that a template asks for: nobody has to declare it."""

    def evaluate(self, context: RenderContext) -> object:
        found = context.globals.get(VALUE)
        return found if isinstance(found, list) else []

    async def evaluate_async(self, context: RenderContext) -> object:
        return self.evaluate(context)

    def children(self) -> list[Expression]:
        return []


class Recommend(ForNode):
    """The tag, as a loop. ``weight`` is the work of its body."""

    weight = 1

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        if hasattr(context, "body"):
            context.body = self.weight
        return super().render_to_output(context, buffer)


class RecommendTag(Tag):
    """Parses the tag."""

    name = "recommend"
    end = "endrecommend"

    def parse(self, stream: TokenStream) -> Node:
        """How many there are to be is a plain number: the claim finds it without rendering."""
        token = stream.eat(TOKEN_TAG)
        wrong = f"say how many products, from 1 to {MOST}: {{% recommend 3 %}}"
        if stream.current.kind != TOKEN_EXPRESSION:
            raise LiquidSyntaxError(wrong, token=token)
        inner = stream.into_inner(tag=token)
        count = inner.current
        if count.kind != TOKEN_INTEGER or not 1 <= int(count.value) <= MOST:
            raise LiquidSyntaxError(wrong, token=token)
        next(inner)
        if inner.current.kind != TOKEN_EOF:
            raise LiquidSyntaxError(wrong, token=token)
        loop = LoopExpression(
            token,
            "product",
            _Recommended(token),
            limit=IntegerLiteral(token, int(count.value)),
            offset=None,
            cols=None,
            reversed_=False,
        )
        parse_block = get_parser(self.env).parse_block
        block = parse_block(stream, ("endrecommend", "else"))
        default = None
        if stream.current.is_tag("else"):
            next(stream)
            default = parse_block(stream, ("endrecommend",))
        stream.expect(TOKEN_TAG, value="endrecommend")
        return Recommend(token, expression=loop, block=block, default=default)


def products_asked(sources: Iterable[str]) -> int:
    """How many products these parts of a template ask for at most; 0 where none does."""
    return max((min(int(count), MOST) for source in sources for count in _ASKED.findall(source)), default=0)
