"""What the source declares, and which settings it takes; the repository tests it against real servers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import msgspec
import pytest

from segue.api import Fetched, SourceTools
from segue.api.shop import SHOP
from segue_nats import SPEC, Config, NatsSource, segue_sources, segue_vocabulary

GOOD: dict[str, Any] = {"servers": "nats://localhost", "stream": "SHOP"}


def test_it_is_one_source_that_fetches_with_the_words_of_a_shop() -> None:
    assert segue_sources() == [SPEC]
    assert SPEC.fetches
    assert not SPEC.routes
    assert segue_vocabulary() == [SHOP]


def test_the_least_settings_are_enough() -> None:
    assert msgspec.convert(GOOD, Config) == Config(**msgspec.to_builtins(msgspec.convert(GOOD, Config)))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"batch": 0}, "`batch` is 0"),
        ({"ack_wait": 0}, "`ack_wait` is 0"),
        ({"password": "p"}, "go together"),
        ({"map": {"event": "$..x"}}, "which is no path"),
        ({"tpoic": "x"}, "tpoic"),
    ],
)
def test_a_wrong_setting_is_refused_in_words(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said.replace("$", r"\$")):
        msgspec.convert({**GOOD, **settings}, Config)


class Quiet:
    """A subscription whose time is over between two requests of one fetch: the client raises asyncio's error then."""

    async def fetch(self, batch: int, timeout: float) -> None:
        raise TimeoutError


def test_nothing_new_is_no_trouble_whichever_error_says_so() -> None:
    source = NatsSource(msgspec.convert(GOOD, Config), SourceTools(source="nats"))
    source._subscription = Quiet()  # type: ignore[assignment]
    assert asyncio.run(source.fetch(None)) == Fetched()


def test_the_client_s_library_is_not_imported_with_the_plugin() -> None:
    """It takes a tenth of a second and some memory, which every command would pay for."""
    code = "import sys, segue_nats; print([name for name in sys.modules if name.split('.')[0] == 'nats'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
