"""``[segments]`` in segue.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.host.project import load_project
from segue.host.tables import ProjectError


def project(folder: Path, text: str) -> frozenset[str]:
    (folder / "segue.toml").write_text(text, encoding="utf-8")
    return load_project(folder).segments


def test_segments_to_keep_are_a_list_or_all_of_them(tmp_path: Path) -> None:
    assert project(tmp_path, '[segments]\nkeep = ["lapsed", "gold"]') == {"lapsed", "gold"}
    assert project(tmp_path, '[segments]\nkeep = "all"') == {"all"}
    assert project(tmp_path, "") == frozenset()


@pytest.mark.parametrize("keep", ['"lapsed"', "[1]", '["two words"]', "true"])
def test_anything_else_is_told_with_its_line(tmp_path: Path, keep: str) -> None:
    with pytest.raises(ProjectError, match=r':2: segments.keep should be "all" or a list of segments'):
        project(tmp_path, f"[segments]\nkeep = {keep}")
    with pytest.raises(ProjectError, match="keeps"):
        project(tmp_path, "[segments]\nkeeps = []")
