"""What the check of a rule book is compared with: Lark parsing the same text, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lark.utils import TextSlice

from segue.language.parser import grammar
from segue.language.pieces import cut


def bare_parse(texts: Sequence[str]) -> Callable[[], int]:
    """A call that has Lark parse right texts to its own trees, and gives their number. What comes before (building the
    parser, cutting the texts) is done here, and so is not in the caller's measurement."""
    parser = grammar()
    slices = [TextSlice(text, piece.start, piece.end) for text in texts for piece in cut(text)[0]]

    def parse() -> int:
        return sum(1 for one in slices if parser.parse(one) is not None)

    return parse
