"""``[limits]``: what it means, and what is wrong with it, by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.host import ProjectError, load_project
from segue.host.limits import Limits


def test_what_is_not_said_is_as_by_default(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_text("[limits]\nevent_names = 5000\n", encoding="utf-8")
    assert load_project(tmp_path).limits == Limits(5_000, 2_000)


@pytest.mark.parametrize("value", ["-1", "true", '"many"', "1.5", "1000001"])
def test_a_limit_is_a_whole_number(tmp_path: Path, value: str) -> None:
    (tmp_path / "segue.toml").write_text(f"[limits]\ntrait_names = {value}\n", encoding="utf-8")
    with pytest.raises(ProjectError, match=r"segue.toml:2: limits.trait_names should be a whole number from 0"):
        load_project(tmp_path)
