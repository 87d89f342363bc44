from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.messages import RenderError, Template, from_canonical, render, to_canonical, undeclared
from segue.messages.template import template_of

ANN: dict[str, Any] = {"customer": {"first_name": "Ann"}, "event": {"total": 60}, "brand": {"name": "Shop"}}


def message(**parts: str) -> Template:
    return template_of("cart", "email", None, parts)


def text(source: str, values: dict[str, Any] | None = None) -> str:
    return render(message(text=source), ANN if values is None else values)["text"]


def test_each_part_is_rendered_with_the_values() -> None:
    parts = render(
        message(subject="Hi {{ customer.first_name }}", text="{{ brand.name }}", html="<p>{{ event.total }}</p>"), ANN
    )
    assert parts == {"subject": "Hi Ann", "text": "Shop", "html": "<p>60</p>"}


def test_values_are_escaped_in_html_and_nowhere_else() -> None:
    values = {"name": "<b>&"}
    parts = render(message(subject="{{ name }}", text="{{ name }}", html="{{ name }}"), values)
    assert parts == {"subject": "<b>&", "text": "<b>&", "html": "&lt;b&gt;&amp;"}


@pytest.mark.parametrize(
    "name", ["append: '!'", "capitalize", "split: ',' | join: ','", "strip_newlines", "escape_once"]
)
def test_no_filter_lets_markup_of_a_customer_through(name: str) -> None:
    html = render(message(html=f"{{{{ name | {name} }}}}"), {"name": "<script>,</script>"})["html"]
    assert "<script" not in html.lower()


def test_a_missing_value_renders_as_nothing() -> None:
    assert text("[{{ nobody }}{{ customer.age }}{{ customer.a.b.c }}{{ nobody | upcase }}{{ nobody | money }}]") == "[]"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\0"])
def test_a_subject_is_one_line_whatever_the_values_hold(line_break: str) -> None:
    name = f"Ann{line_break}Bcc: all@shop.example"
    subject = render(message(subject=" {{ name }}\n"), {"name": name})["subject"]
    assert subject == "Ann Bcc: all@shop.example"


def test_money_is_written_with_its_currency() -> None:
    values = {"total": {"amount": "60", "currency": "EUR"}, "yen": {"amount": "60.4", "currency": "JPY"}, "n": 1.005}
    assert text("{{ total | money }}, {{ yen | money }}, {{ n | money }}, {{ 5 | money: 'SEK' }}", values) == (
        "€60.00, ¥60, 1.01, SEK 5.00"
    )


def test_what_is_no_amount_is_left_as_it_is() -> None:
    values = {"a": "free", "b": "1e999999999", "c": "NaN", "d": True}
    assert (
        text("{{ a | money }} {{ b | money }} {{ c | money }} {{ d | money }}", values) == "free 1e999999999 NaN true"
    )


def test_dates_are_written_from_rfc_3339_and_unix_seconds() -> None:
    values = {"day": "2026-11-27", "moment": "2026-11-27T08:05:00+02:00", "unix": 1795759500}
    source = "{{ day | date: '%d.%m.%Y' }} {{ moment | date: '%H:%M' }} {{ unix | date: '%Y-%m-%d %H:%M' }}"
    assert text(source, values) == "27.11.2026 08:05 2026-11-27 06:05"


def test_what_is_no_date_is_left_as_it_is() -> None:
    assert text("{{ 'soon' | date: '%Y' }}{{ '10:00' | date: '%Y' }}{{ nobody | date: '%Y' }}") == "soon10:00"


def test_now_is_a_value_and_never_the_clock() -> None:
    source = "{{ now | date: '%Y' }}{{ 'now' | date: '%Y' }}{{ 'today' | date: '%Y' }}{{ today }}"
    assert text(source, {"now": "1999-01-01T00:00:00Z"}) == "199919991999"
    assert text(source, {}) == ""


@pytest.fixture
def far_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_zone")
def test_the_zone_of_the_machine_means_nothing() -> None:
    assert text("{{ 0 | date: '%Y-%m-%d %H:%M' }} {{ '1970-01-01' | date: '%s %%s' }}", {}) == "1970-01-01 00:00 0 %s"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=3),
    max_leaves=10,
)
BUSY = message(
    subject="{{ a }}",
    text="{% for i in a %}{{ i }}{% assign x = i | append: x %}{% endfor %}"
    "{{ x }}{{ a | size }}{{ b | default: 'none' }}",
    html="{{ a | money }}{{ b | date: '%Y' }}{% if a contains b %}{{ a.b }}{% endif %}"
    "{% cycle 1, 2 %}{% increment n %}",
)


