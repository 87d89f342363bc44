"""How many messages go in one call, by how long the calls before took."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from segue.delivery.batches import GOES_OUT, Batches, after_call


def calls(seconds: Callable[[int], float], count: int, *, batch: int = 100, stands: bool = False) -> list[int]:
    """The sizes of so many full calls, where a call of a size takes so long."""
    batches, sizes = Batches.of(batch, stands=stands), []
    for _ in range(count):
        sizes.append(batches.most)
        batches = after_call(batches, batches.most, seconds(batches.most), stands=stands)
    return sizes


def test_a_quick_channel_soon_gets_whole_batches() -> None:
    assert calls(lambda size: 0.002 * size, 6) == [10, 20, 40, 80, 100, 100]


@pytest.mark.parametrize("each", [0.05, 0.3, 1.0, 1.9])
def test_a_channel_that_sends_one_after_the_other_gets_what_goes_out_in_time(each: float) -> None:
    sizes = calls(lambda size: each * size, 40)
    assert all(size * each <= GOES_OUT for size in sizes[5:])
    assert sizes[-1] == max(size for size in sizes[5:])
    assert sizes[-1] * each > GOES_OUT / 4 or sizes[-1] == 100


def test_a_channel_that_takes_longer_than_that_for_one_gets_one_at_a_time() -> None:
    assert set(calls(lambda size: 3.0 * size, 20)[5:]) == {1}


def test_a_provider_that_is_slow_for_one_as_for_a_hundred_is_not_asked_for_one_at_a_time() -> None:
    sizes = calls(lambda size: 3.0, 40)
    assert sum(sizes) / len(sizes) > 70


def test_one_that_becomes_quick_again_gets_whole_batches_again() -> None:
    batches = Batches(100, 1, 0.0)
    for _ in range(10):
        batches = after_call(batches, batches.most, 0.01, stands=False)
    assert batches.most == 100


def test_a_call_with_few_messages_says_nothing_of_more() -> None:
    for seconds in (0.01, 30.0):
        assert after_call(Batches(100, 40), 3, seconds, stands=False).most == 40


def test_what_stands_goes_in_whole_batches() -> None:
    assert set(calls(lambda size: 30.0, 5, batch=10_000, stands=True)) == {10_000}
