from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.messages.shielding import ContentError, Shield


@pytest.mark.parametrize(
    "source",
    [
        "<p>{{ a }} {% if b %}x{% endif %}</p>",
        '<p class="{% if a %}b{% endif %}">x</p>',
        "<style>a { color: {{ c }} }</style><title>{{ d }}</title>",
        "<!--[if mso]>{{ e }}<![endif]-->",
        "{% raw %}{{ <p> {% endraw %}<b>{% comment %}<p>{% endcomment %}</b>",
        "a < b {{ c }} > d",
        '<p title="a > b {{ c }}">{{ d }}</p>',
    ],
)
def test_what_is_hidden_comes_back_in_its_place(source: str) -> None:
    shield = Shield(source)
    assert "{" not in shield.text.replace("a { color", "")
    shield.check(shield.text, "HTML")
    assert shield.restore(shield.text) == source.replace("color: {{ c }}", "color: {{ c | style_value }}")


@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "{{ x }}",
                "{% if a %}",
                "{% endif %}",
                "words",
                '<a href="{{ u }}">',
                "</a>",
                "<",
                ">",
                '"',
            ]
        )
    ),
)
def test_any_text_comes_back_or_is_refused(pieces: list[str]) -> None:
    source = "".join(pieces)
    try:
        shield = Shield(source)
    except ContentError:
        return
    restored = shield.restore(shield.text)
    assert restored.replace(" | link_address }}", " }}") == source


def test_a_value_that_is_a_whole_address_is_looked_at_and_part_of_one_is_not() -> None:
    shield = Shield('<a href="{{ u | default: "x" }}">{{ u }}</a><img src="https://x.example/{{ n }}">')
    assert shield.restore(shield.text) == (
        '<a href="{{ u | default: "x" | link_address }}">{{ u }}</a><img src="https://x.example/{{ n }}">'
    )


def test_what_is_known_already_stands_there_escaped_for_its_place() -> None:
    shield = Shield(
        '<p title="{{ brand.name }}">{{brand.name}}</p><style>{{ brand.name }}</style>', {"brand.name": "A'&"}
    )
    assert shield.text == '<p title="A&#x27;&amp;">A&#x27;&amp;</p><style>A\'&</style>'


@pytest.mark.parametrize(
    ("source", "line", "word"),
    [
        ("\n<p {% if a %}class=b{% endif %}>", 2, "quotes of an attribute"),
        ("\n<p title='x>", 2, "has no end"),
        ("<p>\n{% if a %}</p><p>{% endif %}</p>", 2, "around whole elements"),
        ("<ul>\n{% for a in b %}<li>x{% endfor %}</ul>", 2, "around whole elements"),
        ('<p>{% if a %}<b title="{% endif %}">x</b></p>', 1, "around whole elements"),
        ("<p>{% if a %}x<b>{% else %}</b>{% endif %}</p>", 1, "around whole elements"),
    ],
)
def test_liquid_that_would_tear_elements_apart_is_refused_with_its_line(source: str, line: int, word: str) -> None:
    def hide() -> None:
        shield = Shield(source)
        shield.check(shield.text, "HTML")

    with pytest.raises(ContentError, match=word) as caught:
        hide()
    assert caught.value.line == line


def test_liquid_that_was_lost_on_the_way_is_an_error() -> None:
    shield = Shield("<p>\n{{ customer.first_name }}</p>")
    with pytest.raises(ContentError, match="stands where MJML has no place for it") as caught:
        shield.check("<p></p>", "MJML")
    assert caught.value.line == 2


def test_a_text_that_holds_the_mark_itself_is_kept_apart() -> None:
    source = "<p>zqliquid0z {{ a }}</p>"
    shield = Shield(source)
    assert shield.restore(shield.text) == source


def test_elements_that_are_nested_too_deeply_are_refused() -> None:
    shield = Shield("<b>" * 5_000)
    with pytest.raises(ContentError, match="more than 100 deep"):
        shield.check(shield.text, "HTML")
