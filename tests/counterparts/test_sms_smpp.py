"""SMS by SMPP against the server of npm's ``smpp``, and against servers that misbehave."""

from __future__ import annotations

import asyncio
import ssl
import struct
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from segue.api import Answer, Inbound, Instant, Message, Rejected, Report, Retry, Sent, Tools, Unknown
from segue.host.http import AiohttpClient
from segue_sms_smpp import Config, SmppChannel
from tests.acceptance.harness import Daemon, Project, identify, track, wait_until
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.process import free_port, require
from tests.counterparts.smpp import SmppCentre

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def channel(port: int, **settings: Any) -> AsyncIterator[SmppChannel]:
    plain: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "system_id": "shop",
        "password": "secret",
        "sender": "Segue",
    }
    http = AiohttpClient()
    opened = SmppChannel(Config(**(plain | settings)), Tools(channel="sms", http=http))
    try:
        yield opened
    finally:
        await opened.close()
        await http.close()


def message(number: str, text: str = "Hi") -> Message:
    return Message(
        key=f"{abs(hash((number, text))):032x}",
        channel="sms",
        name="cart_reminder",
        kind="promotional",
        customer="c1",
        address=number,
        content={"text": text},
        rule="cart_abandoned",
        expires=Instant(int((time.time() + 3_600) * 1e6)),
    )


async def heard(sms: SmppChannel, count: int) -> tuple[list[Report], list[Inbound]]:
    """What comes in, until there is so much of it; acknowledged."""
    reports: list[Report] = []
    inbound: list[Inbound] = []
    async with asyncio.timeout(20):
        while len(reports) + len(inbound) < count:
            polled = await sms.poll()
            reports += polled.reports
            inbound += polled.inbound
            await sms.settle(polled)
    return reports, inbound


async def test_texts_of_every_sort_arrive_as_written(centre: SmppCentre) -> None:
    texts = {
        "358400100020": "Hyvä Ann, 20 % off [today] < 5 € & more + {code}?",
        "358400100021": "Ваша корзина ждёт 🛒",
        "358400100022": "Ostoskorisi odottaa. €" * 14,
        "358400100023": "Ваша корзина ждёт 🛒 " * 8,
        "358400100024": "two\nlines",
    }
    async with channel(centre.port) as sms:
        answers = await sms.send([message(f"+{number}", text) for number, text in texts.items()])
    assert [answer.parts for answer in answers if isinstance(answer, Sent)] == [1, 1, 3, 3, 1]
    seen = [one for one in centre.seen("submit") if one["to"] in texts]
    whole = {
        number: "".join(one["text"] for one in sorted(seen, key=lambda one: one["part"]) if one["to"] == number)
        for number in texts
    }
    assert whole == {number: text.strip() for number, text in texts.items()}
    assert {(one["from"], one["ton"]) for one in seen} == {("Segue", 5)}
    assert {one["coding"] for one in seen} == {0, 8}


@pytest.mark.parametrize("concatenation", ["sar", "payload"])
async def test_long_texts_go_by_parameters_too(centre: SmppCentre, concatenation: str) -> None:
    number = f"3584001001{len(concatenation):02}"
    async with channel(centre.port, concatenation=concatenation) as sms:
        (answer,) = await sms.send([message(f"+{number}", "x" * 200)])
    assert isinstance(answer, Sent)
    assert answer.parts == 2
    seen = [one for one in centre.seen("submit") if one["to"] == number]
    assert "".join(one["text"] for one in sorted(seen, key=lambda one: one["place"])) == "x" * 200
    assert {one["total"] for one in seen} == ({2} if concatenation == "sar" else {0})


async def test_reports_come_back_for_their_messages(centre: SmppCentre) -> None:
    async with channel(centre.port, message_ids="hex-then-decimal") as sms:
        (sent,) = await sms.send([message("+358400100001", "long " * 60)])
        reports, _ = await heard(sms, 1)
    assert isinstance(sent, Sent)
    assert [(one.receipt, one.what) for one in reports] == [(sent.receipt, "delivered")]
    async with channel(centre.port) as sms:
        (sent,) = await sms.send([message("+358400100002")])
        reports, _ = await heard(sms, 1)
    assert isinstance(sent, Sent)
    assert [(one.receipt, one.what, one.address_gone) for one in reports] == [(sent.receipt, "undelivered", True)]


async def test_customers_answers_come_in(centre: SmppCentre) -> None:
    async with channel(centre.port) as sms:
        await sms.send([message("+358400100003"), message("+358400100004")])
        _, inbound = await heard(sms, 2)
    assert {(one.address, one.text) for one in inbound} == {
        ("+358400100003", "STOP"),
        ("+358400100004", "Ваша корзина не нужна 🛒"),
    }


