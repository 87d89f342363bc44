"""What `segue doctor` finds out about mail, asked of dnsmasq, postfix and a maildir."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from segue.api import Finding
from segue_email_smtp import Config
from segue_email_smtp.dkim import Signer
from segue_email_smtp.dns import Dns
from segue_email_smtp.examining import Examined
from tests.acceptance.harness import Project
from tests.counterparts.dnsmasq import Dnsmasq
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.postfix import PostfixServer
from tests.counterparts.process import free_port

pytestmark = pytest.mark.asyncio


def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


LONG = pem(rsa.generate_private_key(65537, 2048))
SIGNER = Signer("example.test", "s1", LONG)
SHORT = Signer("example.test", "s1", pem(rsa.generate_private_key(65537, 1024)))
OTHER = Signer("esp.test", "s1", pem(ed25519.Ed25519PrivateKey.generate()))
GOOD: dict[str, Sequence[str]] = {
    "example.test": ("some-verification=1", "v=spf1 include:_spf.example.net -all"),
    SIGNER.place: (SIGNER.record,),
    "_dmarc.example.test": ("v=DMARC1; p=quarantine; rua=mailto:d@example.test",),
}


async def examine(
    folder: Path, changes: Mapping[str, Sequence[str]], signers: Sequence[Signer] = (SIGNER,), **settings: Any
) -> dict[str, Finding]:
    """The findings with these records in place of the good ones; of each sort the one that matters most."""
    with reported_when_missing():
        server = Dnsmasq(
            folder, {**GOOD, **changes}, {"example.test": "mx.example.test", "b.example.test": "mx.example.test"}
        )
    with server:
        known = {"host": "smtp.example.net", "sender": "shop@example.test", "nameserver": server.address}
        config = Config(**{**known, **settings})
        found = await Examined(config, signers, Dns(server.address)).findings()
    return {one.what: one for one in sorted(found, key=lambda one: not one.well, reverse=False)}


async def test_what_is_in_order_is_said_to_be(tmp_path: Path) -> None:
    found = await examine(tmp_path, {})
    assert all(one.well for one in found.values())
    assert found["DKIM"].found == "s1._domainkey.example.test fits the key that signs"
    assert found["SPF"].found.endswith("v=spf1 include:_spf.example.net -all")
    assert found["bounces"].found.endswith("takes mail by mx.example.test")
    assert found["DMARC"].found == (
        "example.test is aligned with the signature of example.test and the return path at example.test"
    )


@pytest.mark.parametrize(
    ("changes", "signers", "settings", "what", "says", "publish"),
    [
        ({"example.test": ()}, (SIGNER,), {}, "SPF", "has no SPF record", 'at example.test: TXT "v=spf1 include'),
        ({"example.test": ("v=spf1 -all", "v=spf1 mx -all")}, (SIGNER,), {}, "SPF", "has 2 SPF records", "into one"),
        ({"example.test": ("v=spf1 +all",)}, (SIGNER,), {}, "SPF", "lets everybody send", "-all"),
        ({"example.test": ("v=spf1 all",)}, (SIGNER,), {}, "SPF", "lets everybody send", "-all"),
        ({SIGNER.place: ()}, (SIGNER,), {}, "DKIM", "is not published", f'at {SIGNER.place}: TXT "{SIGNER.record}"'),
        ({SIGNER.place: ("v=DKIM1; p=",)}, (SIGNER,), {}, "DKIM", "revoked", SIGNER.public),
        ({SIGNER.place: (OTHER.record,)}, (SIGNER,), {}, "DKIM", "publishes another key", SIGNER.public),
        ({SIGNER.place: (f"{SIGNER.record}; t=y:s",)}, (SIGNER,), {}, "DKIM", "tried out", SIGNER.public),
        ({SIGNER.place: (SIGNER.record, OTHER.record)}, (SIGNER,), {}, "DKIM", "2 records", SIGNER.public),
        ({"_dmarc.example.test": ()}, (SIGNER,), {}, "DMARC", "no DMARC record", "at _dmarc.example.test: TXT"),
        ({"_dmarc.example.test": ("v=DMARC1; p=maybe",)}, (SIGNER,), {}, "DMARC", "no good p", "p=none"),
        ({}, (SIGNER,), {"envelope_sender": "b@gone.test"}, "bounces", "takes no mail", "at gone.test: MX 10"),
        ({OTHER.place: (OTHER.record,)}, (OTHER,), {"envelope_sender": "b@esp.test"}, "DMARC", "every mail", "move"),
        (
            {"_dmarc.example.test": ("v=DMARC1; p=none; aspf=s; adkim=s",)},
            (),
            {"sender": "shop@example.test", "envelope_sender": "b@b.example.test"},
            "DMARC",
            "vouched for only where smtp.example.net signs",
            "add a key",
        ),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named_with_what_to_publish(
    tmp_path: Path,
    changes: dict[str, Sequence[str]],
    signers: Sequence[Signer],
    settings: dict[str, Any],
    what: str,
    says: str,
    publish: str,
) -> None:
    one = (await examine(tmp_path, changes, signers, **settings))[what]
    assert says in one.found
    assert publish in one.advice


async def test_a_subdomain_goes_by_the_record_of_the_domain_above_it(tmp_path: Path) -> None:
    found = await examine(tmp_path, {"news.example.test": ("v=spf1 -all",)}, sender="a@news.example.test")
    assert found["DMARC"].well
    assert "the signature of example.test" in found["DMARC"].found


async def test_a_record_at_the_subdomain_itself_makes_the_domain_above_it_no_stranger(tmp_path: Path) -> None:
    own = {"news.example.test": ("v=spf1 -all",), "_dmarc.news.example.test": ("v=DMARC1; p=none",)}
    for changes in (own, own | {"_dmarc.example.test": ()}):
        found = await examine(tmp_path, changes, sender="a@news.example.test", envelope_sender="b@b.example.test")
        assert found["DMARC"].well, found["DMARC"].found
        assert "the signature of example.test" in found["DMARC"].found
    strict = own | {"_dmarc.news.example.test": ("v=DMARC1; p=none; adkim=s; aspf=s",)}
    found = await examine(tmp_path, strict, sender="a@news.example.test", envelope_sender="b@b.example.test")
    assert not found["DMARC"].well


async def test_a_short_key_and_a_key_elsewhere_are_well_and_remarked(tmp_path: Path) -> None:
    found = await examine(tmp_path, {SHORT.place: (SHORT.record,)}, (SHORT,))
    assert (found["DKIM"].well, "2048" in found["DKIM"].advice) == (True, True)
    assert "smtp.example.net must sign" in (await examine(tmp_path, {}, ()))["DKIM"].found


async def test_a_dns_that_does_not_answer_says_nothing_of_the_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segue_email_smtp.dns.ANSWERED_WITHIN", 0.2)
    nobody = f"127.0.0.1:{free_port()}"
    config = Config(host="smtp.example.net", sender="shop@example.test", nameserver=nobody)
    found = await Examined(config, (SIGNER,), Dns(nobody)).findings()
    assert [one.what for one in found] == ["SPF", "bounces", "DKIM", "DMARC"]
    assert all(not one.well and "does not answer" in one.found for one in found)


async def test_nobody_is_asked_about_names_that_nobody_has() -> None:
    for domain in ("example.test", "shop.example", "mail.example.com"):
        config = Config(host="smtp.example.net", sender=f"shop@{domain}")
        (found,) = await Examined(config, (), Dns(f"127.0.0.1:{free_port()}")).findings()
        assert (found.what, found.well) == ("DNS", True)


async def test_the_doctor_goes_through_it_all(postfix: PostfixServer, tmp_path: Path) -> None:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "box" / name).mkdir(parents=True)
    (tmp_path / "dkim.pem").write_text(LONG)
    with reported_when_missing():
        server = Dnsmasq(tmp_path, GOOD, {"example.test": "mx.example.test"})
    with server:
        project = Project(
            tmp_path / "project",
            channels=f"""\
