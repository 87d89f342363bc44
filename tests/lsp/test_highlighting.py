"""Highlighting: as committed, as generated, and as the real lexer has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Comment, Keyword, Name, Number, Operator, String
from typer.testing import CliRunner

from segue.cli.main import app
from segue.language.keywords import KEYWORDS
from segue.lsp.highlighting import CLASSES, editor_files
from tests.lsp.lexed import CONSTRUCTS, Class, corpus, lexed
from tests.shape.repository import ROOT

COMMITTED = ROOT / "docs/editors"
TEXTS = dict(corpus())


def class_of(token: object) -> Class | None:
    looks: tuple[tuple[Any, Class], ...] = (
        (Comment, "comment"),
        (String, "string"),
        (Number, "number"),
        (Operator.Word, "word"),
        (Operator, "operator"),
        # A type is a name that the grammar gives no word of its own.
        (Keyword.Type, "name"),
        (Keyword, "word"),
        (Name, "name"),
    )
    return next((name for kind, name in looks if token in kind), None)


def pygments_classes(text: str) -> list[Class | None]:
    """The class of every character."""
    lexer = get_lexer_by_name("segue", stripnl=False, ensurenl=False)
    found: list[Class | None] = []
    for token, part in lexer.get_tokens(text):
        found += [class_of(token)] * len(part)
    return found


@pytest.mark.parametrize("name", TEXTS)
def test_pygments_sees_every_word_as_the_lexer_does(name: str) -> None:
    text = TEXTS[name]
    classes = pygments_classes(text)
    assert len(classes) == len(text)
    wrong = [
        (word.text, word.kind, classes[word.start : word.end])
        for word in lexed(text)
        if {one for one, char in zip(classes[word.start : word.end], word.text, strict=True) if not char.isspace()}
        != {word.kind}
    ]
    assert wrong == []


def test_the_constructs_have_every_word_of_the_language() -> None:
    said = {part for word in lexed(CONSTRUCTS) if word.kind == "word" for part in word.text.split()}
    weekdays = {"tuesday", "wednesday"}
    assert KEYWORDS - said - weekdays == {"after", "leaves", "false"}


def test_pygments_finds_the_lexer_by_a_file_s_name() -> None:
    assert get_lexer_for_filename("cart_recovery.rules").name == "Segue rules"


def test_every_keyword_has_one_class() -> None:
    found = [word for words in CLASSES.values() for word in words]
    assert len(found) == len(set(found))
    assert set(found) >= KEYWORDS


def test_the_committed_files_are_the_generated_ones() -> None:
    generated = editor_files()
    found = {path.relative_to(COMMITTED).as_posix() for path in COMMITTED.rglob("*") if path.is_file()}
    assert found == set(generated)
    stale = [name for name, text in generated.items() if (COMMITTED / name).read_text("utf-8") != text]
    assert stale == [], "run: segue lsp --write-highlighting docs/editors"


def test_the_command_writes_them(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["lsp", "--write-highlighting", str(tmp_path / "editors")])
    assert result.exit_code == 0, result.output
    package = json.loads((tmp_path / "editors/vscode/package.json").read_text())
    for language in package["contributes"]["languages"]:
        assert (tmp_path / "editors/vscode" / language["configuration"]).exists()
    for grammar in package["contributes"]["grammars"]:
        assert (tmp_path / "editors/vscode" / grammar["path"]).exists()
    assert (tmp_path / "editors/vscode" / package["main"]).exists()
