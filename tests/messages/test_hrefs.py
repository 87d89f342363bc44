"""The links of finished HTML and text are found where a mail client finds them, and nothing else changes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.messages.hrefs import find_in_html, find_in_text, put_in, put_last


def in_html(html: str) -> list[str]:
    return [link.address for link in find_in_html(html)]


def in_text(text: str) -> list[str]:
    return [link.address for link in find_in_text(text)]


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<a href="https://x.example/?a=1&amp;b=2">x</a>', ["https://x.example/?a=1&b=2"]),
        ("<A class='x' HREF = 'https://x.example'>x</A>", ["https://x.example"]),
        ("<a href=https://x.example/?a=b>x</a>", ["https://x.example/?a=b"]),
        ('<a\n  title="a > b"\n  href="\n https://x.example ">x</a>', ["https://x.example"]),
        ('<map><area shape="rect" href="https://x.example"/></map>', ["https://x.example"]),
        ('<a href="https://one.example" href="https://two.example">x</a>', ["https://one.example"]),
        ("<a href>x</a><a name=top>y</a>", []),
        ('<link href="https://x.example/style.css"><img src="https://x.example/a.png">', []),
        ('<abbr href="https://x.example">x</abbr>', []),
        ('<!-- <a href="https://x.example"> --><a href="https://y.example">', ["https://y.example"]),
        (
            '<!--[if mso]><v:roundrect href="https://x.example"></v:roundrect><![endif]-->'
            '<!--[if !mso]><!--><a href="https://y.example">',
            ["https://x.example", "https://y.example"],
        ),
        (
            "<style>a:after{content:'<a href=\"https://x.example\">'}</STYLE><a href='https://y.example'>",
            ["https://y.example"],
        ),
        ('<a href="https://x.example" data-no-track>x</a>', []),
        ('<a data-no-track="true" href="https://x.example">x</a>', []),
        ('<a href="https://x.example', []),
        ("<!-- never ends", []),
    ],
)
def test_links_of_html(html: str, found: list[str]) -> None:
    assert in_html(html) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See https://x.example/a.", ["https://x.example/a"]),
        ("(https://x.example/a_(b)) and <https://y.example>!", ["https://x.example/a_(b)", "https://y.example"]),
        ('"https://x.example/?a=1&b=2", and HTTP://Y.example…', ["https://x.example/?a=1&b=2", "HTTP://Y.example"]),
        ("no link: ftp://x.example, mailto:a@x.example, x.example", []),
    ],
)
def test_links_of_text(text: str, found: list[str]) -> None:
    assert in_text(text) == found


@given(st.text(alphabet="<a href=\"'=https://x.e!-[if]>&; \n/", max_size=200))
def test_putting_every_link_back_changes_nothing(html: str) -> None:
    assert put_in(html, find_in_html(html), lambda address: None, html=True) == html
    assert put_in(html, find_in_text(html), lambda address: address, html=False) == html


def test_only_the_addresses_change() -> None:
    html = "<p>é&nbsp;<a  class=b href='https://x.example/?a=1&amp;b=2'>x</a  >"
    changed = put_in(html, find_in_html(html), lambda address: f"{address}&c='\"", html=True)
    assert changed == html.replace("b=2'", "b=2&amp;c=&#x27;&quot;'")


def test_what_is_put_last_stands_inside_the_body() -> None:
    assert put_last("<p>x</p>", "<img>") == "<p>x</p><img>"
    assert put_last("<html><body>x</BODY ></html>", "<img>") == "<html><body>x<img></BODY ></html>"


@pytest.mark.parametrize("piece", ["<a ", '<a href="', "<a href='", "<!--", "<style>", "<a b=", "<!--[if", '<a "'])
def test_hostile_html_takes_no_longer_than_it_is_long(piece: str) -> None:
    html = piece * (200_000 // len(piece))
    began = time.perf_counter()
    list(find_in_html(html))
    assert time.perf_counter() - began < 2
