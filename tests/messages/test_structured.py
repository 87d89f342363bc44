from __future__ import annotations

import json
from pathlib import Path

import pytest

from segue.messages import Catalogue, load_messages, render

PUSH = '''
title = "Hi {{ customer.first_name }}"
body = """
Your cart waits.
"""
url = "https://shop.example/cart"
badge = 3

[data]
order = "{{ event.id }}"
items = ["{{ a | upcase }}", "b", 4, true]
'''


def load(folder: Path, text: str) -> Catalogue:
    home = folder / "messages" / "cart"
    home.mkdir(parents=True)
    (home / "push.toml").write_text(text, "utf-8")
    return load_messages([folder])


def test_each_key_is_a_part_and_body_is_the_text(tmp_path: Path) -> None:
    template = load(tmp_path, PUSH).find("cart", "push")
    assert template is not None
    parts = render(template, {"customer": {"first_name": "Ann"}, "event": {"id": 'x"\n\\'}, "a": "é"})
    data = parts.pop("data")
    assert parts == {"title": "Hi Ann", "text": "Your cart waits.", "url": "https://shop.example/cart", "badge": "3"}
    assert json.loads(data) == {"order": 'x"\n\\', "items": ["É", "b", 4, True]}


def test_the_line_of_each_part_is_known(tmp_path: Path) -> None:
    catalogue = load(tmp_path, PUSH)
    origins = catalogue.origins["cart", "push", None]
    assert {part: (origin.line, origin.form) for part, origin in origins.items()} == {
        "title": (2, "toml"),
        "text": (3, "toml"),
        "url": (6, "toml"),
        "badge": (7, "toml"),
        "data": (9, "toml"),
    }


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("title = Hi", 1, "not valid TOML"),
        ("\nbody = 'a'\ntext = 'b'", 3, "same part"),
        ("Title = 'a'", 1, "no name of a part"),
        ("\nday = 2026-11-27", 2, "write it in quotes"),
        ("[data]\nday = 2026-11-27", 1, "write it in quotes"),
        ("title = 'a'\nbody = '{{ a | shout }}'", 2, "shout"),
        ("", 0, "is empty"),
        ("a = " + "[" * 2_000, 0, "nested too deeply"),
    ],
)
def test_what_is_wrong_is_reported_with_its_line(tmp_path: Path, text: str, line: int, word: str) -> None:
    (problem,) = load(tmp_path, text).problems
    assert (problem.line, word in problem.message) == (line, True), problem
