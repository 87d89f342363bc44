"""Counterparts as fixtures, each started for one test; those that npm installs, for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.counterparts.kannel import Kannel
from tests.counterparts.misbehaving_smtp import MisbehavingSmtp
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.postfix import PostfixServer
from tests.counterparts.prism import Prism, description
from tests.counterparts.smpp import SmppCentre


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
def postfix_with_tls() -> Iterator[PostfixServer]:
    server = PostfixServer(tls=True)
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


@pytest.fixture
def misbehaving() -> Iterator[MisbehavingSmtp]:
    with MisbehavingSmtp() as server:
        yield server


@pytest.fixture(scope="session")
def twilio_s_prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prism]:
    specification = description("twilio_api_v2010.json")
    with reported_when_missing(), Prism(specification, tmp_path_factory.mktemp("prism")) as running:
        yield running


@pytest.fixture(scope="session")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmppCentre]:
    with reported_when_missing(), SmppCentre(tmp_path_factory.mktemp("smpp")) as running:
        yield running
