"""The channel with a service of Apprise's own that says what a test wants."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from apprise.manager_plugins import NotificationManager
from apprise.plugins.base import NotifyBase

from segue.api import Answer, Channel, HttpClient, Instant, Message, Rejected, Retry, Sent, Tools, Unknown
from segue_apprise import Config, CustomerConfig, open_channel, segue_channels
from segue_apprise.outcome import judge

URL = "pigeon://hunter2hunter2/{target}"


class Pigeon(NotifyBase):
    """A service: what it does is set by a test, and what it got is kept."""

    service_name: Any = "Pigeon"
    protocol: Any = "pigeon"
    request_rate_per_sec = 0
    templates: Any = ("{schema}://{host}/{target}",)
    act: Callable[[Pigeon], bool]
    got: list[tuple[str, str, str]] = []

    def send(self, body: str, title: str = "", *rest: Any, **more: Any) -> bool:
        Pigeon.got.append((self.fullpath_, title, body))
        return Pigeon.act(self)

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)  # type: ignore[no-untyped-call]
        self.fullpath_ = more.get("fullpath") or ""


@pytest.fixture(autouse=True)
def _a_service() -> Iterator[None]:
    manager: Any = NotificationManager()  # type: ignore[no-untyped-call]
    manager.add(Pigeon, schemas="pigeon")
    Pigeon.got = []
    Pigeon.act = lambda service: True
    yield
    manager.remove("pigeon")


def message(target: str = "loft-7", content: Any = None) -> Message:
    return Message(
        key="0" * 32,
        channel="pigeon",
        name="n",
        kind="promotional",
        customer="c1",
        address=target,
        content=content or {"title": "Hi\r\nX: y", "text": " Ann "},
        rule="r",
        expires=Instant(4_000_000_000_000_000),
    )


def channel(**settings: Any) -> Channel:
    class NoClient:
        request: Any = None

    http: HttpClient = NoClient()
    return open_channel(CustomerConfig(**({"url_secret": URL} | settings)), Tools(channel="pigeon", http=http))


async def one(sent: Message | None = None, **settings: Any) -> Answer:
    (answer,) = await channel(**settings).send([sent or message()])
    return answer


@pytest.mark.asyncio
async def test_a_message_reaches_the_service() -> None:
    assert await one() == Sent()
    assert Pigeon.got == [("/loft-7", "Hi X: y", "Ann")]


@pytest.mark.asyncio
@pytest.mark.parametrize("target", ["", "a b", "a,b", "a/b", "a?b", "a#b", "a%2Fb", "a\nb", "../x", "x" * 300, "a&b"])
async def test_an_account_that_could_change_the_address_is_refused(target: str) -> None:
    answer = await one(message(target))
    assert isinstance(answer, Rejected)
    assert answer.address_gone
    assert Pigeon.got == []


@pytest.mark.asyncio
@pytest.mark.parametrize(("text", "says"), [("  ", "empty"), ("\ud83d", "half a character")])
async def test_content_that_cannot_go_is_rejected(text: str, says: str) -> None:
    answer = await one(message(content={"text": text}))
    assert isinstance(answer, Rejected)
    assert says in answer.reason


@pytest.mark.asyncio
async def test_a_service_that_hangs_is_given_up_and_holds_nobody() -> None:
    free = threading.Event()
    Pigeon.act = lambda service: free.wait(20)
    try:
        assert await one(timeout=0.1) == Unknown("Pigeon did not answer within 0.1 s")
    finally:
        free.set()


@pytest.mark.asyncio
async def test_a_service_that_hangs_does_not_block_the_loop() -> None:
    free = threading.Event()
    Pigeon.act = lambda service: free.wait(20)
    opened = channel(timeout=5.0)
    waiting = asyncio.create_task(opened.send([message()]))
    await asyncio.sleep(0)
    free.set()
    assert await waiting == [Sent()]


@pytest.mark.asyncio
async def test_what_a_service_raises_is_no_text_of_ours() -> None:
    def fail(service: Pigeon) -> bool:
        raise RuntimeError("hunter2hunter2")

    Pigeon.act = fail
    assert await one() == Unknown("Apprise raised RuntimeError")


@pytest.mark.asyncio
async def test_keys_are_struck_out_of_the_reason_and_reach_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(service: Pigeon) -> bool:
        service.logger.warning("Failed to send by hunter2hunter2 to loft-7: Bad Request, error=400.")
        service.logger.debug("Pigeon URL: pigeon://hunter2hunter2/")
        return False

    logged: list[logging.LogRecord] = []
    root = logging.Handler()
    monkeypatch.setattr(root, "emit", logged.append)
    monkeypatch.setattr(logging.getLogger(), "handlers", [root])
    Pigeon.act = refuse
    assert await one() == Rejected("Apprise says: Failed to send by … to …: Bad Request, error=400.")
    assert logged == []


@pytest.mark.parametrize(
    ("heard", "kind"),
    [
        ([], Retry),
        (["WARNING Failed to send: Too Many Requests, error=429."], Retry),
        (["WARNING Failed to send: Unauthorized, error=401."], Retry),
        (["WARNING Failed to send: error=404."], Rejected),
        (["WARNING Failed to send: error=502."], Unknown),
        (["WARNING A Connection error occurred", "DEBUG Socket Exception: [Errno 111] Connection refused"], Retry),
        (["WARNING A Connection error", "DEBUG Socket Exception: NewConnectionError: timed out"], Retry),
        (["WARNING A Connection error", "DEBUG Socket Exception: Read timed out. (read timeout=4.0)"], Unknown),
        (["WARNING A Connection error", "DEBUG Socket Exception: {'a@b.test': (550, b'no such user')}"], Rejected),
        (["WARNING A Connection error", "DEBUG Socket Exception: (421, b'busy')"], Retry),
    ],
)
def test_what_apprise_says_decides(heard: list[str], kind: type) -> None:
    answer = judge(heard)
    assert type(answer) is kind
    assert "Socket" not in str(answer)


@pytest.mark.parametrize(
    ("config", "settings", "says"),
    [
        (Config, {"url_secret": "hunter2"}, "tgram://"),
        (Config, {"url_secret": "tgram://hunter2/{target}"}, "customer-apprise"),
        (CustomerConfig, {"url_secret": "tgram://hunter2/1"}, "{target}"),
        (Config, {"url_secret": "json://localhost", "timeout": 0}, "timeout"),
        (Config, {"url_secret": "json://localhost", "url": "x"}, "url"),
    ],
)
def test_a_wrong_setting_is_refused_and_named(config: type[Config], settings: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(settings, config)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_an_address_that_apprise_does_not_understand_is_refused_without_showing_it() -> None:
    with pytest.raises(ValueError, match="no address that Apprise understands") as caught:
        channel(url_secret="nosuchservice://hunter2/{target}")
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(CustomerConfig(url_secret=URL))


def test_the_channels_are_declared() -> None:
    place, own = segue_channels()
    assert (place.name, place.address, place.unknown) == ("apprise", None, "hold")
    assert (own.name, own.address, own.unknown) == ("customer-apprise", "apprise_target", "hold")
