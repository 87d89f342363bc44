"""A busy week of the daemon, recorded and replayed: the same decisions, to the microsecond."""

from __future__ import annotations

import datetime
import os
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from segue.store.database import read_only
from segue.store.history import EMITTED
from tests.acceptance.harness import (
    SECRET,
    Daemon,
    Project,
    console_table,
    email_table,
    identify,
    sms_table,
    track,
    wait_until,
)
from tests.counterparts.kannel import Kannel
from tests.counterparts.misbehaving_smtp import MisbehavingSmtp
from tests.counterparts.missing import reported_when_missing
from tests.counterparts.process import free_port

SPEED = 43_200
"""A day takes two seconds."""
CUSTOMERS = 120
TODAY = datetime.datetime.now(datetime.UTC).date()
"""Where compressed time begins."""
SENT = "2026-01-10T12:00:00Z"
"""What the clients' clocks say; only the differences to it matter."""

RULES = """
event ticket_opened
  ticket text
event ticket_closed
  ticket text
event asked
  weight number
event followed_up
  weight number
customer
  vip     boolean
  country text
  renewal date

rule carts
  when cart_abandoned where total > 20
  once per 2d
  goal ordered within 3d worth total
  wait 3h unless ordered
  send email "offer" then sms "offer"

rule tickets
  when ticket_opened per ticket
  on repeat restart
  until ticket_closed
  wait 6h unless customer.vip = true
  send sms "offer" or email "offer"
  wait 1d
  if customer.country = "FI" and ordered
    send email "thanks" and push "thanks"
  else if asked at least 2 times in last 2d
    set customer.vip = true
  else
    emit followed_up with weight = 2
  end

rule views
  when product_viewed
  goal ordered within 2d
  wait for ordered up to 12h
  if ordered
    stop
  end
  wait until 09:00
  send push "offer" or email "offer" within 2h

rule visits
  when app_opened where not app_opened in last 3h
  on repeat restart
  wait 1h unless asked in last 5h
  send email "offer" within 4h or push "offer"
  wait for delivered up to 3h
  wait for next asked up to 1d unless not app_opened in last 2d
  send sms "thanks"

rule welcome
  when signed_up
  once
  set customer.vip = false
  send email "thanks" as transactional within 3h
  wait until time between 08:00 and 20:00 Europe/Helsinki
  wait until tomorrow 07:30
  send push "thanks"

rule follow
  when followed_up
  wait 30min unless customer.vip = true
  send push "offer"

rule renewals
  when asked
  on repeat restart
  wait until 2h before customer.renewal
  send sms "offer" with weight = weight
"""
POLICY = """
policy promotional
  quiet 22:00 to 07:00 local
  limit 2 messages per 1d defer 6h
  limit 1 sms per 12h
  space 30min
"""
"""Messages compete for slots, and a call that came to nothing keeps the one of its message."""

CARTS = """
[sources.shop]
use = "webhooks"
header = "x-key"
token = { env = "WRITE_KEY" }
cart_abandoned = "4h"
"""
"""A source that only reports how carts change: events whose field `source` says so are its own."""

WORDS = {
    "email.txt": "---\nsubject: News\n---\nHi {{ customer.first_name }}\n",
    "sms.txt": "Hi {{ weight | default: customer.country }}\n",
    "push.txt": "---\ntitle: News\n---\nHi\n",
}

# What the mail server does with a customer's address: `tests.counterparts.misbehaving_smtp` says what they mean.
BOXES = ("ok",) * 8 + ("code-450", "code-550", "end-451", "end-554", "drop-end", "drop-data", "busy")


