"""Unmodified Segment SDKs against the real HTTP server: PyPI segment-analytics-python, npm @segment/analytics-node."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from segment.analytics import request as sdk_request
from segment.analytics.client import Client

from segue.api import Event, SourceTools
from segue.runtime.busy import Busy
from segue_segment import SEGMENT, Config
from tests.counterparts import npm
from tests.counterparts.missing import reported_when_missing
from tests.web.served import KEY, NOW, Served, serving

pytestmark = pytest.mark.asyncio

MINUTE = 60_000_000

NODE = r"""
const { Analytics } = require('@segment/analytics-node')
const [host, writeKey] = process.argv.slice(2)
const failed = []
async function main() {
  const analytics = new Analytics({ writeKey, host, flushAt: 4, flushInterval: 100 })
  analytics.on('error', (error) => failed.push(String(error.reason ?? error.code ?? error)))
  analytics.identify({ userId: 'ann', traits: { firstName: 'Ann', email: 'ann@example.com' } })
  analytics.track({ userId: 'ann', event: 'Cart Abandoned', properties: { cart_id: 'c1', total: 60.5, title: 'ä 😀' } })
  analytics.track({ userId: 'ann', event: 'Order Completed', messageId: 'own-id',
    timestamp: new Date(Date.now() - 3600 * 1000), properties: { products: [{ product_id: 'X1' }] } })
  analytics.page({ anonymousId: 'device', name: 'Shoes', properties: { url: 'https://shop.example/shoes' } })
  analytics.screen({ anonymousId: 'device', name: 'Basket' })
  analytics.group({ userId: 'ann', groupId: 'acme', traits: { name: 'Acme' } })
  analytics.alias({ userId: 'ann', previousId: 'device' })
  await analytics.closeAndFlush({ timeout: 20000 })
  process.stdout.write(JSON.stringify(failed))
}
main()
"""


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(
        ("segment", SEGMENT, SEGMENT.open(Config(write_keys=KEY), SourceTools(source="segment")))
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def _close_the_sdk_s_connections() -> Iterator[None]:
    yield
    sdk_request._session.close()


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the SDK installed from npm, and the script that drives it."""
    with reported_when_missing():
        return npm.install(tmp_path_factory.mktemp("node"), NODE, "@segment/analytics-node")


def send_from_python(port: int, **options: Any) -> list[object]:
    """Everything the Python SDK can send, and the errors it reported."""
    failed: list[object] = []
    client = Client(
        KEY,
        host=f"http://127.0.0.1:{port}",
        on_error=lambda error, _: failed.append(error),
        upload_interval=0.1,
        **options,
    )
    an_hour_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    client.identify("ann", {"firstName": "Ann", "email": "ann@example.com"})
    client.track("ann", "Cart Abandoned", {"cart_id": "c1", "total": 60.5, "title": "ä 😀"})
    client.track(
        "ann", "Order Completed", {"products": [{"product_id": "X1"}]}, timestamp=an_hour_ago, message_id="own-id"
    )
    client.page(anonymous_id="device", name="Shoes", properties={"url": "https://shop.example/shoes"})
    client.screen(anonymous_id="device", name="Basket")
    client.group("ann", "acme", {"name": "Acme"})
    client.alias("device", "ann")
    if not options.get("sync_mode"):
        client.shutdown()
    return failed


async def send_from_node(port: int, folder: Path, key: str = KEY) -> list[str]:
    """Everything the Node SDK can send, and the errors it reported."""
    failed: list[str] = await asyncio.to_thread(npm.run, folder, f"http://127.0.0.1:{port}", key)
    return failed


