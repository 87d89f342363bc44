"""Values that nothing gives, or not always."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.messages.checking.content import check, codes

OUT = "\n{{ unsubscribe_url }}\n"
TWO_RULES = 'when cart_abandoned send email "sale"\n\nrule thanks when ordered send email "sale"\n'


def email(text: str, subject: str = "Sale") -> dict[str, str]:
    return {"messages/sale/email.txt": f"---\nsubject: {subject}\n---\n{text}{OUT}"}


def test_the_place_is_that_of_the_name_in_its_file(tmp_path: Path) -> None:
    (found,) = check(tmp_path, email("Hello\n  {{ customer.frist_name }}"))
    assert found.primary is not None
    assert (found.code, found.primary.line, found.primary.column) == ("W1001", 5, 6)
    assert found.label == "did you mean `customer.first_name`?"


def test_the_place_in_front_matter_is_behind_the_name_of_the_part(tmp_path: Path) -> None:
    (found,) = check(tmp_path, email("Hello", subject='"{{ customer.frist_name }} and more"'))
    assert found.primary is not None
    assert (found.primary.line, found.primary.column) == (2, 14)


@pytest.mark.parametrize(
    "text",
    [
        "{{ customer.first_name }} {{ customer.id }} {{ customer.birthday | date: '%d' }}",
        "{{ event.total | money }} {{ event.items[0] }} {{ event.timestamp }}",
        "{% for item in event.items %}{{ item }}{{ forloop.index }}{% endfor %}",
        "{% assign name = customer.plan %}{{ name }}",
        "{{ preferences_url }}",
    ],
)
def test_what_is_declared_or_given_is_not_told(tmp_path: Path, text: str) -> None:
    assert codes(tmp_path, email(text)) == []


def test_a_field_of_the_event_that_no_event_has(tmp_path: Path) -> None:
    (found,) = check(tmp_path, email("{{ event.totl }}"))
    assert (found.code, found.label) == ("W1001", "did you mean `event.total`?")


def test_a_field_that_only_one_of_two_events_has(tmp_path: Path) -> None:
    (found,) = check(tmp_path, email("{{ event.order_id }}"), TWO_RULES)
    assert found.code == "W1003"
    assert "`email`" not in found.message
    assert "begins the rule" in found.message


@pytest.mark.parametrize(
    "text", ['{{ event.order_id | default: "-" }}', "{% if event.order_id %}{{ event.order_id }}{% endif %}"]
)
def test_who_says_what_to_write_without_a_value_is_left_alone(tmp_path: Path, text: str) -> None:
    assert codes(tmp_path, email(text), TWO_RULES) == []


def test_a_message_by_the_calendar_has_no_event(tmp_path: Path) -> None:
    rule = (
        'segment all_of_them where customer.plan = "gold"\n\nevery monday at 09:00 for all_of_them send email "sale"\n'
    )
    (found,) = check(tmp_path, email("{{ event.total }}"), rule)
    assert found.code == "W1003"
    assert "no event begins" in found.message


def test_what_follows_with_is_known_by_its_name(tmp_path: Path) -> None:
    rule = 'when cart_abandoned send email "sale" with code = "TEN"\n'
    assert codes(tmp_path / "a", email("{{ code }}"), rule) == []
    (found,) = check(tmp_path / "b", email("{{ cod }}"), rule)
    assert (found.code, found.label) == ("E1002", "did you mean `code`?")


def test_the_brand_has_a_fixed_set_of_values(tmp_path: Path) -> None:
    (found,) = check(tmp_path, email("{{ brand.nam }} {{ brand.name }} {{ brand.colours.accent }}"))
    assert (found.code, found.label) == ("W1001", "did you mean `brand.name`?")
    assert "`signature`" in found.hint


def test_two_sends_of_one_rule_of_which_one_gives_no_value(tmp_path: Path) -> None:
    rule = 'when cart_abandoned\nsend email "sale" with code = "TEN"\nwait 1d\nsend email "sale"\n'
    (found,) = check(tmp_path, email("{{ code }}"), rule)
    assert found.code == "W1003"
    assert "the rule `cart_abandoned` sends it without `with code = …`" in found.message


LAYOUT = "messages/_layout/email.html"


def layout(inside: str) -> dict[str, str]:
    return {
        LAYOUT: f"<html><body>{inside}\n{{{{ content }}}}{{{{ leaving }}}}</body></html>",
        "messages/sale/email.md": "---\nsubject: Sale\npreview: Today\n---\nHello",
    }


@pytest.mark.parametrize(
    ("inside", "code", "label"),
    [
        ("{{ customer.frist_name }}", "W1001", "did you mean `customer.first_name`?"),
        ("{{ brand.nam }}", "W1001", "did you mean `brand.name`?"),
        ("{{ brand.colours.acent }}", "W1001", "did you mean `brand.colours.accent`?"),
        ("{{ words.unsubscrib }}", "W1001", "did you mean `words.unsubscribe`?"),
        ("{{ unsubscrib_url }}", "E1002", "did you mean `unsubscribe_url`?"),
        ("{% for one in event.items %}{{ one }}{% endfor %}", "W1003", "may be nothing"),
    ],
)
def test_what_a_layout_asks_for_is_looked_at_where_it_stands(
    inside: str, code: str, label: str, tmp_path: Path
) -> None:
    (found,) = check(tmp_path, layout(f"\n<p>{inside}</p>"))
    assert found.primary is not None
    assert (found.code, found.label, found.primary.line) == (code, label, 2)
    assert found.primary.file.endswith(LAYOUT)


def test_what_a_layout_is_given_is_known(tmp_path: Path) -> None:
    known = (
        "{{ brand.sender.sms }}{{ brand.colours.dark.accent }}{{ words.preferences }}{{ start }}{{ end }}"
        "{{ direction }}{{ locale }}{{ kind }}{{ now }}{{ customer.id }}{{ customer.first_name }}{{ unsubscribe_url }}"
        "{% if event.total %}{{ event.total }}{% endif %}{% for link in brand.links %}{{ link.url }}{% endfor %}"
    )
    assert codes(tmp_path, layout(known)) == []


def test_a_channel_of_the_brand_s_and_its_colours_are_values_of_it(tmp_path: Path) -> None:
    assert codes(tmp_path, email("{{ brand.sender.sms }} {{ brand.colours.accent }} {{ brand.logo_dark }}")) == []
    assert codes(tmp_path, email("{{ brand.colours.dark.acent }}")) == ["W1001"]


def test_a_template_that_fails_names_the_line_of_its_file(tmp_path: Path) -> None:
    text = "Hello\n\n{% for one in (1..100000) %}x{% endfor %}"
    (found,) = check(tmp_path, {"messages/sale/email.md": f"---\nsubject: Sale\npreview: Now\n---\n{text}"})
    assert found.primary is not None
    assert (found.code, found.primary.line) == ("E1019", 7)
    assert "it counts further than" in found.message


def test_a_template_that_fails_with_likely_values_alone_is_told(tmp_path: Path) -> None:
    (found,) = check(tmp_path, email("{% if customer.first_name %}{{ 1 | divided_by: 0 }}{% endif %}"))
    assert (found.code, found.label) == ("W1020", "fails with likely values")


def test_what_a_recommended_product_never_has_is_told(tmp_path: Path) -> None:
    text = "{% recommend 2 %}\n{{ product.name }} {{ product.prise | money: product.currency }}\n{% endrecommend %}"
    (found,) = check(tmp_path, email(text))
    assert found.primary is not None
    assert (found.code, found.primary.line, found.label) == ("W1001", 5, "did you mean `product.price`?")


def test_a_product_of_an_event_may_have_anything(tmp_path: Path) -> None:
    assert codes(tmp_path, email("{% for product in event.items %}{{ product.prise }}{% endfor %}")) == []
