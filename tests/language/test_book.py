"""Reading folders, and checking them as one book."""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from segue.api import EventSpec, FieldSpec, Money, Period, Vocabulary
from segue.language import model
from segue.language.book import Source, check_book
from segue.language.reading import read_book
from segue.language.vocabulary import ChannelWords, Words
from tests.language.words import WITH_MESSAGES, WORDS

DAY = Period(days=1)


def _rule(text: str, words: Words = WORDS) -> model.Rule:
    checked = check_book([Source("a.rules", text)], words)
    assert [f"{d.code} {d.message}" for d in checked.diagnostics if d.is_error] == []
    (rule,) = checked.book.rules
    return rule


def _delivery(channel: str, message: str, **changes: object) -> model.Delivery:
    filled: dict[str, object] = {"values": (), "kind": "promotional", "within": DAY} | changes
    return model.Delivery(channel, message, **filled)  # type: ignore[arg-type]


def test_the_canonical_sentence() -> None:
    words = Words(
        vocabularies=(
            (
                "shop",
                Vocabulary(events=(EventSpec("cart_abandoned"), EventSpec("ordered", sent_as=("Order Completed",)))),
            ),
        ),
        channels={"email": ChannelWords(), "sms": ChannelWords()},
    )
    checked = check_book([Source("a.rules", "when cart_abandoned wait 1d unless ordered send email then sms\n")], words)
    assert checked.diagnostics == ()
    assert checked.ok
    assert checked.book.rules == (
        model.Rule(
            name="cart_abandoned",
            title=None,
            events=("cart_abandoned",),
            steps=(
                model.Wait(DAY, unless=model.Happened("ordered", model.Window("entry")), line=1),
                model.Send(((_delivery("email", "cart_abandoned"),),), line=1),
                model.Send(((_delivery("sms", "cart_abandoned"),),), line=1),
            ),
            file="a.rules",
            line=1,
        ),
    )
    assert checked.book.events["ordered"].sent_as == ("Order Completed", "ordered")
    assert checked.book.events["ordered"].fields == {"source": "text", "timestamp": "date"}


def test_header_lines() -> None:
    rule = _rule(
        'rule r "Title" when cart_abandoned or "Order Completed" where total > 40 per source once per 30d on repeat '
        "restart until returned goal ordered within 7d worth total as transactional on edit finish send email"
    )
    assert (rule.name, rule.title, rule.events) == ("r", "Title", ("cart_abandoned", "ordered"))
    assert rule.where == model.Compare(
        ">", model.TriggerField("total", "money"), model.Literal_(Money(Decimal(40), "EUR"))
    )
    assert (rule.per, rule.once, rule.on_repeat, rule.kind) == (
        "source",
        model.Once(Period(days=30)),
        "restart",
        "transactional",
    )
    assert rule.until == model.Happened("returned", model.Window("entry"))
    assert rule.goal == model.Goal(model.Happened("ordered", model.Window("entry")), Period(days=7), "total")
    assert _rule("when signed_up once send email").once == model.Once(None)


def test_history_means_ever_in_the_trigger_and_since_entry_in_the_rule() -> None:
    rule = _rule(
        "when cart_abandoned where not ordered and ordered.total > 5 until ordered in last 30d wait 1d unless ordered "
        "send email"
    )
    assert isinstance(rule.where, model.All)
    assert rule.where.parts[0] == model.Not(model.Happened("ordered", model.Window("ever")))
    assert isinstance(rule.where.parts[1], model.Compare)
    assert rule.where.parts[1].left == model.Aggregate("last", "ordered", "total", "money", model.Window("ever"))
    assert rule.until == model.Happened("ordered", model.Window("last", Period(days=30)))
    wait = rule.steps[0]
    assert isinstance(wait, model.Wait)
    assert wait.unless == model.Happened("ordered", model.Window("entry"))


