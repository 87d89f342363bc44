"""Every page of docs/how-to does what it says, from its first block to its last."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.blocks import Reader, blocks
from tests.shape.repository import ROOT

PAGES = sorted((ROOT / "docs" / "how-to").glob("*.md"))


@pytest.mark.timeout(400)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    shown = [block for block in blocks(page) if block.language == "text"]
    assert Reader(page, tmp_path).read() == len(shown)
