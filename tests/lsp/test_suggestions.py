"""What is offered while one writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.lsp.suggestions import suggest
from tests.lsp.desk import at_cursor, draft_of, offered


def test_an_empty_file_offers_what_begins_something(tmp_path: Path) -> None:
    found = offered(draft_of(tmp_path), "|")
    assert {"rule", "when", "every", "event", "customer", "segment", "policy", "test", "edition"} <= set(found)
    assert "send" not in found


def test_after_when_come_events_of_plugins_and_of_the_book(tmp_path: Path) -> None:
    found = offered(draft_of(tmp_path), "when |")
    assert {"cart_abandoned", "returned", "customer"} <= set(found)
    assert found["returned"].kind == "event"
    assert "email" not in found
    assert "tier" not in found


def test_after_customer_and_a_dot_come_traits_and_nothing_else(tmp_path: Path) -> None:
    found = offered(draft_of(tmp_path), "when ordered where customer.|")
    assert {"tier", "vip", "first_name"} <= set(found)
    assert {one.kind for one in found.values()} == {"trait"}


def test_after_send_come_channels_and_preferred(tmp_path: Path) -> None:
    found = offered(draft_of(tmp_path), "when ordered send |")
    assert set(found) == {"email", "sms", "preferred"}


def test_after_a_channel_come_its_messages_and_what_may_follow(tmp_path: Path) -> None:
    found = offered(draft_of(tmp_path), "when ordered send email |")
    assert {'"cart_reminder"', '"welcome"', "or", "then", "within", "wait"} <= set(found)


def test_within_quotes_after_a_channel_come_messages_only(tmp_path: Path) -> None:
    found = offered(draft_of(tmp_path), 'when ordered send email "ca|')
    assert set(found) == {"cart_reminder", "welcome"}


def test_within_quotes_of_a_trigger_come_the_names_that_sources_send(tmp_path: Path) -> None:
    found = offered(draft_of(tmp_path), 'when "|')
    assert {"Return Requested", "Cart Abandoned"} <= set(found)
    assert "cart_reminder" not in found


def test_within_the_brackets_of_where_come_the_fields_of_that_event(tmp_path: Path) -> None:
    found = offered(draft_of(tmp_path), "when ordered wait 1d unless returned where (|")
    assert {"reason", "order_id"} <= set(found)
    assert "ordered" not in found


def test_within_an_aggregate_s_brackets_come_the_fields_too(tmp_path: Path) -> None:
    found = offered(draft_of(tmp_path), "when ordered where sum(ordered.total where (|")
    assert "total" in found
    assert "cart_abandoned" not in found


def test_after_an_event_and_a_dot_come_its_fields(tmp_path: Path) -> None:
    found = offered(draft_of(tmp_path), "when ordered wait 1d unless returned.|")
    assert {"reason", "order_id"} <= set(found)
    assert "total" not in found


def test_in_a_condition_the_trigger_s_fields_come_first(tmp_path: Path) -> None:
    found = offered(draft_of(tmp_path), "when ordered where |")
    assert found["total"].rank < found["returned"].rank
    assert {"not", "customer.", "count", "can get", "time between"} <= set(found)


def test_after_per_come_the_trigger_s_fields(tmp_path: Path) -> None:
    found = offered(draft_of(tmp_path), "when returned per |")
    assert {"order_id", "reason"} <= set(found)
    assert "total" not in found


def test_after_worth_come_the_fields_of_the_goal_s_event(tmp_path: Path) -> None:
    found = offered(draft_of(tmp_path), "when ordered goal returned within 7d worth |")
    assert "reason" in found
    assert "total" not in found


@pytest.mark.parametrize("text", ["every monday for |", "when customer enters |"])
def test_where_a_segment_belongs_come_segments(tmp_path: Path, text: str) -> None:
    assert set(offered(draft_of(tmp_path), text)) == {"lapsed"}


def test_after_in_come_segments_and_rules(tmp_path: Path) -> None:
    found = offered(draft_of(tmp_path), "when ordered where in |")
    assert found["lapsed"].kind == "segment"
    assert found["cart_recovery"].kind == "rule"


def test_a_wait_offers_durations_and_its_other_forms(tmp_path: Path) -> None:
    found = offered(draft_of(tmp_path), "when ordered wait |")
    assert {"1d", "1h", "until", "for"} <= set(found)
    assert found["1d"].kind == "unit"


def test_a_clock_time_offers_the_project_s_zone_first(tmp_path: Path) -> None:
    found = offered(draft_of(tmp_path), "every monday at 09:00 |")
    assert {"local", "Europe/Helsinki"} <= set(found)


def test_a_field_s_second_word_is_a_type(tmp_path: Path) -> None:
    draft = draft_of(tmp_path)
    assert set(offered(draft, "event x\n  total |")) == {"text", "number", "money", "boolean", "date", "time", "list"}
    assert "money" not in offered(draft, "event x\n  |")
    assert "money" in offered(draft, "customer\n  spent |")


def test_a_policy_names_kinds_and_its_limits_channels(tmp_path: Path) -> None:
    draft = draft_of(tmp_path)
    assert set(offered(draft, "policy |")) == {"transactional", "promotional", "informational"}
    assert {"email", "messages"} <= set(offered(draft, "policy promotional limit 2 |"))


def test_a_test_offers_rules_events_and_their_fields(tmp_path: Path) -> None:
    draft = draft_of(tmp_path)
    assert "cart_recovery" in offered(draft, 'test "x" for |')
    assert {"returned", "opened", "email"} <= set(offered(draft, 'test "x" for cart_recovery at 1h |'))
    assert "reason" in offered(draft, 'test "x" for cart_recovery at 1h returned |')
    assert "tier" in offered(draft, 'test "x" for cart_recovery given customer |')
    assert {"email", "messages"} <= set(offered(draft, 'test "x" for cart_recovery at 1h returned expect no |'))


def test_a_slip_further_up_does_not_silence_the_help_below(tmp_path: Path) -> None:
    found = offered(draft_of(tmp_path), "when ordered\n  wait 5m unless returned\n  send |")
    assert {"email", "sms"} <= set(found)


def test_nothing_is_offered_in_a_comment(tmp_path: Path) -> None:
    assert offered(draft_of(tmp_path), "when ordered # send |") == {}


def test_the_word_being_typed_is_replaced(tmp_path: Path) -> None:
    draft = draft_of(tmp_path)
    path, offset = at_cursor(draft, "when ordered send em|")
    assert suggest(draft, path, offset).start == offset - len("em")


def test_a_block_is_offered_with_its_end(tmp_path: Path) -> None:
    block = offered(draft_of(tmp_path), "when ordered |")["if … end"]
    assert block.snippet
    assert block.text.endswith("end")


@pytest.mark.parametrize(
    "text", ["when |", 'when "|', "send |", "|", "when x (((((|", '"|', "when a where b.c.d.|", "on 20|"]
)
def test_no_text_is_too_odd(tmp_path: Path, text: str) -> None:
    offered(draft_of(tmp_path), text)
