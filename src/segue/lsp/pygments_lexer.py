"""Highlighting for Pygments: Sphinx, MkDocs, rich and the like find it by the name `segue`."""

from __future__ import annotations

from typing import Any, ClassVar

from pygments.lexer import RegexLexer, bygroups, include
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Whitespace, _TokenType

from segue.language.keywords import PHRASES, POLICY_WORDS, TYPES
from segue.lsp.highlighting import CLASSES, COMMENT, FIELD, NAME, NUMBER, OPERATOR, STRING, phrase, words

_TOKENS: dict[str, _TokenType] = {
    "declaration": Keyword.Declaration,
    "step": Keyword,
    "constant": Keyword.Constant,
    "logical": Operator.Word,
    "header": Keyword.Namespace,
    "word": Keyword.Reserved,
    "number": Number,
}


def _phrases() -> list[Any]:
    found = []
    for parts in PHRASES:
        pattern, kinds = phrase(parts)
        # Pygments wants a token for all that a pattern takes, the spaces between too.
        spaced = pattern.replace(r")\s+(", r")(\s+)(")
        tokens: list[_TokenType] = []
        for kind in kinds:
            tokens += [_TOKENS[kind], Whitespace]
        found.append((spaced, bygroups(*tokens[:-1])))
    return found


_NEXT = rf"(?={words(CLASSES['declaration'])})"


class RulesLexer(RegexLexer):  # type: ignore[misc]  # Pygments has no types
    """Rules of Segue, the customer journeys that people write as text."""

    name = "Segue rules"
    aliases: ClassVar = ["segue", "segue-rules"]
    filenames: ClassVar = ["*.rules"]
    version_added = "0"

    tokens: ClassVar[dict[str, list[Any]]] = {
        "root": [
            (r"(?<![\w.])policy(?!\w)", Keyword.Declaration, "policy"),
            (rf"(?<![\w.])event(?=\s+{NAME})", Keyword.Declaration, "fields"),
            (
                rf"(?<![\w.])customer(?=\s+(?:#.*\s+)*{NAME}\s+(?:{'|'.join(TYPES)})(?!\w))",
                Keyword.Declaration,
                "fields",
            ),
            include("plain"),
            include("words"),
        ],
        "policy": [
            (_NEXT, Whitespace, "#pop"),
            include("plain"),
            (words(POLICY_WORDS), Keyword.Reserved),
            include("words"),
        ],
        "fields": [
            (_NEXT, Whitespace, "#pop"),
            include("plain"),
            (FIELD.replace(r")\s+(", r")(\s+)("), bygroups(Name.Attribute, Whitespace, Keyword.Type)),
            include("words"),
        ],
        "plain": [
            (r"\s+", Whitespace),
            (COMMENT, Comment.Single),
            (STRING, String.Double),
        ],
        "words": [
            *_phrases(),
            (rf"(?<!\w)(?:{NUMBER})", Number),
            *((words(found), _TOKENS[name]) for name, found in CLASSES.items()),
            (OPERATOR, Operator),
            (NAME, Name),
            (r"[\[\](),.]", Punctuation),
        ],
    }
