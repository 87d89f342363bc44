"""Plugins that are no part of this repository: installed by pip into a folder of their own, without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import segue

SOURCES = str(Path(segue.__file__).parents[1])


def python(*arguments: str, site: Path, cwd: Path) -> str:
    """What Python prints where only the distributions in ``site`` are installed beside Segue. It must end well."""
    path = os.pathsep.join([str(site), SOURCES])
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def install(folder: Path, site: Path) -> None:
    """Install the distribution in ``folder`` into ``site``, as its author's users would."""
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check"]
    python("-m", "pip", "install", *options, "--target", str(site), str(folder), site=site, cwd=site.parent)
