"""Where a visit came from: the channel that an address and its referrer tell, as tools of web analytics tell it.

The names and their order follow Google Analytics' default channel group, without its regional sites:
https://support.google.com/analytics/answer/9756891
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, quote_plus, unquote_plus

import msgspec

from segue.messages.utm import host_of, is_own

DIRECT: Final = "direct"
OTHER: Final = "other"
LONGEST: Final = 100
"""Characters of a name from outside that are kept."""
_MOST_PARAMETERS: Final = 50

_PAID: Final = re.compile(r"(.*cp.*|ppc|retargeting|paid.*)")
_TOP: Final = r"(\.(com|org|net|co|app|social|[a-z]{2}))?(\.[a-z]{2})?"
"""How the name of such a host may end; ``utm_source`` has it without."""
_SEARCH: Final = re.compile(
    r"(.*\.)?(google|bing|yahoo|duckduckgo|ecosia|baidu|yandex|qwant|startpage|ask|aol|naver|sogou|seznam|brave)"
    rf"{_TOP}"
)
_SOCIAL: Final = re.compile(
    r"(.*\.)?(facebook|fb|instagram|ig|threads|twitter|x|t\.co|linkedin|lnkd|pinterest|reddit|tiktok|snapchat|youtube|"
    rf"vk|xing|tumblr|quora|whatsapp|telegram|mastodon|bluesky|bsky|weibo|messenger){_TOP}"
)
_MAIL: Final = re.compile(r"e[-_ ]?mail|newsletter|mail\..*|outlook\..*|.*\.mail\.[a-z]+|com\.google\.android\.gm")
_MEDIUMS: Final[dict[str, str]] = {
    **dict.fromkeys(("display", "banner", "expandable", "interstitial", "cpm"), "display"),
    **dict.fromkeys(("email", "e-mail", "e_mail", "e mail", "newsletter"), "email"),
    **dict.fromkeys(("affiliate", "affiliates"), "affiliates"),
    **dict.fromkeys(("referral", "app", "link"), "referral"),
    **dict.fromkeys(
        ("social", "social-network", "social-media", "sm", "social network", "social media", "organic-social"),
        "organic social",
    ),
    **dict.fromkeys(("sms", "text"), "sms"),
    **dict.fromkeys(("push", "notification", "web_push", "web-push"), "push"),
    **dict.fromkeys(("qr", "print", "letter", "catalogue", "catalog"), "offline"),
    "organic": "organic search",
    "audio": "audio",
    "video": "video",
    "whatsapp": "whatsapp",
    "rcs": "rcs",
}
_CLICKS: Final[dict[str, str]] = {
    **dict.fromkeys(("gclid", "wbraid", "gbraid", "msclkid"), "paid search"),
    "dclid": "display",
    **dict.fromkeys(("ttclid", "twclid", "li_fat_id", "epik", "rdt_cid", "sccid"), "paid social"),
}
"""What an ad platform adds to the address of whoever clicks its ads. ``fbclid`` is none of them: Facebook adds it to
every link."""
_MARKS: Final = ("utm_source", "utm_medium", "utm_campaign", "utm_content")
_TELLS: Final = (*_MARKS, "fbclid", *_CLICKS)
_TOLD: Final = re.compile(rf"(?:^|&)({'|'.join(_TELLS)})=([^&]+)", re.IGNORECASE)
_ENCODED: Final = re.compile(r"(?:^|&)[^=&]*%")
"""A parameter whose name is not written as it is."""
_PAYMENT: Final = (
    *("paypal.com", "stripe.com", "klarna.com", "adyen.com", "mollie.com", "worldpay.com", "paytrail.com", "sumup.com"),
    *("afterpay.com", "affirm.com", "checkout.com", "shop.app", "pay.google.com", "payments.amazon.com"),
)
"""Where customers go to pay, and come back from: that brings nobody."""


class Origin(msgspec.Struct, frozen=True):
    """What brought somebody to a page. ``channel`` is None where the page tells nothing, or only that the visit goes
    on; ``ours`` are ``utm_source`` in lower case, ``utm_medium``, ``utm_campaign`` and ``utm_content`` where the source
    is one that our own links have."""

    channel: str | None
    campaign: str = ""
    ours: tuple[str, str, str, str] | None = None


class Naming(msgspec.Struct, frozen=True):
    """What is told apart in a project: ``own`` are its domains and those whose referral counts as none,
    ``source`` the ``utm_source`` that its messages carry, perhaps with ``{channel}``, ``{rule}`` or ``{message}`` in it
    (empty: none), ``mediums`` the channels that values of ``utm_medium`` have here."""

    own: tuple[str, ...] = ()
    source: str = ""
    mediums: Mapping[str, str] = {}


NOTHING: Final = Origin(None)


def tidy(name: object) -> str:
    """A name from outside: without what drives terminals, and not too long."""
    if not isinstance(name, str):
        return ""
    return "".join(letter if letter.isprintable() else " " for letter in name[: 2 * LONGEST]).strip()[:LONGEST]


class Origins:
    """Tells where visits came from. Remembers what it told: a million visits come from some thousand places."""

    def __init__(self, naming: Naming) -> None:
        self._naming = naming
        self._own = (*naming.own, *_PAYMENT)
        self._source = _places(naming.source) if naming.source else None
        self._host = lru_cache(maxsize=10_000)(host_of)
        self._of_host = lru_cache(maxsize=10_000)(self._referred)
        self._of_query = lru_cache(maxsize=10_000)(self._told)

    def find(self, url: str, search: str, referrer: str, marks: Mapping[str, str]) -> Origin:
        """By the page's address, its query where that is apart, the page before, and ``marks``: fields of the event
        that are called as parameters are, as ``utm_source``."""
        query = (_query(url) if "?" in url else "") or search.lstrip("?")
        pairs = _pairs(query[:4096]) if "=" in query else ()
        if marks or pairs:
            told = self._of_query(pairs, tuple(sorted(marks.items())))
            if told is not NOTHING:
                return told
        host = self._host(_front(referrer)) if referrer else ""
        if not host or host == self._host(_front(url)):
            return NOTHING
        return self._of_host(host)

    def _told(self, pairs: tuple[tuple[str, str], ...], marks: tuple[tuple[str, str], ...]) -> Origin:
        found = {name: unquote_plus(value) for name, value in pairs}
        found.update(marks)
        source, medium = (tidy(found.get(name)).lower() for name in ("utm_source", "utm_medium"))
        campaign = tidy(found.get("utm_campaign"))
        if source and self._source is not None and self._source.fullmatch(source):
            ours = (source, tidy(found.get("utm_medium")), campaign, tidy(found.get("utm_content")))
            return Origin(self._of_medium(source, medium), campaign, ours)
        if source or medium:
            return Origin(self._of_medium(source, medium), campaign)
        clicked = next((channel for name, channel in _CLICKS.items() if found.get(name)), None)
        if clicked is not None:
            return Origin(clicked, campaign)
        if found.get("fbclid"):
            return Origin("organic social", campaign)
        return Origin(OTHER, campaign) if campaign else NOTHING

    def _of_medium(self, source: str, medium: str) -> str:
        if medium in self._naming.mediums:
            return self._naming.mediums[medium]
        searches, social = _SEARCH.fullmatch(source) is not None, _SOCIAL.fullmatch(source) is not None
        if medium in _MEDIUMS and not (medium == "cpm" and (searches or social)):
            return _MEDIUMS[medium]
        if _PAID.fullmatch(medium):
            return "paid search" if searches else "paid social" if social else "paid other"
        if _MAIL.fullmatch(source):
            return "email"
        if social:
            return "organic social"
        if searches:
            return "organic search"
        return OTHER

    def _referred(self, host: str) -> Origin:
        if is_own(host, self._own):
            return NOTHING
        if _MAIL.fullmatch(host):
            return Origin("email")
        if _SOCIAL.fullmatch(host):
            return Origin("organic social")
        if _SEARCH.fullmatch(host):
            return Origin("organic search")
        return Origin("referral", host[:LONGEST])


def _places(pattern: str) -> re.Pattern[str]:
    """What a text with places such as ``{rule}`` may have become, in lower case."""
    parts = re.split(r"\{(?:channel|rule|message)\}", pattern.lower())
    return re.compile(".+".join(re.escape(part) for part in parts))


def _pairs(query: str) -> tuple[tuple[str, str], ...]:
    """The parameters that tell something, still encoded. Of an ad platform's only that it is there: each is unique."""
    if query.count("&") >= _MOST_PARAMETERS:
        return ()
    found = [(name.lower(), value) for name, value in _TOLD.findall(query)]
    if _ENCODED.search(query):
        found = [(name.lower(), quote_plus(value)) for name, value in parse_qsl(query) if name.lower() in _TELLS]
    return tuple([(name, value) if name in _MARKS else (name, "1") for name, value in found])


def _front(url: str) -> str:
    """An address up to its path, so that the hosts of a million addresses are read some thousand times."""
    end = url.find("/", len("https://"))
    return url if end < 0 else url[:end]


def _query(url: str) -> str:
    return url.partition("#")[0].partition("?")[2]