def calls_of(draw: random.Random, number: int) -> Iterator[dict[str, Any]]:
    """A handful of calls of random customers."""
    for place in range(draw.randint(1, 12)):
        customer = f"c{draw.randrange(CUSTOMERS):03d}"
        event = draw.choice(
            ("Cart Abandoned", "Cart Updated", "Product Added", "Product Removed", "Order Completed", "Product Viewed",
             "app_opened", "asked", "asked", "ticket_opened", "ticket_opened", "ticket_closed", "Signed Up",
             "identify", "unsubscribed", "subscribed")
        )  # fmt: skip
        if event in ("unsubscribed", "subscribed") and draw.random() < 0.6:
            event = "Cart Abandoned"
        call = track(customer, event, f"m{number}-{place}", **properties_of(draw, event))
        if event == "identify":
            call = identify(customer, f"m{number}-{place}", **traits_of(draw, customer))
        elif draw.random() < 0.1:
            device = f"device-{customer}"
            del call["userId"]
            call["anonymousId"] = device
        elif draw.random() < 0.1:
            call["anonymousId"] = f"device-{customer}"
        if draw.random() < 0.15:  # late: by hours, or by more than a day
            call["timestamp"] = draw.choice(
                ("2026-01-10T11:59:59.5Z", "2026-01-10T09:00:00Z", "2026-01-09T14:00:00Z", "2026-01-08T12:00:00Z")
            )
        yield call


def properties_of(draw: random.Random, event: str) -> dict[str, Any]:
    match event:
        case "Cart Abandoned" | "Order Completed":
            return {"total": draw.randint(10, 100), "order_id": str(draw.randrange(1000))}
        case "Cart Updated":
            return {"source": "shop", "cart_id": "c1", "total": draw.choice((0, 15, 40, 70))}
        case "Product Added" | "Product Removed":
            return {"source": "shop", "product_id": draw.choice(("X1", "X2")), "price": draw.choice((9, 19.5))}
        case "ticket_opened" | "ticket_closed":
            return {"ticket": f"t{draw.randrange(3)}"} if draw.random() < 0.95 else {}
        case "asked":
            return {"weight": draw.randint(1, 9)}
        case "unsubscribed" | "subscribed":
            return {"channel": draw.choice(("email", "sms", "push"))}
        case _:
            return {"product_id": "X1"}


def traits_of(draw: random.Random, customer: str) -> dict[str, Any]:
    number = int(customer[1:])
    traits: dict[str, Any] = {
        "email": f"{BOXES[number % len(BOXES)]}@{customer}.test",
        "first_name": customer,
        "push_token": customer,
        "country": draw.choice(("FI", "SE")),
        "timezone": draw.choice(("Europe/Helsinki", "America/New_York", "UTC")),
    }
    if number % 3:
        traits["phone"] = f"+3584000{number:05d}"
    if draw.random() < 0.5:
        traits["vip"] = draw.random() < 0.3
    if draw.random() < 0.5:
        traits["renewal"] = (TODAY + datetime.timedelta(days=draw.randint(-1, 10))).isoformat()
    return traits


def shown(record: Mapping[str, Any]) -> tuple[str, ...]:
    names = ("customer", "rule", "key", "decision", "channel", "message", "reason", "at")
    return tuple(str(record.get(name) or "") for name in names)


def decisions(entries: Iterable[Mapping[str, Any]]) -> Counter[tuple[str, ...]]:
    """The decisions among the daemon's log entries."""
    return Counter(
        shown({**entry, "decision": entry["event"]})
        for entry in entries
        if entry["level"] == "debug" and "key" in entry
    )


COUNTED = ("entered", "finished", "exited", "failed", "converted")
"""Decisions about journeys that a funnel counts."""


