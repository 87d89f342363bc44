"""Which links are told, and that good ones are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.messages.checking.links import fault_of
from segue.messages.checking.markup import FILLED
from tests.messages.checking.content import check

GOOD = [
    "https://shop.example",
    "https://shop.example/a%20b?c=d&e=f#g",
    "https://shop.example:8443/sale",
    "https://user@shop.example/",
    "https://xn--bcher-kva.example/",
    "https://bücher.example/",
    f"https://shop.example/{FILLED}/cart",
    f"https://{FILLED}/cart",
    f"{FILLED}",
    f"{FILLED}/cart",
    "mailto:help@shop.example",
    "mailto:help@shop.example?subject=My%20order",
    f"mailto:{FILLED}",
    "tel:+358401234567",
    "sms:+358401234567",
    "shopapp://cart/1",
    " https://shop.example ",
    "#cart",
]
DEAD = [
    "",
    "#",
    "www.shop.example",
    "shop.example/sale",
    "/sale",
    "http:/shop.example",
    "https:shop.example",
    "https:///shop.example",
    "https//shop.example",
    "htps://shop.example",
    "http;//shop.example",
    "https://",
    "https://shop..example/",
    "https://shop.example/my sale",
    "https://shop,example/",
    "mailto:",
    "mailto://help@shop.example",
    "mailto:help",
    "mailto:help@shop",
    "mailto:help shop@shop.example",
    "tel:",
    "javascript:void(0)",
    "localhost:8000/sale",
]
FOR_SOME = [
    "http://shop.example/",
    "https://localhost/",
    "http://localhost:8000/sale",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://192.168.1.20/sale",
    "https://shop.local/",
    "https://intranet/",
]


@pytest.mark.parametrize("link", [link for link in GOOD if link != "#cart"])
def test_a_link_that_works_is_left_alone(link: str) -> None:
    assert fault_of(link) is None


@pytest.mark.parametrize("link", DEAD)
def test_a_link_that_leads_nowhere_is_told(link: str) -> None:
    fault = fault_of(link)
    assert fault is not None
    assert fault.code == "E1014"
    assert fault.hint


@pytest.mark.parametrize("link", FOR_SOME)
def test_a_link_that_only_some_can_follow_is_told(link: str) -> None:
    fault = fault_of(link)
    assert fault is not None
    assert fault.code == "W1015"


@pytest.mark.parametrize("link", ["/sale", "sale.html", "?page=2", "#cart"])
def test_what_stands_on_a_page_may_be_relative_to_it(link: str) -> None:
    assert fault_of(link, on_a_page=True) is None


@given(st.text())
def test_any_text_has_a_verdict(link: str) -> None:
    fault = fault_of(link)
    assert fault is None or (fault.code in ("E1014", "W1015") and fault.reason)


def test_the_place_is_that_of_the_address(tmp_path: Path) -> None:
    markup = (
        "---\nsubject: Sale\npreview: Today\n---\n<p>\n"
        '  <a href="{{ event.url | default: "https://shop.example" }}">a</a>\n'
        "  {% if true %}<a class=x href='www.shop.example'>b</a>{% endif %}\n"
        '  <a href="https://shop.example/{{ customer.id }}?a={% if true %}1{% endif %}">c</a>\n'
        '</p><!-- <a href="nowhere">d</a> --><p>{{ unsubscribe_url }}</p>\n'
    )
    found = [one for one in check(tmp_path, {"messages/sale/email.html": markup}) if one.code != "W1001"]
    assert [(one.code, one.primary.line, one.primary.column) for one in found if one.primary] == [("E1014", 7, 33)]
    assert found[0].hint == "write https://www.shop.example"


def test_links_in_plain_text_and_in_parts_that_are_one(tmp_path: Path) -> None:
    files = {
        "messages/sale/sms.txt": "See https:/shop.example/a, and (https://shop.example/b).",
        "messages/sale/push.txt": "---\ntitle: Sale\nurl: shop.example/sale\n---\nToday",
    }
    assert sorted(one.message.split("”")[0].split("“")[1] for one in check(tmp_path, files)) == [
        "https:/shop.example/a",
        "shop.example/sale",
    ]


def test_what_a_push_opens_may_be_a_path_of_its_site(tmp_path: Path) -> None:
    files = {
        "messages/sale/push.txt": "---\ntitle: Sale\nurl: /sale\n---\nToday",
        "messages/sale/email.txt": "---\nsubject: The sale begins\npreview: Today\n---\n[Sale](/sale)",
    }
    assert [one.message.split("”")[0].split("“")[1] for one in check(tmp_path, files) if one.code == "E1014"] == [
        "/sale"
    ]
