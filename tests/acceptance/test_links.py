"""Links that tell when they are opened, from the message to the rule that waits for it: with the real daemon."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.harness import Daemon, Project, console_table, identify, mailbox, track, wait_until

RULES = """
when signed_up
  send email "hello" or sms
  wait for clicked up to 30d
  if clicked send sms "thanks" end
"""
HTML = '---\nsubject: Hello\n---\n<p><a href="https://shop.example/{{ customer.id }}?a=1&amp;b=2">Look</a></p>\n'
MESSAGES = {
    "hello": {"email.html": HTML, "sms.txt": "Look: https://shop.example/{{ customer.id }}?a=1\n"},
    "thanks": {"sms.txt": "Thanks!\n"},
}
PERSON = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"}
SCANNER = {"user-agent": "Mozilla/5.0 (compatible; Barracuda)"}


@pytest.fixture
def box(tmp_path: Path) -> Path:
    return tmp_path / "box.jsonl"


@pytest.fixture
def project(tmp_path: Path, box: Path) -> Project:
    channels = console_table("email", box) + console_table("sms", box)
    made = Project(tmp_path / "project", rules=RULES, messages=MESSAGES, channels=channels)
    with (made.root / "segue.toml").open("a") as file:
        file.write(
            f'[tracking]\ndomain = "http://127.0.0.1:{made.port}"\nshort = ["sms"]\ndomains = ["shop.example"]\n'
        )
    return made


def test_a_persons_click_goes_to_the_shop_and_on_with_the_journey_and_a_scanners_does_not(
    project: Project, box: Path
) -> None:
    with Daemon(project, speed=36_000):
        project.send(identify("ann", email="ann@example.com"), track("ann", "Signed Up"))
        project.send(identify("bea", phone="+358401234567"), track("bea", "Signed Up"))
        wait_until(lambda: len(mailbox(box)) == 2)
        email, sms = sorted(mailbox(box), key=lambda one: one["channel"])
        base = f"http://127.0.0.1:{project.port}"
        links = re.findall(rf'href="{base}(/l/[^"]+)"', email["content"]["html"])
        (short,) = re.findall(rf"{base}(/s/\w+)", sms["content"]["text"])
        assert "https://shop.example" not in email["content"]["html"] + sms["content"]["text"]

        answer = project.request("GET", links[0], headers=SCANNER)
        tags = "utm_source=segue&utm_medium=email&utm_campaign=signed_up&utm_content=hello"
        assert (answer.status, answer.headers["location"]) == (302, f"https://shop.example/ann?a=1&b=2&{tags}")
        assert project.request("GET", links[0][:-3] + "AAA", headers=PERSON).status == 404
        answer = project.request("GET", short, headers=PERSON)
        assert answer.headers["location"].startswith("https://shop.example/bea?a=1&utm_source=segue&utm_medium=sms")
        thanked = wait_until(
            lambda: [one for one in mailbox(box) if one["content"].get("text", "").startswith("Thanks")]
        )
        assert [one["customer"] for one in thanked] == ["bea"]
        assert b'segue_hits_total{class="human",what="clicked"} 1.0' in project.get("/metrics").body
    facts = project.command("why", "ann", "signed_up", "--json").records
    assert any("by a machine: a security scanner fetched it" in fact["detail"] for fact in facts)


def test_a_replay_hears_of_the_same_clicks(project: Project, box: Path, tmp_path: Path) -> None:
    people = ("ann", "bea", "cid")
    with Daemon(project, speed=36_000):
        for number, name in enumerate(people):
            project.send(
                identify(name, email=f"{name}@example.com", phone=f"+35840123456{number}"), track(name, "Signed Up")
            )
        wait_until(lambda: len(mailbox(box)) == len(people))
        for message in mailbox(box):
            path = re.findall(r'href="http://127\.0\.0\.1:\d+(/l/[^"]+)"', message["content"]["html"])[0]
            if message["customer"] != "bea":
                project.request("GET", path, headers=PERSON)
        wait_until(lambda: len(mailbox(box)) == len(people) + 2)
    record = tmp_path / "record.jsonl"
    assert project.command("record", "--out", record).code == 0
    told = project.command("replay", "--rules", project.root / "rules", "--events", record, "--json").records
    thanked = [one["customer"] for one in told if one["decision"] == "sent" and one["message"] == "thanks"]
    assert sorted(thanked) == ["ann", "cid"]


def test_a_click_that_was_answered_survives_a_kill(project: Project, box: Path) -> None:
    with Daemon(project, speed=36_000) as daemon:
        project.send(identify("ann", email="ann@example.com"), track("ann", "Signed Up"))
        wait_until(lambda: mailbox(box))
        (html,) = (one["content"]["html"] for one in mailbox(box))
        path = re.findall(r'href="http://127\.0\.0\.1:\d+(/l/[^"]+)"', html)[0]
        assert project.request("GET", path, headers=PERSON).status == 302
        daemon.kill()
    assert project.rows("select what, link from hit") == [("clicked", 1)]
    with Daemon(project, speed=36_000):
        wait_until(
            lambda: project.rows("select 1 from event where name is null and message_id like 'report:email:hit:%'")
        )
