"""``segue funnel``: what is shown of a store, and what is said where counts do not agree."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from segue.api import Answer, Event, Instant, Rejected, Sent
from segue.api.values import DAY, HOUR
from segue.cli.funnels import showing
from segue.cli.main import app
from segue.messages.catalogue import Catalogue
from segue.runtime import erasing
from segue.runtime.dispatch import Claim
from segue.runtime.publishing import publish, resume
from segue.scenario.replay import Arrival, Replay
from segue.store import erasures
from segue.store.database import Store, change
from tests.acceptance.drivers import read_rules, setting

START = Instant(1_780_272_000_000_000)
RULES = """
rule carts "Win back carts"
  when cart_abandoned
  expect 10 per 1d
  goal ordered within 7d
  holdout 10%
  wait 1d unless ordered
  send email "offer" or sms "offer"
  wait 2d
  send sms "again"

rule quiet
  when app_opened
  wait 1d

segment buyers
  where ordered

rule silent
  when product_viewed
  wait 1d
"""


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["funnel", *arguments])
    return result.exit_code, result.stdout, result.stderr


def fill(path: Path, rules: str = RULES, customers: int = 40, erased: int = 0) -> None:
    """Customers who leave a cart, of whom every fourth orders the next evening and every fifth later. The first so many
    are erased then."""
    store = Store(path, durable=False)
    try:

        def prepare(tx: Any) -> Any:
            publish(tx, read_rules(rules), START, "test")
            return resume(tx, setting())

        def answer(claimed: Claim, _moment: Instant) -> Answer:
            return Rejected("no such box\x1b[31m") if claimed.customer.endswith("7") else Sent()

        replay = Replay(store, store.apply(prepare), Catalogue(), answer=answer)
        for _ in replay.run(sorted(_arrivals(customers), key=lambda one: one.received)):
            pass
        for customer in range(1, erased + 1):
            now = replay.moment
            number = store.apply(partial(erasures.ask, customer=customer, who="ann", now=now))
            store.apply(partial(erasing.begin, running=replay.running, number=number, now=now))
            while store.apply(partial(erasing.go_on, number=number, now=now)):
                pass
    finally:
        store.close()


def _arrivals(customers: int) -> Iterator[Arrival]:
    def arrival(name: str, number: int, at: int) -> Arrival:
        user = f"c{number}"
        traits = {"email": f"{user}@x.test", "phone": f"+35840000{number:04d}"}
        event = Event(
            message_id=f"{name}-{number}",
            timestamp=Instant(at),
            source="shop",
            name=name,
            user_id=user,
            properties={},
            traits=traits,
        )
        return Arrival(event, Instant(at))

    for number in range(customers):
        at = START + HOUR + number * 9 * HOUR
        yield arrival("cart_abandoned", number, at)
        if number % 4 == 0:
            yield arrival("ordered", number, at + 20 * HOUR)
        elif number % 5 == 0:
            yield arrival("ordered", number, at + 2 * DAY)
        if number % 10 == 0:
            yield arrival("app_opened", number, at)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "segue.toml").write_text('database = "segue.db"\n', encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "segue.db"
    fill(path)
    return path


@pytest.fixture
def sold(shop: Path, filled: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a full store, the day after anybody entered last."""
    monkeypatch.setattr(showing, "now_of", lambda _: Instant(START + 16 * DAY))
    (shop / "segue.toml").write_text(f'database = "{filled}"\n', encoding="utf-8")
    return shop


def records(table: str, *arguments: str) -> list[dict[str, Any]]:
    code, out, err = run(*arguments, "--json")
    assert code == 0, err
    found = [json.loads(line) for line in out.splitlines()]
    return [one for one in found if one["table"] == table]


def test_without_a_store_there_is_nothing_to_count(shop: Path) -> None:
    code, _, err = run()
    assert code == 1
    assert "segue.db" in err


def test_an_empty_store_has_no_funnel(shop: Path) -> None:
    Store(shop / "segue.db").close()
    assert run() == (0, "Journeys by rule and version\n  nothing\n\n", "")
    code, _, err = run("carts")
    assert (code, err) == (2, "segue: no rule carts was ever published to this store\n")


def test_a_rule_that_never_was_is_answered_with_the_nearest(sold: Path) -> None:
    code, _, err = run("cart")
    assert code == 2
    assert err == "segue: no rule cart was ever published to this store; did you mean carts?\n"


def test_every_rule_has_a_line_and_the_law_holds_in_it(sold: Path) -> None:
    found = records("journeys")
    assert {one["rule"] for one in found} == {"carts", "quiet"}
    for one in found:
        assert one["entered"] == one["inside"] + one["finished"] + one["exited"] + one["failed"] > 0
    assert {one["group"] for one in found if one["rule"] == "carts"} == {"sent to", "held out"}
    code, out, _ = run()
    assert code == 0
    assert "entered = inside + finished + exited + failed" in out
    assert "Of the rules that run nobody entered silent." in out


def test_a_funnel_fits_eighty_columns_and_says_the_law(sold: Path) -> None:
    code, out, err = run("carts")
    assert (code, err) == (0, "")
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "entered = inside + finished + exited + failed" in out
    assert "Held out: the same steps, and nothing is sent" in out
    assert "  7 ◷ Wait 1 day" in out
    assert "Win back carts  carts" in out
    assert re.search(r"^Entered each day  ▆?[▆█]+.*  3 on an ordinary day, 10 expected$", out, re.MULTILINE)
    assert "from Jun 1 to Jun 17" in out


