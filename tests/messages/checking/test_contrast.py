"""Contrast of text: what is certain is told, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.messages.checking.contrast import colour_of, contrast
from tests.messages.checking.content import check

_COLOURS = st.tuples(*(3 * [st.integers(0, 255)]))


def told(folder: Path, markup: str) -> list[str]:
    text = f"---\nsubject: Sale\npreview: Today\n---\n{markup}\n<p>{{{{ unsubscribe_url }}}}</p>\n"
    return [one.message for one in check(folder, {"messages/sale/email.html": text}) if one.code == "W1016"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("#000", "#fff", 21.0), ("#777777", "#ffffff", 4.48), ("#767676", "#ffffff", 4.54), ("red", "white", 4.0)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, expected: float) -> None:
    first, second = colour_of(one), colour_of(other)
    assert first is not None
    assert second is not None
    assert contrast(first, second) == pytest.approx(expected, abs=0.01)


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
    ],
)
def test_a_pair_that_is_too_weak_is_told_once(markup: str, tmp_path: Path) -> None:
    assert len(told(tmp_path, markup + markup)) == 1


@pytest.mark.parametrize(
    "markup",
    [
        '<p style="color:#666;background:#fff">Strong enough</p>',
        '<p style="color:#999">No background</p>',
        '<p style="background:#fff">No colour</p>',
        '<p style="color:#999;background:#fff url(a.png)">A picture</p>',
        '<p style="color:#999;background:rgba(255,255,255,.5)">Not opaque</p>',
        '<p style="color:{{ customer.plan }};background:#fff">Filled in</p>',
        '<p style="color:#949494;background:#fff;font-size:24px">Large</p>',
        '<p style="color:#949494;background:#fff;font-size:1.5em">Perhaps large</p>',
        '<p style="color:#999;background:#fff"><img src="https://a.example/a.png" alt="No text"></p>',
        '<p style="color:#999;background:#fff">{% if customer.plan %}{% endif %}</p>',
        '<div style="display:none;color:#fff;background:#fff">Hidden</div>',
        '<div style="color:#fff;background:#fff"><a href="https://a.example">The link has its own colour</a></div>',
        '<style>a</style><div style="color:#fff"><p class="a" style="background:#fff">By a sheet</p></div>',
        '<div style="background:#fff"><table background="a.png"><td style="color:#fff">Picture</td></table></div>',
    ],
)
def test_what_is_strong_enough_or_not_certain_is_left_alone(markup: str, tmp_path: Path) -> None:
    assert told(tmp_path, markup) == []
