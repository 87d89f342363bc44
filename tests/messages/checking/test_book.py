"""A whole book: parts, languages, channels and messages that nobody sends."""

from __future__ import annotations

from pathlib import Path

from tests.messages.checking.content import RULE, check, codes

TEXT = "---\nsubject: Sale\n---\nCome in\n{{ unsubscribe_url }}\n"


def test_a_book_in_order_has_nothing_to_tell(tmp_path: Path) -> None:
    assert codes(tmp_path, {"messages/sale/email.txt": TEXT, "messages/sale/sms.txt": "Come in"}) == []


def test_every_language_is_looked_at(tmp_path: Path) -> None:
    files = {"messages/sale/email.txt": TEXT, "messages/sale/email.fi.txt": TEXT.replace("{{ unsubscribe_url }}", "")}
    (found,) = check(tmp_path, files)
    assert found.code == "W1013"
    assert '"sale" by email in fi' in found.message


def test_a_channel_of_a_message_that_no_rule_sends_is_told_once(tmp_path: Path) -> None:
    files = {
        "messages/sale/email.txt": TEXT,
        "messages/sale/sms.txt": "Come in",
        "messages/sale/sms.fi.txt": "Tule",
        "messages/gone/email.txt": TEXT,
        "messages/gone/sms.txt": "Come in",
    }
    found = check(tmp_path, files, 'when cart_abandoned send email "sale"\n')
    assert [one.message for one in found if one.code == "W1004"] == [
        'no rule sends the message "gone"',
        'no rule sends the message "sale" by sms',
    ]


def test_preferred_sends_by_every_channel(tmp_path: Path) -> None:
    files = {"messages/sale/email.txt": TEXT, "messages/sale/sms.txt": "Come in"}
    assert codes(tmp_path, files, 'when cart_abandoned send preferred "sale"\n') == []


def test_only_promotional_email_needs_a_way_out(tmp_path: Path) -> None:
    text = "---\nsubject: Thanks\n---\nIt is on its way\n"
    assert codes(tmp_path, {"messages/sale/email.txt": text}) == ["W1013"]
    transactional = 'when cart_abandoned send email "sale" as transactional\n'
    assert codes(tmp_path, {}, transactional) == []


def test_an_address_of_ones_own_is_a_way_out(tmp_path: Path) -> None:
    text = TEXT.replace("{{ unsubscribe_url }}", "https://shop.example/preferences")
    assert codes(tmp_path, {"messages/sale/email.txt": text}) == []


def test_a_template_that_fails_for_the_sample_is_still_looked_at(tmp_path: Path) -> None:
    text = TEXT.replace("Come in", "{{ customer.first_name | truncate: customer.plan }} https:/shop.example")
    assert codes(tmp_path, {"messages/sale/email.txt": text}, RULE) == ["E1019", "E1014"]


def test_an_image_of_one_pixel_needs_no_description(tmp_path: Path) -> None:
    markup = (
        "---\nsubject: Sale\npreview: Today\n---\n"
        '<img src="https://a.example/a.gif" width="1" height="1"><img src="https://a.example/b.png" alt="">'
        "{{ unsubscribe_url }}"
    )
    assert codes(tmp_path, {"messages/sale/email.html": markup}) == []


def test_a_hidden_line_at_the_top_is_a_preview(tmp_path: Path) -> None:
    markup = '---\nsubject: Sale\n---\n<div style="display: none">Today</div><p>Sale</p>{{ unsubscribe_url }}'
    assert codes(tmp_path, {"messages/sale/email.html": markup}) == []
