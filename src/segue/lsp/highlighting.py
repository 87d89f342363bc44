"""Highlighting for editors, made from the one table of words (`segue.language.keywords`).

An editor's highlighting is a set of patterns, not a parser: the patterns here follow the grammar's terminals, and a
test compares what they say of every word with what the real lexer says. The patterns are written for Python's `re` and
TextMate's Oniguruma alike; `segue.lsp.vim` has Vim's spelling.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from segue.language.keywords import (
    CONSTANTS,
    HEADER_LINES,
    KEYWORDS,
    LOGICAL,
    OPENERS,
    PHRASES,
    POLICY_WORDS,
    STEPS,
    TOP_LEVEL,
    TYPES,
    WEEKDAYS,
)
from segue.lsp.vim import vim_files

_MARKS: Final = "\u0300-\u036f\u0591-\u05bd\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e"
"""Marks that letters of many scripts carry, as in the grammar; Python does not count them among letters."""
NAME: Final = rf"[^\W\d][\w{_MARKS}]*"
COMMENT: Final = r"#.*$"
STRING: Final = r'"[^"\n]*"'
OPERATOR: Final = r"!=|<=|>=|[=<>+\-*/]"
CLOCK: Final = r"\d{1,2}:\d{2}(?![\w:])"
NUMBER: Final = "|".join(
    (
        r"\d{4}-\d{2}-\d{2}(?!\w)",
        CLOCK,
        r"\d+(?:\.\d+)?%",
        r"\d+(?:\.\d+)?[ \t]*[A-Z]{3}(?!\w)",
        r"(?:\d+(?:mo|min|w|d|h|s))+(?!\w)",
        r"\d+\.\d+(?!\w)",
        r"\d+(?!\w)",
    )
)
ZONE: Final = r"[A-Z][A-Za-z]+(?:/[A-Za-z][A-Za-z0-9_+-]*)+|UTC(?!\w)"
SPACES: Final = r"\s+"
_PLACEHOLDERS: Final = {"NUMBER": r"\d+", "CLOCK": CLOCK, "ZONE": ZONE}

CLASSES: Final[dict[str, tuple[str, ...]]] = {
    "declaration": tuple(sorted(TOP_LEVEL)),
    "step": tuple(sorted(STEPS | OPENERS | {"else", "end", "unless"})),
    "constant": tuple(sorted({*CONSTANTS, *WEEKDAYS})),
    "logical": tuple(sorted(LOGICAL)),
    "header": tuple(sorted(HEADER_LINES)),
    "word": tuple(
        sorted(
            KEYWORDS
            - TOP_LEVEL
            - STEPS
            - OPENERS
            - HEADER_LINES
            - {"else", "end", "unless", *CONSTANTS, *WEEKDAYS, *LOGICAL}
        )
    ),
}
"""The words that are never names, by how they look."""


def words(found: tuple[str, ...]) -> str:
    """A pattern for any of these, each as a whole word."""
    return rf"(?<![\w.])(?:{'|'.join(found)})(?!\w)"


def phrase(parts: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """A pattern with a group for each part of a phrase, and what each part is: `word`, `number` or `constant`."""
    groups = [rf"({_PLACEHOLDERS.get(part, part)})" for part in parts]
    kinds = tuple({"NUMBER": "number", "CLOCK": "number", "ZONE": "constant"}.get(part, "word") for part in parts)
    return rf"(?<![\w.]){SPACES.join(groups)}(?!\w)", kinds


FIELD: Final = rf"({NAME})\s+({'|'.join(TYPES)})(?!\w)"
"""A field and its type, where something is declared."""


# TextMate: Visual Studio Code, Sublime Text, JetBrains, GitHub

_SCOPES: Final = {
    "declaration": "keyword.control.declaration.segue",
    "step": "keyword.control.step.segue",
    "constant": "constant.language.segue",
    "logical": "keyword.operator.word.segue",
    "header": "keyword.control.header.segue",
    "word": "keyword.other.segue",
    "number": "constant.numeric.segue",
}


def textmate() -> dict[str, Any]:
    """The grammar, as its file holds it."""
    phrases = []
    for parts in PHRASES:
        pattern, kinds = phrase(parts)
        captures = {str(place): {"name": _SCOPES[kind]} for place, kind in enumerate(kinds, 1)}
        phrases.append({"match": pattern, "captures": captures})
    next_item = rf"(?={words(CLASSES['declaration'])})"
    fields = [
        {"include": "#plain"},
        {
            "match": FIELD,
            "captures": {"1": {"name": "variable.other.member.segue"}, "2": {"name": "storage.type.segue"}},
        },
        {"include": "#words"},
    ]
    declaration = {"1": {"name": _SCOPES["declaration"]}}
    return {
        "name": "Segue rules",
        "scopeName": "source.segue",
        "fileTypes": ["rules"],
        "patterns": [
            {"include": "#plain"},
            {
                "begin": r"(?<![\w.])(policy)(?!\w)",
                "beginCaptures": declaration,
                "end": next_item,
                "patterns": [
                    {"include": "#plain"},
                    {"match": words(POLICY_WORDS), "name": _SCOPES["word"]},
                    {"include": "#words"},
                ],
            },
            {
                "begin": rf"(?<![\w.])(event)(?=\s+{NAME})",
                "beginCaptures": declaration,
                "end": next_item,
                "patterns": fields,
            },
            {
                "begin": rf"(?<![\w.])(customer)(?=\s*(?:#.*)?$|\s+{NAME}\s+(?:{'|'.join(TYPES)})(?!\w))",
                "beginCaptures": declaration,
                "end": next_item,
                "patterns": fields,
            },
            {"include": "#words"},
        ],
        "repository": {
            "plain": {
                "patterns": [
                    {"match": COMMENT, "name": "comment.line.number-sign.segue"},
                    {"match": STRING, "name": "string.quoted.double.segue"},
                ]
            },
            "words": {
                "patterns": [
                    *phrases,
                    {"match": rf"(?<!\w)(?:{NUMBER})", "name": _SCOPES["number"]},
                    *({"match": words(found), "name": _SCOPES[name]} for name, found in CLASSES.items()),
                    {"match": OPERATOR, "name": "keyword.operator.segue"},
                    {"match": NAME},
                ]
            },
        },
    }


def _configuration() -> dict[str, Any]:
    return {
        "comments": {"lineComment": "#"},
        "brackets": [["(", ")"], ["[", "]"]],
        "autoClosingPairs": [["(", ")"], ["[", "]"], {"open": '"', "close": '"', "notIn": ["string", "comment"]}],
        "surroundingPairs": [["(", ")"], ["[", "]"], ['"', '"']],
        "wordPattern": r"[\p{L}_][\p{L}\p{M}\p{N}_]*",
        "indentationRules": {
            "increaseIndentPattern": r"^\s*(rule|segment|policy|test|event|customer|if|else|split|repeat)\b[^#]*$",
            "decreaseIndentPattern": r"^\s*(end|else)\b",
        },
    }


def _package() -> dict[str, Any]:
    return {
        "name": "segue-rules",
        "displayName": "Segue rules",
        "description": "Customer journeys as text: mistakes as you type, completion, explanations and highlighting.",
        "publisher": "segue",
        "license": "Apache-2.0",
        "version": "0.1.0",
        "engines": {"vscode": "^1.82.0"},
        "categories": ["Programming Languages", "Linters", "Formatters"],
        "main": "./extension.js",
        "activationEvents": ["onLanguage:segue", "workspaceContains:**/segue.toml"],
        "dependencies": {"vscode-languageclient": "^9.0.1"},
        "contributes": {
            "languages": [
                {
                    "id": "segue",
                    "aliases": ["Segue rules"],
                    "extensions": [".rules"],
                    "configuration": "./language-configuration.json",
                }
            ],
            "grammars": [
                {"language": "segue", "scopeName": "source.segue", "path": "./syntaxes/segue.tmLanguage.json"}
            ],
            "configuration": {
                "title": "Segue",
                "properties": {
                    "segue.command": {
                        "type": "string",
                        "default": "segue",
                        "description": "The segue command, with its path where it is not on the PATH.",
                    }
                },
            },
        },
    }


# All of them


def editor_files() -> dict[str, str]:
    """Every file for editors, by its path below their folder."""
    return {
        "vscode/package.json": _json(_package()),
        "vscode/language-configuration.json": _json(_configuration()),
        "vscode/syntaxes/segue.tmLanguage.json": _json(textmate()),
        "vscode/extension.js": files("segue.lsp").joinpath("extension.js").read_text("utf-8"),
        **{f"vim/{path}": text for path, text in vim_files().items()},
    }


def write_editors(folder: Path) -> list[Path]:
    """Write them, over what is there, and say which."""
    written = []
    for name, text in editor_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        written.append(path)
    return written


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"
