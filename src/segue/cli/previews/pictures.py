"""Pictures of a preview, by the browser of this machine: Chromium or Chrome, without a window."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

WIDTHS: Final = {"phone": 390, "desktop": 1280}
"""Pixels of CSS: an iPhone of today, and a laptop."""
VARIABLE: Final = "SEGUE_BROWSER"
WITHIN: Final = 60.0
"""Seconds for one picture."""

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_TALLEST: Final = 6_000
_LEAST: Final = 500
"""Narrower than this Chromium's window does not get; the page is then shown in a frame of the width that is wanted."""


class NoPicture(Exception):
    """There is no picture; the text says why, and what to do."""


def browser() -> str:
    """The browser to use. Raises NoPicture."""
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise NoPicture(f"{VARIABLE} names {named}, and there is no such program")
        return found
    for name in _NAMES:
        if (found := shutil.which(name)) is not None:
            return found
    raise NoPicture(
        "pictures need Chromium or Chrome, and neither is installed: apt install chromium, or name one in "
        f"{VARIABLE}. `segue preview` without --pictures writes the page, which any browser shows"
    )


def take(page: Path, width: int, height: int, target: Path) -> None:
    """Take a picture of a page, ``width`` and at most ``height`` pixels large. Raises NoPicture."""
    program = browser()
    with tempfile.TemporaryDirectory(prefix="segue-preview-") as folder:
        shown = page
        if width < _LEAST:
            shown = Path(folder) / "narrow.html"
            shown.write_text(
                f'<!doctype html><body style="margin:0"><iframe src="{page.resolve().as_uri()}" '
                f'style="border:0;display:block;width:{width}px;height:{min(height, _TALLEST)}px"></iframe>',
                "utf-8",
            )
        command = [
            program,
            "--headless",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
            "--virtual-time-budget=5000",  # else the mails in frames of the page are not drawn yet
            f"--user-data-dir={folder}/profile",
            f"--window-size={width},{min(height, _TALLEST)}",
            f"--screenshot={target.resolve()}",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),  # as root Chromium has no sandbox
            shown.resolve().as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=WITHIN, check=False)
        except subprocess.TimeoutExpired:
            raise NoPicture(f"{program} took longer than {WITHIN:.0f} seconds, and was stopped") from None
        except OSError as error:
            raise NoPicture(f"{program} cannot be started: {error.strerror}") from None
    if not target.is_file():
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise NoPicture(f"{program} made no picture: {said[-1] if said else f'it ended with {done.returncode}'}")
