"""Settings of the pages that customers see, and of the links that lead there: ``[pages]`` and ``[links]``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from segue.host.configuration import ConfigurationError, configure
from segue.host.secrets import is_reference
from segue.host.tables import TableReader

SHORTEST: Final = 16
"""Characters of a key. Shorter ones are guessed."""


class Pages(msgspec.Struct, frozen=True):
    """``[pages]``: the ``name`` that customers know the shop by, and the folder with ``words`` of the project's own."""

    name: str = ""
    words: Path | None = None


class _Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: tuple[str, ...] = ()


def read_pages(reader: TableReader, table: Mapping[str, Any], name: str = "") -> Pages:
    """The settings under ``[pages]``; ``name`` is the brand's, which holds where no other is given."""
    reader.refuse_others(table, ("name", "words"), ("pages",))
    name = reader.text(table, "name", "", ("pages",)) or name
    words = (reader.root / reader.text(table, "words", "pages", ("pages",))).resolve()
    if "words" in table and not words.is_dir():
        reader.say(("pages", "words"), f"names {table['words']!r}, and there is no such folder")
    return Pages(name, words if words.is_dir() else None)


def read_links(reader: TableReader, table: Mapping[str, Any]) -> tuple[dict[str, str], ...]:
    """The references under ``[links] keys``."""
    reader.refuse_others(table, ("keys",), ("links",))
    keys = reader.settings(table, (), ("links",)).get("keys", [])
    if not isinstance(keys, list) or not all(is_reference(one) for one in keys):
        reader.say(
            ("links", "keys"), 'should be a list of references, the newest first, such as [{ env = "SEGUE_LINK_KEY" }]'
        )
        return ()
    return tuple(keys)


def link_keys(references: tuple[dict[str, str], ...]) -> tuple[str, ...]:
    """The keys that the references lead to. Raises ConfigurationError."""
    keys = configure(_Keys, {"keys": list(references)}, "links").keys
    short = [place for place, key in enumerate(keys) if len(key) < SHORTEST]
    if short:
        raise ConfigurationError(
            tuple(
                f"links.keys[{place}] is shorter than {SHORTEST} characters; make one with: openssl rand -hex 24"
                for place in short
            )
        )
    return keys
