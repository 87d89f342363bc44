"""``segue plan``: what publishing would change is what publishing then changes."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from segue.api import Event, Instant
from segue.api.values import DAY, HOUR, MINUTE
from segue.cli.ending import open_project
from segue.cli.main import app
from segue.cli.planning.charts import chart, nice_top
from segue.customers.suppression import Suppression
from segue.runtime.assembly import check
from segue.runtime.publishing import publish, resume
from segue.runtime.running import DecisionLine
from segue.runtime.sweeping import Chore, chores, sweep
from segue.scenario.replay import Arrival, Replay
from segue.store.consent import put_suppressions
from segue.store.database import Store

SETTINGS = """database = "segue.db"
currency = "EUR"
[channels.email]
use = "console"
cost = "0.01 EUR"
[channels.sms]
use = "console"
cost = "0.5 EUR"
"""
BEFORE = """event paid
  total number
event ordered
rule drip
  when paid
  on edit follow
  wait 2d
  send email "one"
  wait 3d
  send email "two"
  wait 10d
  send email "three"
rule keeps when paid wait 30d send email "one"
rule going when paid wait 30d send email "one"
"""
AFTER = """event paid
  total number
event ordered
rule drip
  when paid
  on edit follow
  wait 1d
  send email "one"
  wait 10d
  send email "three" then sms
rule keeps when paid wait 20d send email "one"
rule fresh when paid where total > 5 send email "two"
"""


EMAIL = "---\nsubject: S\npreview: P\n---\nHi {{ unsubscribe_url }}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "rules").mkdir()
    (tmp_path / "segue.toml").write_text(SETTINGS, encoding="utf-8")
    for name in ("one", "two", "three"):
        folder = tmp_path / "rules" / "messages" / name
        folder.mkdir(parents=True)
        (folder / "email.md").write_text(EMAIL, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path  # type: ignore[return-value]


def segue(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def planned(*arguments: str) -> dict[str, list[dict[str, Any]]]:
    """The records of a plan, by what they are."""
    said = segue("plan", "--json", *arguments)
    assert said.exit_code == 0, said.output
    found: dict[str, list[dict[str, Any]]] = {}
    for line in said.stdout.splitlines():
        record = json.loads(line)
        found.setdefault(record.get("record", "diagnostic"), []).append(record)
    return found


def write(text: str) -> None:
    Path("rules/all.rules").write_text(text, encoding="utf-8")


def now() -> int:
    return time.time_ns() // 1000


def event(number: int, ago: int, name: str | None, who: str, **fields: Any) -> Arrival:
    moment = Instant(now() - ago)
    traits: Mapping[str, Any] = fields.pop("traits", {})
    one = Event(
        message_id=f"m{number}",
        timestamp=moment,
        source="segment",
        name=name,
        user_id=who,
        properties=fields,
        traits=dict(traits),
    )
    return Arrival(one, moment)


def live(text: str, arrivals: list[Arrival], since: int = 60 * DAY) -> list[DecisionLine]:
    """Publish a book to the project's store, and have it take arrivals until now, as a daemon would have."""
    write(text)
    assembly = open_project(Path.cwd())
    book = check(assembly)
    assert book.ok, book.diagnostics
    store = Store(assembly.project.database, durable=False)

    def prepare(tx: Any) -> Any:
        publish(tx, book.checked.book, Instant(now() - since), "test", book.sources)
        return resume(tx, assembly.setting)

    running = store.apply(prepare)
    lines = list(Replay(store, running, book.content).run(sorted(arrivals, key=_received), until=Instant(now())))
    store.close()
    return lines


def _received(arrival: Arrival) -> Instant:
    return arrival.received


def people() -> list[Arrival]:
    """Twelve customers: in the first wait of `drip` for an hour or for thirty, in its second and in its last."""
    ages = [1 * HOUR] * 3 + [30 * HOUR] * 2 + [3 * DAY] * 4 + [9 * DAY] * 3
    return [event(number, age + number * MINUTE, "paid", f"c{number}", total=number) for number, age in enumerate(ages)]


