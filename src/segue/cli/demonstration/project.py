"""The demo's project: a folder with the rules of the gallery, a mailbox and a database of its own."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Final

from segue.cli.demonstration.truth import EFFECTLESS, REMINDING
from segue.cli.themes import copy_themes

SETTINGS = "segue.toml"
MAILBOX = "mailbox.jsonl"
LOG = "segue.log"
WRITE_KEY = "demo"
CODES: Final = {"BIRTHDAY": "BD", "THANKS": "TY"}
"""The pools of coupon codes that the gallery's rules take from, each with what its codes begin with."""
CHANNELS: Final = {"email": "0.001 EUR", "sms": "0.06 EUR", "push": "", "letter": "1.20 EUR", "onsite": "", "chat": ""}
"""The channels of the demo, in the order in which `preferred` takes them, each with what a message costs."""

MEASURED: Final = (REMINDING, EFFECTLESS)
"""The rules whose holdouts the demo tells about at its end."""
HELD_OUT: Final = "30%"
"""How many these rules hold out, in the place of the gallery's 10%."""

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
"""
_CHANNEL = """
[channels.{name}]
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
    copy_themes(folder / "rules")
    for rule in MEASURED:
        _hold_out_more(folder / "rules" / rule / f"{rule}.rules")
    mailbox = str(folder.resolve() / MAILBOX)
    if "'" in mailbox:
        raise Occupied(f"{folder}: a folder with a quote in its name cannot be used")
    text = _SETTINGS.format(mark=_MARK, port=_free_port(), key=WRITE_KEY)
    for name, cost in CHANNELS.items():
        text += _CHANNEL.format(name=name, mailbox=mailbox)
        text += f'cost = "{cost}"\n' if cost else ""
    settings.write_text(text, encoding="utf-8")
    return True


def _hold_out_more(path: Path) -> None:
    """A shop of a thousand customers has to hold out many before anything shows."""
    path.write_text(path.read_text("utf-8").replace("holdout 10%", f"holdout {HELD_OUT}"), encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
