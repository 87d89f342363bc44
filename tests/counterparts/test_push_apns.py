"""APNs as a small HTTP/2 server of Node's over TLS, which checks the token and answers as Apple documents it."""

from __future__ import annotations

import datetime
import ipaddress
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from segue.api import Answer, Instant, Message, Rejected, Retry, Sent, Tools, Unknown
from segue.host.http import AiohttpClient
from segue_push_apns import Config, open_channel
from tests.acceptance.harness import Daemon, Project, identify, track, wait_until
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.process import Program, free_port, require

APNS = r"""
const [port, folder] = process.argv.slice(2)
const http2 = require('http2'), fs = require('fs'), path = require('path'), crypto = require('crypto')
const read = (name) => fs.readFileSync(path.join(folder, name))
const key = crypto.createPublicKey(read('provider.pem'))
const refusals = {
  a1: [410, 'Unregistered'], a2: [400, 'BadDeviceToken'], a3: [400, 'DeviceTokenNotForTopic'],
  a4: [429, 'TooManyRequests', { 'retry-after': '17' }], a5: [413, 'PayloadTooLarge'],
  a6: [403, 'ExpiredProviderToken'], a7: [429, 'TooManyProviderTokenUpdates'], a8: [503, 'ServiceUnavailable'],
}
const fault = (headers, body) => {
  const token = String(headers.authorization || '').replace(/^bearer /, '')
  const [head, claims, signature] = token.split('.')
  if (!signature) return [403, 'MissingProviderToken']
  const good = crypto.verify('sha256', Buffer.from(`${head}.${claims}`), { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'))
  const said = JSON.parse(Buffer.from(claims, 'base64url'))
  const { kid, alg } = JSON.parse(Buffer.from(head, 'base64url'))
  const right = alg === 'ES256' && kid === 'ABC123DEFG' && said.iss === 'DEF123GHIJ'
  if (!good || !right) return [403, 'InvalidProviderToken']
  if (Math.abs(Date.now() / 1000 - said.iat) > 3600) return [403, 'ExpiredProviderToken']
  if (headers['apns-topic'] !== 'test.shop') return [400, 'TopicDisallowed']
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(headers['apns-id'])) return [400, 'BadMessageId']
  if (!/^\d+$/.test(headers['apns-expiration'])) return [400, 'BadExpirationDate']
  if (!['1', '5', '10'].includes(headers['apns-priority'])) return [400, 'BadPriority']
  if (Buffer.byteLength(headers['apns-collapse-id'] || '') > 64) return [400, 'BadCollapseId']
  if (body.length > 4096) return [413, 'PayloadTooLarge']
  return refusals[headers[':path'].slice('/3/device/'.length).slice(0, 2)]
}
const sessions = new Map()
const server = http2.createSecureServer({ key: read('server.key'), cert: read('server.pem') })
server.on('session', (session) => sessions.set(session, sessions.size))
server.on('error', () => {})
server.on('stream', (stream, headers) => {
  const pieces = []
  stream.on('error', () => {})
  stream.on('data', (piece) => pieces.push(piece))
  stream.on('end', () => {
    const body = Buffer.concat(pieces), device = headers[':path'].slice('/3/device/'.length)
    const line = { device, headers: { ...headers }, body: body.toString(), session: sessions.get(stream.session) }
    fs.appendFileSync(path.join(folder, 'got'), JSON.stringify(line) + '\n')
    if (device.startsWith('b1')) return stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)
    if (device.startsWith('b2')) return // never answers
    if (device.startsWith('b3')) {
      stream.respond({ ':status': 400 })
      return stream.end(Buffer.alloc(10_000_000, 'x'))
    }
    if (device.startsWith('b4')) return stream.session.destroy()
    const [status, reason, more] = fault(headers, body) || [200]
    stream.respond({ ':status': status, 'apns-id': headers['apns-id'], ...more })
    stream.end(reason ? JSON.stringify({ reason }) : '')
  })
})
server.listen(Number(port), '127.0.0.1')
"""


