"""``[tracking]`` in segue.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.api.values import DAY
from segue.host.project import load_project
from segue.host.tables import ProjectError
from segue.host.tracking import is_public
from segue.messages.links import Tracking


def read(folder: Path, text: str) -> Tracking:
    (folder / "segue.toml").write_text(text)
    return load_project(folder).tracking


def test_without_an_address_for_the_outside_no_link_is_followed(tmp_path: Path) -> None:
    assert read(tmp_path, "").url is None
    assert read(tmp_path, '[http]\nurl = "http://192.168.1.7:8080"').url is None
    assert load_project(tmp_path.parent).tracking.url is None


def test_links_lead_over_the_address_of_the_outside_else_over_a_domain_of_their_own(tmp_path: Path) -> None:
    assert read(tmp_path, '[http]\nurl = "https://segue.shop.example"').url == "https://segue.shop.example"
    assert read(tmp_path, '[tracking]\ndomain = "go.shop.example"').url == "https://go.shop.example"
    assert read(tmp_path, '[tracking]\ndomain = "http://127.0.0.1:8080/"').url == "http://127.0.0.1:8080"


def test_everything_can_be_said(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
        [tracking]
        clicks = true
        opens = false
        honeypot = false
        kinds = ["promotional"]
        short = ["sms"]
        consent = "opt-in"
        expires = "90d"
        domain = "go.shop.example"
        domains = ["Shop.example", "shop.fi"]
        utm = { source = "crm", content = "", term = "{rule}-{channel}" }
        """,
    )
    assert found == Tracking(
        url="https://go.shop.example",
        opens=False,
        trap=False,
        kinds=frozenset(["promotional"]),
        short=frozenset(["sms"]),
        asked=True,
        expires=90 * DAY,
        domains=("shop.example", "shop.fi"),
        home="https://shop.example/",
        parameters={
            "utm_source": "crm",
            "utm_medium": "{channel}",
            "utm_campaign": "{rule}",
            "utm_term": "{rule}-{channel}",
        },
    )


def test_tags_can_be_left_out(tmp_path: Path) -> None:
    assert read(tmp_path, "[tracking]\nutm = false").parameters == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('opens = "no"', "opens should be true or false"),
        ('kinds = ["marketing"]', "names 'marketing'; there are transactional"),
        ('short = "sms"', "should be a list of names"),
        ('consent = "maybe"', 'should be "opt-in" or "opt-out"'),
        ('expires = "soon"', "is not a span of time"),
        ('domain = "go shop"', "is no domain"),
        ('domain = "https://user@go.shop.example"', "is no domain"),
        ('domains = ["https://shop.example"]', "without https://"),
        ('home = "javascript:alert(1)"', "is no address"),
        ("utm = 3", "should be a table"),
        ('utm = { sauce = "x" }', "utm.sauce"),
        ("utm = { source = 3 }", "should be text in quotes"),
        ('utm = { source = "{customer}" }', "has {customer} in it; what is filled in is {channel}, {rule}, {message}"),
        ("pixels = true", "pixels"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ProjectError, match=r"segue\.toml:2:") as wrong:
        read(tmp_path, f"[tracking]\n{line}")
    assert said in str(wrong.value)


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://segue.shop.example", True),
        ("https://8.8.8.8", True),
        ("http://localhost:8080", False),
        ("http://127.0.0.1:8080", False),
        ("http://[::1]:8080", False),
        ("http://10.0.0.1", False),
        ("http://segue:8080", False),
        ("http://segue.local", False),
    ],
)
def test_which_addresses_the_outside_can_reach(url: str, public: bool) -> None:
    assert is_public(url) is public
