"""The gallery's themes: folders of rules, messages and tests, shipped with Segue to be copied."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

import segue


@contextmanager
def gallery() -> Iterator[Path]:
    """The folder of the themes: as the wheel brings it, or rules/ itself beside the sources of a checkout."""
    shipped = files("segue.cli") / "gallery"
    if shipped.is_dir():
        with as_file(shipped) as path:
            yield path
    else:
        yield Path(segue.__file__).parents[2] / "rules"


def list_themes() -> tuple[str, ...]:
    """The names of all themes, in order."""
    with gallery() as folder:
        return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir()))


def copy_themes(target: Path) -> None:
    """Copy all themes into a folder, each into one of its own that is made for it. Raises OSError."""
    with gallery() as folder:
        for theme in list_themes():
            shutil.copytree(folder / theme, target / theme)
