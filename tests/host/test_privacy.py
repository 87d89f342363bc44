"""``[privacy]`` and ``[retention]``: what they mean, and what is wrong with them, by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.api.values import DAY
from segue.host import ProjectError, load_project
from segue.host.privacy import Privacy, Retention


def write(folder: Path, text: str) -> Path:
    (folder / "segue.toml").write_text(text, encoding="utf-8")
    return folder


def test_nothing_is_deleted_and_nothing_erases_where_nothing_is_said(tmp_path: Path) -> None:
    project = load_project(write(tmp_path, 'zone = "UTC"\n'))
    assert (project.privacy, project.retention, project.retention.kept()) == (Privacy(), Retention(), {})


def test_a_key_is_a_sort_of_rows_or_an_event(tmp_path: Path) -> None:
    text = '[retention]\nevents = "3y"\nmessages = "1y"\nviewed = "90d"\nordered = "forever"\nignored = "1d"\n'
    found = load_project(write(tmp_path, text)).retention
    assert (found.events, found.messages, found.journeys, found.ignored) == (3 * 365 * DAY, 365 * DAY, None, DAY)
    assert found.kept() == {"": 3 * 365 * DAY, "viewed": 90 * DAY, "ordered": None}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[retention]\nviewed = "3d"', 'segue.toml:2: retention.viewed is less than "7d"'),
        ("[retention]\nevents = 7", "segue.toml:2: retention.events should be text in quotes"),
        ('[retention]\nevents = "soon"', "retention.events 'soon' is not a span of time"),
        ('[retention]\n"a b" = "30d"', "is not the name of an event"),
        ('[privacy]\nerase_on = "x"', "privacy.erase_on should be a list of events"),
        ('[privacy]\nlog_ids = "plain"', 'privacy.log_ids should be "hashed"'),
        ('[privacy]\ncontroler = "x"', "controler"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ProjectError) as caught:
        load_project(write(tmp_path, text + "\n"))
    assert said in str(caught.value)
