"""``[touchpoints]`` in segue.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.api.values import DAY
from segue.host.project import load_project
from segue.host.tables import ProjectError
from segue.host.touchpoints import Touchpoints
from segue.measure.touchpoints.columns import Contact, What


def read(folder: Path, text: str) -> Touchpoints:
    (folder / "segue.toml").write_text(text)
    return load_project(folder).touchpoints


def test_everything_can_be_said(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
        [touchpoints]
        lookback = "60d"
        within = { opened = "5d", handed_over = "1d" }
        messages = ["opened", "clicked"]
        visits = false
        orders = ["ordered", "till_receipt"]
        referrers = ["pay.example"]
        mediums = { influencer = "creators" }
        [touchpoints.events]
        store_visited = false
        ad_clicked = "ads"
        podcast_heard = "podcast"
        fair_visited = { what = "store visit", channel = "fair" }
        """,
    )
    assert [found.windows.of(what) for what in (What.CLICKED, What.OPENED, What.HANDED)] == [60 * DAY, 5 * DAY, DAY]
    assert found.messages == {What.OPENED, What.CLICKED}
    assert (found.visits, found.orders, found.referrers) == (False, ("ordered", "till_receipt"), ("pay.example",))
    assert found.mediums == {"influencer": "creators"}
    assert "store_visited" not in found.events
    assert found.events["ad_clicked"] == Contact(What.AD, "ads")
    assert found.events["podcast_heard"] == Contact(What.CONTACT, "podcast")
    assert found.events["fair_visited"] == Contact(What.STORE, "fair")
    assert found.events["call_received"] == Contact(What.CALL, "phone")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('lookbak = "1d"', "lookbak"),
        ('lookback = "soon"', "'soon' is not a span of time"),
        ('lookback = "0d"', "is no time at all"),
        ('within = { opend = "5d" }', "did you mean opened?"),
        ('messages = "opened"', 'should be a list such as ["opened", "clicked"]'),
        ('messages = ["visit"]', "not done with a message"),
        ("visits = 1", "should be true or false"),
        ('orders = ["Order Completed"]', "write events as rules do"),
        ('referrers = ["https://pay.example"]', "is no domain"),
        ("mediums = { influencer = 3 }", "should be the name of a channel"),
        ('events = { "Ad Clicked" = "ads" }', "is no name of an event"),
        ('events = { ad_clicked = "a\\u001b[31m" }', "should be the name of a channel"),
        ('events = { ad_clicked = { chanel = "ads" } }', "chanel"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ProjectError) as error:
        read(tmp_path, f"[touchpoints]\n{text}\n")
    assert said in str(error.value)
    assert error.value.line == 2