class Apns:
    """The server, running; its certificate is ``trusted``, and ``key`` the one whose tokens it takes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        public = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / "provider.pem").write_bytes(public)
        _write_certificate(folder)
        (folder / "apns.js").write_text(APNS, "utf-8")
        port = free_port()
        self.url = f"https://127.0.0.1:{port}"
        self._program = Program(
            [require("node", "nodejs"), str(folder / "apns.js"), str(port), str(folder)], folder / "log"
        )
        self._program.wait_for_port(port)

    @property
    def trusted(self) -> str:
        return str(self.folder / "server.pem")

    @property
    def private_key(self) -> str:
        return _pem(self.key)

    def got(self, device: str) -> list[dict[str, Any]]:
        """What came for a device, in order."""
        path = self.folder / "got"
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
        return [line for line in lines if line["device"] == device]

    def stop(self) -> None:
        self._program.stop()


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "apns.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    (folder / "server.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "server.key").write_text(_pem(key))


@pytest.fixture(scope="module")
def apns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apns]:
    with reported_when_missing():
        running = Apns(tmp_path_factory.mktemp("apns"))
    try:
        yield running
    finally:
        running.stop()


def device(prefix: str) -> str:
    return prefix + "0" * (64 - len(prefix))


def message(address: str, content: dict[str, str] | None = None) -> Message:
    return Message(
        key="0123456789abcdef0123456789abcdef",
        channel="push",
        name="cart_reminder",
        kind="transactional",
        customer="ann",
        address=address,
        content={"title": "Your cart", "text": "Ostoskorisi odottaa 🛒"} | (content or {}),
        rule="cart_abandoned",
        expires=Instant(int((time.time() + 60.5) * 1e6)),
    )


def settings(apns: Apns, **changes: Any) -> Config:
    plain = {"private_key": apns.private_key, "key_id": "ABC123DEFG", "team_id": "DEF123GHIJ", "bundle_id": "test.shop"}
    return Config(**(plain | {"url": apns.url, "trusted": apns.trusted} | changes))


async def send(apns: Apns, *messages: Message, **changes: Any) -> list[Answer]:
    http = AiohttpClient()
    channel = open_channel(settings(apns, **changes), Tools(channel="push", http=http))
    try:
        return list(await channel.send(messages))
    finally:
        await channel.close()
        await http.close()


@pytest.mark.asyncio
async def test_many_go_over_one_connection_with_one_token(apns: Apns) -> None:
    devices = [device(f"e{n:02d}") for n in range(60)]
    answers = await send(apns, *(message(one) for one in devices))
    assert answers == [Sent("01234567-89ab-cdef-0123-456789abcdef")] * 60
    got = [line for one in devices for line in apns.got(one)]
    assert len(got) == 60
    assert len({line["headers"]["authorization"] for line in got}) == 1
    assert len({line["session"] for line in got}) <= 2
    headers = got[0]["headers"]
    assert headers["apns-priority"] == "10"
    assert 30 < int(headers["apns-expiration"]) - time.time() <= 61
    assert json.loads(got[0]["body"])["aps"]["alert"] == {"title": "Your cart", "body": "Ostoskorisi odottaa 🛒"}


@pytest.mark.asyncio
async def test_each_refusal_is_understood(apns: Apns) -> None:
    answers = await send(apns, *(message(device(f"a{n}")) for n in range(1, 9)), message(device("c0")))
    kinds = [Rejected, Rejected, Rejected, Retry, Rejected, Retry, Retry, Retry, Sent]
    assert [type(answer) for answer in answers] == kinds
    assert [one.address_gone for one in answers if isinstance(one, Rejected)] == [True, True, False, False]
    assert [one.after for one in answers if isinstance(one, Retry)] == [17.0, None, 1_200.0, None]


@pytest.mark.asyncio
async def test_a_wrong_key_team_or_app_means_later(apns: Apns) -> None:
    for wrong, says in (
        ({"private_key": _pem(ec.generate_private_key(ec.SECP256R1()))}, "InvalidProviderToken"),
        ({"team_id": "XXXXXXXXXX"}, "InvalidProviderToken"),
        ({"bundle_id": "test.other"}, "TopicDisallowed"),
    ):
        (answer,) = await send(apns, message(device("c0")), **wrong)
        assert isinstance(answer, Retry)
        assert says in answer.reason


@pytest.mark.asyncio
async def test_what_goes_wrong_on_the_way_touches_no_other_message(apns: Apns) -> None:
    answers = await send(apns, *(message(device(one)) for one in ("b1", "c0", "b2")), timeout=1.0)
    answers += await send(apns, message(device("b4")))
    assert [type(answer) for answer in answers] == [Unknown, Sent, Unknown, Unknown]
    for answer in answers[0], answers[2], answers[3]:
        assert not isinstance(answer, Sent)
        assert "b100" not in answer.reason


@pytest.mark.asyncio
async def test_answers_of_ten_megabytes_use_up_nothing_that_later_messages_need(apns: Apns) -> None:
    http = AiohttpClient()
    channel = open_channel(settings(apns, timeout=5.0), Tools(channel="push", http=http))
    answers: list[Answer] = []
    for one in ("c0", "b3", "b3", "b3", "c0"):
        answers += await channel.send([message(device(one))])
    await channel.close()
    await http.close()
    assert [type(answer) for answer in answers] == [Sent, Rejected, Rejected, Rejected, Sent]
    assert all(len(answer.reason) < 300 for answer in answers if isinstance(answer, Rejected))


@pytest.mark.asyncio
async def test_a_server_that_is_down_or_cannot_be_trusted_means_later(apns: Apns) -> None:
    (down,) = await send(apns, message(device("c0")), url=f"https://127.0.0.1:{free_port()}")
    (stranger,) = await send(apns, message(device("c0")), trusted=None)
    assert isinstance(down, Retry)
    assert isinstance(stranger, Retry)


def test_a_rule_sends_a_push_and_hears_of_an_app_that_is_gone(apns: Apns, tmp_path: Path) -> None:
    project = Project(
        tmp_path,
        rules="when signed_up send push\n",
        messages={"signed_up": {"push.txt": "---\ntitle: Hi {{ customer.first_name }}\n---\nWelcome!\n"}},
        channels=(
            '[channels.push]\nuse = "push-apns"\nconsent = "opt-out"\nprivate_key = { file = "key.p8" }\n'
            'key_id = "ABC123DEFG"\nteam_id = "DEF123GHIJ"\nbundle_id = "test.shop"\n'
            f'url = "{apns.url}"\ntrusted = "{apns.trusted}"\n'
        ),
    )
    project.write("key.p8", apns.private_key)
    (tmp_path / "key.p8").chmod(0o600)
    ann, ben = device("d1"), device("a1d1")
    with Daemon(project) as daemon:
        project.send(
            identify("ann", first_name="Ann", push_token=ann),
            identify("ben", first_name="Ben", push_token=ben),
            track("ann", "signed_up"),
            track("ben", "signed_up"),
        )
        (got,) = wait_until(lambda: apns.got(ann), what="the push")
        wait_until(project.is_drained, what="the end of the journeys")
        log = daemon.log
    assert json.loads(got["body"])["aps"]["alert"] == {"title": "Hi Ann", "body": "Welcome!"}
    assert project.rows("select address, reason from suppression") == [(ben, "bounced")]
    assert "PRIVATE" not in log
    assert "bearer" not in log
