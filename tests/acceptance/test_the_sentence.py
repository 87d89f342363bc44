"""One line of rules, two real clients, a real mail server and a real SMS gateway."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from segment.analytics import request as sdk_request
from segment.analytics.client import Client

from tests.acceptance.harness import KEY, SENTENCE, Daemon, Project, email_table, sms_table, wait_until
from tests.acceptance.relay import SmtpRelay
from tests.counterparts.kannel import Kannel
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.postfix import PostfixServer
from tests.counterparts.process import CounterpartMissing, require

Call = tuple[str, str, dict[str, Any]]
"""Customer, event (or ``identify``), properties (or traits)."""

NODE = r"""
const { Analytics } = require('@segment/analytics-node')
const [host, writeKey, calls] = process.argv.slice(2)
async function main() {
  const analytics = new Analytics({ writeKey, host, flushAt: 10, flushInterval: 50 })
  const failed = []
  analytics.on('error', (error) => failed.push(String(error.reason ?? error.code ?? error)))
  for (const [userId, event, properties] of JSON.parse(calls)) {
    if (event === 'identify') analytics.identify({ userId, traits: properties })
    else analytics.track({ userId, event, properties })
  }
  await analytics.closeAndFlush({ timeout: 20000 })
  process.stdout.write(JSON.stringify(failed))
}
main()
"""

SPEED = 43_200  # a day takes two seconds


def send_by_python(port: int, _: Path, calls: Sequence[Call]) -> None:
    """The calls by the Python SDK, as it comes from PyPI."""
    failed: list[object] = []
    client = Client(
        KEY, host=f"http://127.0.0.1:{port}", on_error=lambda error, _: failed.append(error), upload_interval=0.05
    )
    try:
        for customer, event, properties in calls:
            if event == "identify":
                client.identify(customer, properties)
            else:
                client.track(customer, event, properties)
        client.shutdown()
    finally:
        sdk_request._session.close()
    assert failed == []


def send_by_node(port: int, folder: Path, calls: Sequence[Call]) -> None:
    """The calls by the Node SDK, as it comes from npm."""
    if not (folder / "node_modules").exists():
        folder.mkdir()
        (folder / "drive.js").write_text(NODE, "utf-8")
        (folder / "package.json").write_text('{"private": true}', "utf-8")
        with reported_when_missing():
            require("node", "nodejs")
            npm = require("npm", "npm")
            install = [npm, "install", "--no-audit", "--no-fund", "--loglevel=error", "@segment/analytics-node"]
            done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
            if done.returncode != 0:
                raise CounterpartMissing(f"npm install @segment/analytics-node failed: {done.stderr[-500:]}")
    if not calls:
        return
    sent = subprocess.run(
        ["node", "drive.js", f"http://127.0.0.1:{port}", KEY, json.dumps(calls)],
        cwd=folder,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(sent.stdout) == []


@pytest.mark.timeout(240)
@pytest.mark.parametrize("send", [send_by_python, send_by_node], ids=["python", "node"])
def test_whoever_only_abandons_gets_both_who_ordered_gets_nothing_who_orders_in_between_gets_no_text(
    send: Callable[[int, Path, Sequence[Call]], None], tmp_path: Path, postfix: PostfixServer, kannel: Kannel
) -> None:
    send(0, tmp_path / "node", ())  # installs what it needs, before time runs fast
    with SmtpRelay(postfix.port, hold="carl") as relay:
        project = Project(tmp_path / "project", rules=SENTENCE, channels=email_table(relay.port) + sms_table(kannel))
        with Daemon(project, speed=SPEED, script=True) as daemon:
            people = {"ann": "+358400000001", "bea": "+358400000002", "carl": "+358400000003"}
            traits = {
                name: {"email": f"{name}@example.test", "phone": phone, "firstName": name.title()}
                for name, phone in people.items()
            }
            send(project.port, tmp_path / "node", [(name, "identify", traits[name]) for name in people])
            began = time.monotonic()
            send(
                project.port,
                tmp_path / "node",
                [
                    *((name, "Cart Abandoned", {"cart_id": name, "total": 60}) for name in people),
                    ("bea", "Order Completed", {"order_id": "1", "total": 60}),
                ],
            )
            assert relay.held.wait(20), daemon.log  # the server has Carl's mail, and Segue does not know it yet
            assert time.monotonic() - began > 1.9
            send(project.port, tmp_path / "node", [("carl", "Order Completed", {"order_id": "2", "total": 60})])
            relay.let_go()
            wait_until(project.is_drained, what="every journey has ended")
            mails = postfix.wait_for(2)
            kannel.wait_for(1)
            time.sleep(1.0)  # more would have come by now: half a day goes by
            assert len(postfix.messages()) == 2
            texts = kannel.delivered()
        doctor = project.command("doctor", "--json")
    assert sorted(mail["X-Original-To"] for mail in mails) == ["ann@example.test", "carl@example.test"]
    assert {mail["Subject"] for mail in mails} == {"Your cart, Ann", "Your cart, Carl"}
    assert [(text.recipient, text.text) for text in texts] == [("+358400000001", "Hi Ann, your cart is still here.")]
    journeys = [one["found"] for one in doctor.records if one["what"] == "journeys"]
    assert journeys == ["cart_abandoned: entered 3 = inside 0 + finished 1 + exited 2 + failed 0"]
    assert doctor.code == 0, doctor.out
