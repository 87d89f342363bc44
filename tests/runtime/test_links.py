"""Links of messages: the same whenever a message is rendered, and good for nothing else."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Instant
from segue.messages.template import template_of
from segue.messages.tokens import BadToken, Signer
from segue.runtime.links import PATHS, Links, Purpose, load_keys
from segue.store.database import Store

KEY = "00112233445566778899aabbccddeeff"
SIGNER = Signer(["a key of sixteen and more"])
LINKS = Links(SIGNER, "https://shop.example/segue/")
PURPOSES: tuple[Purpose, ...] = ("preferences", "unsubscribe", "confirm")


def token_of(link: str) -> str:
    return link.rpartition("/")[2]


@given(st.binary(min_size=16, max_size=16), st.sampled_from(PURPOSES))
def test_a_link_leads_back_to_its_message_and_is_always_the_same(raw: bytes, purpose: Purpose) -> None:
    link = LINKS.link(purpose, raw.hex())
    assert link == LINKS.link(purpose, raw.hex())
    assert link.startswith(f"https://shop.example/segue{PATHS[purpose]}")
    assert LINKS.read(purpose, token_of(link)) == raw.hex()
    assert len(link) < 160
    assert "@" not in link


@pytest.mark.parametrize("made_for", PURPOSES)
@pytest.mark.parametrize("used_for", PURPOSES)
def test_a_link_made_for_one_thing_opens_no_other(made_for: Purpose, used_for: Purpose) -> None:
    token = token_of(LINKS.link(made_for, KEY))
    if made_for == used_for:
        assert LINKS.read(used_for, token) == KEY
    else:
        with pytest.raises(BadToken):
            LINKS.read(used_for, token)


@given(st.data())
def test_a_link_with_one_character_changed_is_refused(data: st.DataObject) -> None:
    token = token_of(LINKS.link("unsubscribe", KEY))
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("abcXYZ019-_.").filter(lambda one: one != token[place]))
    changed = token[:place] + letter + token[place + 1 :]
    try:
        assert LINKS.read("unsubscribe", changed) == KEY, "the last bits of base64 may say nothing"
    except BadToken:
        return


@pytest.mark.parametrize("content", [None, 7, "", "AAAA", "ü" * 22, ["x"], {"a": 1}, "=" * 24])
def test_what_is_signed_but_names_no_message_is_refused(content: object) -> None:
    token = SIGNER.sign("preferences", content, Instant(0))
    with pytest.raises(BadToken):
        LINKS.read("preferences", token)


def test_a_template_gets_the_links_it_asks_for_and_no_others() -> None:
    template = template_of("a", "email", None, {"text": "{{ unsubscribe_url }}", "subject": "Hi"})
    assert LINKS.values(template, KEY) == {"unsubscribe_url": LINKS.link("unsubscribe", KEY)}


def test_a_store_makes_its_key_once_and_keeps_it(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        with contextlib.closing(Store(tmp_path / "segue.db")) as store:
            found.append(Links(store.apply(lambda tx: load_keys(tx, ())), "https://a.example").link("confirm", KEY))
    assert found[0] == found[1]
    with contextlib.closing(Store(None)) as other:
        assert Links(other.apply(lambda tx: load_keys(tx, ())), "https://a.example").link("confirm", KEY) != found[0]


def test_configured_keys_go_before_the_store_s_own_and_old_ones_are_still_read() -> None:
    with contextlib.closing(Store(None)) as store:
        old = Links(store.apply(lambda tx: load_keys(tx, ["the old key of ours"])), "https://a.example")
        both = Links(store.apply(lambda tx: load_keys(tx, ["the new key of ours", "the old key of ours"])), "")
        assert both.read("confirm", token_of(old.link("confirm", KEY))) == KEY
        with pytest.raises(BadToken):
            old.read("confirm", token_of(both.link("confirm", KEY)))
        assert store.apply(lambda tx: tx.rows("select 1 from meta where name = 'link_key'")) == []
