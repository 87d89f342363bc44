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
    f"https://shop.example:{FILLED}/cart",
    "https://[2a00:1450::1]:8443/cart",
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
    "https://https://shop.example",
    "https://shop.example:99999/",
    "https://shop.example:https/",
    "https://shop.example/100%",
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


def told(folder: Path, name: str, text: str) -> list[tuple[str, str, int]]:
    """What is said of links: code, the beginning of the sentence, line."""
    front = "---\nsubject: Sale\npreview: Today\n---\n"
    found = check(folder, {f"messages/sale/{name}": f"{front}{text}\n{{{{ unsubscribe_url }}}}\n"})
    return [
        (one.code, one.message.partition("”")[0], one.primary.line)
        for one in found
        if one.primary is not None and one.code in ("E1014", "W1015")
    ]


def test_markdown_that_is_shown_as_it_is_written_has_no_links(tmp_path: Path) -> None:
    assert told(tmp_path, "email.md", "Write `[a](b)`.\n\n```\n[a](b)\n```\n\n[^1] and [a].\n") == []


def test_links_of_markdown_that_are_none_are_told(tmp_path: Path) -> None:
    text = "[a][one] and [b](https://shop.example/my sale)\n\n[one]: htp://shop.example\n"
    assert told(tmp_path, "email.md", text) == [
        ("E1014", "the link “https://shop.example/my sale", 5),
        ("E1014", "the link “htp://shop.example", 7),
    ]


def test_a_link_of_markdown_without_an_end_is_told(tmp_path: Path) -> None:
    text = 'Come [in](https://shop.example/a\n"now") or\n\n[buy](https://shop.example/b\n\n[c](https://shop.example/c)'
    assert told(tmp_path, "email.md", text) == [("E1014", "the link “https://shop.example/b", 8)]


def test_a_place_in_the_message_itself_is_there_or_is_told(tmp_path: Path) -> None:
    text = '<p id="terms">*</p><a name="top"></a><a href="#terms">a</a> <a href="#top">b</a>\n<a href="#end">c</a>'
    assert told(tmp_path, "email.html", text) == [("E1014", "the link “#end", 6)]


def test_pictures_have_addresses_too(tmp_path: Path) -> None:
    text = "\n".join(
        f'<img src="{src}" alt="A lamp">'
        for src in ("logo.png", "", "https:/shop.example/a.png", "data:image/png;base64,AAAA", "cid:logo",
                    "http://shop.example/a.png", "https://shop.example/a.png", "{{ customer.plan }}")
    )  # fmt: skip
    assert told(tmp_path, "email.html", text) == [
        ("E1014", "the image “logo.png", 5),
        ("E1014", "the image “", 6),
        ("E1014", "the image “https:/shop.example/a.png", 7),
        ("W1015", "the image “data:image/png;base64,AAAA", 8),
    ]
