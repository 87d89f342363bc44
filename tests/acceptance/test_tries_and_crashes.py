"""Behaviour that a table cannot say: tries, crashes, templates, and a store that does not answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from segue.api import Instant, to_rfc3339
from segue.engine import step as engine
from segue.messages.catalogue import Catalogue
from segue.messages.loading import load_messages
from tests.acceptance.cases import SENTENCE
from tests.acceptance.drivers import Daemon, by_command, in_replay, in_store
from tests.acceptance.stories import identities, read_story, read_time, shown, written


def _decided(daemon: Daemon, *decisions: str) -> list[tuple[str, str, str]]:
    return [(line.decision, line.channel, line.reason) for line in daemon.lines if line.decision in decisions]


def test_22_a_temporary_failure_is_tried_again_within_its_time_and_then_counts_as_failed(tmp_path: Path) -> None:
    story = read_story(
        'when signed_up send email within 1h then sms "next"',
        """
        03-02 09:00 channel email retries "busy"
        03-02 10:00 ann     signed_up
        """,
    )
    daemon = in_store(story, tmp_path)
    assert _decided(daemon, "sent", "undelivered", "skipped") == [
        ("undelivered", "email", "not in time: busy"),
        ("sent", "sms", ""),
    ]
    tries = [call for call in daemon.calls if call.channel == "email"]
    assert len(tries) > 3
    assert {call.key for call in tries} == {tries[0].key}
    assert [call.attempt for call in tries] == [*range(1, len(tries) + 1)]
    assert tries[-1].at <= read_time("03-02 11:00")[0]
    assert identities(in_replay(story, tmp_path / "record.jsonl")) == identities(daemon.lines)


def test_22_a_temporary_failure_that_passes_sends_once(tmp_path: Path) -> None:
    story = read_story(
        'when signed_up send email or push then sms "next"',
        """
        03-02 09:00 channel email retries "busy"
        03-02 10:00 ann     signed_up
        03-02 12:00 channel email sends
        """,
    )
    daemon = in_store(story, tmp_path)
    assert _decided(daemon, "sent", "undelivered", "skipped") == [("sent", "email", ""), ("sent", "sms", "")]
    assert len({call.key for call in daemon.calls if call.channel == "email"}) == 1
    assert identities(in_replay(story, tmp_path / "record.jsonl")) == identities(daemon.lines)


@pytest.mark.parametrize("crashes", [(1,), (1, 2), (2,)])
def test_23_a_crash_after_the_provider_accepted_repeats_the_same_key(crashes: tuple[int, ...], tmp_path: Path) -> None:
    story = read_story(SENTENCE, "03-02 10:00 ann cart_abandoned")
    daemon = in_store(story, tmp_path, crash_after=crashes)
    assert _decided(daemon, "sent", "undelivered", "skipped") == [("sent", "email", ""), ("sent", "sms", "")]
    calls = [(call.channel, call.key) for call in daemon.calls]
    assert len(calls) == 2 + len(crashes)  # one more for each crash
    assert len(set(calls)) == 2
    assert [line.decision for line in daemon.lines].count("finished") == 1
    assert identities(in_replay(story, tmp_path / "record.jsonl")) == identities(daemon.lines)


def test_a_withdrawal_between_two_tries_wins(tmp_path: Path) -> None:
    story = read_story(
        "when signed_up send email",
        """
        03-02 09:00    channel email retries "busy"
        03-02 10:00    ann     signed_up
        03-02 10:00:01 ann     unsubscribed channel=email
        """,
    )
    daemon = in_store(story, tmp_path)
    assert _decided(daemon, "sent", "undelivered", "skipped") == [
        ("skipped", "email", "consent withdrawn for promotional email")
    ]
    assert [call.attempt for call in daemon.calls] == [1]
    assert identities(in_replay(story, tmp_path / "record.jsonl")) == identities(daemon.lines)


def test_a_call_cut_off_before_a_withdrawal_is_unknown_never_skipped(tmp_path: Path) -> None:
    story = read_story(
        "when signed_up send email",
        """
        03-02 09:00    channel email cut-off "no answer"
        03-02 10:00    ann     signed_up
        03-02 10:00:01 ann     unsubscribed channel=email
        """,
    )
    daemon = in_store(story, tmp_path)
    reason = "unknown: no answer; consent withdrawn for promotional email"
    assert _decided(daemon, "sent", "undelivered", "skipped") == [("undelivered", "email", reason)]
    assert identities(in_replay(story, tmp_path / "record.jsonl")) == identities(daemon.lines)


def test_an_exit_between_two_tries_takes_the_message_back(tmp_path: Path) -> None:
    story = read_story(
        "when signed_up until ordered send email",
        """
        03-02 09:00    channel email retries "busy"
        03-02 10:00    ann     signed_up
        03-02 10:00:01 ann     ordered
        """,
    )
    daemon = in_store(story, tmp_path)
    assert _decided(daemon, "sent", "undelivered", "skipped", "exited", "finished") == [
        ("exited", "", "until ordered"),
        ("skipped", "email", "the journey ended: until ordered"),
    ]
    assert identities(in_replay(story, tmp_path / "record.jsonl")) == identities(daemon.lines)


def test_26_a_claimed_message_goes_out_as_it_was_when_claimed(tmp_path: Path) -> None:
    place = tmp_path / "messages" / "hello" / "email.txt"
    place.parent.mkdir(parents=True)

    def content(text: str) -> Catalogue:
        place.write_text(f"---\nsubject: {text}\n---\n{text}, {{{{ customer.first_name }}}}\n", encoding="utf-8")
        catalogue = load_messages([tmp_path])
        assert not catalogue.problems
        return catalogue

    daemon = Daemon(tmp_path / "segue.db", content("Old words"))
    daemon.publish('when signed_up send email "hello"', Instant(0))
    story = read_story(
        "",
        """
        03-02 09:00 ann     is first_name=Ann
        03-02 09:00 channel email retries "busy"
        03-02 10:00 ann     signed_up
        03-02 10:00:01 ann  is first_name=Anna
        03-02 10:00:02 channel email sends
        03-03 10:00 ann     signed_up
        """,
    )
    for each in story.inputs:
        daemon.run_until(each.at)
        daemon.reopen()
        daemon.take(story, each)
        if each.at >= read_time("03-02 10:00:01")[0]:
            daemon.content = content("New words")
    daemon.run_until(None)
    daemon.close()
    *tries, again = daemon.calls
    assert len(tries) > 1
    assert {(call.content["subject"], call.content["text"].strip()) for call in tries} == {
        ("Old words", "Old words, Ann")
    }
    assert (again.content["subject"], again.content["text"].strip()) == ("New words", "New words, Anna")


def test_4_a_store_that_cannot_look_for_duplicates_refuses_the_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = read_story("when signed_up send email", "03-02 10:00 ann signed_up #m1")
    daemon = Daemon(tmp_path / "segue.db")
    daemon.publish(story.rules, Instant(0))
    daemon.take(story, story.inputs[0])
    before = list(daemon.lines)

    def fail(*_: object) -> None:
        raise OSError("the disk does not answer")

    with monkeypatch.context() as patched:
        patched.setattr("segue.store.customers.find_seen", fail)
        with pytest.raises(OSError, match="does not answer"):
            daemon.take(story, story.inputs[0])
    assert daemon.lines == before
    daemon.reopen()
    daemon.take(story, story.inputs[0])  # it comes again, and is the duplicate it was
    assert daemon.lines == before
    daemon.run_until(None)
    daemon.close()
    assert _decided(daemon, "entered", "sent", "finished") == [
        ("entered", "", ""),
        ("sent", "email", ""),
        ("finished", "", ""),
    ]


def test_12_an_early_wake_changes_nothing(tmp_path: Path) -> None:
    story = read_story("when signed_up wait 7d send email", "03-02 10:00 ann signed_up")
    daemon = Daemon(tmp_path / "segue.db")
    daemon.publish(story.rules, Instant(0))
    daemon.take(story, story.inputs[0])
    daemon.reopen()
    assert daemon.wake_early(read_time("03-04 10:00")[0]) == 0
    daemon.run_until(None)
    daemon.close()
    assert shown(daemon.lines) == written(
        """
        03-02 10:00 ann entered
        03-09 10:00 ann sent email "signed_up"
        03-09 10:00 ann finished
        """
    )


def test_a_journey_that_fails_on_an_error_never_hurts_the_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of Segue's own in one customer's step: that journey fails with it as its reason, all others go on."""
    original = engine.step

    def step(program: Any, journey: Any, happening: Any, customer: Any, *rest: Any, **named: Any) -> Any:
        if customer.key == "bob":
            raise RuntimeError("planted")
        return original(program, journey, happening, customer, *rest, **named)

    monkeypatch.setattr("segue.runtime.turn.step", step)
    story = read_story(
        "when signed_up wait 1h send email",
        """
        03-02 10:00 ann signed_up
        03-02 10:00 bob signed_up
        03-02 10:00 cid signed_up
        """,
    )
    daemon = in_store(story, tmp_path)
    assert shown(daemon.lines) == written(
        """
        03-02 10:00 ann entered
        03-02 10:00 bob entered
        03-02 10:00 cid entered
        03-02 11:00 ann sent email "signed_up"
        03-02 11:00 ann finished
        03-02 11:00 bob failed (RuntimeError: planted)
        03-02 11:00 cid sent email "signed_up"
        03-02 11:00 cid finished
        """
    )
    assert identities(in_replay(story)) == identities(daemon.lines)


def test_a_line_of_the_command_says_everything_about_a_decision(tmp_path: Path) -> None:
    printed = by_command(read_story(SENTENCE, "03-02 10:00 ann cart_abandoned"), tmp_path)
    assert [list(each) for each in printed] == [
        ["at", "customer", "rule", "key", "decision", "channel", "message", "reason"]
    ] * 4
    assert printed[1] | {"key": ""} == {
        "at": to_rfc3339(read_time("03-03 10:00")[0]),
        "customer": "ann",
        "rule": "cart_abandoned",
        "key": "",
        "decision": "sent",
        "channel": "email",
        "message": "cart_abandoned",
        "reason": None,
    }
