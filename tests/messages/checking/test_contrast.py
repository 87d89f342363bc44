"""Contrast of text: what is certain is told, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.messages.checking.colours import colour_of, contrast
from tests.messages.checking.content import check

_COLOURS = st.tuples(*(3 * [st.integers(0, 255)]))


def told(folder: Path, markup: str, *, whole: bool = True) -> list[str]:
    """What is said of a page that is whole, or else of what is set into the layout."""
    markup = f"<html><body>{markup}</body></html>" if whole and "<html>" not in markup else markup
    text = f"---\nsubject: Sale\npreview: Today\n---\n{markup}\n<p>{{{{ unsubscribe_url }}}}</p>\n"
    return [one.message for one in check(folder, {"messages/sale/email.html": text}) if one.code == "W1016"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("#000", "#fff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("red", "white", 4.0),
        ("hsl(0, 0%, 50%)", "white", 3.95),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, expected: float) -> None:
    first, second = colour_of(one), colour_of(other)
    assert first is not None
    assert second is not None
    assert contrast(first[0], second[0]) == pytest.approx(expected, abs=0.01)


@given(_COLOURS, _COLOURS)
def test_contrast_has_no_direction_and_lies_between_1_and_21(
    one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    assert contrast(one, other) == contrast(other, one)
    assert 1 <= contrast(one, other) <= 21


@pytest.mark.parametrize(
    "markup",
    [
        '<p style="color:#999;background:#fff">Until midnight</p>',
        '<table bgcolor="#ffffff"><tr><td style="color: rgb(170, 170, 170)">Until midnight</td></tr></table>',
        '<div style="background-color: white"><p>a</p><p><font color="#aaa">Until midnight</font></p></div>',
        '<div style="background:#222"><a href="https://a.example" style="color:#0b3d91">Until midnight</a></div>',
        '<p style="color:#999;background:#fff">{{ customer.first_name }}</p>',
        '<p style="color:#999">On white, where nobody says otherwise</p>',
        '<style>.low { color: #ccc }</style><p class="low">By a class</p>',
        '<style>.card p { color: #ccc }</style><div class="card"><p>By its place</p></div>',
        '<style>#low { color: #ccc }</style><p id="low">By its name</p>',
        '<p style="color: gold; background: lightyellow">By names of colours</p>',
        '<p style="color:#999;background:transparent">Through what lets through</p>',
        '<p style="color:#999;background:rgba(255,255,255,.5)">Half of it lets through</p>',
        '<p style="color:#00000044;background:#fff">The text lets through</p>',
        '<p style="color:hsla(0, 0%, 0%, 25%);background:#fff">The text lets through</p>',
        '<p style="color:#000;background:#fff;opacity:.3">All of it lets through</p>',
        '<table bgcolor="000000"><tr><td style="color:#000">Black on black</td></tr></table>',
        '<div style="font-size:0;background:#fff"><p style="font-size:14px;color:#ddd">Not hidden</p></div>',
    ],
)
def test_a_pair_that_is_too_weak_is_told_once(markup: str, tmp_path: Path) -> None:
    assert len(told(tmp_path, markup + markup)) == 1


@pytest.mark.parametrize(
    "markup",
    [
        '<p style="color:#666;background:#fff">Strong enough</p>',
        '<p style="background:#fff">No colour</p>',
        '<p style="color:#999;background:#fff url(a.png)">A picture</p>',
        '<p style="color:var(--mine);background:#fff">Nobody knows</p>',
        '<p style="color:#999;background:linear-gradient(#000, #fff)">Many colours</p>',
        '<p style="color:#fff;background:#fff">&nbsp;&zwnj; · – </p>',
        '<p style="color:#fff;background:#fff;font-size:0">Hidden by its size</p>',
        '<!-- <p style="color:#fff;background:#fff">Left out</p> -->',
        '<p style="color:{{ customer.plan }};background:#fff">Filled in</p>',
        '<p style="color:#949494;background:#fff;font-size:24px">Large</p>',
        '<p style="color:#949494;background:#fff;font-size:1.5em">Perhaps large</p>',
        '<p style="color:#999;background:#fff"><img src="https://a.example/a.png" alt="No text"></p>',
        '<p style="color:#999;background:#fff">{% if customer.plan %}{% endif %}</p>',
        '<div style="display:none;color:#fff;background:#fff">Hidden</div>',
        '<div style="color:#fff;background:#fff"><a href="https://a.example">The link has its own colour</a></div>',
        "<style>a:hover { color: #fff }</style><p>Under the mouse</p>",
        '<style>.strong { color: #111 }</style><div style="color:#fff"><p class="strong">By a sheet</p></div>',
        '<div style="background:#fff"><table background="a.png"><td style="color:#fff">Picture</td></table></div>',
    ],
)
def test_what_is_strong_enough_or_not_certain_is_left_alone(markup: str, tmp_path: Path) -> None:
    assert told(tmp_path, markup) == []


def test_mjml_is_looked_at_as_it_is_sent(tmp_path: Path) -> None:
    markup = (
        '<mjml><mj-head><mj-attributes><mj-class name="low" color="#ddd" /></mj-attributes></mj-head><mj-body>'
        '<mj-section background-color="#fff"><mj-column>\n<mj-text mj-class="low">By a class</mj-text>\n'
        '<mj-button background-color="#ffee00" color="#fff" href="https://a.example">Buy</mj-button>\n'
        "<mj-text>{{ unsubscribe_url }}</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    files = {"messages/sale/email.mjml": f"---\nsubject: Sale\npreview: Today\n---\n{markup}"}
    found = [one.primary for one in check(tmp_path, files) if one.code == "W1016"]
    assert [(place.line, place.column) for place in found if place] == [(6, 25), (7, 77)]


def test_a_text_that_stands_twice_is_told_where_it_is_weak(tmp_path: Path) -> None:
    markup = '<p style="color:#ddd">Sale</p>\n<p style="color:#ccc">Sale</p>'
    files = {"messages/sale/email.html": f"---\nsubject: Sale\npreview: Sale\n---\n{markup}{{{{ unsubscribe_url }}}}"}
    found = [one.primary for one in check(tmp_path, files) if one.code == "W1016"]
    assert [place.line for place in found if place] == [5, 6]


def dark(sheet: str, inside: str = '<p class="a" style="color:#111;background:#fff">Sale</p>') -> str:
    style = f"<style>@media (prefers-color-scheme: dark) {{ {sheet} }}</style>"
    return f"<html><head>{style}</head><body>{inside}</body></html>"


def test_colours_for_the_dark_are_looked_at_as_well(tmp_path: Path) -> None:
    (found,) = told(tmp_path, dark(".a { color: #333 !important; background: #000 !important }"))
    assert found.startswith("in the dark the text is hard to read: #333333 on #000000")


@pytest.mark.parametrize(
    "sheet", [".a { color: #eee !important; background: #000 !important }", ".a { padding: 0 }", ".a { color: #222 }"]
)
def test_what_is_strong_enough_in_the_dark_is_left_alone(sheet: str, tmp_path: Path) -> None:
    assert told(tmp_path, dark(sheet)) == []


def test_a_colour_on_the_layout_that_was_chosen_for_the_light_alone_is_told(tmp_path: Path) -> None:
    (found,) = told(tmp_path, '<p style="color: #222">Sale</p>', whole=False)
    assert found.startswith("in the dark")


def test_what_looks_like_the_layout_is_left_alone(tmp_path: Path) -> None:
    assert told(tmp_path, "<h1>Sale</h1><p>Until <a href='https://a.example'>midnight</a></p>", whole=False) == []


LAYOUT = """<html><head><style>.foot { color: #ccc } .mine { color: {{ brand.colours.muted }} }</style></head>
<body><p class="mine">Lamps</p>{{ content }}
<p class="foot">Valokatu 1</p>{{ leaving }}</body></html>"""


def test_a_layout_is_looked_at_once_and_where_it_stands(tmp_path: Path) -> None:
    files = {"messages/_layout/email.html": LAYOUT}
    for name in ("", ".fi"):
        files[f"messages/sale/email{name}.md"] = "---\nsubject: Sale\npreview: Today\n---\nHello"
    (found,) = [one for one in check(tmp_path, files) if one.code == "W1016"]
    assert found.primary is not None
    assert found.primary.file.endswith("_layout/email.html")
    assert (found.primary.line, found.primary.column) == (3, 17)
