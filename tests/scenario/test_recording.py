"""Records: read in the order of arrival whatever the order of the file, and written so that they read back the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segue.api import Answer, Inbound, Instant, Money, Rejected, Report, Retry, Sent, Unknown, to_rfc3339
from segue.api.values import HOUR, MINUTE, SECOND
from segue.customers.reach import ChannelReach, Reach
from segue.customers.suppression import ASKED, STOPPED, Suppression
from segue.delivery.ledger import Attempt
from segue.messages.catalogue import Catalogue
from segue.runtime.inbound import take_inbound
from segue.runtime.running import DecisionLine, Running
from segue.scenario.record_writing import write_answers, write_arrivals, write_suppressions
from segue.scenario.recording import Recording
from segue.scenario.replay import Arrival, Record, RecordedAnswer, RecordedReport, Replay
from segue.store.consent import lift
from segue.store.database import Store
from segue_segment.recorded import read_recorded
from tests.engine.stage import at, spec
from tests.runtime.rulebook import publish_text, told
from tests.runtime.stage import Stage

BASE = at("2026-01-05T10:00Z")


def call(number: int, received: Instant, **more: Any) -> bytes:
    fields = {
        "type": "track",
        "event": "paid",
        "messageId": f"m{number}",
        "userId": "ann",
        "receivedAt": to_rfc3339(received),
    }
    return msgspec.json.encode(fields | more)


def recording(tmp_path: Path, *lines: bytes, end: bytes = b"\n") -> Recording:
    path = tmp_path / "events.jsonl"
    path.write_bytes(end.join(lines) + end)
    return Recording(path, read_recorded)


def ids(read: Recording) -> list[str]:
    return [arrival.event.message_id for arrival in read.arrivals()]


# Reading


def test_events_come_in_the_order_of_arrival_not_of_the_file(tmp_path: Path) -> None:
    numbers = list(range(200))
    random.Random(4).shuffle(numbers)
    read = recording(tmp_path, *(call(number, Instant(BASE + number * SECOND)) for number in numbers))
    assert not read.ordered
    assert ids(read) == [f"m{number}" for number in range(200)]
    assert [arrival.received for arrival in read.arrivals()] == [BASE + number * SECOND for number in range(200)]


def test_of_equal_arrivals_the_order_is_that_of_the_file(tmp_path: Path) -> None:
    late = Instant(BASE + HOUR)
    read = recording(tmp_path, call(1, late), call(2, late), call(3, BASE), call(4, BASE), call(5, late))
    assert ids(read) == ["m3", "m4", "m1", "m2", "m5"]


def test_an_ordered_file_is_known_to_be(tmp_path: Path) -> None:
    read = recording(tmp_path, call(1, BASE), call(2, BASE), call(3, Instant(BASE + 1)))
    assert read.ordered
    assert len(read) == 3


def test_it_arrived_when_received_else_when_it_happened(tmp_path: Path) -> None:
    happened = to_rfc3339(Instant(BASE - HOUR))
    without = msgspec.json.encode(
        {"type": "track", "event": "paid", "userId": "ann", "messageId": "m2", "timestamp": happened}
    )
    read = recording(tmp_path, call(1, BASE, timestamp=happened), without)
    assert [(one.event.message_id, one.received - BASE, one.event.timestamp - BASE) for one in read.arrivals()] == [
        ("m2", -HOUR, -HOUR),
        ("m1", 0, -HOUR),
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n \n"], ids=["lf", "crlf", "blank lines"])
def test_line_ends_and_blank_lines_make_no_difference(tmp_path: Path, end: bytes) -> None:
    assert ids(recording(tmp_path, call(2, Instant(BASE + 1)), call(1, BASE), end=end)) == ["m1", "m2"]


def test_a_last_line_without_an_end_counts(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(call(1, BASE) + b"\n" + call(2, BASE))
    assert ids(Recording(tmp_path / "events.jsonl", read_recorded)) == ["m1", "m2"]


def test_an_empty_file_is_a_record_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").touch()
    read = Recording(tmp_path / "events.jsonl", read_recorded)
    assert (len(read), read.bad, list(read.arrivals()), read.record) == (0, [], [], Record())


def test_a_file_that_is_missing_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        Recording(tmp_path / "missing.jsonl", read_recorded)


def test_behind_an_order_come_its_lines(tmp_path: Path) -> None:
    products = {"products": [{"product_id": "X1"}, {"product_id": "X2"}]}
    read = recording(tmp_path, call(1, BASE, event="Order Completed", properties=products), call(2, BASE))
    assert ids(read) == ["m1", "m1/line-1", "m1/line-2", "m2"]
    assert {arrival.received for arrival in read.arrivals()} == {BASE}


BAD = [
    b"{",
    b"[]",
    b"null",
    b'"track"',
    b"\xff\xfe\x00",
    b"\0" * 20,
    b'{"type": 5}',
    b'{"type": "dance", "userId": "ann", "timestamp": "2026-01-05T10:00:00Z"}',
    b'{"type": "track", "userId": "ann", "timestamp": "2026-01-05T10:00:00Z"}',
    b'{"type": "track", "event": "paid", "userId": "ann"}',
    b'{"type": "track", "event": "paid", "userId": "ann", "timestamp": "soon"}',
    b"[" * 100_000,
    b'{"type": "track", "event": "paid", "userId": "ann", "properties": ' + b'{"a":' * 100_000,
    call(9, BASE, event="Order Completed", properties={"products": ["X1"] * 2_001}),
    b'{"type": "segue.answer"}',
    b'{"type": "segue.answer", "key": "k", "claimedAt": "2026-01-05T10:00:00"}',
    b'{"type": "segue.answer", "key": "k", "claimedAt": "soon"}',
    b'{"type": "segue.answer", "key": "k", "answer": {"type": "maybe"}}',
    b'{"type": "segue.report", "channel": "sms"}',
    b'{"type": "segue.report", "channel": "sms", "receivedAt": "2026-01-05T10:00:00Z", "report": {"id": "1"}}',
    b'{"type": "segue.report", "channel": "sms", "receivedAt": "", "report": {"id": "1", "what": "x", "at": ""}}',
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: repr(bad[:60]))
def test_a_bad_line_is_left_out_and_told_with_its_number(tmp_path: Path, bad: bytes) -> None:
    read = recording(tmp_path, call(1, BASE), b"", bad, call(2, BASE))
    assert [one.number for one in read.bad] == [3]
    assert read.bad[0].reason
    assert ids(read) == ["m1", "m2"]
    assert read.record == Record()


# Writing, and reading again

TEXT = """
event paid
event ticket_closed
  ticket text
