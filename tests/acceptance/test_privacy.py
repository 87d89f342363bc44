"""One person asks what is kept of them, and then to be forgotten, while the real daemon runs at its most talkative."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.harness import Daemon, Project, console_table, identify, mailbox, track, wait_until

PERSON = "Åsa O'Hara <asa@secret.example>"
"""Whoever makes user ids of names has them in every table."""
TRAITS = {"email": "asa@secret.example", "phone": "+46 70 123 45 67", "firstName": "Åsa", "lastName": "Zetterqvist"}
SECRETS = ("asa@secret", "70 123 45 67", "46701234567", "Zetterqvist", "O'Hara", "Harbour Street")
RULES = """
rule carts when cart_abandoned send ads "seen" wait 1d unless ordered send email "hello"
rule broken when signed_up send sms "odd"
"""
MESSAGES = {
    "hello": {"email.txt": "---\nsubject: Hi\n---\nHello {{ customer.first_name }}\n"},
    "odd": {"sms.txt": "{{ customer.first_name | date: '%q' }} {{ event.note | times: event.note }}\n"},
}


class Played:
    """A daemon, what was sent to it, and who else is there."""

    def __init__(self, project: Project, daemon: Daemon) -> None:
        self.project = project
        self.daemon = daemon
        now = datetime.now(UTC).isoformat()
        self.calls: list[dict[str, Any]] = [
            {**identify(PERSON, "m-1", **TRAITS), "timestamp": now},
            {**track(PERSON, "Cart Abandoned", f"{PERSON}-2", cart_id="c", note="Harbour Street 5"), "timestamp": now},
            {**track(PERSON, "Signed Up", "m-3", note=f"{TRAITS['email']} Zetterqvist"), "timestamp": now},
        ]
        others = [identify("bob", email="bob@example.com"), track("bob", "Cart Abandoned", cart_id="d")]
        project.send(*self.calls, *others)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    root: Path = tmp_path_factory.mktemp("privacy")
    channels = "".join(console_table(name, root / "box.jsonl") for name in ("ads", "email", "sms"))
    project = Project(root / "project", rules=RULES, messages=MESSAGES, channels=channels, log_ids="hashed")
    with Daemon(project, level="debug") as daemon:
        played = Played(project, daemon)
        wait_until(lambda: len(mailbox(root / "box.jsonl")) >= 2, what="the messages")
        yield played


def test_a_request_is_answered_from_export_to_erasure(played: Played) -> None:
    project, daemon = played.project, played.daemon
    exported = project.command("customer", "export", "ASA@secret.example", "--json", "-")
    assert exported.code == 0, exported.err
    told = json.loads(exported.out)
    assert told["customer"] == PERSON
    assert {"kind": "email", "value": "asa@secret.example"} in told["identifiers"]
    assert [one["name"] for one in told["events"]] == [None, "cart_abandoned", "signed_up"]
    assert told["journeys"][0]["happened"][0]["what"] == "entered"
    assert {one["state"] for one in told["messages"]} >= {"handed"}

    (pseudonym,) = {entry["customer"] for entry in daemon.entries("entered") if entry["rule"] == "broken"}
    found = project.command("customer", "find", pseudonym, "--json")
    assert found.records == [{"customer": PERSON, "pseudonym": pseudonym}]

    asked = project.command("customer", "erase", PERSON)
    assert (asked.code, asked.err) == (2, "segue: nothing was erased: say --yes where nobody can be asked\n")
    erased = project.command("customer", "erase", PERSON, "--yes", "--json")
    assert erased.code == 0, erased.err
    (record,) = erased.records
    assert record["deleted"] == {"customer": 1, "event": 3, "journey": 2, "message": 2, "alias": 2, "link": 2}
    daemon.wait_for("erased")
    assert mailbox(project.root.parent / "box.jsonl")[-1]["retracted"]
    listed = project.command("customer", "erasures", TRAITS["phone"], "--json").records
    assert [(one["erasure"], one["state"]) for one in listed] == [(record["erasure"], "done")]
    assert project.command("customer", "find", PERSON).code == 1

    project.send(*played.calls)  # a shop that sends its archive again
    assert project.rows("select key from customer") == [("u:bob",)]
    rejected = project.command("rejected", "--json").records
    assert [one["source"] for one in rejected] == ["segment"]
    balanced = {("entered", 2), ("inside", 1), ("finished", 0), ("exited", 1), ("failed", 0)}
    wait_until(  # they are counted every few seconds
        lambda: set(_journeys(project.get("/metrics").body.decode(), "carts")) == balanced, what="the counts"
    )

    files = b"".join(path.read_bytes() for path in project.root.glob("segue.db*"))
    for secret in SECRETS:
        assert secret.encode() not in files, secret
    for secret in SECRETS:
        assert secret not in daemon.log, secret
    assert b"bob@example.com" in files
    assert "bob" not in daemon.log


def _journeys(text: str, rule: str) -> Iterator[tuple[str, int]]:
    for line in text.splitlines():
        if line.startswith("segue_journeys{") and f'rule="{rule}"' in line:
            labels, _, value = line.rpartition(" ")
            yield labels.split('state="')[1].split('"')[0], int(float(value))
