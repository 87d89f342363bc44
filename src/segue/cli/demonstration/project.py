"""The demo's project: a folder with the first rules of the gallery, a mailbox and a database of its own."""

from __future__ import annotations

import shutil
import socket
from importlib.resources import as_file, files
from pathlib import Path

import segue

SETTINGS = "segue.toml"
MAILBOX = "mailbox.jsonl"
LOG = "segue.log"
WRITE_KEY = "demo"
THEMES = ("cart_recovery", "welcome")
"""The folders of the gallery that the demo runs."""

_MARK = "# The project of `segue demo`."
_SETTINGS = """\
{mark} Edit what you like, and start it again: segue demo --keep FOLDER

zone = "Europe/Berlin"
currency = "EUR"
database = "segue.db"
rules = "rules"

[http]
host = "127.0.0.1"
port = {port}

[sources.segment]
use = "segment"
write_keys = ["{key}"]

# Nothing leaves this machine: messages end in a file, one a line.
[channels.email]
use = "console"
stream = "none"
path = '{mailbox}'

[channels.sms]
use = "console"
stream = "none"
path = '{mailbox}'
"""


class Occupied(Exception):
    """The folder holds something else; the text says what."""


def make_project(folder: Path) -> bool:
    """Make the demo's project in a folder, or find the one that an earlier demo left there. Whether it is new.

    Raises Occupied where the folder holds anything else, and OSError where the disk refuses.
    """
    settings = folder / SETTINGS
    if settings.is_file() and settings.read_text("utf-8", "replace").startswith(_MARK):
        return False
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Occupied(f"{folder} holds something else already: name a new folder, or one that an earlier demo made")
    folder.mkdir(parents=True, exist_ok=True)
    for theme in THEMES:
        _copy_theme(theme, folder / "rules" / theme)
    mailbox = str(folder.resolve() / MAILBOX)
    if "'" in mailbox:
        raise Occupied(f"{folder}: a folder with a quote in its name cannot be used")
    settings.write_text(
        _SETTINGS.format(mark=_MARK, port=_free_port(), key=WRITE_KEY, mailbox=mailbox), encoding="utf-8"
    )
    return True


def _copy_theme(theme: str, target: Path) -> None:
    """Copy a theme of the gallery: shipped with the wheel, or beside the sources in a checkout."""
    shipped = files("segue.cli") / "gallery" / theme
    if shipped.is_dir():
        with as_file(shipped) as path:
            shutil.copytree(path, target)
    else:
        shutil.copytree(Path(segue.__file__).parents[2] / "rules" / theme, target)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