rule carts when paid
  goal ordered within 7d
  wait 1h unless ordered
  send email "hello" or sms "hello" then push "more"
rule tickets when signed_up per source
  until ticket_closed
  send sms "hello" with n = 1
  wait for delivered up to 1d
  send push "more"
"""
CHANNELS = {
    "email": spec("email"),
    "sms": spec("sms", settles="report", settles_within=3600.0, reactions=()),
    "push": spec("push"),
}


class Played:
    """Calls played over the rules in a store of their own: what was decided, and the store as it then is."""

    def __init__(self, store: Store, arrivals: list[Arrival], record: Record | None = None) -> None:
        self.store = store
        running: Running = publish_text(store, TEXT, channels=CHANNELS)
        self.lines: list[DecisionLine] = list(Replay(store, running, Catalogue(), record).run(arrivals))

    def keys(self) -> dict[tuple[str, str], str]:
        """The messages decided, by customer and channel."""
        return {(line.customer, line.channel): line.key for line in self.lines if line.channel}

    def write(self, path: Path, piece: int = 3) -> Recording:
        return write(self.store, path, piece)


def write(store: Store, path: Path, piece: int = 3) -> Recording:
    """The record of a store, written in pieces and read again."""
    with path.open("wb") as target:
        for writing in (write_arrivals, write_answers, write_suppressions):
            after = 0
            while True:
                last, lines = store.apply(partial(writing, after=after, limit=piece))
                target.writelines(line + b"\n" for line in lines)
                if not last:
                    break
                after = last
    return Recording(path, read_recorded)


@pytest.fixture
def stores() -> Iterator[list[Store]]:
    opened = [Store(None) for _ in range(3)]
    yield opened
    for store in opened:
        store.close()


def arrivals_of(tmp_path: Path) -> list[Arrival]:
    def track(number: int, minutes: int, name: str, user: str | None, **more: Any) -> bytes:
        fields = {"event": name, "userId": user} if user else {"event": name}
        return call(number, Instant(BASE + minutes * MINUTE), **{"userId": None, **fields, **more})

    everything = {"email": "a@example.com", "phone": "+358401234567"}
    lines = [
        msgspec.json.encode(
            {
                "type": "identify",
                "userId": user,
                "messageId": user,
                "traits": everything,
                "receivedAt": to_rfc3339(BASE),
            }
        )
        for user in ("ann", "bob", "eve", "joe")
    ]
    lines += [
        track(1, 1, "paid", "ann", properties={"total": 5, "text": 'é\u2028"\\'}),
        track(2, 1, "paid", "bob"),
        track(3, 2, "paid", "eve", timestamp=to_rfc3339(Instant(BASE - HOUR))),
        track(4, 30, "Order Completed", "bob", properties={"orderId": "o1"}),
        track(5, 40, "Signed Up", "joe", context={"traits": {"vip": True}}),
        track(6, 41, "unsubscribed", "eve", properties={"channel": "sms"}),
        call(7, Instant(BASE + 50 * MINUTE), event="paid", userId="ann", anonymousId="phone-1"),
        msgspec.json.encode(
            {
                "type": "alias",
                "userId": "ann",
                "previousId": "tablet",
                "messageId": "m8",
                "receivedAt": to_rfc3339(Instant(BASE + 51 * MINUTE)),
            }
        ),
        track(9, 600, "Order Completed", "ann"),
    ]
    return list(recording(tmp_path, *lines).arrivals())


def test_what_was_written_reads_back_as_the_same_arrivals(tmp_path: Path, stores: list[Store]) -> None:
    arrivals = arrivals_of(tmp_path)
    again = Played(stores[0], arrivals).write(tmp_path / "record.jsonl")
    assert again.bad == []
    assert again.ordered
    back = list(again.arrivals())
    assert [(one.event.message_id, one.received, one.event.timestamp) for one in back] == [
        (one.event.message_id, one.received, one.event.timestamp) for one in arrivals
    ]
    assert [(one.event.user_id, one.event.anonymous_id, one.event.previous_id, one.event.traits) for one in back] == [
        (one.event.user_id, one.event.anonymous_id, one.event.previous_id, one.event.traits) for one in arrivals
    ]


def test_further_identifiers_and_the_traits_of_an_alias_read_back_too(tmp_path: Path, stores: list[Store]) -> None:
    context = {"externalIds": [{"type": "loyalty", "id": "F-1001"}], "traits": {"city": "Oslo"}}
    lines = [
        call(1, BASE, userId=None, context=context),
        call(2, Instant(BASE + SECOND), type="identify", userId=None, traits={"email": "ann@example.com"}),
        call(3, Instant(BASE + 2 * SECOND), type="alias", previousId="dev", context=context),
    ]
    arrivals = list(recording(tmp_path, *lines).arrivals())
    again = Played(stores[0], arrivals).write(tmp_path / "record.jsonl")
    assert again.bad == []
    assert [
        (one.event.user_id, one.event.previous_id, one.event.ids, one.event.traits) for one in again.arrivals()
    ] == [
        (None, None, {"loyalty": "F-1001"}, {"city": "Oslo"}),
        (None, None, {}, {"email": "ann@example.com"}),
        ("ann", "dev", {"loyalty": "F-1001"}, {"city": "Oslo"}),
    ]


ANSWERS: list[Answer] = [
    Sent("r-1"),
    Sent("r-1", cost=Money(Decimal("0.1875"), "EUR")),
    Rejected("no such mailbox"),
    Rejected("unregistered", address_gone=True),
    Unknown("timed out"),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=repr)
def test_answers_and_reports_read_back_as_they_were_and_lead_to_the_same_decisions(
    tmp_path: Path, stores: list[Store], answer: Answer
) -> None:
    arrivals = arrivals_of(tmp_path)
    keys = Played(stores[0], arrivals).keys()
    email, sms = keys["ann", "email"], keys["joe", "sms"]
    claimed = Instant(BASE + 61 * MINUTE)
    answered = Instant(claimed + 7 * SECOND + 1)
    delivered = Report(id="d1", what="delivered", at=Instant(BASE + 42 * MINUTE), key=sms)
    record = Record(
        {
            email: RecordedAnswer(email, claimed, answered, answer),
            sms: RecordedAnswer(sms, Instant(BASE + 40 * MINUTE), Instant(BASE + 40 * MINUTE + 5), Sent("r-9")),
        },
        (RecordedReport("sms", delivered, Instant(BASE + 43 * MINUTE)),),
    )
    first = Played(stores[1], arrivals, record)
    written = first.write(tmp_path / "record.jsonl")
    assert written.bad == []
    assert written.record.answers[email] == record.answers[email]
    assert written.record.answers[sms] == record.answers[sms]
    assert written.record.reports == record.reports
    second = Played(stores[2], list(written.arrivals()), written.record)
    assert second.lines == first.lines
    assert second.write(tmp_path / "again.jsonl").record == written.record


def tried(minutes: int, wait: float | None) -> Attempt:
    """A call so long after the begin that came to nothing: one that was cut off, or whose provider wants a wait."""
    moment = Instant(BASE + minutes * MINUTE)
    return Attempt(moment, Instant(moment + SECOND), "busy", wait, wait is None)


@pytest.mark.parametrize(
    ("waits", "answer", "decided"),
    [
        ((60.0, None), Sent("r-1"), ["sent"]),
        ((60.0, None), Rejected("no such number"), ["undelivered"]),
        ((60.0, None), None, []),
        ((60.0, 90_000.0), None, ["undelivered"]),
    ],
)
def test_each_call_that_came_to_nothing_is_on_record_and_is_made_again(
    tmp_path: Path, stores: list[Store], waits: tuple[float | None, ...], answer: Answer | None, decided: list[str]
) -> None:
    arrivals = arrivals_of(tmp_path)
    sms = Played(stores[0], arrivals).keys()["joe", "sms"]
    attempts = tuple(tried(41 + 4 * number, wait) for number, wait in enumerate(waits))
    known = RecordedAnswer(sms, None, attempts=attempts)
    if answer is not None:
        last = Instant(BASE + 55 * MINUTE)
        known = RecordedAnswer(sms, last, Instant(last + SECOND), answer, attempts=attempts)
    played = Played(stores[1], arrivals, Record({sms: known}))
    assert [line.decision for line in played.lines if line.key == sms] == decided
    written = played.write(tmp_path / "record.jsonl")
    assert written.record.answers[sms] == known
    assert Played(stores[2], list(written.arrivals()), written.record).lines == played.lines


def test_what_was_suppressed_by_hand_or_by_nobody_known_is_on_record_and_holds_in_a_replay(
    tmp_path: Path, stores: list[Store]
) -> None:
    arrivals = arrivals_of(tmp_path)
    suppressions = (
        Suppression("email", "a@example.com", ASKED, BASE, "the shop", detail="by phone"),
        Suppression("phone", "+358401234567", STOPPED, BASE, "sms", "sms", "STOP", lifted=Instant(BASE + 35 * MINUTE)),
    )
    played = Played(stores[0], arrivals, Record(suppressions=suppressions))
    decided = {(line.customer, line.channel, line.decision, line.reason) for line in played.lines if line.channel}
    both = "email suppressed by command; phone suppressed: STOP was answered by sms"
    assert ("eve", "email", "skipped", both) in decided
    assert ("ann", "sms", "sent", "") in decided
    written = played.write(tmp_path / "record.jsonl", piece=1)
    assert written.bad == []
    assert written.record.suppressions == suppressions
    again = Played(stores[1], list(written.arrivals()), written.record)
    assert again.lines == played.lines
    assert again.write(tmp_path / "again.jsonl").record == written.record


def test_a_replay_knows_of_a_stop_from_a_number_that_nobody_had_and_when_it_was_lifted(
    tmp_path: Path, stores: list[Store]
) -> None:
    rules, reach = "event paid\nwhen paid send sms", Reach({"sms": ChannelReach("phone")})
    stage = Stage(stores[0], rules)
    stage.running = msgspec.structs.replace(stage.running, reach=reach)
    lines: list[tuple[str, str, str]] = []

    def hear(text: str) -> None:
        one = Inbound(id=text, address="+358401234567", text=text, at=stage.now)
        stage.store.apply(lambda tx: take_inbound(tx, stage.running, "sms", [one], stage.now))
        stage.later(SECOND)

    def pay(customer: str) -> None:
        lines.extend(stage.arrive("paid", customer, traits={"phone": "+358401234567"}))
        claims, refused = stage.claim("sms")
        lines.extend(refused)
        for claimed in claims:
            lines.extend(stage.answer(claimed, Sent()))
        stage.later(SECOND)

    hear("STOP")
    pay("ann")
    stage.store.apply(lambda tx: lift(tx, "+358401234567", stage.now, "phone"))
    stage.later(SECOND)
    pay("bob")
    assert [what for _, what, _ in lines] == ["entered", "skipped", "finished", "entered", "sent", "finished"]
    written = write(stage.store, tmp_path / "record.jsonl")
    running = publish_text(stores[1], rules, channels=stage.channels, reach=reach)
    assert told(Replay(stores[1], running, Catalogue(), written.record).run(written.arrivals())) == lines


def test_a_message_that_was_never_claimed_is_on_record_as_such(tmp_path: Path, stores: list[Store]) -> None:
    arrivals = arrivals_of(tmp_path)[:-1]
    key = Played(stores[0], arrivals).keys()["ann", "email"]
    played = Played(stores[1], arrivals, Record({key: RecordedAnswer(key, None)}))
    written = played.write(tmp_path / "record.jsonl")
    assert written.record.answers[key] == RecordedAnswer(key, None)
    assert Played(stores[2], list(written.arrivals()), written.record).lines == played.lines


def test_a_message_whose_journey_ended_before_its_first_call_is_skipped_again_at_that_moment(
    tmp_path: Path, stores: list[Store]
) -> None:
    arrivals = arrivals_of(tmp_path)
    key = Played(stores[0], arrivals).keys()["ann", "email"]
    played = Played(stores[1], arrivals, Record({key: RecordedAnswer(key, None)}))
    skipped = [(line.at - BASE, line.decision) for line in played.lines if line.key == key]
    assert skipped == [(600 * MINUTE, "skipped")]
    written = played.write(tmp_path / "record.jsonl")
    assert written.record.answers[key] == RecordedAnswer(key, Instant(BASE + 600 * MINUTE))
    assert Played(stores[2], list(written.arrivals()), written.record).lines == played.lines


def test_a_call_under_way_when_the_record_ends_has_no_answer(tmp_path: Path, stores: list[Store]) -> None:
    arrivals = arrivals_of(tmp_path)
    key = Played(stores[0], arrivals).keys()["ann", "email"]
    claimed = Instant(BASE + 61 * MINUTE)
    written = Played(stores[1], arrivals, Record({key: RecordedAnswer(key, claimed)})).write(tmp_path / "record.jsonl")
    assert written.record.answers[key] == RecordedAnswer(key, claimed)


def test_lines_of_its_own_are_documented_as_they_are_read(tmp_path: Path) -> None:
    answer = {
        "type": "segue.answer",
        "key": "k",
        "claimedAt": "2026-01-05T10:00:00Z",
        "answeredAt": "2026-01-05T10:00:01Z",
        "answer": {"type": "retry", "reason": "busy", "after": 2.5},
        "attempts": [
            {"claimedAt": "2026-01-05T09:00:00Z", "answeredAt": "2026-01-05T09:00:01Z", "reason": "no", "after": 1.5}
        ],
    }
    report = {
        "type": "segue.report",
        "channel": "sms",
        "receivedAt": "2026-01-05T10:00:02Z",
        "report": {
            "id": "d1",
            "what": "undelivered",
            "at": "2026-01-05T10:00:01Z",
            "key": "k",
            "reason": "gone",
            "addressGone": True,
        },
    }
    read = recording(tmp_path, msgspec.json.encode(report), msgspec.json.encode(answer))
    assert read.record.answers == {
        "k": RecordedAnswer(
            "k",
            BASE,
            Instant(BASE + SECOND),
            Retry("busy", 2.5),
            attempts=(Attempt(Instant(BASE - HOUR), Instant(BASE - HOUR + SECOND), "no", 1.5),),
        ),
    }
    (found,) = read.record.reports
    assert found == RecordedReport(
        "sms",
        Report(id="d1", what="undelivered", at=Instant(BASE + SECOND), key="k", reason="gone", address_gone=True),
        Instant(BASE + 2 * SECOND),
    )