async def test_what_was_not_committed_is_not_acknowledged(centre: SmppCentre) -> None:
    before = len(centre.seen("ack"))
    async with channel(centre.port) as sms:
        await sms.send([message("+358400200003")])
        polled = await sms.poll()
        assert len(polled.inbound) == 1
        await asyncio.sleep(0.2)
        assert len(centre.seen("ack")) == before
        await sms.settle(polled)
        assert await asyncio.to_thread(centre.wait_for, "ack", before + 1)
        await sms.settle(polled)  # a second time does no harm


async def test_throttling_means_later_and_an_invalid_number_never(centre: SmppCentre) -> None:
    async with channel(centre.port) as sms:
        numbers = ("+358400100058", "+358400100011", "+358400100030")
        answers = await sms.send([message(number) for number in numbers])
        assert [type(answer) for answer in answers] == [Retry, Rejected, Sent]
        assert isinstance(answers[1], Rejected)
        assert answers[1].address_gone
        assert "throttled" in str(answers[0])
        (again,) = await sms.send([message("+358400100058")])
    assert isinstance(again, Sent)


async def test_of_a_long_text_only_the_part_that_was_refused_goes_again(centre: SmppCentre) -> None:
    one = message("+358400100059", "x" * 400)
    async with channel(centre.port) as sms:
        (first,) = await sms.send([one])
        (second,) = await sms.send([one])
    assert isinstance(first, Retry)
    assert isinstance(second, Sent)
    assert second.parts == 3
    parts = [seen["part"] for seen in centre.seen("submit") if seen["to"] == "358400100059"]
    assert sorted(parts) == [1, 2, 2, 3]


async def test_a_connection_that_is_cut_leaves_the_outcome_open_and_is_opened_again(centre: SmppCentre) -> None:
    async with channel(centre.port) as sms:
        (cut,) = await sms.send([message("+358400100097")])
        (after,) = await sms.send([message("+358400100031")])
    assert isinstance(cut, Unknown)
    assert isinstance(after, Sent)


async def test_a_request_that_is_not_answered_holds_up_no_other(centre: SmppCentre) -> None:
    async with channel(centre.port, timeout=1.0, window=2) as sms:
        answers = await sms.send([message("+358400100098"), *(message(f"+3584001004{n:02}") for n in range(40, 50))])
    assert isinstance(answers[0], Unknown)
    assert {type(answer) for answer in answers[1:]} == {Sent}


async def test_no_more_requests_are_under_way_than_the_window_allows(
    centre: SmppCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segue_sms_smpp.session.QUEUEING", 0.2)
    async with channel(centre.port, timeout=0.5, window=1) as sms:
        answers = await sms.send([message("+358400200098"), message("+358400300098")])
    assert {type(answer) for answer in answers} == {Unknown, Retry}
    both = {"358400200098", "358400300098"}
    assert len([one for one in centre.seen("submit") if one["to"] in both]) == 1


async def test_a_silent_line_is_asked_whether_it_lives(centre: SmppCentre) -> None:
    before = len(centre.seen("enquire"))
    async with channel(centre.port, keepalive=0.1) as sms:
        await sms.send([message("+358400100032")])
        await asyncio.to_thread(centre.wait_for, "enquire", before + 2)
    assert await asyncio.to_thread(centre.wait_for, "unbind", 1)


async def test_a_wrong_password_means_later_and_is_named(centre: SmppCentre) -> None:
    async with channel(centre.port, password="guess") as sms:
        answers = await sms.send([message("+358400100033"), message("0401234567")])
        with pytest.raises(Exception, match="wrong password"):
            await sms.poll()
    assert [type(answer) for answer in answers] == [Retry, Rejected]
    assert "wrong password" in str(answers[0])
    assert "guess" not in str(answers[0])


async def test_a_centre_that_comes_back_is_found_again(tmp_path: Path, centre: SmppCentre) -> None:
    own = SmppCentre(tmp_path)
    (tmp_path / "drive.js").write_text((centre.folder / "drive.js").read_text("utf-8"), "utf-8")
    (tmp_path / "node_modules").symlink_to(centre.folder / "node_modules")
    own.start()
    try:
        async with channel(own.port) as sms:
            assert isinstance((await sms.send([message("+358400100034")]))[0], Sent)
            own.stop()
            assert isinstance((await sms.send([message("+358400100035")]))[0], Retry | Unknown)
            assert isinstance((await sms.send([message("+358400100035")]))[0], Retry)
            own.start()
            assert isinstance((await sms.send([message("+358400100035")]))[0], Sent)
    finally:
        own.stop()


# Servers that misbehave

_BOUND = struct.pack(">IIII", 17, 0x80000009, 0, 1) + b"\0"


async def misbehaving(*answers: bytes, patience: float = 5.0) -> list[Answer]:
    """What a message gets from a server that says this to the bind and to what follows, and then nothing more."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for answer in answers:
                await reader.read(1_000)
                writer.write(answer)
                await writer.drain()
            await reader.read()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, asyncio.timeout(patience), channel(server.sockets[0].getsockname()[1], timeout=0.5) as sms:
        return list(await sms.send([message("+358400100036")]))


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], Retry),
        ([b"\0" * 16], Retry),
        ([struct.pack(">IIII", 0xFFFFFFFF, 0x80000009, 0, 1)], Retry),
        ([_BOUND[:10]], Retry),
        ([struct.pack(">IIII", 16, 0x80000000, 3, 1)], Retry),
        ([_BOUND, struct.pack(">IIII", 16, 0x80000000, 0x58, 2)], Retry),
        ([_BOUND, struct.pack(">IIII", 16, 0x80000015, 0, 2)], Unknown),
        ([_BOUND, struct.pack(">IIII", 16, 0x80000004, 0, 2)], Sent),
        ([_BOUND, struct.pack(">IIII", 70_000, 0x80000004, 0, 2) + b"x" * 30_000], Unknown),
        ([_BOUND, struct.pack(">IIII", 10_000_000, 0x80000004, 0, 2) + b"x" * 10_000_000], Unknown),
        ([_BOUND, struct.pack(">IIII", 16, 0x80000004, 0, 77) * 10_000], Unknown),
        ([_BOUND, struct.pack(">IIII", 16, 0x5, 0, 1) * 5_000 + struct.pack(">IIII", 16, 0x80000004, 0, 2)], Sent),
        ([_BOUND, b""], Unknown),
    ],
    ids=[
        "no_smpp",
        "too_short_a_packet",
        "too_long_a_packet",
        "half_a_packet",
        "bind_refused",
        "nack",
        "other_answer",
        "no_id",
        "body_that_never_ends",
        "ten_megabytes",
        "answers_nobody_asked_for",
        "junk_delivered",
        "silence",
    ],
)
async def test_a_server_that_misbehaves_is_taken_for_what_it_is(answers: list[bytes], kind: type) -> None:
    (answer,) = await misbehaving(*answers)
    assert isinstance(answer, kind), answer


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1's own, and its key."""
    place, key = folder / "centre.pem", folder / "centre.key"
    with reported_when_missing():
        openssl = require("openssl", "openssl")
    made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(place)]
    subprocess.run(made, check=True, capture_output=True, timeout=30)
    return place, key


