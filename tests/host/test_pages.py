"""Settings of the pages that customers see, and of the keys of their links."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.host import ConfigurationError, ProjectError, load_project
from segue.host.pages import link_keys


def load(folder: Path, text: str) -> Path:
    (folder / "segue.toml").write_text(text, encoding="utf-8")
    return folder


def test_pages_have_a_name_and_words_of_the_project_where_there_is_such_a_folder(tmp_path: Path) -> None:
    assert load_project(tmp_path).pages.words is None
    (tmp_path / "pages").mkdir()
    pages = load_project(load(tmp_path, '[pages]\nname = "Blumen Weber"\n')).pages
    assert (pages.name, pages.words) == ("Blumen Weber", tmp_path / "pages")


def test_keys_of_links_are_references_and_the_first_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old").write_text("an old key of the shop\n", encoding="utf-8")
    monkeypatch.setenv("LINK_KEY", "a new key of the shop")
    project = load_project(load(tmp_path, '[links]\nkeys = [{ env = "LINK_KEY" }, { file = "old" }]\n'))
    assert link_keys(project.links) == ("a new key of the shop", "an old key of the shop")
    monkeypatch.setenv("LINK_KEY", "short")
    with pytest.raises(ConfigurationError, match=r"links\.keys\[0\] is shorter than 16 characters"):
        link_keys(project.links)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[links]\nkeys = ["a key in plain sight"]', "links.keys should be a list of references"),
        ('[links]\nkeys = "x"', "links.keys should be a list of references"),
        ("[links]\nkey = []", "links.key is not a setting; did you mean keys?"),
        ('[pages]\nwords = "nowhere"', "pages.words names 'nowhere', and there is no such folder"),
        ("[pages]\nname = 7", "pages.name should be text in quotes"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ProjectError) as caught:
        load_project(load(tmp_path, text))
    assert said in str(caught.value)
    assert "plain sight" not in str(caught.value)
