"""Segue's own suite for channels, against servers that take what they get."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from segue.api import ChannelSpec
from segue.testing import ChannelConformance
from segue_email_smtp import Config as EmailConfig
from segue_email_smtp import segue_channels as email_channels
from segue_sms_gateway import Config as SmsConfig
from segue_sms_gateway import segue_channels as sms_channels
from segue_sms_smpp import Config as SmppConfig
from segue_sms_smpp import segue_channels as smpp_channels
from segue_twilio import SmsConfig as TwilioConfig
from segue_twilio import segue_channels as twilio_channels
from tests.counterparts.kannel import Kannel
from tests.counterparts.misbehaving_smtp import MisbehavingSmtp
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.prism import Prism
from tests.counterparts.smpp import SmppCentre


class TestEmailThatIsTaken(ChannelConformance):
    server: MisbehavingSmtp

    @pytest.fixture(autouse=True)
    def _server(self, misbehaving: MisbehavingSmtp) -> None:
        self.server = misbehaving

    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        (spec,) = email_channels()
        return spec, EmailConfig(host="127.0.0.1", port=self.server.port, tls="none", sender="shop@example.test")

    def delivered(self) -> str:
        return "\n".join(mail.decode("utf-8", "replace") for _, mail in self.server.taken)

    def test_a_full_batch_is_taken(self) -> None:
        self.test_a_full_batch_is_answered()
        assert len(self.server.taken) == 100


@pytest.fixture(scope="module")
def gateway() -> Iterator[Kannel]:
    kannel = Kannel()
    try:
        with reported_when_missing():
            kannel.start()
        yield kannel
    finally:
        kannel.stop()


class TestSmsThatIsTaken(ChannelConformance):
    address = "+358401234567"
    server: Kannel

    @pytest.fixture(autouse=True)
    def _server(self, gateway: Kannel) -> None:
        self.server = gateway

    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        (spec,) = sms_channels()
        server = self.server
        return spec, SmsConfig(
            url=server.sendsms_url,
            username=server.user,
            password=server.password,
            callback_secret="a-secret-of-this-test",
        )

    def delivered(self) -> str:
        return "\n".join(text.text for text in self.server.delivered())


class TestSmppThatIsTaken(ChannelConformance):
    address = "+358401234567"
    server: SmppCentre

    @pytest.fixture(autouse=True)
    def _server(self, centre: SmppCentre, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("segue_sms_smpp.channel.LISTENING", 0.2)
        self.server = centre

    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        (spec,) = smpp_channels()
        config = SmppConfig(host="127.0.0.1", port=self.server.port, system_id="shop", password="secret", sender="Shop")
        return spec, config


class TestTwilioThatIsTaken(ChannelConformance):
    address = "+358401234567"
    server: Prism

    @pytest.fixture(autouse=True)
    def _server(self, twilio_s_prism: Prism) -> None:
        self.server = twilio_s_prism

    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        spec, _ = twilio_channels()
        account = "AC" + "a" * 32
        return spec, TwilioConfig(account_sid=account, auth_token="a-token", sender="Shop", url=self.server.url)
