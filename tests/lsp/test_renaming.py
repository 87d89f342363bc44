"""Renaming: everywhere, and the book means the same afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.language.rereading import apply
from segue.lsp.draft import Draft
from segue.lsp.renaming import RenameRefused, rename
from tests.lsp.desk import CARTS, WORDS, draft_of


def renamed(draft: Draft, name: str, word: str, new: str) -> dict[str, str]:
    """The texts after the first ``word`` of a file is renamed, by file name; only those that change."""
    path = str(draft.root / "rules" / name)
    result = rename(draft, path, draft.text(path).index(word) + 1, new)
    return {Path(file).name: apply(draft.text(file), edits) for file, edits in result.edits.items()}


def test_an_event_is_renamed_in_every_file_and_still_hears_its_source(tmp_path: Path) -> None:
    after = renamed(draft_of(tmp_path), "words.rules", "returned", "sent_back")
    assert after["words.rules"] == WORDS.replace("returned", "sent_back")
    assert 'is "Return Requested"' in after["words.rules"]
    assert "unless ordered or sent_back" in after["carts.rules"]


def test_an_event_that_sources_send_by_its_own_name_keeps_that_name(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, {"a.rules": "event boiler_serviced\n  place text\nwhen boiler_serviced send email\n"})
    after = renamed(draft, "a.rules", "boiler_serviced", "serviced")
    assert after["a.rules"] == (
        'event serviced is "boiler_serviced"\n  place text\nrule boiler_serviced\n  when serviced send email\n'
    )


def test_a_trait_is_renamed_where_it_is_used_and_declared(tmp_path: Path) -> None:
    draft = draft_of(
        tmp_path, {"words.rules": WORDS, "a.rules": 'when ordered where customer.tier = "tier" send email\n'}
    )
    after = renamed(draft, "a.rules", "tier", "tariff")
    assert after["a.rules"] == 'when ordered where customer.tariff = "tier" send email\n'
    assert "  tariff text\n" in after["words.rules"]


def test_a_segment_is_renamed(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, {"words.rules": WORDS, "a.rules": "when ordered where in lapsed send email\n"})
    after = renamed(draft, "words.rules", "lapsed", "quiet_ones")
    assert after["a.rules"] == "when ordered where in quiet_ones send email\n"


def test_a_rule_s_nameless_message_keeps_its_content(tmp_path: Path) -> None:
    text = 'rule welcome\n  when signed_up\n  send email or sms\n  wait 1d\n  send sms "other"\n'
    after = renamed(draft_of(tmp_path, {"a.rules": text}), "a.rules", "welcome", "hello")
    assert after["a.rules"].startswith('rule hello\n  when signed_up\n  send email "welcome" or sms\n')
    assert after["a.rules"].endswith('send sms "other"\n')


def test_a_message_takes_its_folder_with_it(tmp_path: Path) -> None:
    draft = draft_of(tmp_path)
    path = str(draft.root / "rules/carts.rules")
    result = rename(draft, path, CARTS.index("cart_reminder"), "come_back")
    assert result.folders == (
        (str(draft.root / "rules/messages/cart_reminder"), str(draft.root / "rules/messages/come_back")),
    )
    assert 'send email "come_back"' in apply(CARTS, result.edits[path])


@pytest.mark.parametrize(
    ("word", "new", "reason"),
    [
        ("returned", "send", "word of the language"),
        ("returned", "weekday", "word of the language"),
        ("returned", "no good", "no name"),
        ("returned", "", "no name"),
        ("returned", "opened", "reaction"),
        ("lapsed", "cart_recovery", "there is a"),
    ],
)
def test_a_name_that_would_not_do_is_refused(tmp_path: Path, word: str, new: str, reason: str) -> None:
    with pytest.raises(RenameRefused, match=reason):
        renamed(draft_of(tmp_path), "words.rules", word, new)


def test_what_a_plugin_brings_is_not_renamed(tmp_path: Path) -> None:
    with pytest.raises(RenameRefused, match="comes from the plugin"):
        renamed(draft_of(tmp_path), "carts.rules", "ordered", "bought")


def test_a_channel_says_where_its_name_stands(tmp_path: Path) -> None:
    with pytest.raises(RenameRefused, match=r"segue\.toml"):
        renamed(draft_of(tmp_path), "carts.rules", "email", "mail")


def test_a_word_of_the_language_is_no_name(tmp_path: Path) -> None:
    with pytest.raises(RenameRefused, match="no name here"):
        renamed(draft_of(tmp_path), "carts.rules", "goal", "aim")


def test_a_field_that_two_triggers_share_is_refused(tmp_path: Path) -> None:
    text = "event a\n  size number\nevent b\n  size number\nwhen a or b where size > 3 send email\n"
    with pytest.raises(RenameRefused, match="stands for a field of `b` too"):
        renamed(draft_of(tmp_path, {"a.rules": text}), "a.rules", "size", "length")


def test_the_same_name_again_changes_nothing(tmp_path: Path) -> None:
    assert renamed(draft_of(tmp_path), "words.rules", "returned", "returned") == {}
