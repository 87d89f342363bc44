"""What a test does about a counterpart that is not installed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.counterparts.process import CounterpartMissing


@contextmanager
def reported_when_missing() -> Iterator[None]:
    """Around the start of a counterpart: one that is missing fails the test in CI (the variable ``CI`` is set), and
    skips it elsewhere; both name the command that installs it."""
    try:
        yield
    except CounterpartMissing as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