def hold_funnels_to(decided: Counter[tuple[str, ...]], project: Project) -> None:
    """The funnels of the store say what the decisions do: how many journeys entered, and ended in which way, and how
    many messages of a rule went."""
    counts = Counter[tuple[str, str]]()
    for _, rule, _, decision, *_ in decided.elements():
        if decision in ("entered", "finished", "exited", "failed", "converted") or (rule, decision) == (
            "carts",
            "sent",
        ):
            counts[rule, decision] += 1
    found = Counter[tuple[str, str]]()
    for arguments in ((), ("carts",)):
        done = project.command("funnel", *arguments, "--json")
        assert done.code == 0, done.err
        for record in done.records:
            if record["table"] == "journeys" and not arguments:
                for decision in COUNTED:
                    found[record["rule"], decision] += record[decision] or 0  # None: its rule has no goal
            elif record["table"] == "content":
                found["carts", "sent"] += record["sent"]
    assert +found == counts


@pytest.mark.timeout(240)
@pytest.mark.parametrize("rules", [RULES, RULES + POLICY], ids=["alone", "under a policy"])
def test_replaying_what_the_daemon_saw_decides_what_the_daemon_decided(tmp_path: Path, rules: str) -> None:
    port = free_port()
    gateway = Kannel(callback_url=f"http://127.0.0.1:{port}/callbacks/sms?token={SECRET}&from=%p&id=%I&at=%T")
    draw = random.Random(int(os.environ.get("SEGUE_SEED", "5")))
    decided: Counter[tuple[str, ...]] = Counter()
    try:
        with reported_when_missing():
            gateway.start()
        with MisbehavingSmtp() as server:
            project = Project(
                tmp_path / "project",
                port=port,
                rules=rules,
                messages={"offer": WORDS, "thanks": WORDS},
                channels=email_table(server.port)
                + sms_table(gateway, callback_secret='{ env = "SMS_CALLBACK_SECRET" }')
                + console_table("push", tmp_path / "pushes")
                + CARTS,
                zone="Europe/Helsinki",
            )
            for life in range(2):  # stopped and started again half-way
                with Daemon(project, speed=SPEED, level="debug") as daemon:
                    if life == 0:
                        people = [f"c{number:03d}" for number in range(CUSTOMERS)]
                        project.send(*(identify(name, **traits_of(draw, name)) for name in people))
                    began = time.monotonic()
                    number = 0
                    while time.monotonic() - began < 8:
                        number += 1
                        answer = project.post(
                            "/v1/batch", {"batch": list(calls_of(draw, life * 10_000 + number)), "sentAt": SENT}
                        )
                        assert answer.status == 200, answer.body
                        if number % 60 == 30:
                            gateway.reply(
                                f"+3584000{draw.choice((1, 2, 4, 5, 7)):05d}", draw.choice(("STOP", "start", "What?"))
                            )
                        time.sleep(0.04)
                    if life == 1:
                        wait_until(project.is_drained, within=60, what="drained")
                decided += decisions(daemon.entries())
    finally:
        gateway.stop()

    with read_only(project.database) as tx:
        derived = tx.row(
            "select count(*) from event join name on name.id = event.name where kind = ? and name.name = ?",
            (EMITTED, "cart_abandoned"),
        )
    assert derived is not None
    assert derived[0] > 20

    record = tmp_path / "record.jsonl"
    done = project.command("record", "--out", record)
    assert done.code == 0, done.err
    replayed = project.command("replay", "--rules", project.root / "rules", "--events", record, "--json", timeout=120)
    assert replayed.code == 0, replayed.err
    again = Counter(shown(one) for one in replayed.records)
    print(Counter(line[3] for line in decided.elements()))
    only_daemon, only_replay = decided - again, again - decided
    differing = sorted(
        [*(("daemon", *line) for line in only_daemon), *(("replay", *line) for line in only_replay)],
        key=lambda one: (one[1], one[-1]),
    )
    assert not differing, (
        f"{len(only_daemon)} only by the daemon, {len(only_replay)} only by the replay:\n"
        + "\n".join(map(str, differing[:40]))
    )
    hold_funnels_to(again, project)
    assert {line[3] for line in decided} >= {
        "entered",
        "ignored",
        "sent",
        "skipped",
        "deferred" if POLICY in rules else "undelivered",
        "converted",
        "finished",
        "exited",
    }
