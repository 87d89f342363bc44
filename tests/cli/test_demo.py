"""``segue demo``: a whole Segue with its shop, as a process of its own; and the parts it is made of."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len

import segue
from segue.api import Instant
from segue.api.values import HOUR
from segue.cli.demonstration.annotations import annotate, read_text
from segue.cli.demonstration.mailbox import Letter, Mailbox
from segue.cli.demonstration.project import MAILBOX, THEMES, Occupied, make_project
from segue.cli.demonstration.scene import Counts, Scene, look, shown
from segue.cli.demonstration.screen import Places, Screen, word_speed
from segue.cli.demonstration.shop import Call, Shop
from segue.cli.service import rest_clock
from segue.clock.clock import Clock
from segue.program.program import Program, compile_rule
from segue.runtime.assembly import assemble, check
from segue.runtime.running import DecisionLine
from segue.store import books
from segue.store.database import Store, read_only
from segue.store.positions import HandedOver, Position
from segue.store.sweeps import RuleCount

COMMAND = [sys.executable, "-c", "from segue.cli.main import main; main()"]
BERLIN = ZoneInfo("Europe/Berlin")
NOON = Instant(1_800_000_000_000_000)
STOPS_WITHIN = 4.0
"""Seconds; half a second is usual, on a machine with nothing else to do."""


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKELEVEL", "PYTHONWARNINGS")}
    environment |= {"TERM": "xterm-256color", "PYTHONUTF8": "1"}
    return subprocess.Popen([*COMMAND, *arguments], text=True, env=environment, **options)


def run(*arguments: str, cwd: Path | None = None) -> tuple[int, str, str]:
    process = start(*arguments, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def read_counts(folder: Path) -> Counts:
    with read_only(folder / "segue.db") as tx:
        return look(tx)


class TestProcess:
    def test_journeys_begin_and_messages_arrive_and_the_law_holds(self, tmp_path: Path) -> None:
        folder = tmp_path / "shop"
        code, out, err = run("demo", "--seconds", "8", "--speed", "14400", "--keep", str(folder))
        assert (code, err) == (0, "")
        assert "Traceback" not in out
        counts = read_counts(folder)
        assert [count.rule for count in counts.rules] == list(THEMES)
        for count in counts.rules:
            assert count.entered > 0
            assert count.sent > 0
            assert count.entered == count.inside + count.finished + count.exited + count.failed
            assert count.failed == 0
            assert f"{count.entered:,} entered = {count.inside:,} inside" in out
        letters = [json.loads(line) for line in (folder / MAILBOX).read_text("utf-8").splitlines()]
        assert len({letter["key"] for letter in letters}) == len(letters) == sum(count.sent for count in counts.rules)
        assert any(
            letter["content"]["subject"].startswith("Welcome, ") for letter in letters if "welcome" in letter["name"]
        )
        assert all(letter["address"].endswith("@example.com") for letter in letters if letter["channel"] == "email")
        assert (folder / "segue.log").read_text() == ""

        customer = letters[0]["customer"]
        code, out, err = run("why", customer, letters[0]["rule"], cwd=folder)
        assert (code, err) == (0, "")
        assert "entered" in out
        assert "sent" in out

        code, out, err = run("demo", "--seconds", "3", "--keep", str(folder))
        assert (code, err) == (0, "")
        assert all(
            later.entered > before.entered
            for before, later in zip(counts.rules, read_counts(folder).rules, strict=True)
        )

    def test_json_is_one_decision_a_line_and_nothing_else(self) -> None:
        code, out, err = run("demo", "--seconds", "4", "--json")
        assert code == 0, err
        assert "Traceback" not in err
        lines = [json.loads(line) for line in out.splitlines()]
        names = {"at", "customer", "rule", "key", "decision", "channel", "message", "reason"}
        assert all(set(line) == names for line in lines)
        assert {"entered", "sent"} <= {line["decision"] for line in lines}

    def test_ctrl_c_ends_it_at_once_and_gives_the_terminal_back(self) -> None:
        with terminal(80, 24) as (main, other):
            process = start("demo", stdin=other, stdout=other, stderr=other)
            try:
                drawn = read_until(main, "messages arriving")
                time.sleep(1.0)
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

    def test_a_reader_that_goes_away_ends_it_quietly(self) -> None:
        process = start("demo", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        with process.stderr:
            err = process.stderr.read()
        assert process.wait(timeout=30) == 0
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


def read_until(source: int, text: str) -> str:
    seen = b""
    deadline = time.monotonic() + 30
    while text.encode() not in seen:
        assert time.monotonic() < deadline, seen[-2000:]
        if select.select([source], [], [], 0.2)[0]:
            seen += os.read(source, 65_536)
    return seen.decode("utf-8", "replace")


class TestShop:
    def days(self, seed: int, days: int = 3) -> list[Call]:
        shop = Shop(seed, NOON, zone=BERLIN, pace=5)
        return [call for hour in range(24 * days) for call in shop.until(Instant(NOON + hour * HOUR))]

    def test_the_same_seed_gives_the_same_customers(self) -> None:
        assert self.days(1) == self.days(1)
        assert self.days(1) != self.days(2)

    def test_customers_do_all_that_a_shop_knows(self) -> None:
        calls = self.days(1)
        assert {call["type"] for call in calls} == {"identify", "track"}
        assert {call.get("event") for call in calls} >= {
            "Signed Up", "Product Viewed", "Product Added", "Cart Abandoned", "Checkout Started", "Order Completed",
        }  # fmt: skip
        ids = [call["messageId"] for call in calls]
        assert len(set(ids)) == len(ids)
        assert not any("timestamp" in call for call in calls)

    def test_amounts_are_those_of_the_lines_and_in_euro(self) -> None:
        carts = [call["properties"] for call in self.days(1) if call.get("event") == "Cart Abandoned"]
        assert carts
        for cart in carts:
            total = sum(line["price"] * line["quantity"] for line in cart["products"])
            assert cart["total"] == pytest.approx(total)
            assert cart["currency"] == "EUR"

    def test_addresses_are_reserved_for_examples(self) -> None:
        traits = [call["traits"] for call in self.days(1) if call["type"] == "identify"]
        assert all(one["email"].isascii() and one["email"].endswith("@example.com") for one in traits)
        phones = [one["phone"] for one in traits if "phone" in one]
        assert phones
        assert all(phone[5:10] == "55501" and len(phone) == 12 for phone in phones)

    def test_some_answer_a_message_by_ordering_and_some_by_saying_no(self) -> None:
        shop = Shop(1, NOON, zone=BERLIN, pace=20)
        answered: set[str] = set()
        for hour in range(24 * 6):
            now = Instant(NOON + hour * HOUR)
            for call in shop.until(now):
                if call.get("event") == "Cart Abandoned":
                    for channel in ("email", "sms"):
                        shop.hear(call["userId"], channel, "cart_reminder", now)
                answered |= {call["event"]} if "event" in call else set()
        assert {"Order Completed", "Unsubscribed"} <= answered

    def test_a_message_to_a_stranger_changes_nothing(self) -> None:
        shop = Shop(1, NOON, zone=BERLIN, pace=5)
        shop.hear("nobody", "email", "welcome", NOON)
        assert shop.until(NOON)


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

    def test_the_wheel_brings_the_themes_of_the_gallery(self) -> None:
        settings = tomllib.loads((Path(segue.__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
        included = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
        assert included == {f"rules/{theme}": f"segue/cli/gallery/{theme}" for theme in THEMES}

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
        endings=(("cart_recovery", "exited", "unless ordered", 1766), ("welcome", "ignored", "once", 7)),
    )


class TestPicture:
    def test_the_numbers_stand_at_their_lines(self, programs: list[Program]) -> None:
        (cart,) = [one for one in programs if one.name == "cart_recovery"]
        lines = annotate(cart, read_text(cart), busy_counts(programs))
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

    def test_a_small_terminal_shows_one_rule_and_a_wide_one_both(self, programs: list[Program]) -> None:
        screen = Screen(Scene(Clock(3600.0)), programs, Places("u", "f", "m", "t"), BERLIN)

        def text(width: int, height: int) -> str:
            return "\n".join(line.plain for line in screen.frame(width, height))

        assert ("when signed_up" in text(80, 24)) != ("when cart_abandoned" in text(80, 24))
        assert "when signed_up" in text(140, 40)
        assert "when cart_abandoned" in text(140, 40)
        assert "messages arriving" in text(80, 24)
        assert "decisions" in text(80, 24)

    @pytest.mark.parametrize(
        ("speed", "words"),
        [(1, "1 s a second"), (90, "1.5 min a second"), (10800, "3 h a second"), (86400, "1 day a second")],
    )
    def test_speed_is_said_in_words(self, speed: float, words: str) -> None:
        assert word_speed(speed) == words


def letter(subject: str = "", text: str = "") -> Letter:
    return Letter(
        at="2027-01-15T08:00:00Z", key="k", channel="email", name="welcome", customer="ann", address="ann@example.com",
        rule="welcome", content={"subject": subject, "text": text},
    )  # fmt: skip


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
