"""How the daemon behaves towards the system, towards clients, and when something around it fails."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.harness import (
    SENTENCE,
    Daemon,
    Project,
    console_table,
    email_table,
    identify,
    mailbox,
    track,
    wait_until,
)
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.postfix import PostfixServer
from tests.counterparts.process import CounterpartMissing, free_port

SPEED = 43_200
"""A day takes two seconds."""
AT_ONCE = 'rule hello when signed_up send email "hello" and sms "hello"\n'
HELLO = {"hello": {"email.txt": "---\nsubject: Hello\n---\nHello!\n", "sms.txt": "Hello!\n"}}


@pytest.fixture
def box(tmp_path: Path) -> Path:
    return tmp_path / "box.jsonl"


@pytest.fixture
def project(tmp_path: Path, box: Path) -> Project:
    """The sentence, with both channels on the console."""
    return Project(tmp_path / "project", channels=console_table("email", box) + console_table("sms", box))


# Signals


def test_sigterm_drains_and_what_was_acknowledged_is_kept(project: Project) -> None:
    acknowledged: list[str] = []
    refused: list[str] = []

    def post(worker: int) -> None:
        for number in range(10_000):
            names = [f"w{worker}-{number}-{place}" for place in range(20)]
            try:
                answer = project.post("/v1/batch", {"batch": [track(name, "Cart Abandoned", name) for name in names]})
            except (OSError, http.client.HTTPException):
                return
            if answer.status == 503:
                assert int(answer.headers["retry-after"]) >= 1
                refused.extend(names)
                return
            assert answer.status == 200, answer.body
            acknowledged.extend(names)

    with Daemon(project) as daemon:
        workers = [threading.Thread(target=post, args=(number,)) for number in range(4)]
        for worker in workers:
            worker.start()
        wait_until(lambda: len(acknowledged) > 500, what="500 events")
        asked = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - asked < 8
        for worker in workers:
            worker.join(20)
    stored = {name for (name,) in project.rows("select message_id from event")}
    assert set(acknowledged) <= stored
    assert not set(refused) & stored
    assert [entry["event"] for entry in daemon.entries()][-2:] == ["stopping", "stopped"]


def test_rules_that_are_wrong_on_reload_change_nothing_and_the_log_says_where(project: Project) -> None:
    with Daemon(project) as daemon:
        project.write_rules("when cart_abandoned wait 1d unless orderd send email then sms\n")
        daemon.signal(signal.SIGHUP)
        daemon.wait_for("the rules on disk have errors; the old ones go on")
        (said,) = [entry for entry in daemon.entries() if entry.get("code") and entry["level"] == "error"]
        assert said["place"] == "rules/rule.rules:1:36"
        assert "`orderd`" in said["event"]
        assert "`ordered`" in said["label"]
        assert daemon.entries("published")[1:] == []
        project.send(track("ann", "Cart Abandoned"))
        assert project.get("/healthz").json()["rules"] == 1
    assert project.rows("select count(*) from journey where state = 0") == [(1,)]


def test_customers_inside_keep_their_version_through_an_edit_and_a_restart(tmp_path: Path, box: Path) -> None:
    old = 'rule carts when cart_abandoned wait 2d unless ordered send email "old"\n'
    new = 'rule carts when cart_abandoned wait 2d unless ordered send email "new"\n'
    messages = {name: {"email.txt": f"---\nsubject: {name}\n---\n{name}\n"} for name in ("old", "new")}
    project = Project(tmp_path / "project", rules=old, messages=messages, channels=console_table("email", box))
    with Daemon(project, speed=SPEED) as daemon:
        project.send(track("ann", "Cart Abandoned"))
        project.write_rules(new)
        daemon.signal(signal.SIGHUP)
        daemon.wait_for("reloaded")
        project.send(track("bea", "Cart Abandoned"))
    with Daemon(project, speed=SPEED):
        wait_until(lambda: len(mailbox(box)) == 2, what="both messages")
    assert {line["customer"]: line["name"] for line in mailbox(box)} == {"ann": "old", "bea": "new"}
    assert project.rows("select count(*) from program") == [(2,)]


def test_edited_rules_wait_for_a_publication(project: Project) -> None:
    with Daemon(project):
        pass
    project.write_rules(SENTENCE.replace("1d", "2d"))
    with Daemon(project) as daemon:
        (warning,) = daemon.entries("the rules on disk differ from those that run: `segue publish`, or --publish")
        assert warning["rules"] == ["cart_abandoned"]
        assert project.command("publish", "--json").code == 0  # tells the daemon
        daemon.wait_for("reloaded")


def test_systemd_hears_of_every_state(project: Project, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        heard: list[dict[str, str]] = []

        def listen(until: str) -> dict[str, str]:
            while True:
                lines = manager.recv(65536).decode().splitlines()
                heard.append(dict(line.split("=", 1) for line in lines))
                if until in heard[-1]:
                    return heard[-1]

        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000"}
        with Daemon(project, environment=environment) as daemon:
            ready = listen("READY")
            assert ready["READY"] == "1"
            assert ready["STATUS"].startswith("1 rules, 0 events")
            daemon.signal(signal.SIGHUP)
            assert int(listen("RELOADING")["MONOTONIC_USEC"]) > 0
            listen("READY")
            project.send(track("ann", "Cart Abandoned"))
            listen("WATCHDOG")
            assert "1 events" in listen("STATUS")["STATUS"]
            assert daemon.stop() == 0
            listen("STOPPING")
    kinds = [next(iter(one)) for one in heard]
    assert kinds[0] == "READY"
    assert kinds[-1] == "STOPPING"


def test_a_second_daemon_on_the_store_is_refused_and_harms_nothing(project: Project) -> None:
    with Daemon(project) as daemon:
        second = project.command("run", "--json")
        assert second.code == 1
        assert f"is in use by another Segue (process {daemon.pid})" in second.err
        assert "stop it first" in second.err
        project.send(track("ann", "Cart Abandoned"))
        assert project.command("restore", "--hold", project.root / "segue.toml").code == 1  # nor is it replaced


def test_a_port_that_is_taken_is_named(project: Project) -> None:
    with socket.create_server(("127.0.0.1", project.port)):
        done = project.command("run", "--json")
    assert done.code == 2
    assert f"cannot listen on 127.0.0.1:{project.port}" in done.err


# Clients


def test_wrong_requests_get_an_answer_that_says_what_is_wrong_and_lose_nothing(project: Project) -> None:
    with Daemon(project) as daemon:
        wrong = project.post("/v1/track", track("ann", "Cart Abandoned"), key="wrong")
        assert (wrong.status, wrong.json()["code"]) == (401, "unauthorized")
        assert "www-authenticate" in wrong.headers
        large = project.post("/v1/batch", b'{"batch":[' + b" " * 600_000 + b"]}")
        assert (large.status, large.json()["code"]) == (413, "too_large")
        event = project.post("/v1/batch", {"batch": [track("ann", "Cart Abandoned", padding="x" * 40_000)]})
        assert event.status == 413, event.body
        unnamed = project.post("/v1/track", {"userId": "ann", "properties": {}})
        assert (unnamed.status, unnamed.json()["field"]) == (400, "event")
        nobody = project.post("/v1/batch", {"batch": [{"type": "track", "event": "Cart Abandoned"}]})
        assert nobody.status == 400
        assert "batch[0]" in nobody.json()["field"]
        late = project.post("/v1/track", {"userId": "ann", "event": "x", "timestamp": "yesterday"})
        assert (late.status, late.json()["field"]) == (400, "timestamp")
        for junk in (
            b"",
            b"{",
            b"[]",
            b"\x00",
            b'{"event": NaN}',
            b'{"batch":' + b"[" * 100_000,
            b'{"event":"\\ud800"}',
        ):
            answer = project.post("/v1/batch" if b"batch" in junk else "/v1/track", junk)
            assert answer.status == 400, (junk[:20], answer)
            assert answer.json()["message"]
        mixed = project.post(
            "/v1/batch", {"batch": [track("ann", "Cart Abandoned"), {"type": "track", "userId": "bea"}]}
        )
        assert mixed.status == 200
        assert mixed.json()["rejected_count"] == 1
        assert [name for (name,) in project.rows("select message_id from event")] == ["Cart Abandoned-ann"]
        assert daemon.entries("error") == []
        metrics = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(project.get("/metrics").body.decode())
            for sample in family.samples
        }
        assert metrics[("segue_events_total",)] == 1
        assert metrics["segue_decisions_total", ("decision", "entered"), ("rule", "cart_abandoned")] == 1
        assert metrics["segue_channel_open", ("channel", "email")] == 1
        assert metrics["segue_channel_reports_total", ("channel", "email")] == 0
        assert project.get("/healthz").status == 200
        assert project.get("/healthz").json()["channels"] == {"email": "open", "sms": "open"}


# Commands beside it


def test_a_backup_of_a_running_store_comes_back_and_sends_nothing_until_released(
    project: Project, box: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    with Daemon(project, speed=SPEED):
        project.send(track("ann", "Cart Abandoned"), track("bea", "Cart Abandoned"), track("bea", "Order Completed"))
        made = project.command("backup", copy, "--json")
        assert made.code == 0, made.err
        assert made.records[0]["bytes"] == copy.stat().st_size
        wait_until(lambda: len(mailbox(box)) == 2, what="Ann's messages")
    first = [(line["customer"], line["channel"], line["key"]) for line in mailbox(box)]
    assert project.command("restore", copy).code == 2  # --hold or --send must be said
    restored = project.command("restore", "--hold", copy, "--json")
    assert restored.code == 0, restored.err
    assert restored.records[0]["held"]
    with Daemon(project, speed=SPEED) as daemon:
        assert daemon.entries("running")[0]["held"]
        assert project.get("/healthz").json()["held"]
        project.send(track("carl", "Cart Abandoned"))
        wait_until(lambda: project.rows("select 1 from message where state = 0"), what="Ann's message is decided anew")
        time.sleep(2.5)
        assert len(mailbox(box)) == 2
        assert project.command("release", "--json").records == [{"released": True}]
        wait_until(lambda: not project.get("/healthz").json()["held"], within=30, what="released")
        wait_until(lambda: len(mailbox(box)) > 2, what="Carl's messages")
    again = [(line["customer"], line["channel"], line["key"]) for line in mailbox(box)][2:]
    assert "bea" not in {customer for customer, _, _ in [*first, *again]}
    assert {one for one in again if one[0] == "ann"} <= set(first)  # the same keys: a provider can tell


def test_why_and_doctor_answer_while_it_runs(project: Project, box: Path) -> None:
    with Daemon(project, speed=SPEED):
        project.send(identify("ann", firstName="Ann"), track("ann", "Cart Abandoned"), track("bea", "Cart Abandoned"))
        project.send(track("bea", "Order Completed"))
        wait_until(lambda: len(mailbox(box)) == 2, what="Ann's messages")
        wait_until(project.is_drained, what="both journeys have ended")
        ann = project.command("why", "ann", "cart_abandoned", "--json")
        bea = project.command("why", "bea", "cart_abandoned", "--json")
        nobody = project.command("why", "dan", "cart_abandoned", "--json")
        doctor = project.command("doctor", "--json")
    assert (ann.code, bea.code, nobody.code) == (0, 0, 1)
    assert [one["what"] for one in ann.records].count("sent") == 2
    (exit_of_bea,) = [one for one in bea.records if one["what"] == "exited"]
    assert "ordered" in exit_of_bea["detail"]
    assert "no customer dan" in nobody.err
    assert doctor.code == 0, doctor.out
    assert "entered 2 = inside 0 + finished 1 + exited 1 + failed 0" in doctor.out


# What fails around it


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Three megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    with reported_when_missing():
        if os.geteuid() != 0:
            raise CounterpartMissing("a full disk needs a small tmpfs, and root to mount it: run these tests as root")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], check=True, timeout=10)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True, timeout=10)


def test_a_full_disk_refuses_events_for_a_while_and_loses_none_that_were_taken(
    tmp_path: Path, small_disk: Path, box: Path
) -> None:
    project = Project(
        tmp_path / "project",
        rules=SENTENCE.replace("1d", "1h"),
        channels=console_table("email", box) + console_table("sms", box),
        database=small_disk / "segue.db",
    )
    acknowledged: set[str] = set()
    refused: set[str] = set()

    def post(number: int) -> int:
        calls = [track(f"c{number}-{place}", "Cart Abandoned", note="x" * 500) for place in range(20)]
        answer = project.post("/v1/batch", {"batch": calls})
        names = {call["messageId"] for call in calls}
        if answer.status == 503:
            assert int(answer.headers["retry-after"]) >= 1
            refused.update(names)
        else:
            assert answer.status == 200, answer.body
            acknowledged.update(names)
        return answer.status

    with Daemon(project, speed=2000) as daemon:  # an hour takes two seconds, and a message may be late by 43
        filler = small_disk / "filler"
        assert post(0) == 200
        filler.write_bytes(b"x" * (os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_bsize - 200_000))
        statuses = [post(number) for number in range(1, 30)]
        assert 503 in statuses
        assert project.get("/metrics").status == 200
        filler.unlink()
        number = 100
        until = time.monotonic() + 20
        while post(number) != 200:
            assert time.monotonic() < until, daemon.log[-3000:]
            number += 1
            time.sleep(0.1)
        refused -= acknowledged
        wait_until(project.is_drained, within=40, what="all went out")
        wait_until(lambda: project.get("/healthz").json()["status"] == "ok", within=15, what="healthy again")
    stored = [name for (name,) in project.rows("select message_id from event")]
    assert set(stored) == acknowledged
    assert len(stored) == len(acknowledged)
    assert not refused & set(stored)
    keys = [line["key"] for line in mailbox(box)]
    assert {line["customer"] for line in mailbox(box)} == {
        name.removeprefix("Cart Abandoned-") for name in acknowledged
    }
    assert len(keys) >= 2 * len(acknowledged)
    assert project.command("doctor", "--json").records


def test_while_the_mail_server_is_down_mail_waits_and_texts_go(tmp_path: Path, box: Path) -> None:
    down = free_port()
    project = Project(
        tmp_path / "project", rules=AT_ONCE, messages=HELLO, channels=email_table(down) + console_table("sms", box)
    )
    with Daemon(project) as daemon:
        people = [f"c{number}" for number in range(10)]
        project.send(*(identify(name, email=f"{name}@example.test", phone=f"+35840{name[1:]:0>7}") for name in people))
        began = time.monotonic()
        project.send(*(track(name, "Signed Up") for name in people))
        wait_until(lambda: len(mailbox(box)) == 10, within=5, what="texts")
        assert time.monotonic() - began < 5
        time.sleep(1.5)
        waiting = project.rows("select state, attempts, reason from message where channel = 'email'")
        assert len(waiting) == 10
        assert all(state in (0, 1) and attempts >= 1 for state, attempts, _ in waiting)
        assert any("connection" in (reason or "") for _, _, reason in waiting)
        server = PostfixServer()
        server.port = down
        try:
            with reported_when_missing():
                server.start()
            mails = server.wait_for(10, within=60)
            time.sleep(1)
            assert len(server.messages()) == 10
        finally:
            server.stop()
        assert sorted(mail["X-Original-To"] for mail in mails) == sorted(f"{name}@example.test" for name in people)
        wait_until(lambda: project.rows("select count(*) from journey where state = 1") == [(10,)], what="all finished")
        assert len(mailbox(box)) == 10
        assert not daemon.entries("error")


def test_every_line_of_the_log_is_one_json_object(project: Project) -> None:
    with Daemon(project, level="debug") as daemon:
        project.send(identify("ann\nbea", first_name="\x1b[31m"), track("ann\nbea", "Cart Abandoned"))
        project.post("/v1/track", b"{")
        project.write_rules("when\n")
        daemon.signal(signal.SIGHUP)
        daemon.wait_for("the rules on disk have errors; the old ones go on")
    entries: list[dict[str, Any]] = daemon.entries()
    assert {"published", "running", "entered", "stopping", "stopped"} <= {entry["event"] for entry in entries}
    assert all({"timestamp", "level", "event"} <= entry.keys() for entry in entries)
    assert [entry["customer"] for entry in daemon.entries("entered")] == ["ann\nbea"]
