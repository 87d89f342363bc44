from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest

from segue.host.offering import that_may_offer


def entry(value: str) -> metadata.EntryPoint:
    return metadata.EntryPoint(name="one", value=value, group="segue")


@pytest.mark.parametrize(
    ("module", "text", "may"),
    [
        ("one_that_names_it", "def segue_sources(): ...", True),
        ("one_of_another_kind", "def segue_channels(): ...", False),
        ("one_that_takes_all", "from elsewhere import *", True),
    ],
)
def test_a_plugin_is_judged_by_its_text_and_not_imported(
    module: str, text: str, may: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    assert bool(that_may_offer("segue_sources", [entry(module)])) is may
    assert module not in sys.modules


@pytest.mark.parametrize("value", ["no_such_module", "segue.host", "segue:PLUGIN", "math"])
def test_where_it_cannot_be_told_the_plugin_is_asked(value: str) -> None:
    assert that_may_offer("segue_sources", [entry(value)])