def really_publish() -> dict[str, Counter[tuple[str, int, str]]]:
    """Publish what lies on disk, and say where everyone is then: by rule, state, step and reason."""
    assert segue("publish").exit_code == 0
    assembly = open_project(Path.cwd())
    store = Store(assembly.project.database, durable=False)
    running = store.apply(lambda tx: resume(tx, assembly.setting))
    assert running is not None
    for chore in store.apply(lambda tx: chores(tx, running)):
        left: Chore | None = chore
        while left is not None:
            piece = left
            left = store.apply(lambda tx, one=piece: sweep(tx, running, one, Instant(now()))).left  # type: ignore[misc]

    def found(tx: Any) -> dict[str, Counter[tuple[str, int, str]]]:
        rows = tx.rows(
            "select program.rule, journey.state, step, journey.reason from journey join program on program.id = program"
        )
        states = ("inside", "finished", "exited", "failed")
        where: dict[str, Counter[tuple[str, int, str]]] = {}
        for rule, state, step, reason in rows:
            where.setdefault(rule, Counter())[states[state], step, reason or ""] += 1
        return where

    where = store.apply(found)
    store.close()
    return where


def test_customers_go_where_the_plan_says_once_it_is_published(project: Path) -> None:
    live(BEFORE, people())
    write(AFTER)
    records = planned("--days", "0")
    drip = [move for move in records["move"] if move["rule"] == "drip"]
    assert [(move["step"], move["text"], move["fate"], move["to"], move["customers"]) for move in drip] == [
        (1, "wait 2d", "stays", 1, 3),
        (1, "wait 2d", "goes on", 2, 2),
        (3, "wait 3d", "moves", 3, 4),
        (5, "wait 10d", "stays", 3, 3),
    ]
    assert [move["removed"] for move in drip] == [False, False, True, False]
    assert sum(move["messages"] for move in drip) == 2
    where = really_publish()
    assert where["drip"] == {("inside", 0, ""): 3, ("inside", 1, ""): 2, ("inside", 2, ""): 7}


def test_on_edit_finish_keeps_everyone_in_the_old_text(project: Path) -> None:
    live(BEFORE, people())
    write(AFTER)
    [edit] = [one for one in planned("--days", "0")["edit"] if one["name"] == "keeps"]
    assert (edit["on_edit"], edit["inside"]) == ("finish", 12)
    assert really_publish()["keeps"] == {("inside", 0, ""): 12}


def test_a_removed_rule_lets_everyone_exit(project: Path) -> None:
    live(BEFORE, people())
    write(AFTER)
    [move] = [one for one in planned("--days", "0")["move"] if one["rule"] == "going"]
    assert (move["fate"], move["customers"], move["reason"]) == ("exits", 12, "the rule was removed")
    assert really_publish()["going"] == {("exited", 0, "the rule was removed"): 12}


def test_a_guard_over_the_new_place_lets_customers_leave(project: Path) -> None:
    live("event paid\nevent ordered\nrule a when paid on edit follow wait 9d send email \"one\"\n", [
        event(1, 2 * DAY, "paid", "ann"), event(2, 2 * DAY, "paid", "bob"), event(3, DAY, "ordered", "bob"),
    ])  # fmt: skip
    write('event paid\nevent ordered\nrule a when paid on edit follow wait 9d unless ordered send email "one"\n')
    moves = planned("--days", "0")["move"]
    assert [(one["fate"], one["customers"], one["reason"]) for one in moves] == [
        ("exits", 1, "unless ordered"),
        ("stays", 1, None),
    ]
    where = really_publish()["a"]
    assert where == {("exited", 0, "unless ordered"): 1, ("inside", 0, ""): 1}


def test_the_difference_is_what_both_books_decide_over_the_same_events(project: Path) -> None:
    lines = live(BEFORE, people())
    write(AFTER)
    records = planned()
    rules = {one["rule"]: one for one in records["rule"]}
    entered = Counter(line.rule for line in lines if line.decision == "entered")
    assert {name: one["before"]["entries"] for name, one in rules.items()} == {
        "drip": entered["drip"],
        "keeps": entered["keeps"],
        "going": entered["going"],
        "fresh": 0,
    }
    assert rules["fresh"]["after"]["entries"] == rules["fresh"]["after"]["messages"] == 6
    assert (rules["drip"]["before"]["messages"], rules["drip"]["after"]["messages"]) == (36, 36)
    channels = {one["channel"]: one for one in records["channel"]}
    assert channels["sms"]["before"]["cost"] == {}
    assert channels["sms"]["after"] == {
        "entries": 0, "messages": 12, "skips": 0, "conversions": 0, "cost": {"EUR": "6"},
    }  # fmt: skip
    days = [one for one in records["day"] if one["channel"] == "email"]
    assert sum(one["after"]["messages"] for one in days) == channels["email"]["after"]["messages"]
    assert "costs" in records["summary"][0]["text"]