async def test_an_encrypted_connection_is_made_only_to_whom_is_trusted(tmp_path: Path) -> None:
    place, key = certificate(tmp_path)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for answer in (_BOUND, struct.pack(">IIII", 16, 0x80000004, 0, 2)):
                await reader.read(1_000)
                writer.write(answer)
            await reader.read(1_000)
        finally:
            writer.transport.abort()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(place, key)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    answers: list[Answer] = []
    async with server:
        for settings in ({"tls": True, "trusted": str(place)}, {"tls": True}, {}):
            async with channel(port, timeout=2.0, **settings) as sms:
                answers += await sms.send([message("+358400100037")])
    assert [type(answer) for answer in answers] == [Sent, Retry, Retry]
    assert "certificate" in str(answers[1])
    with pytest.raises(ValueError, match="trusted cannot be read"):
        async with channel(port, tls=True, trusted=str(key)):
            pass


async def test_a_server_that_is_down_means_later_at_once() -> None:
    async with channel(free_port()) as sms:
        begun = time.monotonic()
        answers = await sms.send([message(f"+3584001000{n:02}") for n in range(10, 60)])
    assert {type(answer) for answer in answers} == {Retry}
    assert time.monotonic() - begun < 2


# Segue as a whole


async def test_a_rule_sends_and_hears_of_delivery_and_stop(tmp_path: Path, centre: SmppCentre) -> None:
    project = Project(
        tmp_path,
        rules="when signed_up send sms\n",
        messages={"signed_up": {"sms.txt": "Welcome, {{ customer.first_name }}! " + "More words. " * 20 + "\n"}},
        channels=(
            '[channels.sms]\nuse = "sms-smpp"\nconsent = "opt-out"\ncost = "0.05 EUR"\nsystem_id = "shop"\n'
            f'password = {{ env = "SMPP" }}\nhost = "127.0.0.1"\nport = {centre.port}\nsender = "Shop"\n'
            'message_ids = "hex-then-decimal"\n'
        ),
    )

    def turn() -> str:
        with Daemon(project, environment={"SMPP": "secret"}) as daemon:
            people = {"ann": "+358400900001", "ben": "+358400900003"}
            project.send(
                *(identify(who, phone=phone, first_name=who) for who, phone in people.items()),
                *(track(who, "signed_up") for who in people),
            )
            wait_until(lambda: project.rows("select 1 from message where state = 3"), what="the report")
            wait_until(lambda: project.rows("select 1 from suppression"), what="the STOP")
            return daemon.log

    log = await asyncio.to_thread(turn)
    assert project.rows("select address, reason from suppression") == [("+358400900003", "stopped")]
    assert project.rows("select cost from message") == [(100_000,), (100_000,)]
    assert "secret" not in log.replace("secret_", "")
