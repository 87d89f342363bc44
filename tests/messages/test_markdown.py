from __future__ import annotations

import re
import time

import pytest

from segue.messages import render
from segue.messages.markdown import paragraphs, to_html
from segue.messages.template import template_of


def shown(source: str, **values: object) -> str:
    """The HTML of a Markdown text, filled in, without line breaks between elements."""
    html = render(template_of("m", "email", None, {"html": to_html(source)}), values)["html"]
    return re.sub(r">\s+<", "><", html).strip()


def test_liquid_inside_a_line_is_a_word() -> None:
    source = '# Hi {{ name | default: "*you*" }}\n\n**{{ name }}** and [here]({{ url }}).'
    assert shown(source, name="Ann", url="https://x.example/?a=1&b=2") == (
        '<h1>Hi Ann</h1><p><strong>Ann</strong> and <a href="https://x.example/?a=1&amp;b=2">here</a>.</p>'
    )


def test_a_customer_s_value_is_neither_markdown_nor_html() -> None:
    assert shown("Hi {{ name }}", name="<b>*x* [y](javascript:z)") == "<p>Hi &lt;b&gt;*x* [y](javascript:z)</p>"


def test_an_address_between_angle_brackets_is_a_link() -> None:
    assert shown("<{{ url }}>", url="https://x.example") == '<p><a href="https://x.example">https://x.example</a></p>'


def test_a_loop_over_items_makes_one_list() -> None:
    source = "{% for p in ps %}\n- {{ p.name }}\n{% if p.new %}\n- new!\n{% endif %}\n{% endfor %}\n- last"
    assert shown(source, ps=[{"name": "a"}, {"name": "b", "new": True}]) == (
        "<ul><li>a</li><li>b</li><li>new!</li><li>last</li></ul>"
    )


def test_a_loop_over_rows_makes_one_table() -> None:
    source = "| a | b |\n|---|---|\n{% for p in ps %}\n| {{ p }} | x |\n{% endfor %}\n| sum | y |"
    html = shown(source, ps=["1", "2"])
    assert html.count("<table>") == html.count("<tbody>") == 1
    assert re.findall(r"<td>\s*(.*?)\s*</td>", html) == ["1", "x", "2", "x", "sum", "y"]


def test_a_block_around_paragraphs_and_lists_stands_between_blocks() -> None:
    source = "{% if a %}\nSome:\n\n- one\n{% endif %}\n\nAlways"
    assert shown(source, a=True) == "<p>Some:</p><ul><li>one</li></ul><p>Always</p>"
    assert shown(source) == "<p>Always</p>"


def test_else_parts_items_of_one_list() -> None:
    source = "- first\n{% if a %}\n- yes\n{% else %}\n- no\n{% endif %}\n"
    assert shown(source, a=True) == "<ul><li>first</li><li>yes</li></ul>"
    assert shown(source) == "<ul><li>first</li><li>no</li></ul>"


def test_liquid_in_code_is_filled_in_and_html_of_the_author_stays() -> None:
    assert shown("`{{ code }}` <em>x</em>", code="<A>") == "<p><code>&lt;A&gt;</code><em>x</em></p>"


def test_plain_text_becomes_paragraphs_with_breaks_and_links() -> None:
    assert paragraphs("Hi,\nsee (https://x.example/a?b=1&amp;c).\n\nBye &lt;https://y.example&gt;") == (
        '<p>Hi,<br>\nsee (<a href="https://x.example/a?b=1&amp;c">https://x.example/a?b=1&amp;c</a>).</p>\n'
        '<p>Bye &lt;<a href="https://y.example">https://y.example</a>&gt;</p>'
    )


@pytest.mark.parametrize("text", ["https://" + "." * 60_000, "&gt;" * 15_000, "\n \n" * 20_000, "https://x" * 7_000])
def test_paragraphs_of_a_hostile_text_are_made_at_once(text: str) -> None:
    begin = time.perf_counter()
    paragraphs(text)
    assert time.perf_counter() - begin < 1
