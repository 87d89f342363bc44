"""Web push against npm's web-push-testing, a push service that decrypts and checks what it gets, and in Chromium."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import segue_web_push
from segue.api import Answer, Instant, Message, Rejected, Sent, SourceTools, Tools
from segue.host.http import AiohttpClient
from segue_segment import SEGMENT
from segue_segment import Config as SegmentConfig
from segue_web_push import Config, open_channel
from segue_web_push.vapid import load_key, public_key
from tests.acceptance.harness import Daemon, Project, identify, track, wait_until
from tests.counterparts import npm
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.process import Program, free_port, require
from tests.web.served import KEY, serving

pytestmark = pytest.mark.timeout(150)

RAW_KEY = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
OTHER_KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
PUBLIC_KEY = public_key(load_key(RAW_KEY))

SERVER = """
const { PushApiModel } = require('web-push-testing/src/PushApiModel.js')
const Server = require('web-push-testing/src/server.js')
new Server(new PushApiModel(), Number(process.argv[2])).startServer()
"""

BROWSER = r"""
const [segue, writeKey, publicKey, subscription, pushed, assets, executablePath, userDataDir, picture] =
  process.argv.slice(2)
const { chromium } = require('playwright-core')
const fs = require('fs'), http = require('http'), path = require('path')
const shop = http.createServer((request, response) => {
  const file = path.join(assets, path.basename(request.url))
  if (request.url.endsWith('.js') && fs.existsSync(file)) {
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(fs.readFileSync(file))
  } else {
    response.writeHead(200, { 'content-type': 'text/html' })
      .end(`<!doctype html><title>Shoes</title><h1>Shoes</h1><script src="/segue-push.js"></script><script>
        const settings = ${JSON.stringify({ segue, writeKey, publicKey })}
        const push = SeguePush({ ...settings, user: () => ({ userId: 'ann' }) })
        push.offer({ text: 'Shall we tell you when your parcel is on its way?', yes: 'Yes, please', no: 'Not now' })
        const unasked = push.subscribe('x').then(() => '', (error) => error.message)
      </script>`)
  }
})
async function main() {
  await new Promise((ready) => shop.listen(0, '127.0.0.1', ready))
  const origin = `http://localhost:${shop.address().port}`
  const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--no-first-run']
  const browser = await chromium.launchPersistentContext(userDataDir, { executablePath, headless: true, args })
  const said = []
  // No push service can be reached from here: the subscription is one of web-push-testing's, all else is real.
  await browser.addInitScript((sent) => {
    window.asked = 0
    Object.defineProperty(Notification, 'permission', { configurable: true, get: () => window.answer || 'default' })
    Notification.requestPermission = async () => { window.asked += 1; return (window.answer = 'granted') }
    PushManager.prototype.subscribe = async (options) => {
      window.subscribedWith = options
      return { toJSON: () => JSON.parse(sent) }
    }
  }, subscription)
  await browser.grantPermissions(['notifications'], { origin })
  const page = await browser.newPage()
  page.on('console', (line) => said.push(line.text()))
  page.on('pageerror', (error) => said.push(String(error)))
  await page.goto(origin)
  const unasked = await page.evaluate(() => unasked)
  const askedBefore = await page.evaluate(() => window.asked)
  await page.screenshot({ path: picture })
  const told = page.waitForResponse((response) => response.url().endsWith('/v1/track'))
  await page.click('text=Yes, please')
  await told
  const seen = await page.evaluate(() => ({
    asked: window.asked,
    bar: document.querySelector('#segue-push') !== null,
    visible: window.subscribedWith.userVisibleOnly,
    key: window.subscribedWith.applicationServerKey.length,
  }))
  const cdp = await browser.newCDPSession(page)
  const registered = new Promise((ready) => cdp.on('ServiceWorker.workerRegistrationUpdated',
    ({ registrations }) => registrations.length && ready(registrations[0].registrationId)))
  await cdp.send('ServiceWorker.enable')
  const registrationId = await registered
  await page.evaluate(() => navigator.serviceWorker.ready)
  const shown = []
  for (const data of [...JSON.parse(pushed), 'not JSON']) {
    await cdp.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data })
    await page.waitForTimeout(300)
  }
  for (let tries = 0; tries < 50 && shown.length === 0; tries++) {
    await page.waitForTimeout(100)
    shown.push(...await page.evaluate(async () => (await (await navigator.serviceWorker.ready).getNotifications())
      .map(({ title, body, tag, icon, data }) => ({ title, body, tag, icon, data }))))
  }
  const [worker] = browser.serviceWorkers()
  const opened = await worker.evaluate(async () => {
    const opened = []
    clients.openWindow = async (url) => { opened.push(url) }
    for (const url of ['/cart?a=1', 'https://elsewhere.test/x', 'javascript:alert(1)']) {
      const notification = { close() {}, data: { url } }
      const event = new Event('notificationclick')
      let waited
      Object.assign(event, { notification, waitUntil: (promise) => { waited = promise } })
      self.dispatchEvent(event)
      await waited
    }
    return opened
  })
  await browser.close()
  shop.close()
  const asks = { unasked, askedBefore, ...seen }
  process.stdout.write(JSON.stringify({ origin, asks, shown, opened, said }))
}
main().catch((error) => { console.error(error); process.exit(1) })
"""


class PushService:
    """web-push-testing, running."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._program = Program(["node", str(folder / "drive.js"), str(self.port)], folder / "server.log")
        self._program.wait_for_port(self.port)

    def subscribe(self) -> dict[str, Any]:
        """What a browser would hold: endpoint, keys; and ``clientHash``, by which the tests ask for it."""
        found: dict[str, Any] = self.ask("/subscribe", userVisibleOnly="true", applicationServerKey=PUBLIC_KEY)["data"]
        found["endpoint"] = found["endpoint"].replace("localhost", "127.0.0.1")
        return found

    def ask(self, path: str, **body: str) -> Any:
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"content-type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            raw = answer.read()
        return json.loads(raw) if raw.startswith(b"{") else raw

    def received(self, client: str) -> list[Any]:
        return [json.loads(one) for one in self.ask("/get-notifications", clientHash=client)["data"]["messages"]]

    def stop(self) -> None:
        self._program.stop()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushService]:
    with reported_when_missing():
        folder = npm.install(tmp_path_factory.mktemp("push"), SERVER, "web-push-testing")
    running = PushService(folder)
    try:
        yield running
    finally:
        running.stop()


