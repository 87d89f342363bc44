"""``segue demo``: a whole Segue with its shop, as a process of its own; and the parts it is made of."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from segue.api import Instant, from_datetime
from segue.api.values import DAY, HOUR
from segue.cli.demonstration.annotations import annotate, read_text
from segue.cli.demonstration.answers import Answers
from segue.cli.demonstration.diary import Call, Deed, Reaction
from segue.cli.demonstration.freshness import Freshness
from segue.cli.demonstration.mailbox import Letter, Mailbox
from segue.cli.demonstration.plain import tell_counts, tell_law
from segue.cli.demonstration.project import MAILBOX, Occupied, make_project
from segue.cli.demonstration.scene import Counts, Scene, look, shown
from segue.cli.demonstration.screen import Places, Screen, word_moments, word_speed
from segue.cli.demonstration.shop import Shop
from segue.cli.demonstration.views import TURN, Views
from segue.cli.main import app
from segue.cli.service import rest_clock
from segue.cli.themes import list_themes
from segue.clock.clock import Clock
from segue.program.program import Program, compile_rule
from segue.runtime.assembly import assemble, check
from segue.runtime.running import DecisionLine
from segue.store import books
from segue.store.database import Store, read_only
from segue.store.positions import Assigned, HandedOver, HeldOut, Position
from segue.store.sweeps import RuleCount

COMMAND = [sys.executable, "-c", "from segue.cli.main import main; main()"]
BERLIN = ZoneInfo("Europe/Berlin")
NOON = Instant(1_800_000_000_000_000)
TODAY = date(2027, 1, 15)
DAYS = timedelta(days=3)
SALE = date(2026, 11, 27)
"""The day for which the gallery's flash sale is written."""
STOPS_WITHIN = 40.0
"""Seconds; two are usual, on a machine with nothing else to do: the report is written."""
PATIENCE = 100.0
"""Seconds for what a process shows, on a machine that is busy with something else."""


def start(*arguments: str, env: Mapping[str, str] = {}, **options: Any) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKELEVEL", "PYTHONWARNINGS")}
    environment |= {"TERM": "xterm-256color", "PYTHONUTF8": "1", **env}
    return subprocess.Popen([*COMMAND, *arguments], text=True, env=environment, **options)


