"""Whether a person made a hit, by the moments of all hits of its message."""

from __future__ import annotations

import pytest

from segue.api import Instant
from segue.api.values import MINUTE, SECOND
from segue.delivery.hits import Seen, judge
from segue.messages.links import TRAP

T0 = Instant(1_790_000_000_000_000)
LATER = Instant(T0 + 10 * MINUTE)


def at(seconds: float) -> Instant:
    return Instant(LATER + int(seconds * SECOND))


def clicks(*moments: tuple[int, float], agent: str = "computer", known: bool = False) -> list[Seen]:
    return [Seen("clicked", link, at(seconds), agent, known) for link, seconds in moments]


def verdict(seen: list[Seen], links: int, seconds: float = 0.0, what: str = "clicked") -> str:
    return judge(what, links, at(seconds), "computer", seen, T0)


def test_one_click_long_after_the_message_is_a_persons() -> None:
    assert verdict(clicks((1, 0)), 4) == ""


@pytest.mark.parametrize("what", ["clicked", "opened"])
def test_what_comes_within_seconds_of_the_hand_over_is_a_machines(what: str) -> None:
    assert "within 5 seconds" in judge(what, 4, Instant(T0 + 5 * SECOND - 1), "phone", [], T0)
    assert judge(what, 4, Instant(T0 + 5 * SECOND), "phone", [], T0) == ""
    assert judge(what, 4, Instant(T0 + 1), "phone", [], None) == ""


def test_all_links_at_once_are_a_machines_and_so_is_each_of_them() -> None:
    seen = clicks((1, 0), (2, 4), (3, 10))
    assert [verdict(seen, 3, seconds) != "" for seconds in (0, 4, 10)] == [True, True, True]
    assert verdict(clicks((1, 0), (2, 4), (3, 10.1)), 3) == ""


def test_five_of_many_links_at_once_are_enough() -> None:
    assert "5 of the message's 40 links" in verdict(clicks(*((link, link) for link in range(1, 6))), 40, 3)
    assert verdict(clicks(*((link, link) for link in range(1, 5))), 40, 3) == ""


def test_of_two_links_a_person_may_open_both_one_after_the_other() -> None:
    assert verdict(clicks((1, 0), (2, 3)), 2) == ""
    assert "all of" in verdict(clicks((1, 0), (2, 2)), 2)


def test_the_same_link_many_times_is_one_link() -> None:
    assert verdict(clicks(*((1, tenth / 10) for tenth in range(50))), 3) == ""


def test_a_person_later_is_one_though_a_scanner_opened_everything_before() -> None:
    assert verdict(clicks((1, -60), (2, -60), (3, -59), (2, 0)), 3) == ""


def test_what_the_request_told_to_be_a_machine_is_nothing_against_others() -> None:
    assert verdict([*clicks((1, 0), (2, 0), (3, 0), known=True), *clicks((2, 1))], 3, 1) == ""


def test_the_hidden_link_gives_away_what_else_its_agent_opens() -> None:
    trap = clicks((TRAP, 30))
    assert "nobody can see" in verdict(trap, 3)
    assert "nobody can see" in verdict(trap, 3, what="opened")
    assert verdict(clicks((TRAP, 61)), 3) == ""
    assert verdict(clicks((TRAP, 1), agent="phone"), 3) == ""
