"""The channel that a page's address and its referrer tell."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.measure.touchpoints.origins import LONGEST, NOTHING, Naming, Origin, Origins

NAMING = Naming(("shop.example", "pay.fi"), "segue", {"influencer": "creators"})
SHOP = "https://www.shop.example/"


def find(query: str = "", referrer: str = "", **marks: str) -> Origin:
    return Origins(NAMING).find(f"{SHOP}?{query}" if query else SHOP, "", referrer, marks)


@pytest.mark.parametrize(
    ("query", "channel"),
    [
        ("utm_source=google&utm_medium=cpc&utm_campaign=a", "paid search"),
        ("utm_source=bing&utm_medium=CPC", "paid search"),
        ("utm_source=facebook&utm_medium=paid_social", "paid social"),
        ("utm_source=instagram&utm_medium=cpm", "paid social"),
        ("utm_source=partner&utm_medium=ppc", "paid other"),
        ("utm_source=partner&utm_medium=cpm", "display"),
        ("utm_source=partner&utm_medium=banner", "display"),
        ("utm_source=mailchimp&utm_medium=Email", "email"),
        ("utm_source=newsletter", "email"),
        ("utm_source=x&utm_medium=social", "organic social"),
        ("utm_source=twitter", "organic social"),
        ("utm_source=google&utm_medium=organic", "organic search"),
        ("utm_source=awin&utm_medium=affiliate", "affiliates"),
        ("utm_source=partner&utm_medium=referral", "referral"),
        ("utm_source=anna&utm_medium=influencer", "creators"),
        ("utm_source=flyer&utm_medium=qr", "offline"),
        ("utm_source=who&utm_medium=knows", "other"),
        ("utm_campaign=spring", "other"),
        ("gclid=Cj0", "paid search"),
        ("msclkid=1", "paid search"),
        ("dclid=1", "display"),
        ("ttclid=1", "paid social"),
        ("fbclid=Iw", "organic social"),
        ("fbclid=Iw&utm_source=facebook&utm_medium=paid", "paid social"),
    ],
)
def test_parameters_tell_the_channel(query: str, channel: str) -> None:
    assert find(query).channel == channel


@pytest.mark.parametrize(
    ("referrer", "channel"),
    [
        ("https://www.google.fi/", "organic search"),
        ("https://www.google.co.uk/", "organic search"),
        ("https://duckduckgo.com/", "organic search"),
        ("https://l.facebook.com/l.php?u=x", "organic social"),
        ("https://t.co/abc", "organic social"),
        ("https://mail.google.com/mail/u/0/", "email"),
        ("https://outlook.live.com/", "email"),
        ("https://blog.example/", "referral"),
        ("https://ask.shop.net.example/", "referral"),
        ("https://www.shop.example/before", None),
        ("https://shop.example/", None),
        ("https://checkout.pay.fi/", None),
        ("https://www.paypal.com/checkout", None),
        ("android-app://com.example", None),
        ("http://[half", None),
        ("", None),
    ],
)
def test_the_page_before_tells_it_where_no_parameter_does(referrer: str, channel: str | None) -> None:
    assert find(referrer=referrer).channel == channel
    assert find("utm_source=google&utm_medium=cpc", referrer).channel == "paid search"


def test_a_link_of_our_own_message_is_known_by_its_source() -> None:
    found = find("utm_source=segue&utm_medium=email&utm_campaign=hello&utm_content=welcome")
    assert found == Origin("email", "hello", ("segue", "email", "hello", "welcome"))
    assert find("utm_source=Segue&utm_medium=sms").ours == ("segue", "sms", "", "")


def test_a_source_may_be_made_of_the_message_s_channel_or_rule() -> None:
    origins = Origins(Naming(source="Shop-{channel}.{rule}"))

    def ours(source: str) -> object:
        return origins.find(f"https://a.example/?utm_source={source}&utm_medium=m", "", "", {}).ours

    assert ours("shop-email.hello") == ("shop-email.hello", "m", "", "")
    assert ours("SHOP-email.hello") == ("shop-email.hello", "m", "", "")
    assert ours("shop-emailxhello") is None
    assert ours("shop-.hello") is None
    assert ours("google") is None


def test_a_campaign_is_named_by_its_parameter_and_a_referral_by_its_host() -> None:
    assert find("utm_source=google&utm_medium=cpc&utm_campaign=Spring%20sale").campaign == "Spring sale"
    assert find(referrer="https://blog.example/a").campaign == "blog.example"
    assert find(utm_source="google", utm_medium="cpc", utm_campaign="by field").campaign == "by field"


def test_names_from_outside_drive_no_terminal_and_end_somewhere() -> None:
    found = find("utm_source=x&utm_campaign=%1b%5b31mred%0a" + "y" * 5_000)
    assert found.campaign.isprintable()
    assert len(found.campaign) <= LONGEST


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["utm_source", "UTM_Medium", "utm%5Fcampaign", "utm_content", "gclid", "fbclid", "a", "%"]),
            st.sampled_from(["", "google", "cpc", "a+b", "a%20b%", "x=y", "%67oogle", ";", "é"]),
        ),
        max_size=5,
    ),
    st.sampled_from(["&", "&&", ";"]),
)
def test_parameters_are_read_as_the_standard_library_reads_them(pairs: list[tuple[str, str]], between: str) -> None:
    query = between.join(f"{name}={value}" for name, value in pairs)
    read = {name.lower(): value for name, value in parse_qsl(query)}
    assert find(query) == Origins(NAMING).find(
        "https://www.shop.example/", "", "", {name: value for name, value in read.items() if value}
    )


def test_a_query_of_its_own_is_read_too() -> None:
    assert Origins(NAMING).find("", "?utm_source=google&utm_medium=cpc", "", {}).channel == "paid search"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_nothing_that_comes_from_outside_raises(url: str, search: str, referrer: str) -> None:
    found = Origins(NAMING).find(f"https://a.example/?{url}", search, f"https://{referrer}", {"utm_campaign": url})
    assert found is NOTHING or found.channel
