"""SIGKILL, a hundred times over, while journeys run against a real mail server and SMS gateway and a shop sends events.

How many is set by ``SEGUE_KILLS``, what is drawn by ``SEGUE_SEED``.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from segue.runtime.crashpoints import POINTS
from segue.store.sweeps import RuleCount, count_rules
from tests.acceptance.harness import (
    Daemon,
    DaemonFailed,
    Project,
    console_table,
    email_table,
    mailbox,
    sms_table,
    wait_until,
)
from tests.acceptance.shop import Shop
from tests.counterparts.kannel import Kannel
from tests.counterparts.postfix import PostfixServer

KILLS = int(os.environ.get("SEGUE_KILLS", "100"))
SEED = int(os.environ.get("SEGUE_SEED", "1"))
SPEED = 28_800
"""A day takes three seconds: two or three kills happen while a cart waits."""
DAY = 3.0

CARTS = 'rule carts when cart_abandoned wait 1d unless ordered send email "reminder" then sms "reminder"\n'
EDITIONS = (
    'rule later when cart_abandoned wait 2d unless ordered send push "reminder"\n',
    'rule later when cart_abandoned wait 1d send push "reminder" wait 1d unless ordered send push "reminder"\n',
    "",  # the rule is removed: everyone inside leaves
)
REMINDER = {
    "email.txt": "---\nsubject: Your cart\n---\nDear {{ customer.first_name }}, it is still here.\n",
    "sms.txt": "{{ customer.first_name }}: your cart is still here.\n",
    "push.txt": "---\ntitle: Your cart\n---\n{{ customer.first_name }}: still here.\n",
}

REACHED = tuple(point for point in POINTS if point != "in-import")
"""Where a daemon that takes events dies; an import is killed in tests/cli/test_import.py."""


class Crashes:
    """Kills the daemon again and again, and looks each time at what it left."""

    def __init__(self, project: Project, draw: random.Random) -> None:
        self.project = project
        self.draw = draw
        self.done = 0
        self.at: Counter[str] = Counter()
        self.in_flight: Counter[str] = Counter()
        """For each message, how many kills fell between the commits of its claim and of its outcome."""

    def one(self) -> None:
        """One life of the daemon."""
        # Every point has its turn; in between, any instant will do, that of starting up included.
        point = REACHED[self.done // 2 % len(REACHED)] if self.done % 2 else ""
        environment = (
            {"SEGUE_KILL_AT": f"{point}:{self.draw.randint(1, 3) if 'publish' not in point else 1}"} if point else {}
        )
        edition = EDITIONS[self.done // 3 % len(EDITIONS)]
        daemon = Daemon(self.project, speed=SPEED, environment=environment)
        try:
            if not point and self.done and self.draw.random() < 0.25:
                time.sleep(self.draw.random())
            else:
                daemon.wait_until_running()
                if self.done % 3 == 0 or "publish" in point:
                    self.project.write("rules/later.rules", edition)
                    daemon.signal(signal.SIGHUP)
                self._wait_for_death(daemon, 3.0 if point else self.draw.random())
        except DaemonFailed:
            if daemon.code != -signal.SIGKILL:
                raise
        died = daemon.code is not None
        assert daemon.code in (None, -signal.SIGKILL), daemon.log[-3000:]
        daemon.kill()
        self.at[point if died else "anywhere"] += 1
        self.done += 1
        assert not daemon.entries("error"), daemon.log
        if self.project.database.exists():
            self._look()

    def _wait_for_death(self, daemon: Daemon, within: float) -> None:
        until = time.monotonic() + within
        while daemon.code is None and time.monotonic() < until:
            time.sleep(0.01)

    def _look(self) -> None:
        with self.project.store() as tx:
            if tx.row("select 1 from sqlite_master where name = 'message'") is None:
                return
            self.in_flight.update(key.hex() for (key,) in tx.rows("select key from message where state = 1"))
            assert_balanced(count_rules(tx))


def assert_balanced(counts: list[RuleCount]) -> None:
    for count in counts:
        assert count.balanced, count


@pytest.mark.timeout(max(120, KILLS * 5))
def test_a_hundred_kills_lose_nothing_and_decide_nothing_twice(
    tmp_path: Path, postfix: PostfixServer, kannel: Kannel
) -> None:
    pushes = tmp_path / "pushes"
    project = Project(
        tmp_path / "project",
        rules={"carts": CARTS, "later": EDITIONS[0]},
        messages={"reminder": REMINDER},
        channels=email_table(postfix.port) + sms_table(kannel) + console_table("push", pushes),
    )
    crashes = Crashes(project, random.Random(SEED))
    shop = Shop(project, seed=SEED, pace=20, share=0.5, patience=DAY * 1.5)
    shop.start()
    while crashes.done < KILLS:
        crashes.one()
    with Daemon(project, speed=SPEED) as daemon:
        shop.close()
        wait_until(project.is_drained, within=60, what="drained")
        assert project.get("/healthz").json()["balanced"]
        log = daemon.log
    assert project.command("doctor", "--json").code == 0
    mails = postfix.wait_for(len(project.rows("select 1 from message where channel = 'email' and state in (2, 3)")))
    kannel.wait_for(len(project.rows("select 1 from message where channel = 'sms' and state in (2, 3)")))
    time.sleep(0.5)

    print(
        f"{crashes.done} kills: {dict(crashes.at)}; {len(shop.carts)} customers, {len(mails)} mails, "
        f"{shop.repeated} posts repeated"
    )
    print(f"{sum(crashes.in_flight.values())} messages in flight at a kill")
    thorough = KILLS // len(REACHED) >= 4
    missed = set(REACHED) - set(crashes.at)
    assert not (missed and thorough), f"never died at {missed}:\n{log}"
    assert_events_once(project, shop)
    assert_decided_once(project, shop)
    assert_tallies_agree(project)
    assert_calls(
        project,
        crashes,
        "email",
        Counter(mail["Message-ID"].strip("<>").partition("@")[0] for mail in postfix.messages()),
    )
    assert_calls(project, crashes, "push", Counter(line["key"] for line in mailbox(pushes)))
    by_phone = {
        phone: key.hex() for key, phone in project.rows("select key, address from message where channel = 'sms'")
    }
    assert_calls(project, crashes, "sms", Counter(by_phone[text.recipient] for text in kannel.delivered()))
    assert_orders_win(project, shop)
    if thorough:
        assert project.rows("select 1 from tally where rule = 'later' and reason = 'the rule was removed'")


def assert_events_once(project: Project, shop: Shop) -> None:
    """Every acknowledged event is in the store, and no event is there twice."""
    stored = Counter(message_id for (message_id,) in project.rows("select message_id from event where kind = 0"))
    assert [name for name, count in stored.items() if count > 1] == []
    assert shop.acknowledged - set(stored) == set()
    assert set(stored) == shop.acknowledged  # whatever was not answered was posted again until it was


def assert_decided_once(project: Project, shop: Shop) -> None:
    """One journey for each cart and rule, one message for each step of it."""
    journeys = project.rows("select hex(key), rule from journey join program on program.id = journey.program")
    assert len(set(journeys)) == len(journeys)
    assert sum(rule == "carts" for _, rule in journeys) == len(shop.carts)
    messages = [key for (key,) in project.rows("select hex(key) from message")]
    assert len(set(messages)) == len(messages)
    twice = project.rows(
        "select journey, channel from message where rule = 'carts' group by journey, channel having count(*) > 1"
    )
    assert twice == []


def assert_tallies_agree(project: Project) -> None:
    """What was counted as decisions were made is what the rows say."""
    tally = {
        (rule, what): count for rule, what, count in project.rows("select rule, what, sum(n) from tally group by 1, 2")
    }
    for rule in ("carts", "later"):
        states = dict(
            project.rows(
                "select state, count(*) from journey join program on program.id = program where rule = ? group by 1",
                rule,
            )
        )
        assert tally[rule, "entered"] == sum(states.values())
        for state, what in enumerate(("inside", "finished", "exited", "failed")):
            assert tally.get((rule, what), 0) == states.get(state, 0), (rule, what)
        sent = project.rows("select count(*) from message where rule = ? and handed is not null", rule)
        assert sent == [(tally.get((rule, "sent"), 0),)]


def assert_calls(project: Project, crashes: Crashes, channel: str, calls: Counter[str]) -> None:
    """The provider got what was handed over, and at most once more for each kill while it was in flight."""
    rows = project.rows("select hex(key), handed is not null, attempts from message where channel = ?", channel)
    keys = {key.lower(): (handed, attempts) for key, handed, attempts in rows}
    assert set(calls) <= set(keys), f"{channel}: a message nobody decided"
    for key, (handed, attempts) in keys.items():
        most = min(attempts, 1 + crashes.in_flight[key])
        assert handed <= calls[key] <= most, f"{channel} {key}: {calls[key]} calls, {most} allowed"
    assert sum(handed for handed, _ in keys.values()) > 0


def assert_orders_win(project: Project, shop: Shop) -> None:
    """Nothing was claimed for a customer after their order was stored; who ordered in time got nothing at all."""
    ordered = dict(
        project.rows(
            "select customer.key, received from event join customer on customer.id = event.customer "
            "join name on name.id = event.name "
            "where name.name = 'ordered'"
        )
    )
    entered = dict(
        project.rows(
            "select customer.key, entered from journey join customer on customer.id = journey.customer join program on "
            "program.id = journey.program where program.rule = 'carts'"
        )
    )
    claimed = project.rows(
        "select customer.key, claimed from message join customer on customer.id = message.customer "
        "where rule = 'carts' and claimed is not null"
    )
    assert set(ordered) == {f"u:{name}" for name in shop.orders}
    late = [(key, at) for key, at in claimed if key in ordered and at > ordered[key]]
    assert late == []
    in_time = {key for key, at in ordered.items() if at < entered[key] + 86_400_000_000}
    assert in_time & {key for key, _ in claimed} == set()
    assert in_time
    assert set(ordered) - in_time
