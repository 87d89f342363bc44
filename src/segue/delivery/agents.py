"""What opened a link: a customer's browser, or a machine on the way to the customer, by what the request says itself.

Nobody is looked up at a request. What a request cannot tell, the moments of all of them do: see
`segue.delivery.hits`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

__all__ = ["Agent", "recognise"]


class Agent(msgspec.Struct, frozen=True):
    """What asked. ``sort`` is one of few names, by which it is counted and shown; ``machine`` is why it can be no
    person, empty where nothing says so."""

    sort: str
    machine: str = ""


_MACHINES: Final[tuple[tuple[str, str, str], ...]] = (
    # Gmail and Yahoo fetch pictures through proxies that say so, and may do it before anybody looks; Mailgun's events
    # count Gmail's as a bot too (documentation.mailgun.com, tracking of opens).
    # What fetches them ahead calls itself an Edge of 2015 with a second "Mozilla/5.0", as no browser ever did.
    (
        "gmail proxy",
        r"GoogleImageProxy|ggpht\.com|Edge/12\.246 Mozilla/5\.0",
        "Gmail's image proxy fetched it, and may do so unasked",
    ),
    ("yahoo proxy", r"YahooMailProxy|YahooCacheSystem", "Yahoo's image proxy fetched it, and may do so unasked"),
    (
        "scanner",
        r"barracuda|proofpoint|mimecast|messagelabs|symantec|trendmicro|trend micro|forcepoint|websense|ironport"
        r"|fireeye|cisco.?esa|trellix|sophos|cloudmark|vade ?secure|zscaler|mcafee|bitdefender|kaspersky|fortinet"
        r"|fortimail|avanan|checkpoint|safelinks|msip_rms|microsoft office (?:protocol|existence)|bingpreview"
        r"|perception.?point|urlscan|virustotal|phishtank|netcraft|spamassassin|rspamd|hybridanalysis|urlhaus|censys|expanse",
        "a security scanner fetched it",
    ),
    (
        "preview",
        r"facebookexternalhit|whatsapp/|telegrambot|twitterbot|slackbot|slack-imgproxy|linkedinbot|discordbot|skypeuripreview"
        r"|line-poker|embedly|iframely|applebot|googlemessages|google-?(?:pagerenderer|read-aloud)|redditbot|pinterestbot",
        "a preview was made of it",
    ),
    (
        "program",
        r"^(?:curl|wget|python|java/|okhttp|go-http-client|ruby|perl|libwww|lwp|php|axios|node|undici|got |aiohttp"
        r"|httpx|apache-httpclient|dart|guzzle|postman|powershell|winhttp|restsharp|faraday|scrapy)|python-requests|libcurl",
        "a program fetched it, not a browser",
    ),
    (
        "browser without a person",
        r"headlesschrome|phantomjs|puppeteer|playwright|selenium|slimerjs",
        "no person steers it",
    ),
    # Cubot is a maker of telephones.
    (
        "robot",
        r"\bbots?\b|(?<!cu)bot[/;)]|crawler|spider|monitor|validator|linkcheck|scan(?:ner|bot)",
        "it calls itself a robot",
    ),
    (
        "data centre",
        r"amazon cloudfront|amazon-route53|amazonaws|google-cloud|azure|heroku|cloudflare-|datadog|newrelic",
        "it calls itself a service of a data centre",
    ),
)
_KNOWN: Final = tuple((sort, re.compile(pattern, re.IGNORECASE), why) for sort, pattern, why in _MACHINES)
_ANY_MACHINE: Final = re.compile("|".join(f"(?:{pattern})" for _, pattern, _ in _MACHINES), re.IGNORECASE)

_APPLE: Final = re.compile(r"Mozilla/5\.0\s*")
"""All that Apple's Mail Privacy Protection says of itself, in whatever it fetches when a message arrives."""
_BROWSER: Final = re.compile(r"Mozilla/|Opera/")
_PHONE: Final = re.compile(r"iPhone|iPod|Android.+Mobile|Windows Phone", re.IGNORECASE)
_TABLET: Final = re.compile(r"iPad|Android|Tablet", re.IGNORECASE)
_MAIL: Final = re.compile(r"Outlook|Thunderbird|AppleMail|ms-office|MSOffice", re.IGNORECASE)
_LOOKED_AT: Final = 512
"""Characters of a browser's name that are looked at; real ones are far shorter."""


def recognise(method: str, headers: Mapping[str, str], *, picture: bool) -> Agent:
    """What asked, by its method and headers (lower-case names); ``picture``: for the picture that tells of an open."""
    said = headers.get("user-agent", "")[:_LOOKED_AT]
    if _ANY_MACHINE.search(said) is not None:
        for sort, pattern, why in _KNOWN:
            if pattern.search(said) is not None:
                return Agent(sort, why)
    sort = _sort(said)
    # A HEAD asks what there is; a person's browser wants to see it.
    if method != "GET":
        return Agent(sort, f"{method} asks what there is, without looking")
    # Sec-Purpose: Fetch standard, section 3.8; Purpose and X-Moz are its older names.
    for name in ("sec-purpose", "purpose", "x-purpose", "x-moz"):
        if "prefetch" in (value := headers.get(name, "").lower()) or "preview" in value:
            return Agent(sort, "a browser fetched it ahead, in case it is wanted")
    if not said:
        return Agent("nothing", "it does not say what it is, as every browser does")
    if _APPLE.fullmatch(said) is not None:
        why = "Apple's mail privacy proxy fetched it when the message arrived"
        return Agent("apple proxy", why if picture else "it calls itself nothing but Mozilla/5.0, as proxies do")
    if _BROWSER.match(said) is None and _MAIL.search(said) is None:
        return Agent("other", "it is no browser")
    return Agent(sort)


def _sort(said: str) -> str:
    if _MAIL.search(said) is not None:
        return "mail program"
    if _PHONE.search(said) is not None:
        return "phone"
    if _TABLET.search(said) is not None:
        return "tablet"
    return "computer" if _BROWSER.match(said) is not None else "other"
