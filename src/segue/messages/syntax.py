"""What is checked in a template before python-liquid reads it: that whatever is opened is closed.

Both for the author, who is told where the thing began that has no end, and for time: python-liquid's lexer, a regular
expression, takes time that grows with the square of the source where something is not closed.
"""

from __future__ import annotations

import re

from liquid.exceptions import LiquidSyntaxError
from liquid.token import TOKEN_ILLEGAL, Token

_OPENING = re.compile(r"\{[{%]")
_CLOSING = {"{{": "}}", "{%": "%}"}
_VERBATIM = re.compile(r"\{%-?\s*(?P<tag>raw|doc)\s*-?%\}")
_TAG_NAME = re.compile(r"-?\s*(\w+)")
_BLOCKS = frozenset(["if", "unless", "case", "for", "tablerow", "capture", "ifchanged", "comment", "recommend"])
_DEEPEST = 30
_LONGEST_TAG = 2_000
_LONG_GAP = re.compile(r"\s{49}")


def check_closed(source: str) -> None:
    """Raise LiquidSyntaxError for braces, blocks and verbatim texts that are not closed, or closed too far away."""
    place = 0
    open_blocks: list[tuple[str, int]] = []
    while found := _OPENING.search(source, place):
        start = found.start()
        opening = found.group()
        end = source.find(_CLOSING[opening], found.end())
        if end < 0:
            raise _syntax_error(f"this {opening} has no {_CLOSING[opening]} after it", source, start)
        if end - start > _LONGEST_TAG:
            raise _syntax_error(
                f"more than {_LONGEST_TAG:,} characters inside {opening} … {_CLOSING[opening]}", source, start
            )
        inside = source[found.end() : end]
        if not inside.strip(" \t\n-"):
            raise _syntax_error(f"there is nothing inside {opening} … {_CLOSING[opening]}", source, start)
        if _LONG_GAP.search(inside):
            raise _syntax_error(f"there is a very wide gap inside {opening} … {_CLOSING[opening]}", source, start)
        place = end + 2
        verbatim = _VERBATIM.fullmatch(source, start, place)
        if verbatim is not None:
            ending = re.compile(rf"{{%-?\s*end{verbatim['tag']}\s*-?%}}").search(source, place)
            if ending is None:
                raise _syntax_error(f"this {verbatim['tag']} has no end{verbatim['tag']} after it", source, start)
            place = ending.end()
        elif opening == "{%" and (name := _TAG_NAME.match(inside)):
            in_comment = bool(open_blocks) and open_blocks[-1][0] == "comment"
            if not in_comment or name[1] in ("comment", "endcomment"):
                _check_block(name[1], open_blocks, source, start)
    if open_blocks:
        block, start = open_blocks[-1]
        raise _syntax_error(f"this {block} has no end{block} after it", source, start)


def _check_block(tag: str, open_blocks: list[tuple[str, int]], source: str, start: int) -> None:
    """Keep the stack of open blocks, so that a missing end is reported at its beginning."""
    if tag in _BLOCKS:
        open_blocks.append((tag, start))
        if len(open_blocks) > _DEEPEST:
            raise _syntax_error(f"blocks are nested more than {_DEEPEST} deep here", source, start)
    elif tag.startswith("end") and open_blocks:
        block, _ = open_blocks.pop()
        if tag != f"end{block}":
            raise _syntax_error(f"{tag} stands here where end{block} should", source, start)


def _syntax_error(message: str, source: str, index: int) -> LiquidSyntaxError:
    return LiquidSyntaxError(message, token=Token(TOKEN_ILLEGAL, "", index, source))
