"""The tutorial and the README are acted out: each command is run, and each output compared with what it printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.blocks import Reader
from tests.shape.repository import ROOT, program

PAGES = {"README.md": 4, "docs/tutorial/your-first-journey.md": 12}


@pytest.mark.timeout(500)
@pytest.mark.parametrize("page", PAGES)
def test_whoever_follows_the_page_sees_what_it_shows(page: str, tmp_path: Path) -> None:
    for name in ("bash", "curl"):
        program(name, name)
    compared = Reader(ROOT / page, tmp_path).read()
    assert compared >= PAGES[page]
