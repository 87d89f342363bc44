"""Two rules, two channels' loops at once, and one slot for each customer: the real daemon, many customers."""

from __future__ import annotations

import datetime
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.harness import Daemon, Project, console_table, identify, mailbox, track, wait_until
from tests.acceptance.test_daemon_and_replay_agree import decisions, shown

CUSTOMERS = 400
SPEED = 3600
"""An hour takes a second."""
RULES = """
policy promotional
  limit 1 messages per 7d

event asked
event looked

rule letters when asked wait 3h send email "news"
rule pushes when looked wait 3h send push "news"
"""
WORDS = {
    "email.txt": "---\nsubject: News\n---\nHi {{ customer.first_name }}\n",
    "push.txt": "---\ntitle: News\n---\nHi\n",
}


@pytest.mark.timeout(120)
def test_everyone_gets_the_one_message_that_was_due_earlier_and_a_replay_says_the_same(tmp_path: Path) -> None:
    letters, pushes = tmp_path / "letters", tmp_path / "pushes"
    project = Project(
        tmp_path / "project",
        rules=RULES,
        messages={"news": WORDS},
        channels=console_table("email", letters) + console_table("push", pushes),
    )
    people = [f"c{number:03d}" for number in range(CUSTOMERS)]
    with Daemon(project, speed=SPEED, level="debug") as daemon:
        project.send(*(identify(name, email=f"{name}@shop.test", push_token=name, first_name=name) for name in people))
        began = datetime.datetime.now(datetime.UTC)
        calls = []
        for number, name in enumerate(people):  # every other one is due a moment earlier by push
            first, second = ("asked", "looked") if number % 2 else ("looked", "asked")
            for event, ago in ((second, 0.1), (first, 0.2)):
                at = began - datetime.timedelta(seconds=number + ago)
                calls.append(track(name, event) | {"timestamp": at.isoformat()})
        project.send(*calls)
        wait_until(lambda: len(mailbox(letters)) + len(mailbox(pushes)) >= CUSTOMERS, within=60)
        wait_until(project.is_drained, within=60)
    assert sorted(one["customer"] for one in mailbox(letters)) == people[1::2]
    assert sorted(one["customer"] for one in mailbox(pushes)) == people[::2]
    skipped = {
        (entry["customer"], entry["rule"], entry["reason"].rpartition(" at ")[0])
        for entry in daemon.entries()
        if entry["event"] == "skipped"
    }
    line = "limit 1 messages per 7d (promotional), taken by"
    assert skipped == {
        (name, *(("pushes", f"{line} letters") if number % 2 else ("letters", f"{line} pushes")))
        for number, name in enumerate(people)
    }
    record = tmp_path / "record.jsonl"
    done = project.command("record", "--out", record)
    assert done.code == 0, done.err
    replayed = project.command("replay", "--rules", project.root / "rules", "--events", record, "--json")
    assert replayed.code == 0, replayed.err
    assert Counter(shown(one) for one in replayed.records) == decisions(daemon.entries())
