"""Campaign parameters are added, and nothing else of an address changes."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.messages.utm import add_parameters, host_of, is_own

UTM = {"utm_source": "segue", "utm_campaign": "ä & b"}
ADDED = "utm_source=segue&utm_campaign=%C3%A4%20%26%20b"


@pytest.mark.parametrize(
    ("address", "tagged"),
    [
        ("https://x.example", f"https://x.example?{ADDED}"),
        ("https://x.example/a?b=%2F+c", f"https://x.example/a?b=%2F+c&{ADDED}"),
        ("https://x.example/a?#top?x", f"https://x.example/a?{ADDED}#top?x"),
        ("https://x.example/a?b&#/route?q=1", f"https://x.example/a?b&{ADDED}#/route?q=1"),
        ("https://x.example/?UTM_Source=mine", "https://x.example/?UTM_Source=mine&utm_campaign=%C3%A4%20%26%20b"),
        ("https://x.example/?utm%5Fsource=&utm_campaign=x", "https://x.example/?utm%5Fsource=&utm_campaign=x"),
    ],
)
def test_what_is_added(address: str, tagged: str) -> None:
    assert add_parameters(address, UTM) == tagged


def test_an_empty_parameter_is_not_added() -> None:
    assert add_parameters("https://x.example/", {"utm_term": ""}) == "https://x.example/"


characters = st.text(alphabet="abc/?&=%25+;:@!$'()*,~-._[]é", max_size=40)


@given(characters, st.one_of(st.none(), characters), st.one_of(st.none(), characters))
def test_everything_but_the_added_parameters_is_the_same_address(
    path: str, query: str | None, part: str | None
) -> None:
    path = path.replace("?", "")
    address = f"https://x.example/{path}"
    address += f"?{query}" if query is not None else ""
    address += f"#{part}" if part is not None else ""
    tagged = add_parameters(address, UTM)
    assert add_parameters(tagged, UTM) == tagged
    place = tagged.index(ADDED)
    before, after = tagged[:place], tagged[place + len(ADDED) :]
    assert after == (f"#{part}" if part is not None else "")
    assert before[:-1] + after == address or before + after == address
    assert parse_qsl(urlsplit(tagged).query)[-2:] == [("utm_source", "segue"), ("utm_campaign", "ä & b")]
    assert urlsplit(tagged).path == urlsplit(address).path


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://Shop.Example.:8443/x", "shop.example"),
        ("HTTP://[2001:db8::1]/", "2001:db8::1"),
        ("https://x.example:port/", ""),
        ("https://[oops/", ""),
        ("javascript:alert(1)", ""),
        ("//x.example/", ""),
        ("mailto:a@x.example", ""),
        ("https:///path", ""),
    ],
)
def test_the_host_of_an_address(address: str, host: str) -> None:
    assert host_of(address) == host


def test_a_domain_holds_what_is_below_it_and_not_what_only_ends_like_it() -> None:
    assert is_own("shop.example", ["shop.example"])
    assert is_own("fi.shop.example", ["shop.example"])
    assert not is_own("notshop.example", ["shop.example"])
    assert is_own("anything.example", ["*"])
    assert not is_own("shop.example", [])