def run(*arguments: str, cwd: Path | None = None) -> tuple[int, str, str]:
    process = start(*arguments, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def read_counts(folder: Path) -> Counts:
    with read_only(folder / "segue.db") as tx:
        return look(tx)


class TestProcess:
    def test_every_theme_begins_journeys_and_the_law_holds(self, tmp_path: Path) -> None:
        folder = tmp_path / "shop"
        sale_is_ahead = datetime.now(BERLIN).date() < SALE <= datetime.now(BERLIN).date() + timedelta(days=7)
        code, out, err = run("demo", "--seconds", "20", "--speed", "43200", "--weeks", "0", "--keep", str(folder))
        assert (code, err) == (0, "")
        assert "Traceback" not in out
        counts = read_counts(folder)
        assert {count.rule for count in counts.rules} == set(list_themes()) - {"contact_policy"}
        for count in counts.rules:
            if count.rule == "flash_sale" and not sale_is_ahead:  # a dated start that is past begins none
                assert "its day" in out
                continue
            assert count.entered > 0, count.rule
            assert count.entered == count.inside + count.finished + count.exited + count.failed
            assert count.failed == 0
            assert f"{count.entered:,} entered = {count.inside:,} inside" in out
        assert "without messages (held out)" in out
        assert counts.reasons("deferred")
        assert counts.reasons("skipped")["holdout"] > 0

        letters = [json.loads(line) for line in (folder / MAILBOX).read_text("utf-8").splitlines()]
        sent = [letter for letter in letters if not letter.get("retracted")]
        assert len({letter["key"] for letter in sent}) == len(sent) == sum(count.sent for count in counts.rules)
        assert {"email", "sms", "push", "onsite", "chat"} <= {letter["channel"] for letter in sent}
        greetings = [letter["content"]["subject"] for letter in sent if letter["name"] == "welcome"]
        assert greetings
        assert all(subject.startswith(("Welcome, ", "Schön")) for subject in greetings)
        assert any(letter["content"]["text"].count("BD-0") == 1 for letter in sent if letter["name"] == "birthday")
        assert all(letter["content"]["text"].strip() for letter in sent)
        assert all(letter["address"].endswith("@example.com") for letter in sent if letter["channel"] == "email")
        with read_only(folder / "segue.db") as tx:
            assert tx.row("select count(*) from reaction") != (0,)
        assert (folder / "segue.log").read_text() == ""

        customer = sent[0]["customer"]
        code, out, err = run("why", customer, sent[0]["rule"], cwd=folder)
        assert (code, err) == (0, "")
        assert "entered" in out
        assert "sent" in out

        code, out, err = run("demo", "--seconds", "3", "--keep", str(folder))
        assert (code, err) == (0, "")
        after = read_counts(folder)
        assert after.of("post_purchase").entered > counts.of("post_purchase").entered
        assert after.all.balanced

    def test_json_is_one_decision_a_line_and_nothing_else(self) -> None:
        process = start("demo", "--weeks", "0", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        decisions: set[str] = set()
        for text in process.stdout:
            line = json.loads(text)
            assert set(line) == {"at", "customer", "rule", "key", "decision", "channel", "message", "reason"}
            decisions.add(line["decision"])
            if {"entered", "sent"} <= decisions:
                break
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err
        assert "of a shop in" in err
        assert "Traceback" not in err

    def test_ctrl_c_ends_it_at_once_and_gives_the_terminal_back(self) -> None:
        with terminal(80, 24) as (main, other):
            process = start("demo", "--weeks", "0", stdin=other, stdout=other, stderr=other)
            try:
                drawn = read_until(main, "messages arriving")
                drawn += read_until(main, r"[1-9][\d,]* entered")
                process.send_signal(signal.SIGINT)
                asked = time.monotonic()
                drawn += read_until(main, "your-first-journey.md\r\n")
                assert process.wait(timeout=STOPS_WITHIN) == 0
                assert time.monotonic() - asked < STOPS_WITHIN
            finally:
                process.kill()
                process.wait()
        assert "\x1b[?1049h" in drawn
        assert drawn.rindex("\x1b[?1049l") > drawn.rindex("\x1b[?1049h")
        assert drawn.rindex("\x1b[?25h") > drawn.rindex("\x1b[?25l")
        after = drawn[drawn.rindex("\x1b[?1049l") :]
        assert "entered =" in after
        assert "Traceback" not in drawn

    def test_ctrl_c_before_the_shop_is_open_ends_it_at_once_and_leaves_nothing(self, tmp_path: Path) -> None:
        process = start("demo", stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"TMPDIR": str(tmp_path)})
        assert process.stdout is not None
        assert "6 weeks of the shop" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, out, err) == (130, "", "")
        assert list(tmp_path.iterdir()) == []

    def test_without_the_plugins_that_it_takes_it_says_which(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("segue.cli.demo.NEEDED", ("console", "pigeon"))
        result = CliRunner().invoke(app, ["demo", "--keep", str(tmp_path / "shop")])
        assert result.exit_code == 2
        assert result.stderr == "segue: the demo takes plugins that are not installed: pip install segue-pigeon\n"

    def test_a_reader_that_goes_away_ends_it_quietly(self) -> None:
        process = start("demo", "--weeks", "0", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        with process.stderr:
            err = process.stderr.read()
        assert process.wait(timeout=PATIENCE) == 0
        assert "Traceback" not in err

    def test_a_folder_with_other_things_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "segue.toml").write_text("# mine")
        code, out, err = run("demo", "--seconds", "1", "--keep", str(tmp_path))
        assert (code, out) == (2, "")
        assert str(tmp_path) in err
        assert [path.name for path in tmp_path.iterdir()] == ["segue.toml"]

    @pytest.mark.parametrize("wrong", [("--speed", "0"), ("--pace", "-1"), ("--seconds", "-1")])
    def test_numbers_that_make_no_sense_are_refused(self, wrong: Sequence[str]) -> None:
        code, out, err = run("demo", *wrong)
        assert (code, out) == (2, "")
        assert "--speed" in err


@contextlib.contextmanager
def terminal(columns: int, rows: int) -> Iterator[tuple[int, int]]:
    """Both ends of a terminal of that size."""
    import fcntl
    import struct
    import termios

    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    try:
        yield main, other
    finally:
        os.close(main)
        os.close(other)


def read_until(source: int, pattern: str) -> str:
    seen = b""
    deadline = time.monotonic() + PATIENCE
    while not re.search(pattern.encode(), seen):
        assert time.monotonic() < deadline, seen[-2000:]
        if select.select([source], [], [], 0.2)[0]:
            seen += os.read(source, 65_536)
    return seen.decode("utf-8", "replace")


class TestShop:
    def days(self, seed: int, days: int = 6) -> list[Call]:
        shop = Shop(seed, NOON, zone=BERLIN, pace=5)
        deeds = [deed for hour in range(24 * days) for deed in shop.until(Instant(NOON + hour * HOUR))]
        return [deed for deed in deeds if not isinstance(deed, Reaction)]

    def events(self, name: str) -> list[Call]:
        return [call for call in self.days(1) if call.get("event") == name]

    def test_the_same_seed_gives_the_same_customers(self) -> None:
        assert self.days(1) == self.days(1)
        assert self.days(1) != self.days(2)

    def test_customers_do_all_that_the_gallery_waits_for(self) -> None:
        calls = self.days(1)
        assert {call["type"] for call in calls} == {"identify", "track", "page"}
        assert {call.get("event") for call in calls} >= {
            "Signed Up", "Product Viewed", "Product Added", "Cart Abandoned", "Checkout Started", "Order Completed",
            "Item Ordered", "Order Shipped", "Order Delivered", "Order Cancelled", "Order Ready For Pickup",
            "Order Picked Up", "Product Added to Wishlist", "Back In Stock", "Price Dropped", "Subscribed",
            "Application Installed", "Application Opened", "Chat Ended", "Chat Started",
        }  # fmt: skip
        ids = [call["messageId"] for call in calls]
        assert len(set(ids)) == len(ids)
        assert not any("timestamp" in call for call in calls)

    @pytest.mark.parametrize("event", ["Back In Stock", "Price Dropped"])
    def test_what_happens_on_the_shelves_names_a_product_and_no_customer(self, event: str) -> None:
        for call in self.events(event):
            assert not {"userId", "anonymousId"} & set(call)
            assert call["properties"]["product_id"]

    def test_a_price_drops_by_enough_to_be_worth_a_message(self) -> None:
        drops = [call["properties"] for call in self.events("Price Dropped")]
        assert all(drop["old_price"] - drop["price"] >= 5 for drop in drops)

    def test_every_line_of_an_order_is_an_event_of_its_own(self) -> None:
        for order in self.events("Order Completed")[:20]:
            wanted = [line["product_id"] for line in order["properties"]["products"]]
            lines = [
                line["properties"]["product_id"]
                for line in self.events("Item Ordered")
                if line["properties"]["order_id"] == order["properties"]["order_id"]
            ]
            assert lines == wanted

    def test_amounts_are_those_of_the_lines_and_in_euro(self) -> None:
        for call in self.events("Cart Abandoned"):
            cart = call["properties"]
            total = sum(line["price"] * line["quantity"] for line in cart["products"])
            assert cart["total"] == pytest.approx(total)
            assert cart["currency"] == "EUR"

    def test_addresses_are_reserved_for_examples(self) -> None:
        traits = [call["traits"] for call in self.days(1) if call["type"] == "identify" and "email" in call["traits"]]
        assert all(one["email"].isascii() and one["email"].endswith("@example.com") for one in traits)
        phones = [one["phone"] for one in traits if "phone" in one]
        assert phones
        assert all(phone[5:10] == "55501" and len(phone) == 12 for phone in phones)

    def test_the_past_is_older_than_a_day_and_some_have_not_ordered_for_nearly_three_months(self) -> None:
        past = Shop(1, NOON, zone=BERLIN, pace=5).past
        moments = {call["messageId"]: from_datetime(datetime.fromisoformat(call["timestamp"])) for call in past}
        assert all(at < NOON - DAY for at in moments.values())
        latest: dict[str, int] = {}
        for call in past:
            if call.get("event") == "Order Completed":
                latest[call["userId"]] = max(latest.get(call["userId"], 0), moments[call["messageId"]])
        lapse = [at + 90 * DAY - NOON for at in latest.values()]
        assert all(left > 0 for left in lapse), "who lapsed before the demo began begins no journey in it"
        assert sum(left < 7 * DAY for left in lapse) >= 5
        assert any("renewal" in call["traits"] for call in past if call["type"] == "identify")

    def test_a_store_that_knows_customers_is_told_no_past_and_no_order_twice(self) -> None:
        shop = Shop(1, NOON, zone=BERLIN, pace=5, first=150)
        assert shop.past == []
        deeds = [deed for hour in range(24) for deed in shop.until(Instant(NOON + hour * HOUR))]
        calls = [deed for deed in deeds if not isinstance(deed, Reaction)]
        orders = {call["properties"]["order_id"] for call in calls if call.get("event") == "Order Completed"}
        assert orders
        assert not orders & {call["properties"]["order_id"] for call in self.events("Order Completed")}


def is_call(deed: Deed, event: str) -> bool:
    return not isinstance(deed, Reaction) and deed.get("event") == event


class TestAnswers:
    def hear(self, channel: str, message: str, hours: int = 24 * 16) -> list[Deed]:
        """What thirty customers of old do within days of a message, beside what they do anyway."""
        shop = Shop(1, NOON, zone=BERLIN, pace=0.0001)
        answers = Answers(shop)
        people = [str(call["userId"]) for call in shop.past if call["type"] == "identify"][:30]
        for customer in people:
            answers.hear(letter(channel=channel, name=message, customer=customer), NOON)
        return shop.until(Instant(NOON + hours * HOUR))

    @pytest.mark.parametrize(
        ("channel", "message", "event"),
        [
            ("email", "survey", "Survey Answered"),
            ("email", "ask_for_review", "Product Reviewed"),
            ("email", "renewal_soon", "Subscription Renewed"),
            ("push", "app_tour", "Application Opened"),
            ("letter", "we_miss_you", "Order Completed"),
            ("email", "welcome", "Order Completed"),
        ],
    )
    def test_some_do_what_a_message_asks_for(self, channel: str, message: str, event: str) -> None:
        heard = [deed for deed in self.hear(channel, message) if is_call(deed, event)]
        unasked = [deed for deed in self.hear(channel, "of no rule") if is_call(deed, event)]
        assert len(heard) >= len(unasked) + 3

    def test_some_open_and_some_of_them_click(self) -> None:
        did = [deed.what for deed in self.hear("email", "of no rule") if isinstance(deed, Reaction)]
        assert did.count("opened") > did.count("clicked") > 0

    def test_a_text_message_is_clicked_and_nobody_sees_it_opened(self) -> None:
        assert {deed.what for deed in self.hear("sms", "of no rule") if isinstance(deed, Reaction)} == {"clicked"}

    def test_some_reply_in_the_chat(self) -> None:
        assert Reaction("chat", "k", "replied") in self.hear("chat", "chat_follow_up")

    def test_some_allow_push_when_they_are_asked(self) -> None:
        deeds = self.hear("onsite", "push_opt_in")
        assert any(
            "push_token" in deed["traits"] for deed in deeds if not isinstance(deed, Reaction) and "traits" in deed
        )

    def test_a_cart_that_comes_to_mind_again_is_ordered_or_says_no(self) -> None:
        shop = Shop(1, NOON, zone=BERLIN, pace=20)
        answers = Answers(shop)
        done: set[str] = set()
        for hour in range(24 * 6):
            now = Instant(NOON + hour * HOUR)
            for deed in shop.until(now):
                if not isinstance(deed, Reaction):
                    done.add(deed.get("event", ""))
                    if deed.get("event") == "Cart Abandoned":
                        for channel in ("email", "sms"):
                            answers.hear(letter(channel=channel, name="cart_reminder", customer=deed["userId"]), now)
        assert {"Order Completed", "Unsubscribed"} <= done

    def test_what_is_taken_back_and_what_a_stranger_gets_is_answered_by_nobody(self) -> None:
        shop = Shop(1, NOON, zone=BERLIN, pace=0.0001)
        answers = Answers(shop)
        (known, *_) = [str(call["userId"]) for call in shop.past if call["type"] == "identify"]
        before = shop.diary.random.getstate()
        answers.hear(letter(channel="onsite", name="push_opt_in", customer=known, retracted=True), NOON)
        answers.hear(letter(channel="email", name="welcome", customer="nobody"), NOON)
        assert shop.diary.random.getstate() == before


class TestProject:
    def test_it_is_made_once_and_found_again(self, tmp_path: Path) -> None:
        assert make_project(tmp_path / "new")
        rule = tmp_path / "new" / "rules" / "welcome" / "welcome.rules"
        rule.write_text(rule.read_text("utf-8").replace("3d", "2d"), encoding="utf-8")
        assert not make_project(tmp_path / "new")
        assert "wait 2d" in rule.read_text("utf-8")

    def test_it_is_right(self, tmp_path: Path) -> None:
        make_project(tmp_path)
        assembly = assemble(tmp_path)
        assert assembly.problems == ()
        assert check(assembly).diagnostics == ()

    def test_a_file_in_its_place_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(Occupied, match="file"):
            make_project(tmp_path / "file")

    def test_it_has_the_whole_gallery_and_all_its_channels(self, tmp_path: Path) -> None:
        make_project(tmp_path)
        assert {path.name for path in (tmp_path / "rules").iterdir()} == set(list_themes())
        assembly = assemble(tmp_path)
        named = {name for rule in check(assembly).checked.book.rules for name in compile_rule(rule).channels}
        assert named == set(assembly.channels)
        assert set(assembly.setting.costs) == {"email", "sms", "letter"}

    def test_a_kept_clock_goes_at_wall_speed_while_nothing_runs(self) -> None:
        with contextlib.closing(Store(None)) as store:
            clock = Clock(1_000_000.0)
            rest_clock(store, clock)
            kept = json.loads(str(store.apply(lambda tx: books.load_meta(tx, "clock"))))
        assert kept["speed"] == 1.0
        assert abs(kept["shown"] - clock.look()) < timedelta(days=60) // timedelta(microseconds=1)


@pytest.fixture(name="programs", scope="module")
def _programs(tmp_path_factory: pytest.TempPathFactory) -> list[Program]:
    folder = tmp_path_factory.mktemp("demo")
    make_project(folder)
    return [compile_rule(rule) for rule in check(assemble(folder)).checked.book.rules]


def busy_counts(programs: Sequence[Program], inside: int = 1234) -> Counts:
    return Counts(
        rules=tuple(
            RuleCount(one.name, 5000, inside, 2000, 1766, 0, ignored=7, converted=9, sent=4000) for one in programs
        ),
        positions=tuple(
            Position(one.name, one.hash, step, inside) for one in programs for step in range(len(one.steps))
        ),
        handed_over=(HandedOver("cart_recovery", "email", "cart_reminder", 4321),),
        endings=(("cart_recovery", "exited", "unless ordered", 1766), ("cart_recovery", "ignored", "once per 7d", 7)),
    )


class TestPicture:
    def test_the_numbers_stand_at_their_lines(self, programs: list[Program]) -> None:
        (cart,) = [one for one in programs if one.name == "cart_recovery"]
        lines = annotate(cart, read_text(cart), busy_counts(programs), TODAY)
        by_text = {line.text.strip(): line for line in lines}
        assert by_text["when cart_abandoned"].notes == (("entered", "5,000 entered"),)
        assert by_text["once per 7d"].notes == (("ignored", "7 left alone"),)
        assert by_text["wait 1h unless ordered"].inside == 1234
        assert by_text["wait 1h unless ordered"].notes == (("exited", "1,766 exited"),)
        assert by_text['send email "cart_reminder"'].notes == (("sent", "✉ 4,321"),)
        assert by_text['send sms "cart_reminder"'].notes == (("sent", "✆ 0"),)
        assert by_text["end"].notes == (("finished", "2,000 finished"),)
        assert not any("#" in line.text for line in lines)

    @pytest.mark.parametrize("width", [20, 59, 80, 100, 118, 140, 250])
    @pytest.mark.parametrize("height", [5, 12, 24, 30, 40, 80])
    @pytest.mark.parametrize("full", [False, True])
    def test_a_frame_has_exactly_the_size_of_the_terminal(
        self, programs: list[Program], width: int, height: int, full: bool
    ) -> None:
        scene = Scene(Clock(3600.0))
        if full:
            scene.counts = busy_counts(programs)
            for number in range(100):
                decision: Any = ("entered", "sent", "ignored", "exited")[number % 4]
                channel = "email" if decision == "sent" else ""
                scene.hear(DecisionLine(NOON, f"ann{number}", "welcome", "k", decision, channel, "welcome", "why" * 20))
                scene.receive(letter(subject="Hyvää päivää, 日本語 " * 10, text="first\n\x1b[31mwords"))
        scene.mark(10)
        places = Places("http://127.0.0.1:1", "/tmp/x" * 10, MAILBOX, "docs/t.md")
        frame = Screen(scene, programs, places, BERLIN).frame(width, height)
        assert len(frame) == height
        assert {cell_len(line.plain) for line in frame} == {width}
        assert not any("\x1b" in line.plain or "\n" in line.plain for line in frame)

    def test_holdout_arms_and_a_dated_start_are_told_where_they_are_written(self, programs: list[Program]) -> None:
        counts = msgspec.structs.replace(
            busy_counts(programs),
            held_out=(HeldOut("cross_sell", 12, 1),),
            assigned=(Assigned("cross_sell", "first word", "guide", 40),),
        )
        (cross,) = [one for one in programs if one.name == "cross_sell"]
        by_text = {line.text.strip(): line.notes for line in annotate(cross, read_text(cross), counts, TODAY)}
        assert by_text["holdout 10%"] == (("held", "12 held out"),)
        assert by_text['50% "guide"'] == (("entered", "40 went this way"),)
        assert by_text['50% "offer"'] == (("entered", "0 went this way"),)
        (sale,) = [one for one in programs if one.name == "flash_sale"]
        for today, words in ((SALE, "today"), (SALE - timedelta(days=1), "in 1 day"), (SALE + DAYS, "passed")):
            first = annotate(sale, read_text(sale), Counts(), today)[1]
            assert words in first.notes[1][1]

    def test_the_same_message_on_two_lines_is_counted_once(self, programs: list[Program]) -> None:
        (welcome,) = [one for one in programs if one.name == "welcome"]
        counts = Counts(
            handed_over=(
                HandedOver("welcome", "email", "first_order", 5),
                HandedOver("welcome", "sms", "first_order", 2),
            )
        )
        sent = [
            note
            for line in annotate(welcome, read_text(welcome), counts, TODAY)
            for note in line.notes
            if note[0] == "sent"
        ]
        assert sent.count(("sent", "✉ 5")) == 1
        assert ("sent", "✆ 2") in sent

    def test_all_rules_are_seen_at_once_and_the_texts_of_some(self, programs: list[Program]) -> None:
        scene = Scene(Clock(3600.0))
        scene.counts = busy_counts(programs)
        screen = Screen(scene, programs, Places("u", "f", "m", "t"), BERLIN)
        for width, height in ((80, 24), (120, 40)):
            text = "\n".join(line.plain for line in screen.frame(width, height))
            assert all(program.name in text for program in programs)
            assert "when app_installed" in text
            assert "messages arriving" in text
            assert "decisions" in text
            assert ("5,000 = " in text) == (height == 40), "the law of each rule, where it has room"

    def test_rules_take_turns_and_none_is_left_out(
        self, programs: list[Program], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        present = 0.0
        monkeypatch.setattr("segue.cli.demonstration.views.time.monotonic", lambda: present)
        views = Views(programs, Freshness())
        seen: set[str] = set()
        for _ in range(40):
            (page,) = views.show(busy_counts(programs), TODAY, 80, 9, 1)
            assert len(page.lines) <= 9
            seen |= {rule.partition(" ")[0] for rule in page.rules}
            present += TURN
        assert seen == {program.name for program in programs}

    def test_only_rules_that_somebody_entered_take_turns(self, programs: list[Program]) -> None:
        counts = Counts(rules=(RuleCount("survey", 1, 1, 0, 0, 0),))
        pages = Views(programs, Freshness()).show(counts, TODAY, 80, 30, 1)
        assert [rule for page in pages for rule in page.rules] == ["survey"]

    def test_moments_are_told_by_the_shop_s_clock(self) -> None:
        assert word_moments("quiet, until 2026-11-26T07:00:00Z", BERLIN) == "quiet, until Thu 08:00"

    @pytest.mark.parametrize(
        ("speed", "words"),
        [(1, "1 s a second"), (90, "1.5 min a second"), (10800, "3 h a second"), (86400, "1 day a second")],
    )
    def test_speed_is_said_in_words(self, speed: float, words: str) -> None:
        assert word_speed(speed) == words


def letter(
    subject: str = "",
    text: str = "",
    *,
    channel: str = "email",
    name: str = "welcome",
    customer: str = "ann",
    retracted: bool = False,
) -> Letter:
    return Letter(
        at="2027-01-15T08:00:00Z", key="k", channel=channel, name=name, customer=customer, address="ann@example.com",
        rule="welcome", content={"subject": subject, "text": text}, retracted=retracted,
    )  # fmt: skip


class TestSummary:
    def test_it_tells_the_law_what_went_out_why_not_and_what_it_brought(self) -> None:
        counts = Counts(
            rules=(RuleCount("welcome", 100, 40, 30, 30, 0, converted=32, sent=90, skipped=12),),
            handed_over=(
                HandedOver("welcome", "sms", "first_order", 10),
                HandedOver("welcome", "email", "welcome", 80),
            ),
            endings=(
                ("welcome", "skipped", "holdout", 10),
                ("welcome", "skipped", "limit 4 messages per 7d (promotional)", 2),
                ("welcome", "deferred", "space 4h (promotional)", 3),
                ("welcome", "ignored", "the event was too old on arrival", 500),
            ),
            worth={"welcome": {"EUR": Decimal(1200)}},
            held_out=(HeldOut("welcome", 10, 2),),
        )
        assert tell_counts(counts, [], TODAY, 100) == [
            "welcome  100 entered = 40 inside + 30 finished + 30 exited + 0 failed",
            "         ✉ 80 email  ✆ 10 sms · 12 skipped: 10 holdout, 2 limit 4 messages per 7d",
            "         3 deferred: 3 space 4h",
            "         30 of 90 (33%) converted, without messages (held out) 2 of 10 (20%), worth 1,200 EUR",
        ]

    def test_a_law_that_does_not_hold_is_not_told_as_if_it_did(self) -> None:
        assert "3 entered is not 1 inside" in tell_law(RuleCount("r", 3, 1, 0, 0, 0))

    def test_a_day_that_has_passed_is_told(self, programs: list[Program]) -> None:
        counts = Counts(rules=(RuleCount("flash_sale", 0, 0, 0, 0, 0),))
        rules = [program.rule for program in programs]
        assert tell_counts(counts, rules, SALE + DAYS, 80) == ["flash_sale  nobody entered: its day has passed"]


class TestMailbox:
    LINE = (
        '{"at":"2027-01-15T08:00:00Z","key":"k","channel":"sms","name":"m","kind":"promotional","customer":"ann",'
        '"address":"+12015550100","rule":"r","attempt":1,"content":{"text":"Hi"}}'
    )

    def test_only_whole_lines_are_read_and_each_once(self, tmp_path: Path) -> None:
        path = tmp_path / MAILBOX
        mailbox = Mailbox(path)
        assert mailbox.read() == []
        path.write_text(self.LINE + "\n" + self.LINE[:20])
        assert [one.words for one in mailbox.read()] == ["Hi"]
        assert mailbox.read() == []
        path.write_text(self.LINE + "\n" + self.LINE + "\n")
        assert len(mailbox.read()) == 1

    def test_what_an_earlier_demo_left_is_not_read_again(self, tmp_path: Path) -> None:
        (tmp_path / MAILBOX).write_text(self.LINE + "\n")
        assert Mailbox(tmp_path / MAILBOX, from_end=True).read() == []

    def test_a_wall_moment_is_shown_by_the_compressed_clock(self) -> None:
        clock = Clock(3600.0, real=1_800_000_000_000_000, shown=0)
        assert shown(clock, "2027-01-15T08:00:02Z") == 2 * HOUR