def test_waits() -> None:
    def moment(text: str) -> model.Moment:
        step = _rule(f"when cart_abandoned wait until {text} send email").steps[0]
        assert isinstance(step, model.WaitUntil)
        return step.moment

    nine = model.Clock(540)
    assert moment("09:00") == model.AtClock(nine)
    assert moment("tomorrow 09:00 local") == model.AtClock(nine, day="tomorrow")
    assert moment("friday 09:00 Europe/Helsinki") == model.AtClock(nine, day=4, zone="Europe/Helsinki")
    assert moment("2026-11-27 09:00") == model.AtClock(nine, date=model.Day("2026-11-27"))
    assert moment("2026-11-27") == model.AtDate(model.Literal_(model.Day("2026-11-27")))
    assert moment("time between 09:00 and 20:00") == model.InWindow(nine, model.Clock(1200))
    renewal = model.Trait("renewal", "date")
    assert moment("2d before customer.renewal at 09:00 UTC") == model.Offset(
        Period(days=2), "before", renewal, nine, "UTC"
    )
    cycle = model.Arithmetic("*", model.Trait("cycle_days", "number"), model.Literal_(DAY))
    assert moment("now + customer.cycle_days * 1d") == model.AtDate(model.Arithmetic("+", model.Now(), cycle))
    forward = _rule("when cart_abandoned wait for next opened up to 1w 2d unless ordered send email").steps[0]
    assert forward == model.WaitFor(
        model.Reacted("opened"), Period(days=9), True, model.Happened("ordered", model.Window("entry")), line=1
    )


def test_what_follows_the_last_channel_holds_for_those_without_their_own() -> None:
    rule = _rule(
        'rule r when cart_abandoned send email as informational or sms "x" then push with a = 1 as transactional '
        "within 6h"
    )
    values, six = (("a", model.Literal_(1)),), Period(micros=6 * 3_600_000_000)
    assert rule.steps == (
        model.Send(
            (
                (
                    _delivery("email", "r", kind="informational", values=values, within=six),
                    _delivery("sms", "x", kind="transactional", values=values, within=six),
                ),
            ),
            line=1,
        ),
        model.Send(((_delivery("push", "x", kind="transactional", values=values, within=six),),), line=1),
    )


def test_a_message_takes_the_rules_kind_when_the_send_names_none() -> None:
    step = _rule("when cart_abandoned as informational send email").steps[0]
    assert step == model.Send(((_delivery("email", "cart_abandoned", kind="informational"),),), line=1)


def test_set_emit_if_and_stop() -> None:
    rule = _rule(
        "when cart_abandoned if total > 5 set customer.spent = 40 else if customer.vip emit returned with total = "
        "total else stop end send email"
    )
    step = rule.steps[0]
    assert isinstance(step, model.If)
    assert step.branches[0].steps == (model.Set("spent", "money", model.Literal_(Money(Decimal(40), "EUR")), 1),)
    assert step.branches[1].condition == model.Present(model.Trait("vip", "boolean"))
    assert step.branches[1].steps == (model.Emit("returned", (("total", model.TriggerField("total", "money")),), 1),)
    assert step.otherwise == (model.Stop(1),)


def test_files_of_a_book_share_their_names() -> None:
    files = [
        Source("b.rules", "when viewed send email"),
        Source("a.rules", 'event viewed is "Page Viewed"\n  url text'),
        Source("c.rules", "rule viewed when ordered send email"),
    ]
    checked = check_book(files, WORDS)
    assert [(d.code, d.primary and d.primary.file) for d in checked.diagnostics] == [("E0307", "c.rules")]
    assert checked.diagnostics[0].secondary[0].span.file == "b.rules"
    assert [rule.name for rule in checked.book.rules] == ["viewed"]
    assert checked.book.events["viewed"].sent_as == ("Page Viewed", "viewed")


def test_plugins_that_disagree_are_both_named() -> None:
    words = Words(
        vocabularies=(
            ("one", Vocabulary(events=(EventSpec("e", (FieldSpec("total", "money"),)),))),
            ("two", Vocabulary(events=(EventSpec("e", (FieldSpec("total", "text"), FieldSpec("more", "text"))),))),
            ("three", Vocabulary(events=(EventSpec("f", sent_as=("e",)), EventSpec("send")))),
        )
    )
    checked = check_book([], words)
    assert [d.code for d in checked.diagnostics] == ["E0202", "E0309", "E0310"]
    assert "plugin one" in checked.diagnostics[1].message
    assert "plugin two" in checked.diagnostics[1].message
    assert checked.book.events["e"].fields["more"] == "text"