def test_what_happened_before_the_days_at_hand_is_known(project: Path) -> None:
    rules = 'event paid\nevent ordered\nrule a when paid where ordered ever once send email "one"\n'
    live(rules, [
        event(1, 50 * DAY, "ordered", "ann"), event(2, 49 * DAY, "paid", "ann"),  # she entered, and cannot again
        event(3, 50 * DAY, "ordered", "bob"),
        event(4, 3 * DAY, "paid", "ann"), event(5, 3 * DAY, "paid", "bob"), event(6, 3 * DAY, "paid", "cid"),
    ])  # fmt: skip
    write(rules.replace("send email", "send sms"))
    records = planned("--days", "10")
    assert records["past"][0]["events"] == 3
    assert records["past"][0]["customers"] == 3
    [rule] = records["rule"]
    assert (rule["before"]["entries"], rule["after"]["entries"]) == (1, 1)


def test_a_message_that_failed_fails_in_the_plan_too(project: Path) -> None:
    live('event paid\nrule a when paid send email "one"\n', [event(1, 2 * DAY, "paid", "ann")])
    store = Store(Path("segue.db"))
    store.apply(lambda tx: tx.run("update message set state = 7, reason = 'no such box', cost = null"))
    store.close()
    write('event paid\nrule a when paid send email "one" or sms\n')
    [rule] = planned()["rule"]
    assert (rule["before"]["messages"], rule["after"]["messages"]) == (0, 1)
    assert rule["after"]["cost"] == {"EUR": "0.5"}


def test_an_address_that_is_suppressed_gets_nothing_in_the_plan_either(project: Path) -> None:
    arrivals = [
        event(number, 2 * DAY, "paid", who, traits={"email": f"{who}@example.com", "phone": f"+35840123456{number}"})
        for number, who in enumerate(("ann", "bob"))
    ]
    live('event paid\nrule a when paid send email "one"\n', arrivals)
    store = Store(Path("segue.db"))
    dead = Suppression("email", "ann@example.com", "bounced", Instant(now() - 90 * DAY), "email", message=1)
    store.apply(lambda tx: put_suppressions(tx, [dead]))
    store.close()
    write('event paid\nrule a when paid send email "one" or sms\n')
    [rule] = planned()["rule"]
    assert (rule["before"]["messages"], rule["after"]["messages"]) == (1, 2)
    assert rule["after"]["cost"] == {"EUR": "0.51"}


def test_the_store_is_read_while_another_holds_it_and_left_as_it_is(project: Path) -> None:
    live(BEFORE, people())
    write(AFTER)
    held = Store(Path("segue.db"))
    before = held.apply(lambda tx: tx.rows("select * from journey order by id"))
    assert planned()["summary"][0]["inside"] == 36
    assert held.apply(lambda tx: tx.rows("select * from journey order by id")) == before
    assert held.apply(lambda tx: tx.rows("select count(*) from publication")) == [(1,)]
    held.close()
    assert not list(project.glob("*plan*"))


def test_without_a_store_everything_is_new(project: Path) -> None:
    write(AFTER)
    said = segue("plan")
    assert (said.exit_code, said.output.splitlines()[0]) == (0, "Publishing this adds 3 rules.")
    assert not Path("segue.db").exists()
    assert {one["change"] for one in planned()["edit"]} == {"added"}


def test_recorded_events_are_tried_where_there_is_no_store(project: Path) -> None:
    write(AFTER)
    Path("events.jsonl").write_text(
        "".join(
            json.dumps(
                {
                    "type": "track",
                    "messageId": f"m{number}",
                    "userId": f"c{number}",
                    "event": "paid",
                    "properties": {"total": number},
                    "timestamp": f"2026-01-{number + 1:02d}T10:00:00Z",
                }
            )
            + "\n"
            for number in range(10)
        ),
        encoding="utf-8",
    )
    records = planned("--events", "events.jsonl")
    rules = {one["rule"]: one["after"]["entries"] for one in records["rule"]}
    assert rules == {"drip": 10, "keeps": 10, "fresh": 4}
    assert records["past"][0]["events"] == 10