[channels.email]
use = "email-smtp"
consent = "opt-out"
host = "127.0.0.1"
port = {postfix.port}
tls = "none"
sender = "shop@example.test"
envelope_sender = "bounces+{{key}}@example.test"
nameserver = "{server.address}"

[channels.email.marketing]
sender = "news@other.test"
host = "127.0.0.2"
port = {free_port()}
tls = "none"
connections = 1

[[channels.email.dkim]]
selector = "s1"
domain = "example.test"
key = {{ file = "{tmp_path / "dkim.pem"}" }}

[channels.email.bounces]
secret = {{ file = "{tmp_path / "secret"}" }}
maildir = "{tmp_path / "box"}"

[channels.sms]
use = "console"
consent = "opt-out"
""",
        )
        (tmp_path / "secret").write_text("0123456789 a secret")
        done = project.command("doctor", "--json")
        shown = project.command("doctor")
    assert done.code == 1, done.err
    found = [(one["what"], one["well"], one["found"]) for one in map(json.loads, done.out.splitlines())]
    assert ("server", True, f"127.0.0.1:{postfix.port} lets us in, in plain text") in found
    assert ("bounces", True, f"{tmp_path / 'box'} can be read, 0 wait") in found
    assert [what for what, well, _ in found if not well] == ["DMARC", "server"]
    assert "BEGIN" not in shown.out
    assert "0123456789 a secret" not in shown.out
