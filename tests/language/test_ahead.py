"""What could stand next in a text that is being written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.language.ahead import Ahead, look_ahead
from segue.language.explained import explain_word, explained_words
from segue.language.keywords import KEYWORDS, PHRASES, POLICY_WORDS
from segue.language.parser import parse


def ahead(text: str) -> Ahead:
    return look_ahead(text, len(text))


def test_the_parser_says_which_words_may_come() -> None:
    assert ahead("when ordered wait ").words == {"until", "for"}
    assert "PREFERRED" in ahead("when ordered send ").accepts


def test_words_that_belong_together_come_together() -> None:
    found = ahead("when ordered if ").words
    assert {"can get", "time between"} <= found
    assert "else if" in ahead("when ordered if total send email ").words


def test_the_word_being_typed_is_not_yet_there() -> None:
    found = ahead("when ordered sen")
    assert found.start == len("when ordered ")
    assert "send" in found.words


def test_a_number_being_typed_neither() -> None:
    assert ahead("when ordered wait 1").start == len("when ordered wait ")
    assert ahead("when ordered wait 1d\n").start == len("when ordered wait 1d\n")


def test_a_whole_sentence_may_be_followed_by_something_new() -> None:
    assert ahead("when ordered send email ").complete
    assert not ahead("when ordered ").complete
    assert ahead("").complete


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ('when ordered send email "', "text"),
        ('when ordered send email "a b', "text"),
        ('when ordered send email "a" ', ""),
        ("when ordered # it's \"", "comment"),
        ('when ordered send email "a # b', "text"),
        ("# a\n", ""),
    ],
)
def test_texts_and_comments_are_known(text: str, inside: str) -> None:
    assert ahead(text).inside == inside


def test_only_what_belongs_to_the_place_is_looked_at() -> None:
    assert [word.text for word in ahead("rule a when ordered send email rule b when ").before] == ["rule", "b", "when"]


def test_after_a_mistake_the_last_step_is_read_by_itself() -> None:
    found = ahead("when ordered wait 5m send email wait ")
    assert found.words == {"until", "for"}


@given(st.text(st.sampled_from('abe "#\n(){}1d.,wait send if when customer end')), st.integers(0, 60))
def test_no_text_is_too_odd(text: str, offset: int) -> None:
    assert look_ahead(text, min(offset, len(text))).start <= len(text)


def test_every_word_of_the_language_is_explained() -> None:
    together = {" ".join(parts[:2]) for parts in PHRASES if parts[0].isalpha() and parts[0].islower()}
    alone = {phrase for phrase in together if "|" not in phrase}
    assert KEYWORDS | set(POLICY_WORDS) | alone <= explained_words()


@pytest.mark.parametrize("word", sorted(explained_words()))
def test_every_example_can_be_read_and_has_its_word(word: str) -> None:
    explained = explain_word(word)
    assert explained is not None
    assert parse("example", explained.example)[1] == ()
    assert word in explained.example
