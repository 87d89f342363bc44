"""``segue preview``: what is shown, written and pictured, and how it ends."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from segue.cli.main import app
from segue.cli.previews.pictures import VARIABLE, NoPicture, browser, take
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.process import CounterpartMissing

RULE = """event cart_abandoned
  total money
  currency text
rule sale when cart_abandoned send email with code = coupon("spring") and sms and push
"""
FILES = {
    "email.html": "---\nsubject: Hi {{ customer.first_name | default: 'you' }}\npreview: Today\n---\n"
    '<p>{{ event.total }} {{ code }}</p><script>alert(1)</script><p><a href="{{ unsubscribe_url }}">Stop</a></p>',
    "email.fi.html": "---\nsubject: Hei\npreview: Tänään\n---\n<p>Tänään</p><p>{{ unsubscribe_url }}</p>",
    "sms.txt": "Today only – until midnight",
    "push.txt": "---\ntitle: Sale\n---\nToday <b>only</b>",
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "rules" / "messages" / "sale"
    home.mkdir(parents=True)
    for name, text in FILES.items():
        (home / name).write_text(text, "utf-8")
    (tmp_path / "rules" / "sale.rules").write_text(RULE, "utf-8")
    (tmp_path / "segue.toml").write_text('[channels.sms]\nuse = "console"\ncost = "0.07 EUR"\n', "utf-8")
    for name in ("email", "push"):
        with (tmp_path / "segue.toml").open("a", encoding="utf-8") as settings:
            settings.write(f'[channels.{name}]\nuse = "console"\n')
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["preview", *arguments])


def shown(*arguments: str) -> dict[tuple[str, str | None], dict[str, Any]]:
    result = run("sale", "--json", *arguments)
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return {(line["channel"], line["locale"]): line for line in lines}


def test_every_channel_and_language_is_shown(shop: Path) -> None:
    found = shown()
    assert list(found) == [("email", None), ("email", "fi"), ("push", None), ("sms", None)]
    assert found["sms", None]["sms_alphabet"] == "ucs-2"
    assert found["sms", None]["cost"] == "0.07 EUR"
    assert found["push", None]["push_bytes"] > 200
    assert "SAMPLE" in found["email", None]["parts"]["html"]
    assert [line["gets"] for line in found.values()] == [True, False, True, True]


def test_recommended_products_are_samples(shop: Path) -> None:
    text = "---\nsubject: For you\npreview: Look\n---\n{% recommend 1 %}{{ product.name }}{% endrecommend %}"
    (shop / "rules/messages/sale/email.html").unlink()
    (shop / "rules/messages/sale/email.md").write_text(text, "utf-8")
    assert "Wool blanket" in shown("--channel", "email")["email", None]["parts"]["html"]


def test_a_customer_of_the_store_sees_what_is_recommended_to_them(shop: Path) -> None:
    text = "{% recommend 2 %}{{ product.product_id }} {% else %}nothing{% endrecommend %}"
    (shop / "rules/messages/sale/sms.txt").write_text(text, "utf-8")
    cli = CliRunner()
    assert cli.invoke(app, ["publish"]).exit_code == 0
    bought = [("ann", "tent"), ("ben", "tent"), ("ben", "lamp"), ("cat", "tent"), ("cat", "lamp")]
    lines = [
        {
            "type": "track",
            "messageId": f"m{number}",
            "userId": customer,
            "event": "Item Ordered",
            "properties": {"product_id": product},
            "timestamp": "2026-11-01T00:00:00Z",
        }
        for number, (customer, product) in enumerate(bought)
    ]
    (shop / "past.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    assert cli.invoke(app, ["import", "past.jsonl"]).exit_code == 0
    assert shown("--customer", "ann", "--channel", "sms")["sms", None]["parts"]["text"] == "lamp "
    assert shown("--customer", "cat", "--channel", "sms")["sms", None]["parts"]["text"] == "nothing"


def test_a_locale_shows_what_such_a_customer_gets_and_what_it_fell_back_from(shop: Path) -> None:
    found = shown("--locale", "fi-FI")
    assert list(found) == [("email", "fi"), ("push", None), ("sms", None)]
    assert found["email", "fi"]["reason"].startswith("not in fi-FI")


@pytest.mark.parametrize("locale", ["zz", "", "Finnish", "fi_XX"])
def test_a_language_that_does_not_exist_is_refused(shop: Path, locale: str) -> None:
    result = run("sale", "--locale", locale)
    assert result.exit_code == 2
    assert "there is no such language; write one such as fi or pt-BR" in result.output


def test_an_event_of_ones_own_is_rendered(shop: Path) -> None:
    (shop / "event.json").write_text('{"event": "Cart Abandoned", "properties": {"total": 4711}}', "utf-8")
    for given in ('{"total": 4711}', "event.json"):
        assert "4711" in shown("--event", given, "--channel", "email")["email", None]["parts"]["html"]


@pytest.mark.parametrize("given", ["nowhere.json", "{", '["a"]'])
def test_an_event_that_cannot_be_read_is_wrong_usage(shop: Path, given: str) -> None:
    assert run("sale", "--event", given).exit_code == 2


def test_the_terminal_shows_no_control_characters_of_others(shop: Path) -> None:
    result = run("sale", "--event", json.dumps({"total": "\x1b[31mred"}))
    assert "\x1b[31mred" not in result.stdout
    assert "Hi Alexandra" in result.stdout
    assert "1 part (UCS-2" in result.stdout


def test_a_message_or_channel_that_does_not_exist_is_wrong_usage(shop: Path) -> None:
    result = run("sail")
    assert result.exit_code == 2
    assert "did you mean sale?" in result.output
    assert run("sale", "--channel", "letter").exit_code == 2


def test_what_fails_to_render_ends_with_1_and_says_why(shop: Path) -> None:
    (shop / "rules/messages/sale/sms.txt").write_text("{% for a in (1..40000) %}{{ a }}xxx{% endfor %}", "utf-8")
    result = run("sale")
    assert result.exit_code == 1
    assert "does too much" in result.output


def test_the_page_runs_nothing_that_the_message_brings(shop: Path) -> None:
    assert run("sale", "--out", "made").exit_code == 0
    page = (shop / "made" / "preview.html").read_text("utf-8")
    assert "<script" not in page
    assert "<iframe sandbox " in page
    assert "Today &lt;b&gt;only&lt;/b&gt;" in page
    assert "default-src 'none'" in page


def test_nothing_is_written_into_a_store(shop: Path) -> None:
    run("sale")
    assert not list(shop.glob("*.db*"))


def test_without_a_browser_pictures_are_refused_with_what_to_install(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(shop))
    result = run("sale", "--pictures")
    assert result.exit_code == 1
    assert "apt install chromium" in result.output
    monkeypatch.setenv(VARIABLE, "no-such-browser")
    assert "SEGUE_BROWSER names no-such-browser" in run("sale", "--pictures").output


def test_a_browser_that_makes_no_picture_is_told(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = shop / "browser"
    broken.write_text("#!/bin/sh\necho it is broken >&2\nexit 3\n", "utf-8")
    broken.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(broken))
    with pytest.raises(NoPicture, match="it is broken"):
        take(shop / "segue.toml", 1280, 600, shop / "a.png")


@pytest.mark.timeout(180)
def test_pictures_have_the_widths_of_a_phone_and_a_desktop(shop: Path) -> None:
    with reported_when_missing():
        try:
            browser()
        except NoPicture as error:
            raise CounterpartMissing(str(error)) from error
    result = run("sale", "--channel", "email", "--locale", "fi", "--pictures", "--out", "made")
    assert result.exit_code == 0, result.output
    widths = {path.name: struct.unpack(">I", path.read_bytes()[16:20])[0] for path in (shop / "made").glob("*.png")}
    assert widths == {
        "preview.phone.png": 390,
        "preview.desktop.png": 1280,
        "sale-email-fi.phone.png": 390,
        "sale-email-fi.desktop.png": 1280,
    }


def test_a_customer_of_the_store_is_rendered_and_left_as_they_are(shop: Path) -> None:
    cli = CliRunner()
    assert cli.invoke(app, ["publish"]).exit_code == 0
    person = {"type": "identify", "messageId": "m1", "userId": "ann", "traits": {"first_name": "Ann", "locale": "fi"}}
    (shop / "people.jsonl").write_text(json.dumps({**person, "timestamp": "2026-11-01T00:00:00Z"}), "utf-8")
    assert cli.invoke(app, ["import", "people.jsonl"]).exit_code == 0
    found = shown("--customer", "ann", "--channel", "email")
    assert found["email", None]["parts"]["subject"] == "Hi Ann"
    assert found["email", "fi"]["reason"] == "written in fi, the customer's language"
    assert found["email", None]["customer"] == "ann"
    nobody = run("sale", "--customer", "bob")
    assert nobody.exit_code == 1
    assert "nobody is known by bob" in nobody.output
