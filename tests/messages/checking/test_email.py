"""What an email should have."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.messages.checking.content import codes

IMAGE = '<img src="https://shop.example/a.png" alt="{}">'


def told(folder: Path, text: str, form: str = "html", preview: str = "Today") -> list[str]:
    front = f"---\nsubject: Sale\npreview: {preview}\n---\n"
    return codes(folder, {f"messages/sale/email.{form}": f"{front}{text}\n\n{{{{ unsubscribe_url }}}}\n"})


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (f'<a href="https://shop.example">{IMAGE.format("")}</a>', "html"),
        (f'<a href="https://shop.example">\n<span> {IMAGE.format(" ")} </span></a>', "html"),
        ("![](https://shop.example/a.png)", "md"),
        ("![][lamp]\n\n[lamp]: https://shop.example/a.png", "md"),
        ("[![](https://shop.example/a.png)](https://shop.example)", "md"),
    ],
)
def test_an_image_without_words_is_told_where_they_are_needed(text: str, form: str, tmp_path: Path) -> None:
    assert told(tmp_path, text, form) == ["W1012"]


@pytest.mark.parametrize(
    "text",
    [
        IMAGE.format(""),
        f'<a href="https://shop.example">{IMAGE.format("Lamp")}</a>',
        f'<a href="https://shop.example">{IMAGE.format("")} See more</a>',
        f'<a href="https://shop.example">{IMAGE.format("")}{{{{ customer.first_name }}}}</a>',
        f'<a href="https://shop.example" title="See more">{IMAGE.format("")}</a>',
        f'<a href="https://shop.example">See more</a>{IMAGE.format("")}',
        f'{IMAGE.format("")}<a href="https://shop.example">See more</a>',
    ],
)
def test_an_image_that_only_decorates_is_left_alone(text: str, tmp_path: Path) -> None:
    assert told(tmp_path, text) == []


def test_a_preview_without_words_is_none(tmp_path: Path) -> None:
    assert told(tmp_path, "<p>Hello</p>", preview="") == ["W1011"]
