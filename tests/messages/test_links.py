"""Links that are followed: what is rewritten, what is left alone, and what nobody can make of a token."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from segue.api import Instant
from segue.api.values import DAY
from segue.messages.hrefs import find_in_html
from segue.messages.links import (
    CLICKS,
    MOST_LINKS,
    OPENS,
    TRAP,
    About,
    Expired,
    Mark,
    Tracking,
    location,
    reactions_of,
    read_mark,
    track,
)
from segue.messages.tokens import BadToken, Signer

NOW = Instant(1_790_000_000_000_000)
KEY = "00112233445566778899aabbccddeeff"
SIGNER = Signer(["a key of sixteen and more"])
ABOUT = About(key=KEY, channel="email", name="hello", rule="welcome", kind="promotional", expires=NOW)
TRACKING = Tracking(url="https://go.shop.example", home="https://shop.example/")
OWN = ("https://go.shop.example/u/",)


def tracked(html: str, about: About = ABOUT, **settings: Any) -> str:
    tracking = msgspec.structs.replace(TRACKING, **settings)
    return track({"html": html}, about, tracking, SIGNER, OWN).content["html"]


def marks(html: str) -> list[Mark]:
    tokens = [link.address.partition(CLICKS)[2] for link in find_in_html(html)]
    return [read_mark(SIGNER, CLICKS, token, NOW) for token in tokens if token]


def test_a_link_leads_over_the_shops_own_domain_to_where_it_led() -> None:
    html = tracked('<a href="https://shop.example/?a=1&amp;b=2">x</a><a href="http://other.example">y</a>', trap=False)
    assert "shop.example/?a" not in html
    assert marks(html) == [
        Mark(KEY, 1, 2, "https://shop.example/?a=1&b=2"),
        Mark(KEY, 2, 2, "http://other.example"),
    ]


def test_the_same_message_has_the_same_links_again() -> None:
    html = '<a href="https://shop.example">x</a>'
    assert tracked(html) == tracked(html)


def test_links_to_one_place_are_one_link() -> None:
    html = tracked('<a href="https://shop.example"><img></a><a href="https://shop.example">x</a>', trap=False)
    assert [(mark.link, mark.links) for mark in marks(html)] == [(1, 1), (1, 1)]


@pytest.mark.parametrize(
    "href",
    [
        "mailto:a@shop.example",
        "tel:+358401234567",
        "#top",
        "/relative",
        "//other.example/x",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://go.shop.example/u/token",
        "https://user:secret@shop.example/",
        "https://shop.example/a b",
        "https://shop.example/\\evil",
        "https://[oops/",
        f"https://shop.example/{'x' * 1400}",
        "",
    ],
)
def test_what_is_no_link_of_the_shops_is_left_as_it_is(href: str) -> None:
    html = f'<a href="{href}">x</a>'
    assert tracked(html, opens=False) == html


def test_the_picture_stands_at_the_end_and_the_hidden_link_before_it() -> None:
    html = tracked("<body><a href='https://shop.example'>x</a></body>")
    picture = re.search(r'<img src="https://go\.shop\.example/o/([^"]+)"[^>]*></body>$', html)
    assert picture is not None
    assert read_mark(SIGNER, OPENS, picture[1], NOW) == Mark(KEY, 0, 1, "")
    assert marks(html)[-1] == Mark(KEY, TRAP, 1, "https://shop.example/")


@pytest.mark.parametrize(
    ("traits", "kind", "settings", "followed"),
    [
        ({}, "promotional", {}, True),
        ({"tracking": False}, "promotional", {}, False),
        ({"tracking": "no"}, "promotional", {"asked": True}, False),
        ({}, "promotional", {"asked": True}, False),
        ({"tracking": True}, "promotional", {"asked": True}, True),
        ({}, "transactional", {"kinds": frozenset(["promotional"])}, False),
        ({}, "promotional", {"url": None}, False),
        ({}, "promotional", {"clicks": False, "opens": False}, False),
    ],
)
def test_whose_messages_are_followed(traits: Any, kind: Any, settings: Any, followed: bool) -> None:
    html = '<a href="https://shop.example">x</a>'
    about = msgspec.structs.replace(ABOUT, traits=traits, kind=kind)
    assert (tracked(html, about, **settings) != html) is followed


def test_addresses_of_the_shops_own_are_tagged_also_where_nobody_is_followed() -> None:
    settings: Any = {
        "url": None,
        "domains": ("shop.example",),
        "parameters": {"utm_medium": "{channel}", "utm_id": "{rule}"},
    }
    html = '<a href="https://www.shop.example/#a">x</a><a href="https://other.example">y</a>'
    assert tracked(html, **settings) == html.replace("/#a", "/?utm_medium=email&amp;utm_id=welcome#a")
    text = track({"text": "https://shop.example."}, ABOUT, msgspec.structs.replace(TRACKING, **settings), SIGNER, OWN)
    assert text.content["text"] == "https://shop.example?utm_medium=email&utm_id=welcome."


def test_a_followed_link_leads_to_the_tagged_address() -> None:
    html = tracked('<a href="https://shop.example/">x</a>', domains=("*",), parameters={"utm_source": "s"}, trap=False)
    assert [mark.target for mark in marks(html)] == ["https://shop.example/?utm_source=s"]


def test_links_of_plain_text_are_short_and_stored() -> None:
    about = msgspec.structs.replace(ABOUT, channel="sms")
    tracking = msgspec.structs.replace(TRACKING, short=frozenset(["sms"]), expires=DAY)
    content = {"text": "Hi! https://shop.example/sale?x=1 or https://other.example."}
    found = track(content, about, tracking, SIGNER, OWN)
    assert re.fullmatch(
        r"Hi! https://go\.shop\.example/s/\w{9} or https://go\.shop\.example/s/\w{9}\.", found.content["text"]
    )
    assert [(one.mark, one.until) for one in found.short] == [
        (Mark(KEY, 1, 2, "https://shop.example/sale?x=1"), NOW + DAY),
        (Mark(KEY, 2, 2, "https://other.example"), NOW + DAY),
    ]
    assert track(content, about, tracking, SIGNER, OWN) == found
    assert track(content, ABOUT, tracking, SIGNER, OWN).content == content


def test_a_token_is_refused_once_it_is_too_old_or_was_touched() -> None:
    (mark,) = find_in_html(tracked('<a href="https://shop.example">x</a>', trap=False, expires=DAY))
    token = mark.address.partition(CLICKS)[2]
    with pytest.raises(Expired):
        read_mark(SIGNER, CLICKS, token, Instant(NOW + DAY))
    for bad in (token[:-1], token[1:], token[::-1], token + "A", SIGNER.seal(f"track{CLICKS}", b"short")):
        with pytest.raises(BadToken):
            read_mark(SIGNER, CLICKS, bad, NOW)
    with pytest.raises(BadToken):
        read_mark(SIGNER, OPENS, token, NOW)
    with pytest.raises(BadToken):
        read_mark(Signer(["the key of another shop"]), CLICKS, token, NOW)


def test_more_links_than_can_be_told_apart_are_left_as_they_are() -> None:
    html = "".join(f'<a href="https://shop.example/{number}">x</a>' for number in range(MOST_LINKS + 3))
    assert len(marks(tracked(html, trap=False))) == MOST_LINKS


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("https://shop.example/a%20b?c=%C3%A4+d", "https://shop.example/a%20b?c=%C3%A4+d"),
        ("https://shop.example/ä?ö=%20#ü", "https://shop.example/%C3%A4?%C3%B6=%20#%C3%BC"),
        ("https://Bücher.example:8443/x", "https://xn--bcher-kva.example:8443/x"),
        ("https://shop.example/\r\nSet-Cookie: a=b", ""),
        ("https://shop.example/\u2028x", ""),
        ("javascript:alert(1)", ""),
        ("JaVaScRiPt://shop.example/%0aalert(1)", ""),
        ("data:text/html,<script>", ""),
        ("https://shop.example@evil.example/", ""),
        ("", ""),
    ],
)
def test_where_a_header_may_send_somebody(address: str, found: str) -> None:
    assert location(address) == found


def test_a_channel_reports_what_its_content_can_tell() -> None:
    assert reactions_of(TRACKING, "email", ["subject", "html"]) == ("clicked", "opened")
    assert reactions_of(TRACKING, "sms", ["text"]) == ()
    assert reactions_of(msgspec.structs.replace(TRACKING, short=frozenset(["sms"])), "sms", ["text"]) == ("clicked",)
    assert reactions_of(msgspec.structs.replace(TRACKING, url=None), "email", ["html"]) == ()
    assert reactions_of(msgspec.structs.replace(TRACKING, opens=False), "email", ["html"]) == ("clicked",)
