"""The words of the pages: in two languages, and as a project says them."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

import pytest

from segue.web.wording import load_words


def names(table: dict[str, object], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, value in table.items():
        found |= names(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name}
    return found


def test_every_language_that_is_shipped_says_everything() -> None:
    folder = resources.files("segue.web") / "words"
    said = {
        file.name: names(tomllib.loads(file.read_text("utf-8")))
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    }
    assert set(said) == {"en.toml", "de.toml"}
    assert said["en.toml"] == said["de.toml"]


@pytest.mark.parametrize(
    ("locale", "language"),
    [("de", "de"), ("de-AT", "de"), ("DE", "de"), ("de_CH", "de"), ("fi", "en"), ("", "en"), ("../../etc", "en")],
)
def test_a_locale_gets_its_language_or_english(locale: str, language: str) -> None:
    assert load_words().find(locale).language == language


def test_a_project_says_some_of_it_otherwise_and_in_another_language(tmp_path: Path) -> None:
    (tmp_path / "de.toml").write_text('[texts]\ntitle = "Deine Nachrichten"\n', "utf-8")
    (tmp_path / "fi.toml").write_text('[kinds.promotional]\nname = "Tarjoukset"\n[channels]\nfax = "Faksi"\n', "utf-8")
    words = load_words(tmp_path)
    assert words.problems == ()
    assert words.find("de").say("title") == "Deine Nachrichten"
    assert words.find("de").say("save") == "Speichern"
    assert words.find("fi-FI").kind("promotional") == "Tarjoukset"
    assert words.find("fi").channel("fax") == "Faksi"
    assert words.find("fi").say("save") == "Save"
    assert words.find("de").version != load_words().find("de").version, "another text, another version"


@pytest.mark.parametrize("content", ["[texts", "title = 7", "\x00", "a = 'b'\n" * 2 + "x" * 200_000])
def test_a_file_that_is_wrong_is_left_out_and_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "de.toml").write_text(content, "utf-8")
    words = load_words(tmp_path)
    assert len(words.problems) == 1
    assert words.find("de").say("save") == "Speichern"


def test_a_channel_without_a_word_is_called_by_its_name() -> None:
    words = load_words().find("en")
    assert words.channel("in_store_screen") == "In store screen"
    assert words.by("in_store_screen") == "(In store screen)"
