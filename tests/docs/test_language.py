"""The rules that the language reference shows are right in an empty project with the plugins that come with Segue."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import segue
from tests.docs.blocks import blocks
from tests.shape.repository import ROOT


def test_the_rules_of_the_reference_check_in_an_empty_project(tmp_path: Path) -> None:
    shown = [block for block in blocks(ROOT / "docs/reference/language.md") if block.language == "rules"]
    for block in shown:
        (tmp_path / f"line-{block.line}.rules").write_text(block.text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "segue.cli.main", "check", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(segue.__file__).parents[1]), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    # W0703: a guard that hears events of every value; W0706: a reaction that no channel reports, which the page says
    # of `opened` and `clicked`.
    wrong = [(one["primary"]["file"], one["code"], one["message"]) for one in found]
    assert [one for one in wrong if one[1] not in ("W0703", "W0706")] == []
    assert len(shown) >= 6