def test_what_providers_say_cannot_drive_the_terminal(sold: Path) -> None:
    _, out, _ = run("carts")
    assert "no such box" in out
    assert "\x1b" not in out


def test_a_rule_that_sends_nothing_and_one_that_nobody_entered_have_funnels(sold: Path) -> None:
    code, out, _ = run("quiet")
    assert code == 0
    assert "Wait 1 day" in out
    assert "Content that converts" not in out
    code, out, _ = run("silent")
    assert code == 0
    assert "Nobody entered" in out
    assert "nan" not in out.lower()


def test_only_those_who_entered_in_the_period_are_counted(sold: Path) -> None:
    days = records("entries", "carts")
    first = days[0]
    assert records("entries", "carts", "--until", first["day"]) == [first]
    later = records("entries", "carts", "--since", days[1]["day"])
    assert sum(one["entered"] for one in later) == 40 - first["entered"]
    assert first["expected"] == 10


def test_tables_are_written_to_files(sold: Path) -> None:
    code, out, err = run("carts", "--csv", "out")
    assert (code, out) == (0, "")
    assert "rows written to out/steps.csv" in err
    with (sold / "out" / "steps.csv").open(encoding="utf-8", newline="") as file:
        steps = list(csv.DictReader(file))
    assert [(one["words"], one["line"]) for one in steps if one["group"] == "sent to"] == [
        ("Wait 1 day: ends if ordered happens", "7"),
        ("Send by email or sms: offer", "8"),
        ("Wait 2 days", "9"),
        ("Send by sms: again", "10"),
    ]


def test_machines_are_shown_when_asked_for(sold: Path) -> None:
    assert "opened_by_machines" not in records("content", "carts")[0]
    assert records("content", "carts", "--with-machines")[0]["opened_by_machines"] == 0


def test_a_step_says_what_machines_opened_when_asked_for(shop: Path) -> None:
    path = shop / "segue.db"
    fill(path, customers=5)
    change(
        path,
        lambda tx: tx.run(
            "insert into hit (message, customer, what, link, links, at, agent, due, machine, known, latest) "
            "select id, customer, 'opened', 0, 1, 0, 'mail', null, 'a scanner', 0, 0 from message "
            "where handed is not null"
        ),
    )
    assert re.search(r"offer: \d sent, .*0 opened \(0%\) and \d by machines", run("carts", "--with-machines")[1])
    assert "by machines" not in run("carts")[1]


def test_counts_that_do_not_agree_are_said_and_end_with_1(shop: Path) -> None:
    path = shop / "segue.db"
    fill(path, customers=5)
    change(path, lambda tx: tx.run("update tally set n = n + 1 where rule = 'carts' and what = 'entered'"))
    for arguments in ((), ("carts",)):
        code, _, err = run(*arguments)
        assert code == 1
        assert "carts, as counted when it happened: 6 entered, but 5 are inside" in err
    assert run("--last", "1y")[0] == 0, "of a period there are no books"


def test_journeys_of_erased_customers_are_said_to_be_gone(shop: Path) -> None:
    fill(shop / "segue.db", customers=5, erased=2)
    code, out, err = run("carts")
    assert (code, err) == (0, "")
    told = " ".join(out.split())
    assert "5 ever entered; 2 of these journeys were deleted" in told
    assert "messages ever went; 2 of them were deleted" in told


def test_a_journey_in_no_state_is_said(shop: Path) -> None:
    path = shop / "segue.db"
    fill(path, customers=5)
    change(path, lambda tx: tx.run("update journey set state = 9 where id = 1"))
    code, _, err = run("carts", "--json")
    assert code == 1
    assert "version 1 of carts, sent to: 4 entered, but 3 are inside, finished, exited or failed" in err


def test_the_seventeen_questions_are_answered_side_by_side(sold: Path) -> None:
    found = records("questions", "carts", "--questions")
    assert [one["number"] for one in found] == list(range(1, 18))
    assert found[1]["says"] == "10 in a day."
    assert found[1]["counted"] == "3 on an ordinary day, 30% of what is expected."
    assert found[13]["counted"] == "Entries by events of shop (100%)."
    code, out, _ = run("carts", "--questions")
    assert code == 0
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "left open: once per 30d" in out


def test_channels_are_shown_by_segment(sold: Path) -> None:
    found = {(one["segment"], one["channel"]): one for one in records("segments", "carts", "--segments")}
    assert found["everyone", "sms"]["customers"] == 40
    assert found["everyone", "email"]["reachable"] == 40
    assert found["buyers", "email"]["customers"] == 16
    assert found["buyers", "sms"]["sent_to"] == 0
    assert run("carts", "--segments")[0] == 0


def test_another_version_is_drawn_when_asked_for(sold: Path) -> None:
    assert run("carts", "--version", "1")[1] == run("carts")[1]
    assert run("carts", "--version", "2") == (2, "", "segue: carts has no version 2: there are 1 to 1\n")


@pytest.mark.parametrize("words", ["--questions", "--version 1", "--segments", "carts --questions --segments"])
def test_what_is_about_one_rule_needs_one(sold: Path, words: str) -> None:
    assert run(*words.split())[0] == 2
