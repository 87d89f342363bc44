"""The page on payloads of one's own has every key, and its example does what it says."""

from __future__ import annotations

import json
import tomllib

import msgspec

from segue.api import Instant
from segue.api.mapping import Mapping, Reader
from tests.docs.blocks import blocks
from tests.docs.pages import first_names, read, rows, sections
from tests.shape.repository import ROOT

PAGE = "reference/mapping.md"
NOW = Instant(1_890_000_000_000_000)


def test_every_key_of_a_mapping_is_on_the_page() -> None:
    before = read(PAGE).partition("\n## ")[0]
    assert first_names(before, "key") == {field.encode_name for field in msgspec.structs.fields(Mapping)}


def test_the_mapping_shown_can_be_read_and_maps() -> None:
    (block,) = [block for block in blocks(ROOT / "docs" / PAGE) if block.language == "toml"]
    mapping = msgspec.convert(tomllib.loads(block.text)["sources"]["orders"]["map"], Mapping)
    payload = {"type": "order.created", "order": {"customer": {"id": 17}, "total": "59.90", "lines": [{"sku": "A"}]}}
    ordered, line = Reader(mapping, "orders").read(json.dumps(payload).encode(), NOW, key="k")
    assert (ordered.name, ordered.user_id, ordered.properties["total"]) == ("ordered", "17", 59.9)
    assert line.name == "item_ordered"


def test_the_call_shown_is_understood_without_a_mapping() -> None:
    (block,) = [block for block in blocks(ROOT / "docs" / PAGE) if block.language == "json"]
    (event,) = Reader(None, "orders").read(block.text.encode(), NOW)
    assert (event.name, event.message_id) == ("Order Completed", "o-4711")


def test_values_become_what_the_page_says() -> None:
    for cells in rows(sections(PAGE)["Paths"]):
        if not cells[0].startswith("`\\|"):
            continue
        turn = cells[0].strip("`").lstrip("\\| ")
        for before, after in zip(cells[1].split(", "), cells[2].split(", "), strict=True):
            mapping = Mapping(event="x", fields={"v": f"$.v | {turn}"})
            (event,) = Reader(mapping, "orders").read(b'{"v": %s}' % before.strip("`").encode(), NOW)
            assert event.properties == {"v": json.loads(after.strip("`"))}, cells
