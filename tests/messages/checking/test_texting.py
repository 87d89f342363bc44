"""Parts of an SMS: what is told, with what it costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.messages.checking.content import check


def told(folder: Path, text: str) -> list[tuple[str, str, str]]:
    return [(one.code, one.message, one.hint) for one in check(folder, {"messages/sale/sms.txt": text})]


def test_a_few_characters_too_many_are_told_with_what_a_shorter_text_saves(tmp_path: Path) -> None:
    ((code, message, hint),) = told(tmp_path, "x" * 165)
    assert code == "W1017"
    assert "2 parts (GSM-7), which cost 0.14 EUR" in message
    assert hint == "5 characters shorter it goes in one"


@pytest.mark.parametrize("text", ["x" * 160, "€" * 80, "ж" * 70, "ж" * 91, "ж" * 134])
def test_a_text_that_fills_its_parts_is_left_alone(tmp_path: Path, text: str) -> None:
    assert told(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("x" * 161, 2),
        ("x" * 250, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("€" * 81, 2),
        ("^" * 81, 2),
        ("ж" * 71, 2),
        ("ж" * 135, 3),
        ("ж" * 190, 3),
        ("ж" * 66 + "😀" * 2, 1),
        ("ж" * 67 + "😀" * 2, 2),
    ],
)
def test_what_several_parts_cost_is_told(tmp_path: Path, text: str, parts: int) -> None:
    found = [message for code, message, _ in told(tmp_path, text) if code == "W1017"]
    assert [f"about {parts} parts" in message for message in found] == [True] * (parts > 1)


def test_a_character_that_shows_nothing_is_named(tmp_path: Path) -> None:
    ((_, message, _),) = told(tmp_path, "x" * 90 + "\u200d")
    assert message.startswith("U+200D (zero width joiner) is not in the alphabet of SMS")


@pytest.mark.parametrize("character", ["–", "’", "😀", "\u00a0", "…"])
def test_the_character_that_forces_ucs_2_is_shown_with_its_place(tmp_path: Path, character: str) -> None:
    (found,) = check(tmp_path, {"messages/sale/sms.txt": f"{'x' * 90}\nab{character}c"})
    assert found.code == "W1018"
    assert found.primary is not None
    assert (found.primary.line, found.primary.column) == (2, 3)
    assert "2 parts instead of 1" in found.message


@pytest.mark.parametrize("text", ["Сегодня всё на пятую часть дешевле. " * 3, "– short –"])
def test_letters_of_a_language_and_what_costs_nothing_are_left_alone(tmp_path: Path, text: str) -> None:
    assert "W1018" not in [code for code, _, _ in told(tmp_path, text)]


def test_values_count_at_their_likely_length(tmp_path: Path) -> None:
    assert told(tmp_path / "a", "x" * 150) == []
    assert [code for code, _, _ in told(tmp_path / "b", "x" * 155 + "{{ customer.first_name }}")] == ["W1017"]
