"""``[brand]`` of segue.toml: what the shop looks like and how it signs, for all channels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from segue.host.tables import TableReader
from segue.messages.brand import FONT, LIGHT, TEXTS, Brand
from segue.messages.catalogue import normalise

_PATH: Final = ("brand",)
_TEXTS: Final = (*TEXTS, "font")
_ADDRESSES: Final = ("url", "logo", "logo_dark", "icon")
_TABLES: Final = ("colours", "links", "senders", "languages")
_COLOURS: Final = (*LIGHT, "accent_text", "link")
_COLOUR: Final = re.compile(r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")
_FONT: Final = re.compile(r"[\w ,'-]{1,200}")
_WIDEST: Final = 600


def read_brand(reader: TableReader, table: Mapping[str, Any]) -> Brand | None:
    """The brand; None where nothing is said of one."""
    if not table:
        return None
    reader.refuse_others(table, (*_TEXTS, *_ADDRESSES, *_TABLES, "logo_width"), _PATH)
    texts = {name: reader.text(table, name, "", _PATH) for name in _TEXTS if name in table}
    addresses = {name: _address(reader, table, name, _PATH) for name in _ADDRESSES if name in table}
    font = texts.pop("font", FONT)
    if _FONT.fullmatch(font) is None:
        reader.say((*_PATH, "font"), "should be names of fonts, such as \"Georgia, 'Times New Roman', serif\"")
        font = FONT
    colours = reader.table(table, "colours", _PATH)
    path = (*_PATH, "colours")
    reader.refuse_others(colours, (*_COLOURS, "dark"), path)
    dark = reader.table(colours, "dark", path)
    reader.refuse_others(dark, _COLOURS, (*path, "dark"))
    links = reader.table(table, "links", _PATH)
    senders = reader.table(table, "senders", _PATH)
    return Brand(
        **texts,
        **addresses,
        font=font,
        logo_width=_width(reader, table),
        colours=_colours(reader, colours, path),
        dark=_colours(reader, dark, (*path, "dark")),
        links={name: _address(reader, links, name, (*_PATH, "links")) for name in links},
        senders={name: reader.text(senders, name, "", (*_PATH, "senders")) for name in senders},
        languages=_languages(reader, reader.table(table, "languages", _PATH)),
    )


def _languages(reader: TableReader, table: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    found = {}
    for name in table:
        path = (*_PATH, "languages", name)
        texts = reader.table(table, name, path[:-1])
        reader.refuse_others(texts, TEXTS, path)
        if (locale := normalise(name)) is None:
            reader.say(path, "is no locale; write a language, or a language and a country: fi, pt-BR")
            continue
        found[locale] = {key: reader.text(texts, key, "", path) for key in TEXTS if key in texts}
    return found


def _address(reader: TableReader, table: Mapping[str, Any], name: str, path: tuple[str, ...]) -> str:
    address = reader.text(table, name, "", path)
    try:
        parts = urlsplit(address)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or re.search(r"[\s\\<>\"]", address):
        reader.say((*path, name), 'should be an address such as "https://shop.example/logo.png"')
        return ""
    return address


def _width(reader: TableReader, table: Mapping[str, Any]) -> int:
    width = table.get("logo_width", Brand().logo_width)
    if not isinstance(width, int) or isinstance(width, bool) or not 1 <= width <= _WIDEST:
        reader.say((*_PATH, "logo_width"), f"should be a whole number of pixels from 1 to {_WIDEST}, and is {width!r}")
        return Brand().logo_width
    return width


def _colours(reader: TableReader, table: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for name in _COLOURS:
        if name not in table:
            continue
        colour = table[name]
        if isinstance(colour, str) and _COLOUR.fullmatch(colour):
            found[name] = colour.lower()
        else:
            reader.say((*path, name), f'should be a colour such as "#2456d6", and is {colour!r}')
    return found
