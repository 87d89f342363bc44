"""Packages of npm that tests drive: what others sign and send with."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.counterparts.process import CounterpartMissing, require

__all__ = ["install", "run"]


def install(folder: Path, script: str, *packages: str) -> Path:
    """The folder, with packages installed from npm and the script that drives them. Raises CounterpartMissing."""
    (folder / "drive.js").write_text(script, "utf-8")
    (folder / "package.json").write_text('{"private": true}', "utf-8")
    require("node", "nodejs")
    npm = require("npm", "npm")
    installed = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--loglevel=error", *packages],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    if installed.returncode != 0:
        raise CounterpartMissing(f"npm install {' '.join(packages)} failed: {installed.stderr[-500:]}")
    return folder


def run(folder: Path, *arguments: str) -> Any:
    """What the script writes, as JSON, once it has ended well."""
    done = subprocess.run(
        ["node", "drive.js", *arguments],
        cwd=folder,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