def token(subscription: dict[str, Any]) -> str:
    return json.dumps({"endpoint": subscription["endpoint"], "keys": subscription["keys"]}, separators=(",", ":"))


def message(address: str, **content: str) -> Message:
    return Message(
        key="0123456789abcdef0123456789abcdef",
        channel="web_push",
        name="cart_reminder",
        kind="promotional",
        customer="ann",
        address=address,
        content={"title": "Your cart", "text": "Ostoskorisi odottaa 🛒", "url": "/cart"} | content,
        rule="cart_abandoned",
        expires=Instant(int((time.time() + 60) * 1e6)),
    )


async def send(service: PushService, *messages: Message, key: str = RAW_KEY) -> list[Answer]:
    http = AiohttpClient()
    config = Config(private_key=key, subject="mailto:shop@example.test", other_services=(service.url,))
    channel = open_channel(config, Tools(channel="web_push", http=http))
    try:
        return list(await channel.send(messages))
    finally:
        await channel.close()
        await http.close()


@pytest.mark.asyncio
async def test_the_push_service_decrypts_what_was_written(service: PushService) -> None:
    ann, ben, gone = service.subscribe(), service.subscribe(), service.subscribe()
    service.ask(f"/expire-subscription/{gone['clientHash']}")
    answers = await send(
        service,
        message(token(ann)),
        message(token(ben), text="x" * 1_900),
        message(token(gone)),
        message(token(ann | {"endpoint": ann["endpoint"] + "x"})),
    )
    assert [type(answer) for answer in answers] == [Sent, Sent, Rejected, Rejected]
    expired, unknown = answers[2:]
    assert isinstance(expired, Rejected)
    assert isinstance(unknown, Rejected)
    assert (expired.address_gone, unknown.address_gone) == (True, False)
    assert "unsubscribed or expired" in expired.reason
    assert "Client not subscribed" in unknown.reason
    (got,) = service.received(ann["clientHash"])
    assert got == {
        "title": "Your cart",
        "body": "Ostoskorisi odottaa 🛒",
        "tag": "0123456789abcdef0123456789abcdef",
        "url": "/cart",
    }
    assert len(service.received(ben["clientHash"])[0]["body"]) == 1_900


