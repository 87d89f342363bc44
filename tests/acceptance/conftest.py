"""Counterparts for the acceptance tests, each started for one test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.counterparts.kannel import Kannel
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.postfix import PostfixServer


@pytest.fixture
def postfix() -> Iterator[PostfixServer]:
    server = PostfixServer()
    try:
        with reported_when_missing():
            server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def kannel() -> Iterator[Kannel]:
    gateway = Kannel()
    try:
        with reported_when_missing():
            gateway.start()
        yield gateway
    finally:
        gateway.stop()
