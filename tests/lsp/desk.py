"""A project on disk and a draft of it, for the tests beside this file. ``|`` in a text is where the cursor stands."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from segue.host import Plugins, discover
from segue.lsp.draft import Draft
from segue.lsp.suggestions import Suggestion, suggest

SETTINGS = """zone = "Europe/Helsinki"

[channels.email]
use = "console"

[channels.sms]
use = "console"
"""

CARTS = """rule cart_recovery "Win back carts"
  when cart_abandoned
  goal ordered within 7d worth total

  wait 1d unless ordered or returned
  send email "cart_reminder"
"""

WORDS = """event returned is "Return Requested"
  order_id text
  reason text

customer
  tier text
  vip boolean

segment lapsed where returned in last 90d
"""


@cache
def plugins() -> Plugins:
    """Those that come with Segue."""
    return discover()


def project(folder: Path, files: dict[str, str] | None = None) -> Path:
    """A folder with settings, messages and rules; the rules' texts by path below `rules`."""
    root = Path(os.path.realpath(folder))
    (root / "segue.toml").write_text(SETTINGS)
    found = files if files is not None else {"carts.rules": CARTS, "words.rules": WORDS}
    for name, text in found.items():
        path = root / "rules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for message in ("cart_reminder", "welcome"):
        home = root / "rules" / "messages" / message
        home.mkdir(parents=True)
        (home / "email.txt").write_text("---\nsubject: Hello\n---\nHello\n")
    return root


def draft_of(folder: Path, files: dict[str, str] | None = None) -> Draft:
    return Draft(project(folder, files), None, plugins())


def at_cursor(draft: Draft, text: str, name: str = "rules/new.rules") -> tuple[str, int]:
    """Open a text with a cursor in it; its path and the cursor's offset."""
    path = str(draft.root / name)
    offset = text.index("|")
    draft.write(path, text.replace("|", "", 1))
    return path, offset


def offered(draft: Draft, text: str) -> dict[str, Suggestion]:
    """What is offered at the cursor, by label."""
    return {one.label: one for one in suggest(draft, *at_cursor(draft, text)).found}
