"""Who may look at customers: keys are checked when Segue starts, and each opens its own door."""

from __future__ import annotations

import pytest

from segue.host import ConfigurationError
from segue.host.readers import Reader, open_readers

TILL, DESK = "a-key-for-the-till-1", "a-key-for-the-desk-2"


def test_a_key_opens_its_own_reader() -> None:
    readers = open_readers({"till": {"key": TILL}, "desk": {"key": DESK, "role": "support", "per_minute": 5}})
    assert readers.admit(TILL) == Reader("till", "associate", 60)
    assert readers.admit(DESK) == Reader("desk", "support", 5)


@pytest.mark.parametrize("shown", ["", TILL[:-1], TILL + "x", TILL.upper(), "\0", "\ud800"])
def test_another_key_opens_none(shown: str) -> None:
    assert open_readers({"till": {"key": TILL}}).admit(shown) is None


def test_without_readers_nobody_is_admitted() -> None:
    readers = open_readers({})
    assert not readers
    assert readers.admit("") is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"till": {}}, "readers.till.key is missing"),
        ({"till": {"key": "short"}}, "shorter than 16 characters"),
        ({"till": {"key": TILL}, "desk": {"key": TILL}}, "also that of readers.till"),
        ({"till": {"key": TILL, "role": "boss"}}, "there are associate, support"),
        ({"till": {"key": TILL, "rolle": "support"}}, "did you mean role"),
        ({"till": {"key": TILL, "per_minute": 0}}, "readers.till.per_minute"),
    ],
)
def test_wrong_readers_are_told_at_start(settings: dict[str, dict[str, object]], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as error:
        open_readers(settings)
    assert TILL not in str(error.value)