@given(st.dictionaries(st.sampled_from(["a", "b", "now"]), JSON))
def test_the_same_values_always_give_the_same_bytes(values: dict[str, Any]) -> None:
    def attempt() -> dict[str, str] | str:
        try:
            return render(BUSY, values)
        except RenderError as error:
            return str(error)

    first = attempt()
    assert attempt() == first


@given(st.text(max_size=60))
def test_any_source_renders_or_raises_a_render_error(source: str) -> None:
    with contextlib.suppress(RenderError):
        parts = render(message(text=source, html="{% " + source, subject="{{ a | " + source + " }}"), {"a": "x"})
        assert set(parts) == {"text", "html", "subject"}


def test_a_template_keeps_no_memory_of_the_render_before() -> None:
    template = message(text="{% increment n %}{% cycle 'a', 'b' %}{% assign x = x | append: 'y' %}{{ x }}")
    assert render(template, {}) == render(template, {})


def test_an_error_names_part_and_line() -> None:
    template = template_of("c", "email", None, {"text": "a\nb {{ 1 | divided_by: zero }}"}, {"text": 5})
    with pytest.raises(RenderError) as caught:
        render(template, {"zero": 0})
    assert (caught.value.part, caught.value.line) == ("text", 6)
    assert "divide" in caught.value.message
    assert str(caught.value).startswith("text, line 6: ")


def test_files_cannot_be_reached() -> None:
    for tag in ("include", "render"):
        with pytest.raises(RenderError, match=tag):
            text(f"{{% {tag} 'pyproject.toml' %}}")


def test_equal_content_has_an_equal_hash_and_any_change_another() -> None:
    base = template_of("cart", "email", "fi", {"subject": "a", "text": "b"})
    assert template_of("cart", "email", "fi", {"text": "b", "subject": "a"}, {"text": 9}).hash == base.hash
    others = [
        template_of("cart", "email", "fi", {"subject": "a", "text": "c"}),
        template_of("cart", "email", "fi", {"subject": "b", "text": "a"}),
        template_of("cart", "email", None, {"subject": "a", "text": "b"}),
        template_of("cart", "sms", "fi", {"subject": "a", "text": "b"}),
        template_of("other", "email", "fi", {"subject": "a", "text": "b"}),
    ]
    assert len({base.hash, *(other.hash for other in others)}) == 6
    assert len(base.hash) == 32


def test_the_canonical_bytes_bring_the_template_back() -> None:
    template = template_of("cart", "email", "fi", {"subject": "ä", "html": "{{ x }}"})
    assert from_canonical(to_canonical(template)) == template


def test_what_a_template_expects_is_listed_once_per_part_with_its_first_line() -> None:
    template = message(
        subject="{{ customer.first_name }}",
        text="{% for i in event.items %}{{ i.name }}{{ forloop.index }}{% endfor %}\n"
        "{% assign x = discount %}{{ x }}{{ customer.first_name }}\n{{ customer.first_name }}{{ list[0].a }}",
    )
    assert [(use.name, use.part, use.line) for use in undeclared(template)] == [
        ("customer.first_name", "subject", 1),
        ("customer.first_name", "text", 2),
        ("discount", "text", 2),
        ("event.items", "text", 1),
        ("list[0].a", "text", 3),
    ]


def test_an_unclosed_block_is_reported_where_it_begins() -> None:
    for source, line, words in (
        ("\n{% if a %}\n\n", 2, "this if has no endif"),
        ("{% if a %}\n{% for b in c %}\n{% endif %}{% endfor %}", 3, "endfor should"),
        ("\n{{ a", 2, "has no }}"),
        ("{% comment %}\n{% if %}", 1, "this comment has no endcomment"),
        ("\n{% if a == %}{% endif %}", 2, "a value is missing here"),
        ("\n{{ a | upcas }}", 2, "did you mean upcase?"),
    ):
        with pytest.raises(RenderError) as caught:
            undeclared(message(text=source))
        assert caught.value.line == line, source
        assert words in caught.value.message


def test_raw_and_comments_may_hold_anything() -> None:
    source = "{% raw %}{{ {% if {% endraw %}|{% comment %}{% if %}{% comment %}x{% endcomment %}{% endcomment %}ok"
    assert text(source) == "{{ {% if |ok"


@pytest.mark.parametrize(
    ("html", "plain"),
    [
        ("<p>Hi <b>Ann</b></p>", "Hi Ann"),
        ("a < b", "a < b"),
        ("x<!-- <b> -->y<SCRIPT>alert('<i>')</Script >z<style>p{}</style>", "xyz"),
        ("x<script>never closed <b>", "x"),
        ("", ""),
    ],
)
def test_tags_are_stripped(html: str, plain: str) -> None:
    assert text("{{ html | strip_html }}", {"html": html}) == plain