def test_content_is_looked_for_only_where_it_is_known() -> None:
    text = 'when cart_abandoned send email "cart_reminder" then sms "cart_remindr" send audience "x" wait 1d'
    assert check_book([Source("a.rules", text)], WORDS).diagnostics == ()
    (problem,) = check_book([Source("a.rules", text)], WITH_MESSAGES).diagnostics
    assert problem.code == "E0503"
    assert problem.fix is not None
    assert problem.fix.replacement == '"cart_reminder"'


def test_unknown_words_come_with_the_nearest_known_one() -> None:
    (problem,) = check_book([Source("a.rules", "when cart_abandonned send email")], WORDS).diagnostics
    assert problem.label == "did you mean `cart_abandoned`?"
    assert problem.fix is not None
    assert problem.fix.replacement == "cart_abandoned"


def test_folders_are_read_sorted_and_each_file_once(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.rules").write_text("when ordered send email", encoding="utf-8")
    (tmp_path / "a.rules").write_bytes("\ufeffevent hylätty\r\n".encode())
    (tmp_path / "notes.txt").write_text("no rules", encoding="utf-8")
    sources, problems = read_book([tmp_path, tmp_path / "a.rules"])
    assert [Path(source.path).name for source in sources] == ["a.rules", "b.rules"]
    assert problems == ()
    assert check_book(sources, WORDS).diagnostics == ()


def test_a_file_that_is_not_utf8_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.rules").write_bytes(b"event x\nevent hyl\xe4tty\n")
    (tmp_path / "b.rules").write_bytes(b"event y\n")
    sources, (problem,) = read_book([tmp_path])
    assert [Path(source.path).name for source in sources] == ["b.rules"]
    assert problem.code == "E0107"
    assert problem.primary is not None
    assert (problem.primary.line, problem.primary.column) == (2, 10)


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    sources, (problem,) = read_book([tmp_path / "none.rules"])
    assert sources == ()
    assert problem.code == "E0107"


def test_a_pipe_among_the_rules_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.rules")
    (tmp_path / "a.rules").write_text("event a\n")
    sources, problems = read_book([tmp_path])
    assert [Path(source.path).name for source in sources] == ["a.rules"]
    assert [(one.code, one.message) for one in problems] == [("E0107", "this is a pipe or a device, not a file")]


def test_a_link_that_leads_nowhere_is_told_as_one(tmp_path: Path) -> None:
    (tmp_path / "a.rules").symlink_to(tmp_path / "gone")
    _, (problem,) = read_book([tmp_path])
    assert (problem.code, problem.hint) == ("E0107", "it is a link to a file that is not there")


def test_a_folder_that_links_to_itself_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.rules").write_text("event a\n")
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    sources, problems = read_book([tmp_path])
    assert (len(sources), problems) == (1, ())


def test_a_name_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe4.rules")).write_text("event a\n")
    sources, (problem,) = read_book([tmp_path])
    assert sources == ()
    assert problem.primary is not None
    assert problem.primary.file.encode("utf-8").endswith(b"/?.rules")


def test_utf16_is_called_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.rules").write_bytes("event a\n".encode("utf-16"))
    _, (problem,) = read_book([tmp_path])
    assert problem.message == "this file is UTF-16, which some editors call “Unicode”, and not UTF-8"


def test_a_folder_that_cannot_be_looked_into_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(folder: Path, onerror: Callable[[OSError], None]) -> list[object]:
        onerror(PermissionError(13, "Permission denied", str(folder)))
        return []

    # A test may run as root, who may look into every folder.
    monkeypatch.setattr(os, "walk", refused)
    _, (problem,) = read_book([tmp_path])
    assert (problem.code, problem.message) == ("E0107", "this folder cannot be read: Permission denied")
