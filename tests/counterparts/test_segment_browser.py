"""The unmodified Segment SDK of websites, npm @segment/analytics-next, in Chromium on a page of another origin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from segue.api import SourceTools
from segue_segment import SEGMENT, Config
from tests.counterparts import npm
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.process import require
from tests.web.served import KEY, Served, serving

pytestmark = pytest.mark.asyncio

NODE = r"""
const [segue, writeKey, executablePath, userDataDir] = process.argv.slice(2)
const { chromium } = require('playwright-core')
const fs = require('fs'), http = require('http'), path = require('path')
const umd = path.join(__dirname, 'node_modules/@segment/analytics-next/dist/umd')
const shop = http.createServer((request, response) => {
  const file = path.join(umd, path.basename(request.url.split('?')[0]))
  if (request.url.endsWith('.js') && fs.existsSync(file)) {
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(fs.readFileSync(file))
  } else {
    response.writeHead(200, { 'content-type': 'text/html' })
      .end('<!doctype html><title>Shoes</title><script src="/index.js"></script>')
  }
})
async function main() {
  await new Promise((ready) => shop.listen(0, '127.0.0.1', ready))
  const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--no-first-run']
  const browser = await chromium.launchPersistentContext(userDataDir, { executablePath, headless: true, args })
  const page = await browser.newPage()
  const said = []
  page.on('console', (line) => said.push(line.text()))
  page.on('pageerror', (error) => said.push(String(error)))
  await page.goto(`http://localhost:${shop.address().port}/shoes?size=40`)
  const anonymous = await page.evaluate(async ([segue, writeKey]) => {
    const [analytics] = await AnalyticsNext.AnalyticsBrowser.load({ writeKey, cdnURL: segue })
    await analytics.page('Shoes')
    await analytics.track('Product Added', { product_id: 'X1', price: 29.9, quantity: 2, title: 'ä 😀' })
    await analytics.identify('ann', { email: 'ann@example.com' })
    await analytics.track('Order Completed', { order_id: '1', total: 59.8, products: [{ product_id: 'X1' }] })
    return analytics.user().anonymousId()
  }, [segue, writeKey])
  await page.waitForLoadState('networkidle')
  await browser.close()
  shop.close()
  process.stdout.write(JSON.stringify({ anonymous, said }))
}
main().catch((error) => { console.error(error); process.exit(1) })
"""


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Served]:
    async with serving(
        ("segment", SEGMENT, SEGMENT.open(Config(write_keys=KEY), SourceTools(source="segment")))
    ) as running:
        yield running


@pytest.mark.timeout(150)
async def test_the_browser_s_sdk_is_a_client(served: Served, tmp_path: Path) -> None:
    with reported_when_missing():
        chromium = require("chromium", "chromium")
        packages = ("@segment/analytics-next", "playwright-core")
        folder = await asyncio.to_thread(npm.install, tmp_path, NODE, *packages)
    url = f"http://127.0.0.1:{served.port}"
    told = await asyncio.to_thread(npm.run, folder, url, KEY, chromium, str(tmp_path / "profile"))
    assert told["said"] == []
    page, added, identify, order, line = served.events
    assert [one.name for one in served.events] == [
        "page_viewed",
        "Product Added",
        None,
        "Order Completed",
        "item_ordered",
    ]
    assert {one.anonymous_id for one in served.events} == {told["anonymous"]}
    assert [one.user_id for one in (page, added, identify, order, line)] == [None, None, "ann", "ann", "ann"]
    assert (page.properties["name"], page.properties["title"], page.properties["search"]) == (
        "Shoes",
        "Shoes",
        "?size=40",
    )
    assert added.properties["title"] == "ä 😀"
    assert identify.traits["email"] == "ann@example.com"
    assert (order.properties["total"], order.properties["items"]) == (59.8, ["X1"])
