"""The page of `segue report` in Chromium, as a screen, a phone and a board's laptop in the dark show it, and axe-core,
which checks it by the rules of WCAG 2.2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from segue.cli.reporting.material import Material
from segue.cli.reporting.page import render
from segue.measure.incrementality import evidence_table
from segue.measure.results.counts import Counts
from segue.measure.table import Column, Table
from tests.cli.reporting.made import ATTRIBUTION, cohorts, counts, difference, evidence, experiments, funnels, material
from tests.counterparts import npm
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.process import require

LONG = "Win back the carts of those who have left something behind and have never ordered anything before"
NAMES = (LONG, "Körbe & Café 🛒", "שלום עולם — עגלה נטושה", "x" * 200, "<b>bold</b>")
BROWSER = r"""
const [executablePath, ...files] = process.argv.slice(2)
const { chromium } = require('playwright-core')
const fs = require('fs'), path = require('path'), url = require('url')
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
function look() {
  const apart = (a, b) => a.right <= b.left + .5 || b.right <= a.left + .5
    || a.bottom <= b.top + 3 || b.bottom <= a.top + 3
  const inside = (a, box) => a.left >= box.left - 1 && a.right <= box.right + 1
    && a.top >= box.top - 2 && a.bottom <= box.bottom + 2
  const found = { wide: document.documentElement.scrollWidth - innerWidth, overlapping: [], outside: [], drawn: 0 }
  const check = (frame, elements) => {
    const box = frame.getBoundingClientRect()
    const said = elements.filter((one) => one.textContent.trim())
    const texts = said.map((one) => [one.textContent, one.getBoundingClientRect()])
    found.drawn += texts.length
    texts.forEach(([words, at], place) => {
      if (!inside(at, box)) found.outside.push(words)
      for (const [others, other] of texts.slice(place + 1)) {
        if (!apart(at, other)) found.overlapping.push([words, others])
      }
    })
  }
  const pairs = { 'svg.chart, svg.strip': 'text', '.rows': 'bdi, p > span', '.cards > div': 'dt, strong, small' }
  for (const [frames, texts] of Object.entries(pairs)) {
    for (const frame of document.querySelectorAll(frames)) check(frame, [...frame.querySelectorAll(texts)])
  }
  return found
}
async function main() {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--no-first-run']
  const browser = await chromium.launch({ executablePath, args })
  const told = []
  for (const file of files) for (const [width, colorScheme] of [[1280, 'dark'], [390, 'light'], [320, 'light']]) {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
    const said = [], asked = []
    page.on('console', (line) => said.push(line.text()))
    page.on('pageerror', (error) => said.push(String(error)))
    page.on('request', (request) => asked.push(request.url()))
    await page.goto(url.pathToFileURL(file).href)
    const found = await page.evaluate(look)
    const requests = asked.length
    let faults = []
    if (width !== 320) {
      await page.evaluate(axe)
      const checked = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }))
      faults = checked.violations.map((one) => [one.id, one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200))])
    }
    told.push({ page: path.basename(file), width, ...found, said, requests, faults })
    await page.close()
  }
  await browser.close()
  process.stdout.write(JSON.stringify(told))
}
main().catch((error) => { console.error(error); process.exit(1) })
"""


def everything() -> Material:
    """A report on which every section is, of names as they come."""
    measured = [
        evidence(name, difference(20.0 - 15 * place, -40, 90), {"last": 70}) for place, name in enumerate(NAMES)
    ]
    channels = ("email", LONG, "sms")
    rows = tuple(
        (model, channel, 1234.5 / (1 + at) / (1 + len(model)))
        for model in ("first", "last", "linear", "markov", "time-decay", "shapley")
        for at, channel in enumerate(channels)
    )
    by_rule = (ATTRIBUTION[0], Column("rule", "Rule"), ATTRIBUTION[2])
    return material(
        counts(NAMES, channels, scale=40),
        counts(NAMES, channels),
        *funnels(NAMES),
        *experiments(rules=NAMES),
        evidence_table(measured),
        Table("attribution", "A", ATTRIBUTION, rows),
        Table("attribution_by_rule", "B", by_rule, tuple(("last", name, 70.5) for name in NAMES)),
        cohorts(*((NAMES[0], f"2026-1{month}-0{day}", 900, 1, 123) for month, day in ((0, 5), (1, 2), (1, 9)))),
        project=LONG,
    )


@pytest.mark.timeout(200)
def test_a_page_reads_well_on_every_screen_and_asks_for_nothing(tmp_path: Path) -> None:
    with reported_when_missing():
        chromium = require("chromium", "chromium")
        npm.install(tmp_path, BROWSER, "playwright-core", "axe-core")
    pages = {"all.html": everything(), "empty.html": material(Counts()), "one.html": material(counts(["a"], days=1))}
    for name, found in pages.items():
        (tmp_path / name).write_text(render(found), encoding="utf-8")
    told: list[dict[str, Any]] = npm.run(tmp_path, chromium, *(str(tmp_path / name) for name in pages))
    assert len(told) == 3 * len(pages)
    for one in told:
        where = f"{one['page']} at {one['width']}"
        assert one["wide"] <= 0, where
        assert one["overlapping"] == [], where
        assert one["outside"] == [], where
        assert one["said"] == [], where
        assert one["requests"] == 1, where
        assert one["faults"] == [], where
        assert (one["drawn"] > 200) == (one["page"] == "all.html"), where
