"""What opened a link, by what the request says of itself."""

from __future__ import annotations

import pytest

from segue.delivery.agents import recognise

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Mobile Safari/537.36"
)
OUTLOOK = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"

GMAIL_AHEAD = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 "
    "Safari/537.36 Edge/12.246 Mozilla/5.0"
)


@pytest.mark.parametrize(
    ("said", "sort"),
    [
        (CHROME, "computer"),
        ("Mozilla/5.0 (Linux; Android 9; CUBOT) AppleWebKit/537.36 Chrome/88.0 Mobile Safari/537.36", "phone"),
        ("Mozilla/5.0 (Linux; Android 9; CUBOT; wv) AppleWebKit/537.36 Chrome/88.0 Mobile Safari/537.36", "phone"),
        (IPHONE, "phone"),
        (ANDROID, "phone"),
        (OUTLOOK, "mail program"),
        ("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15", "tablet"),
    ],
)
def test_a_browser_or_mail_program_may_be_a_persons(said: str, sort: str) -> None:
    agent = recognise("GET", {"user-agent": said}, picture=False)
    assert (agent.sort, agent.machine) == (sort, "")


@pytest.mark.parametrize(
    ("said", "sort"),
    [
        ("Mozilla/5.0", "apple proxy"),
        (GMAIL, "gmail proxy"),
        (GMAIL_AHEAD, "gmail proxy"),
        ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", "yahoo proxy"),
        ("Mozilla/5.0 (compatible; Barracuda Sentinel)", "scanner"),
        ("Microsoft Office Existence Discovery", "scanner"),
        (f"{CHROME} Proofpoint", "scanner"),
        ("WhatsApp/2.24.20 A", "preview"),
        ("facebookexternalhit/1.1", "preview"),
        ("curl/8.10.1", "program"),
        ("python-requests/2.32", "program"),
        ("Go-http-client/1.1", "program"),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/131.0", "browser without a person"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "robot"),
        ("Amazon CloudFront", "data centre"),
        ("", "nothing"),
        ("Something/1.0", "other"),
    ],
)
def test_what_calls_itself_a_machine_is_one(said: str, sort: str) -> None:
    agent = recognise("GET", {"user-agent": said}, picture=True)
    assert agent.sort == sort
    assert agent.machine


@pytest.mark.parametrize("header", ["sec-purpose", "purpose", "x-moz", "x-purpose"])
def test_what_is_fetched_ahead_is_opened_by_nobody(header: str) -> None:
    assert "ahead" in recognise("GET", {"user-agent": CHROME, header: "prefetch;prerender"}, picture=False).machine


def test_a_head_looks_at_nothing() -> None:
    assert "HEAD" in recognise("HEAD", {"user-agent": CHROME}, picture=False).machine


def test_a_name_of_any_length_is_read_quickly() -> None:
    assert recognise("GET", {"user-agent": "Mozilla/5.0 (" + "bot" * 100_000}, picture=False).sort == "computer"