def test_an_empty_history_has_nothing_to_try_it_on(project: Path) -> None:
    live(BEFORE, [])
    write(AFTER)
    said = segue("plan")
    assert said.exit_code == 0
    assert "Nothing arrived in the time to try it on." in " ".join(said.output.split())
    assert "Nobody is inside" in " ".join(said.output.split())


def test_rules_that_are_wrong_have_no_plan(project: Path) -> None:
    live(BEFORE, [])
    write("rule a when orderd send email\n")
    said = segue("plan")
    assert said.exit_code == 1
    assert "there is no plan" in said.output


def test_rules_that_run_already_change_nothing(project: Path) -> None:
    live(BEFORE, people())
    said = segue("plan")
    assert (said.exit_code, said.output) == (0, "Nothing changes: these rules are the ones that run.\n")


def test_comments_and_layout_are_no_change(project: Path) -> None:
    live(BEFORE, people())
    write("# nothing new\n" + BEFORE.replace("  wait", "      wait"))
    assert segue("plan").output.startswith("Nothing changes")


def test_a_changed_segment_names_the_rules_that_name_it(project: Path) -> None:
    rules = 'event paid\nsegment payers where paid ever\nrule a when paid for payers send email "one"\n'
    live(rules, [])
    write(rules.replace("paid ever", "paid in last 30d"))
    [edit] = planned("--days", "0")["edit"]
    assert (edit["kind"], edit["change"], edit["used_by"]) == ("segment", "changed", ["a"])
    assert edit["difference"] == ["-segment payers where paid ever", "+segment payers where paid in last 30d"]


def test_paths_and_files_that_are_not_there_are_usage_errors(project: Path) -> None:
    write(AFTER)
    assert segue("plan", "nowhere").exit_code == 2
    assert segue("plan", "--events", "nowhere.jsonl").exit_code == 2


def test_the_page_holds_the_plan_and_escapes_what_people_wrote(project: Path) -> None:
    live(BEFORE, people())
    write(AFTER.replace('send email "two"', 'send email "<b>"'))
    (project / "rules" / "messages" / "two").rename(project / "rules" / "messages" / "<b>")
    said = segue("plan", "--html", "plan.html")
    assert said.exit_code == 0, said.output
    page = Path("plan.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    for word in ("drip", "wait 3d", "their step is gone", "prefers-color-scheme: dark", "@media print", "<svg"):
        assert word in page
    assert "http" not in page  # it needs nothing else


def test_publishing_says_who_is_inside_and_where_they_go(project: Path) -> None:
    live(BEFORE, people())
    write(AFTER)
    said = segue("publish").output.splitlines()
    assert said == [
        "+ fresh",
        "~ drip  12 inside, who go on in the new text (on edit follow), 4 of them at a step that is gone",
        "~ keeps  12 inside, who keep the text they began with (on edit finish)",
        "- going  12 inside: all exit",
        "3 rules published",
    ]


@pytest.mark.parametrize(("most", "top"), [(1, 2), (2, 2), (3, 4), (7, 10), (11, 20), (101, 200), (999, 1000)])
def test_an_axis_ends_at_a_round_number(most: int, top: int) -> None:
    assert nice_top(most) == top


def test_a_chart_of_one_day_and_of_nothing_is_drawn() -> None:
    assert chart(["2026-01-05"], [0], [0], "nothing").count("<polyline") == 2
    drawn = chart(["2026-01-05", "2026-01-06"], [1, 2], [3, 0], 'by "email"', end="2026-01-05")
    assert 'aria-label="by &quot;email&quot;"' in drawn
    assert 'class="end"' in drawn


def test_journeys_of_older_versions_follow_as_well(project: Path) -> None:
    live(BEFORE, people())
    write(BEFORE.replace("wait 3d", "wait 4d"))
    really_publish()
    write(AFTER)
    drip = [one for one in planned("--days", "0")["move"] if one["rule"] == "drip"]
    assert sum(one["customers"] for one in drip) == 12
    assert really_publish()["drip"].total() == 12
