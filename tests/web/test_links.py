"""The links that tell when they are opened: where they lead, what is noted, and what nobody can have them do."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from segue.api import Instant, Response
from segue.api.values import DAY
from segue.delivery.hits import Hit
from segue.messages.hrefs import find_in_html
from segue.messages.links import CLICKS, OPENS, SHORT, TRAP, About, Mark, ShortLink, Tracking
from segue.messages.tokens import Signer
from segue.runtime.busy import Busy
from segue.runtime.links import Links
from segue.store.errors import StoreUnavailable
from segue.web.app import create_app
from segue.web.links import FollowedLinks
from segue.web.wording import load_words

NOW = Instant(1_790_000_000_000_000)
KEY = "00112233445566778899aabbccddeeff"
ABOUT = About(key=KEY, channel="email", name="hello", rule="welcome", kind="promotional", expires=NOW)
TRACKING = Tracking(url="https://go.shop.example", home="https://shop.example/", expires=DAY)
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0.0.0 Safari/537.36"


class Site:
    """The endpoints in their application, over nothing that is stored."""

    def __init__(self, tracking: Tracking = TRACKING, key: str = "a key of sixteen and more") -> None:
        self.links = Links(Signer([key]), "https://go.shop.example", tracking)
        self.hits: list[Hit] = []
        self.fault: Exception | None = None
        self.slow = asyncio.Event()
        self.slow.set()
        self.codes: dict[str, ShortLink] = {}
        self.now = NOW
        followed = FollowedLinks(
            self.links, tracking, self._put, self._find, load_words(), lambda: self.now, name="Shop", locale="en"
        )
        self.app = create_app(
            sources=[],
            accept=None,  # type: ignore[arg-type]  # nothing comes in
            callbacks={},
            settle_callback=None,  # type: ignore[arg-type]  # nor from providers
            health=dict,
            metrics=bytes,
            now=lambda: self.now,
            pages=followed.endpoints(),
        )

    async def _put(self, hit: Hit) -> None:
        await self.slow.wait()
        if self.fault is not None:
            raise self.fault
        self.hits.append(hit)

    async def _find(self, code: str) -> ShortLink | None:
        if self.fault is not None:
            raise self.fault
        return self.codes.get(code)

    def paths(self, *targets: str) -> list[str]:
        """Where the links of a message lead that its author had lead there; the last two are the hidden link and the
        picture."""
        html = "".join(f'<a href="{target}">x</a>' for target in targets)
        html = self.links.follow({"html": html}, ABOUT).content["html"]
        found = [link.address.removeprefix("https://go.shop.example") for link in find_in_html(html)]
        return [*found, html.partition('src="https://go.shop.example')[2].partition('"')[0]]

    def ask(self, path: str, method: str = "GET", query: bytes = b"", **headers: str) -> Response:
        return asyncio.run(self.asked(path, method, query, **headers))

    async def asked(self, path: str, method: str = "GET", query: bytes = b"", **headers: str) -> Response:
        said = {"user-agent": CHROME, **{name.replace("_", "-"): value for name, value in headers.items()}}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query,
            "headers": [(name.encode(), value.encode()) for name, value in said.items()],
            "client": ("203.0.113.7", 4711),
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        got = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Response(sent[0]["status"], b"".join(one.get("body", b"") for one in sent[1:]), got)


def test_a_link_leads_where_its_author_had_it_lead_and_the_click_is_noted() -> None:
    site = Site()
    path = site.paths("https://shop.example/sale?a=1&amp;b=2#top", "https://shop.example/")[0]
    answer = site.ask(path)
    assert (answer.status, answer.headers["location"]) == (302, "https://shop.example/sale?a=1&b=2#top")
    assert answer.headers["cache-control"] == "no-store"
    assert site.hits == [Hit(KEY, "clicked", 1, 2, NOW, "computer", "", "https://shop.example/sale?a=1&b=2#top")]


def test_the_query_says_nothing_of_where_a_link_leads() -> None:
    site = Site()
    for query in (b"url=https://evil.example", b"https://evil.example", b"x=" + b"a" * 50_000, b"\xff\x00"):
        assert (
            site.ask(site.paths("https://shop.example/")[0], query=query).headers["location"] == "https://shop.example/"
        )


def test_a_head_is_answered_the_same_and_is_a_machines() -> None:
    site = Site()
    answer = site.ask(site.paths("https://shop.example/")[0], "HEAD")
    assert (answer.status, answer.headers["location"]) == (302, "https://shop.example/")
    assert site.hits[0].machine


def test_another_method_is_refused() -> None:
    site = Site()
    assert site.ask(site.paths("https://shop.example/")[0], "POST").status == 405
    assert site.hits == []


def test_the_picture_is_never_kept_by_anybody() -> None:
    site = Site()
    answer = site.ask(site.paths("https://shop.example/")[-1])
    assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
    assert "no-store" in answer.headers["cache-control"]
    assert answer.body.startswith(b"GIF89a")
    assert [(one.what, one.link, one.machine) for one in site.hits] == [("opened", 0, "")]


def test_a_picture_with_a_bad_token_is_a_picture_and_notes_nothing() -> None:
    site = Site()
    for path in (
        f"{OPENS}forged",
        f"{OPENS}{'a' * 5000}",
        Site(key="the key of another").paths("https://x.example")[-1],
    ):
        assert site.ask(path).status == 200
    assert site.hits == []


def test_the_hidden_link_is_a_machines_whatever_opens_it() -> None:
    site = Site()
    assert site.ask(site.paths("https://shop.example/")[1]).headers["location"] == "https://shop.example/"
    assert site.hits[0].link == TRAP
    assert site.hits[0].machine


@pytest.mark.parametrize("change", [0, 1, 30, 60, -1])
def test_a_link_that_was_altered_leads_to_the_shop_and_nowhere_else(change: int) -> None:
    site = Site()
    token = site.paths("https://shop.example/sale")[0].removeprefix(CLICKS)
    letters = list(token)
    letters[change] = "A" if letters[change] != "A" else "B"
    answer = site.ask(f"{CLICKS}{''.join(letters)}")
    assert answer.status == 404
    assert "location" not in answer.headers
    assert b'href="https://shop.example/"' in answer.body
    assert b"sale" not in answer.body
    assert site.hits == []


def test_a_link_of_another_shop_a_forged_and_a_huge_one_are_refused() -> None:
    site = Site()
    foreign = Site(key="the key of another shop").paths("https://shop.example/")[0]
    for path in (foreign, f"{CLICKS}x", f"{CLICKS}{'A' * 60_000}", f"{CLICKS}é", f"{CLICKS}%0d%0aSet-Cookie:a=b"):
        assert site.ask(path).status == 404
    assert site.ask(site.paths("https://x.example")[-1].replace(OPENS, CLICKS)).status == 404
    assert site.hits == []


def test_a_link_that_is_too_old_says_so_and_leads_to_the_shop() -> None:
    site = Site()
    path = site.paths("https://shop.example/sale")[0]
    site.now = Instant(NOW + DAY)
    answer = site.ask(path)
    assert answer.status == 410
    assert b"has expired" in answer.body
    assert b'href="https://shop.example/"' in answer.body


def test_a_page_without_a_shop_to_lead_to_leads_nowhere() -> None:
    answer = Site(msgspec.structs.replace(TRACKING, home="")).ask(f"{CLICKS}x")
    assert answer.status == 404
    assert b"href" not in answer.body


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "data:text/html,x", "https://x.example/\r\nSet-Cookie: a=b", "//evil.example", ""]
)
def test_nobody_is_sent_where_a_browser_would_not_be_safe_even_where_the_store_says_so(target: str) -> None:
    site = Site()
    site.codes["abc"] = ShortLink("abc", Mark(KEY, 1, 1, target), Instant(NOW + DAY))
    answer = site.ask(f"{SHORT}abc")
    assert answer.status == 404
    assert "location" not in answer.headers
    assert "set-cookie" not in answer.headers


def test_a_short_link_leads_where_it_is_stored_to_lead() -> None:
    site = Site()
    site.codes["abc"] = ShortLink("abc", Mark(KEY, 2, 3, "https://shop.example/ä"), Instant(NOW + DAY))
    assert site.ask(f"{SHORT}abc").headers["location"] == "https://shop.example/%C3%A4"
    assert [(one.link, one.links) for one in site.hits] == [(2, 3)]
    assert site.ask(f"{SHORT}abd").status == 404
    assert site.ask(f"{SHORT}{'a' * 40}").status == 404
    site.now = Instant(NOW + DAY)
    assert site.ask(f"{SHORT}abc").status == 410


@pytest.mark.parametrize("fault", [Busy(1.0), StoreUnavailable("no"), RuntimeError("ours")])
def test_a_click_that_cannot_be_kept_leads_on_all_the_same(fault: Exception) -> None:
    site = Site()
    site.fault = fault
    assert site.ask(site.paths("https://shop.example/")[0]).status == 302


def test_a_short_link_that_cannot_be_looked_up_asks_to_come_again() -> None:
    site = Site()
    site.fault = StoreUnavailable("no")
    assert site.ask(f"{SHORT}abc").status == 503


def test_nobody_waits_for_a_store_that_is_slow_and_the_click_is_kept_then() -> None:
    site = Site()
    site.slow.clear()

    async def play() -> int:
        answer = await site.asked(site.paths("https://shop.example/")[0])
        assert site.hits == []
        site.slow.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return answer.status

    assert asyncio.run(play()) == 302
    assert len(site.hits) == 1