def assert_everything_came(events: list[Event]) -> None:
    """What both SDKs were told to send has come, once, as Segue's events."""
    identify, cart, order, line, page, screen, group, alias = in_order(events)
    assert (identify.user_id, identify.name) == ("ann", None)
    assert identify.traits["first_name"] == "Ann"
    assert identify.traits["email"] == "ann@example.com"
    assert cart.user_id == "ann"
    assert cart.properties == {"cart_id": "c1", "total": 60.5, "title": "ä 😀"}
    assert NOW - MINUTE < cart.timestamp <= NOW
    assert order.message_id == "own-id"
    assert order.properties["items"] == ["X1"]
    assert (line.message_id, line.properties["product_id"]) == ("own-id/line-1", "X1")
    assert NOW - 61 * MINUTE < order.timestamp <= NOW - 60 * MINUTE
    assert (page.anonymous_id, page.user_id) == ("device", None)
    assert page.properties == {"name": "Shoes", "url": "https://shop.example/shoes"}
    assert screen.properties == {"name": "Basket"}
    assert (group.properties["group_id"], group.traits["group_id"]) == ("acme", "acme")
    assert (alias.user_id, alias.previous_id) == ("ann", "device")
    assert len({event.message_id for event in events}) == 8
    assert {event.source for event in events} == {"segment"}


def in_order(events: list[Event]) -> list[Event]:
    """The events in the order in which they were told to the SDK, whatever batches they came in."""
    expected = [
        None,
        "Cart Abandoned",
        "Order Completed",
        "item_ordered",
        "page_viewed",
        "screen_viewed",
        "group_joined",
        None,
    ]
    named = {event.name: event for event in events if event.name is not None}
    identify = [event for event in events if event.name is None and event.previous_id is None]
    alias = [event for event in events if event.previous_id is not None]
    assert sorted(map(str, expected)) == sorted(str(event.name) for event in events)
    return [*identify, *(named[name] for name in expected if name is not None), *alias]


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("upload_size", [100, 2], ids=["one batch", "several batches"])
async def test_the_python_sdk_is_a_client(served: Served, gzip: bool, upload_size: int) -> None:
    failed = await asyncio.to_thread(send_from_python, served.port, gzip=gzip, upload_size=upload_size)
    assert failed == []
    assert_everything_came(served.events)


async def test_the_python_sdk_is_a_client_call_by_call(served: Served) -> None:
    assert await asyncio.to_thread(send_from_python, served.port, sync_mode=True) == []
    assert_everything_came(served.events)


async def test_the_python_sdk_sends_again_when_nothing_could_be_taken(served: Served) -> None:
    served.failure = Busy(1)
    asyncio.get_running_loop().call_later(0.5, setattr, served, "failure", None)
    assert await asyncio.to_thread(send_from_python, served.port) == []
    assert served.metric('segue_http_requests_total{route="/v1/batch",status="503"}') >= 1
    assert_everything_came(served.events)


async def test_the_python_sdk_prints_what_we_say(served: Served) -> None:
    def send() -> None:
        client = Client("wrong", host=f"http://127.0.0.1:{served.port}", sync_mode=True)
        client.track("ann", "Cart Abandoned")

    with pytest.raises(sdk_request.APIError, match=r"unauthorized: `authorization` .* \(401\)"):
        await asyncio.to_thread(send)
    assert served.accepted == []


async def test_the_node_sdk_is_a_client(served: Served, node_folder: Path) -> None:
    assert await send_from_node(served.port, node_folder) == []
    assert_everything_came(served.events)


async def test_the_node_sdk_sends_again_when_nothing_could_be_taken(served: Served, node_folder: Path) -> None:
    served.failure = Busy(1)
    opened = asyncio.create_task(open_after_the_first_refusal(served))
    assert await send_from_node(served.port, node_folder) == []
    await opened
    assert_everything_came(served.events)


async def open_after_the_first_refusal(served: Served) -> None:
    while served.metric('segue_http_requests_total{route="/v1/batch",status="503"}') < 1:
        await asyncio.sleep(0.02)
    served.failure = None


async def test_the_node_sdk_is_told_of_a_wrong_key(served: Served, node_folder: Path) -> None:
    failed = await send_from_node(served.port, node_folder, key="wrong")
    assert failed
    assert served.accepted == []
    assert served.metric('segue_http_requests_total{route="/v1/batch",status="401"}') >= 1
