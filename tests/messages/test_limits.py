"""Templates that attack: each is stopped, and soon."""

from __future__ import annotations

import time
from typing import Any

import pytest

from segue.messages import RenderError, render
from segue.messages.template import template_of

BIG = "a" * 60_000
VALUES: dict[str, Any] = {
    "big": BIG,
    "needle": "a" * 30_000 + "b",
    "tags": "<" * 60_000 + ">",
    "n": 999_999_999,
    "list": [{"a": number} for number in range(5000)],
}

STOPPED = {
    "a loop without end": "{% for i in (1..1000000000) %}x{% endfor %}",
    "a loop backwards": "{% for i in (1..1000000000) reversed %}x{% endfor %}",
    "a loop far into a range": "{% for i in (1..1000000000) offset: 999999999 %}x{% endfor %}",
    "a table without end": "{% tablerow i in (1..n) cols: 3 %}x{% endtablerow %}",
    "loops in loops": "{% for a in (1..999) %}{% for b in (1..999) %}{% for c in (1..999) %}"
    "{% endfor %}{% endfor %}{% endfor %}",
    "loops one after another": "{% for i in (1..10000) %}{% endfor %}" * 100,
    "a loop around much that writes nothing": "{% for i in (1..10000) %}" + "{{ '' }}" * 1000 + "{% endfor %}",
    "a loop in the liquid tag": "{% liquid\nfor i in (1..60000)\necho ''\nendfor\n%}",
    "a long case in a loop": "{% for i in (1..9999) %}{% case i %}" + "{% when 0 %}" * 99 + "{% endcase %}{% endfor %}",
    "a range joined": "{{ (1..1000000000) | join: ',' }}",
    "a range searched": "{% if (1..n) contains 'x' %}{% endif %}",
    "a text doubled": "{% assign s = 'aaaaaaaaaa' %}" + "{% assign s = s | append: s %}" * 40,
    "a text replaced by more of itself": "{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"
    + " | replace: 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'" * 6
    + " }}",
    "a list doubled": "{% assign l = 'a' | split: ',' %}" + "{% assign l = l | concat: l %}" * 40 + "{{ l }}",
    "a list of one large text many times": "{% assign l = big | split: ',' %}" + "{% assign l = l | concat: l %}" * 13,
    "a number squared": "{% assign n = 9999999 %}" + "{% assign n = n | times: n %}" * 40,
    "a wide join": "{{ big | split: '' | slice: 0, 9000 | join: big }}",
    "captures in a loop": "{% for i in (1..4000) %}{% capture x %}{{ big }}{{ big }}{% endcapture %}{% endfor %}",
    "many large variables": "".join(f"{{% assign v{i} = big %}}" for i in range(400)),
    "all items compared": "{% assign l = big | split: '' %}{% assign l = l | uniq %}",
    "a large output": "{% for i in (1..2000) %}" + "x" * 500 + "{% endfor %}",
    "the same value written often": "{{ big }}" * 20,
    "searches in a loop": "{% for i in (1..9000) %}{% if big contains needle %}{% endif %}{% endfor %}",
    "markup stripped in a loop": "{% for i in (1..1000) %}{% assign x = tags | strip_html %}{% endfor %}",
    "a long list assigned in a loop": "{% for i in (1..9000) %}{% assign x = list %}{% endfor %}",
    "a text split in a loop": "{% for i in (1..9000) %}{% assign x = big | split: '' %}{% endfor %}",
    "blocks nested deeply": "{% if a %}" * 1000 + "{% endif %}" * 1000,
    "a condition that is nested deeply": "{% if " + "a and " * 300 + "a %}" + "{% endif %}" * 2,
    "brackets nested deeply": "{{ " + "a[" * 600 + "'x'" + "]" * 600 + " }}",
    "braces never closed": "{{" * 60_000,
    "tags never closed": "{% " * 60_000,
    "raw never closed": "{% raw %}" * 20_000,
    "doc never closed": "{% doc %}" * 20_000,
    "comments never closed": "{% comment %}" * 5_000,
    "nothing but spaces in braces": ("{{" + " " * 1900 + "}}") * 100,
    "a wide gap in a tag": ("{% else" + " " * 1900 + "%}") * 100,
    "a very long tag": "{{ a " + "| upcase " * 20_000 + "}}",
}


@pytest.mark.parametrize("attack", STOPPED)
def test_an_attack_is_stopped_soon(attack: str) -> None:
    template = template_of("attack", "sms", None, {"text": STOPPED[attack]})
    # Processor time, since other work shares the machine, and the least of three, since the garbage of a whole suite
    # may be collected meanwhile; most take under 5 ms, parsing included.
    taken = []
    for _ in range(3):
        started = time.process_time()
        with pytest.raises(RenderError):
            render(template, VALUES)
        taken.append(time.process_time() - started)
    assert min(taken) < 0.25


@pytest.mark.parametrize(
    "source",
    [
        "{{ 0 | date: '%999999999d' }}",
        "{{ 1.5 | round: 999999999999 }}",
        "{{ '1e999999999' | money }}{{ '1e999999999' | plus: 1 }}",
        "{% for i in (1..10) %}{% for j in (1..10) %}{{ forloop.parentloop.index }}{% endfor %}{% endfor %}",
    ],
)
def test_what_looks_large_and_is_small_ends_soon(source: str) -> None:
    started = time.process_time()
    text = render(template_of("odd", "sms", None, {"text": source}), {})["text"]
    assert time.process_time() - started < 0.25
    assert len(text) < 1000


def test_an_ordinary_long_email_stays_within_the_limits() -> None:
    source = (
        "{% for item in event.items %}<tr><td>{{ forloop.index }}</td><td>{{ item.name | escape | truncate: 40 }}</td>"
        "<td>{{ item.price | money: 'EUR' }}</td>{% if item.sale %}<td>-{{ item.sale }} %</td>{% endif %}</tr>"
        "{% endfor %}"
    )
    items = [{"name": f"Shoe {number}", "price": number, "sale": number % 3} for number in range(300)]
    html = render(template_of("long", "email", None, {"html": source}), {"event": {"items": items}})["html"]
    assert html.count("<tr>") == 300
