"""Pictures of rules: what stands in them, and that it can be read."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from segue.api import Period
from segue.language import model as m
from segue.program import program as p
from segue.program.picture.chart import Box, Chart, Counts, draw_chart, every_box
from segue.program.picture.layout import Layout, lay_out, measure, wrap
from segue.program.picture.mermaid import draw_mermaid
from segue.program.picture.svg import draw_svg
from segue.program.picture.terminal import draw_text
from segue.program.program import compile_rule
from tests.engine.programs import rules

SVG = "{http://www.w3.org/2000/svg}"
HOUR = Period(micros=3_600_000_000)


def delivery(channel: str, message: str = "hello") -> m.Delivery:
    return m.Delivery(channel, message, (), "promotional", Period(days=1))


def rule(*steps: m.Step, title: str | None = None) -> m.Rule:
    return m.Rule("r", title, ("ordered",), steps)


def layout_of(chart: Chart) -> Layout:
    return lay_out(chart.begin, chart.items, Box("end", "end"))


@settings(max_examples=150, deadline=None)
@given(rules("r"))
def test_every_step_of_a_program_has_one_box_that_carries_its_number(one: m.Rule) -> None:
    program = compile_rule(one)
    chart = draw_chart(program)
    numbers = [box.step for box in every_box(chart.items)]
    assert sorted(number for number in numbers if number is not None) == [
        number for number, step in enumerate(program.steps) if not isinstance(step, p.Jump)
    ]
    kinds = {p.Send: "send", p.Branch: "ask", p.Stop: "end", p.Wait: "wait"}
    for box in every_box(chart.items):
        assert box.step is not None
        assert box.kind == kinds.get(type(program.steps[box.step]), box.kind)


@settings(max_examples=150, deadline=None)
@given(rules("r"))
def test_no_box_covers_another_and_all_are_on_the_paper(one: m.Rule) -> None:
    layout = layout_of(draw_chart(compile_rule(one)))
    for box in layout.boxes:
        assert box.x - box.width / 2 >= -0.01
        assert box.x + box.width / 2 <= layout.width + 0.01
        assert box.y >= 0
        assert box.y + box.height <= layout.height + 0.01
    for a, b in combinations(layout.boxes, 2):
        beside = abs(a.x - b.x) >= (a.width + b.width) / 2
        below = a.y + a.height <= b.y or b.y + b.height <= a.y
        assert beside or below, (a.box, b.box)


@settings(max_examples=100, deadline=None)
@given(rules("r"))
def test_every_picture_is_well_formed(one: m.Rule) -> None:
    chart = draw_chart(compile_rule(one))
    counts = Counts(entered=5, inside=2, here={0: 2})
    svg = ElementTree.fromstring(draw_svg(chart, counts))
    assert len(svg.findall(f".//{SVG}rect[@class='box']")) == sum(1 for _ in every_box(chart.items)) + 2
    assert draw_mermaid(chart, counts).count("flowchart TD") == 1
    assert draw_text(chart, counts)


def test_what_is_counted_stands_beside_its_step() -> None:
    chart = draw_chart(compile_rule(rule(m.Wait(HOUR), m.Send(((delivery("email"),),)))))
    counts = Counts(entered=1200, inside=340, finished=800, exited=60, converted=75, here={0: 340})
    lines = draw_text(chart, counts).splitlines()
    assert next(line for line in lines if "Wait 1 hour" in line).endswith("340 here now")
    assert "1,200 entered" in lines[2]
    assert "340 inside, 800 finished, 60 exited" in lines[-1]
    svg = draw_svg(chart, counts)
    assert ">340 here now<" in svg
    assert ">1,200 entered<" in svg
    assert "340 here now" in draw_mermaid(chart, counts)
    assert "here now" not in draw_svg(chart)


def test_a_narrow_terminal_breaks_lines_below_their_text() -> None:
    chart = draw_chart(compile_rule(rule(m.Wait(HOUR), m.Send(((delivery("email"),),)))))
    counts = Counts(entered=1200, inside=340, here={0: 340})
    lines = draw_text(chart, counts, 24).splitlines()
    assert max(map(len, lines)) <= 24
    wide = draw_text(chart, counts)
    assert " ".join(" ".join(lines).replace("│", " ").split()) == " ".join(wide.replace("│", " ").split())


def test_ways_that_end_do_not_lead_on() -> None:
    fork = m.If((m.Branch(m.Happened("paid", m.Window("entry")), (m.Stop(),)),), (m.Stop(),))
    layout = layout_of(draw_chart(compile_rule(rule(fork))))
    end = next(placed for placed in layout.boxes if placed.box.title == "end")
    assert not any(line.points[-1] == (end.x, end.y) for line in layout.lines)


def test_a_title_is_text_and_nothing_else() -> None:
    chart = draw_chart(compile_rule(rule(m.Stop(), title='</title><script>alert(1)</script>"&\x00')))
    svg = ElementTree.fromstring(draw_svg(chart))
    assert svg.find(f".//{SVG}script") is None
    mermaid = draw_mermaid(chart)
    assert mermaid.splitlines()[1].count('"') == 2


@pytest.mark.parametrize("text", ["", "word", "a" * 400, "日本語" * 40, "many words " * 30])
def test_lines_stay_within_their_room(text: str) -> None:
    lines = wrap(text, 13.5, 200)
    assert all(measure(line, 13.5) <= 200 for line in lines)
    assert bool(lines) == bool(text)
