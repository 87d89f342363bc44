"""The page of settings has every key that is read, and no other."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from pathlib import Path

import msgspec
import pytest

from segue.host import discover, load_project
from segue.host.project import Http, Project
from segue.host.touchpoints import KEYS as TOUCHPOINTS_KEYS
from segue.host.tracking import KEYS as TRACKING_KEYS
from tests.docs.blocks import blocks
from tests.docs.pages import first_names, rows, sections
from tests.shape.repository import ROOT, plugins

PAGE = sections("reference/settings.md")
# The module of each bundled plugin stands as it is imported, so that none is forgotten here.
MODULES = [path.name for plugin in plugins() for path in (plugin / "src").iterdir() if path.name.startswith("segue_")]


def specs() -> dict[str, type[msgspec.Struct]]:
    """The configuration of each bundled channel and source, by the name in ``use``."""
    found = discover(extra=[import_module(name) for name in MODULES], entry_points=())
    assert found.problems == ()
    channels = {name: spec.config for name, spec in found.channels.items()}
    return channels | {name: spec.config for name, spec in found.sources.items()}


def test_the_project_s_keys_are_those_that_are_read() -> None:
    paths = {"root", "configured"}  # what is found out, not set
    assert first_names(PAGE["The project"], "key") == {field.name for field in msgspec.structs.fields(Project)} - paths


def test_the_keys_of_http_are_those_that_are_read() -> None:
    assert first_names(PAGE["http"], "key") == {field.name for field in msgspec.structs.fields(Http)}


def test_the_keys_of_tracking_are_those_that_are_read() -> None:
    assert first_names(PAGE["tracking"], "key") == set(TRACKING_KEYS)


def test_the_keys_of_touchpoints_are_those_that_are_read() -> None:
    assert first_names(PAGE["touchpoints"], "key") == set(TOUCHPOINTS_KEYS)


def test_the_keys_of_channels_and_sources_are_segue_s_own() -> None:
    assert first_names(PAGE["Channels"], "key") == {"use", "consent", "cost", "account", "rate", "in_flight", "isolate"}
    assert first_names(PAGE["Sources"], "key") == {"use", "cart_abandoned", "late"}


def test_every_bundled_channel_and_source_has_a_section() -> None:
    assert set(specs()) <= set(PAGE)


@pytest.mark.parametrize("name", sorted(specs()))
def test_a_plugin_s_section_has_its_settings_and_their_defaults(name: str) -> None:
    fields = {field.encode_name: field for field in msgspec.structs.fields(specs()[name])}
    assert first_names(PAGE[name], "key") == set(fields)
    for keys, absent, *_ in rows(PAGE[name]):
        for key in re.findall(r"`(\w+)`", keys):
            assert fields[key].required == (absent == "must be there"), f"{name}.{key}: {absent}"
            if absent.startswith("`"):
                assert tomllib.loads(f"x = {absent.strip('`')}")["x"] == fields[key].default, f"{name}.{key}"


def test_the_blocks_of_toml_are_settings_that_can_be_read(tmp_path: Path) -> None:
    read = 0
    guides = [
        f"how-to/{page}.md" for page in ("track-links", "read-from-a-broker", "connect-a-shop", "connect-any-tool")
    ]
    pages = [
        ROOT / "docs" / page for page in ("reference/settings.md", "deploy/systemd.md", "plugins/using.md", *guides)
    ]
    for page in (*pages, *sorted(ROOT.glob("plugins/*/README.md"))):
        for block in blocks(page):
            if block.language == "toml":
                (tmp_path / "segue.toml").write_text(block.text, "utf-8")
                load_project(tmp_path)
                read += 1
    assert read >= 5
