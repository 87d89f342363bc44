"""The book as an editor has it: open texts over files."""

from __future__ import annotations

from pathlib import Path

from segue.lsp.draft import Draft
from tests.lsp.desk import CARTS, draft_of, plugins


def codes(draft: Draft) -> list[str]:
    return [one.code for one in draft.snapshot().check() if one.is_error and one.code != "E0601"]


def test_an_open_text_counts_instead_of_its_file(tmp_path: Path) -> None:
    draft = draft_of(tmp_path)
    path = str(draft.root / "rules/carts.rules")
    assert codes(draft) == []
    draft.write(path, CARTS.replace("cart_abandoned", "cart_abandonned"))
    assert codes(draft) == ["E0301"]
    draft.close(path)
    assert codes(draft) == []


def test_a_declaration_in_one_file_counts_in_all(tmp_path: Path) -> None:
    draft = draft_of(tmp_path)
    draft.write(str(draft.root / "rules/words.rules"), "")
    assert codes(draft) == ["E0301"]


def test_only_the_file_that_changed_is_read_again(tmp_path: Path) -> None:
    draft = draft_of(tmp_path)
    carts, words = str(draft.root / "rules/carts.rules"), str(draft.root / "rules/words.rules")
    before = draft.tree(carts), draft.index(words), draft.tree(words)
    draft.write(carts, CARTS + "\n")
    draft.snapshot().check()
    assert draft.tree(carts) is not before[0]
    assert draft.tree(words) is before[2]
    assert draft.index(words) is before[1]


def test_a_new_event_changes_what_names_mean_elsewhere(tmp_path: Path) -> None:
    draft = draft_of(tmp_path)
    carts, words = str(draft.root / "rules/carts.rules"), str(draft.root / "rules/words.rules")
    assert any(one.meaning.name == "returned" for one in draft.index(carts))
    draft.write(words, "")
    assert not any(one.meaning.name == "returned" for one in draft.index(carts))


def test_settings_that_cannot_be_used_are_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    draft = draft_of(tmp_path)
    (draft.root / "segue.toml").write_text('zone = "Nowhere"\n')
    draft.reload()
    (wrong,) = [one for one in draft.snapshot().check() if one.is_error and one.code != "E0601"]
    assert wrong.primary is not None
    assert wrong.primary.file.endswith("segue.toml")
    assert "not a time zone" in wrong.message


def test_a_folder_without_settings_is_a_book_too(tmp_path: Path) -> None:
    (tmp_path / "a.rules").write_text("when ordered send email\n")
    draft = Draft(tmp_path.resolve(), None, plugins())
    assert codes(draft) == ["E0503"] or codes(draft) == []
    assert draft.paths == [str(tmp_path.resolve() / "a.rules")]


def test_files_beside_a_lone_file_are_read_and_those_below_are_not(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("a.rules", "b.rules", "deep/c.rules"):
        (tmp_path / name).write_text("")
    root = tmp_path.resolve()
    draft = Draft(root, root, plugins())
    assert [Path(path).name for path in draft.paths] == ["a.rules", "b.rules"]
    assert not draft.holds(str(root / "deep/c.rules"))


def test_a_file_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    draft = draft_of(tmp_path)
    path = draft.root / "rules/words.rules"
    draft.index(str(path))
    path.unlink()
    draft.reload_files()
    assert str(path) not in draft.paths
    assert codes(draft) == ["E0301"]


def test_the_content_of_messages_is_checked_with_the_rules(tmp_path: Path) -> None:
    draft = draft_of(tmp_path)
    home = draft.root / "rules" / "messages" / "nobody_sends_this"
    home.mkdir(parents=True)
    (home / "email.txt").write_text("---\nsubject: Hi\n---\nHi {{ customer.frist_nam }}", "utf-8")
    draft.reload_files()
    found = [one for one in draft.snapshot().check() if one.primary and one.primary.file == str(home / "email.txt")]
    assert [one.code for one in found] == ["W1004", "W1001"]
    assert found[1].primary is not None
    assert (found[1].primary.line, found[1].primary.column) == (4, 7)
