"""Reading again after a change is the same as reading."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.language.parser import parse
from segue.language.rereading import Edit, apply, read_again, read_edited
from tests.lsp.lexed import CONSTRUCTS, corpus

TEXTS = [*(text for _, text in corpus()), CONSTRUCTS + CONSTRUCTS]
WORDS = (
    *(
        "rule ",
        "when ",
        "customer",
        "on ",
        "every ",
        "test ",
        '"',
        "#",
        "\n",
        "  ",
        "end",
        "if ",
        "event x\n",
        "given ",
    ),
    *("edition 2026\n", "“", "\u202e", "(", ")", "1d", "5m", "ordered", "paid ", "customer.", "Ж", "rule\n", "\r\n"),
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_it_reads_what_the_parser_reads(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(TEXTS))
    read = parse("a.rules", text)
    for _ in range(3):
        start = data.draw(st.integers(0, len(text)))
        length = data.draw(st.sampled_from((0, 0, 1, 2, 7, 60, 400)))
        new = "".join(data.draw(st.lists(st.sampled_from(WORDS), max_size=3)))
        text = text[:start] + new + text[start + length :]
        read = read_again(read, "a.rules", text, small=0)
        assert read == parse("a.rules", text)


@pytest.mark.parametrize("place", ["edition", "  amount money", "rule a", "repeat 3", "expect 2"])
def test_every_place_can_change(place: str) -> None:
    text = CONSTRUCTS.replace(place, f"\n# {place}\n", 1)
    assert read_again(parse("a.rules", CONSTRUCTS), "a.rules", text, small=0) == parse("a.rules", text)


def test_what_was_not_touched_is_taken_over() -> None:
    before = parse("a.rules", CONSTRUCTS)
    after, _ = read_again(before, "a.rules", CONSTRUCTS.replace("expect 2", "expect 3"), small=0)
    assert after.items[0] is before[0].items[0]


@pytest.mark.parametrize("new", ["bought_it", "b", "last", "times", "send", "ä", "a b"])
@pytest.mark.parametrize("old", ["ordered", "cart_abandoned", "country", "lapsed", "email", "total"])
def test_an_edited_text_is_read_as_the_parser_reads_it(old: str, new: str) -> None:
    name = re.compile(rf"(?<![\w\"]){old}(?![\w\"])")
    for path, text in corpus():
        edits = [Edit(*found.span(), new) for found in name.finditer(text)]
        assert read_edited(parse(path, text), edits) == parse(path, apply(text, edits)), path


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_edits_anywhere_are_read_as_the_parser_reads_them(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(TEXTS))
    places = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=4)))
    edits = [Edit(place, place, data.draw(st.sampled_from(WORDS))) for place in places]
    assert read_edited(parse("a.rules", text), edits) == parse("a.rules", apply(text, edits))