@pytest.mark.asyncio
async def test_a_key_that_the_browser_did_not_subscribe_to_is_refused(service: PushService) -> None:
    ann = service.subscribe()
    (answer,) = await send(service, message(token(ann)), key=OTHER_KEY)
    assert isinstance(answer, Rejected)
    assert "400" in answer.reason
    assert not answer.address_gone
    assert service.received(ann["clientHash"]) == []


def test_a_rule_sends_a_push_and_hears_of_a_browser_that_is_gone(service: PushService, tmp_path: Path) -> None:
    ann, ben = service.subscribe(), service.subscribe()
    service.ask(f"/expire-subscription/{ben['clientHash']}")
    project = Project(
        tmp_path,
        rules="when signed_up send web_push\n",
        messages={
            "signed_up": {"web_push.txt": "---\ntitle: Hi {{ customer.first_name }}\nurl: /cart\n---\nWelcome!\n"}
        },
        channels=(
            '[channels.web_push]\nuse = "web-push"\nconsent = "opt-out"\nprivate_key = { env = "VAPID_KEY" }\n'
            f'subject = "mailto:shop@example.test"\nother_services = ["{service.url}"]\n'
        ),
    )
    with Daemon(project, environment={"VAPID_KEY": RAW_KEY}) as daemon:
        project.send(
            identify("ann", first_name="Ann", web_push_token=token(ann)),
            identify("ben", first_name="Ben", web_push_token=token(ben)),
            track("ann", "signed_up"),
            track("ben", "signed_up"),
        )
        (got,) = wait_until(lambda: service.received(ann["clientHash"]), what="the push")
        wait_until(project.is_drained, what="the end of the journeys")
        log = daemon.log
    assert (got["title"], got["body"], got["url"]) == ("Hi Ann", "Welcome!", "/cart")
    assert service.received(ben["clientHash"]) == []
    assert project.rows("select address, reason from suppression") == [(token(ben), "bounced")]
    assert RAW_KEY not in log
    assert ben["keys"]["auth"] not in log


@pytest.mark.asyncio
async def test_the_visitor_is_asked_after_a_click_and_the_notification_shows(
    service: PushService, tmp_path: Path
) -> None:
    subscription = service.subscribe()
    await send(service, message(token(subscription), icon="/icon.png"))
    pushed = [msgspec.json.encode(one).decode() for one in service.received(subscription["clientHash"])]
    assets = Path(segue_web_push.__file__).parent / "browser"
    with reported_when_missing():
        chromium = require("chromium", "chromium")
        folder = await asyncio.to_thread(npm.install, tmp_path, BROWSER, "playwright-core")
    segment = SEGMENT.open(SegmentConfig(write_keys=KEY), SourceTools(source="segment"))
    async with serving(("segment", SEGMENT, segment)) as served:
        told = await asyncio.to_thread(
            npm.run,
            folder,
            f"http://127.0.0.1:{served.port}",
            KEY,
            PUBLIC_KEY,
            token(subscription),
            json.dumps(pushed),
            str(assets),
            chromium,
            str(tmp_path / "profile"),
            str(tmp_path / "prompt.png"),
        )
    assert told["said"] == []
    assert told["asks"] == {
        "unasked": "Ask for notifications only after a click",
        "askedBefore": 0,
        "asked": 1,
        "bar": False,
        "visible": True,
        "key": 65,
    }
    (shown,) = told["shown"]
    assert shown == {
        "title": "Your cart",
        "body": "Ostoskorisi odottaa 🛒",
        "tag": "0123456789abcdef0123456789abcdef",
        "icon": f"{told['origin']}/icon.png",
        "data": {"url": "/cart"},
    }
    assert told["opened"] == [f"{told['origin']}/cart?a=1", "https://elsewhere.test/x"]
    known, agreed = served.events
    assert (known.user_id, known.traits["web_push_token"]) == ("ann", token(subscription))
    assert (agreed.name, agreed.properties["channel"]) == ("subscribed", "web_push")
    assert agreed.properties["wording"] == "Shall we tell you when your parcel is on its way?"
