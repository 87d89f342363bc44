"""The pages for authors of plugins: every hook, every name of `segue.api`, and a channel that really works."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import segue
from segue import api, testing
from segue.api import AttributionSpec, ChannelSpec, SourceSpec, hooks
from segue.testing import AttributionConformance, ChannelConformance, FetchingSourceConformance
from tests.docs.blocks import blocks
from tests.docs.pages import sections
from tests.docs.signatures import write_function, write_signature
from tests.shape.repository import ROOT

PLUGINS = ROOT / "docs" / "plugins"
HOOKS = {name: found for name, found in vars(hooks).items() if name.startswith("segue_")}
CODE = [block.text.strip() for block in blocks(PLUGINS / "reference.md") if block.language == "python"]
SHOWN = {block.file: block for block in blocks(PLUGINS / "writing.md") if block.file is not None}
PIGEON = SHOWN["segue_pigeon.py"].text


def test_every_hook_has_a_heading_with_its_signature() -> None:
    headings = [heading for heading in sections("plugins/reference.md") if heading.startswith("segue_")]
    assert headings == [write_function(name, found).removeprefix("def ") for name, found in HOOKS.items()]


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_shown_with_the_example_of_its_docstring(name: str) -> None:
    example = inspect.cleandoc(HOOKS[name].__doc__).partition("::\n\n")[2]
    assert example.strip() in CODE


@pytest.mark.parametrize("name", api.__all__)
def test_every_exported_name_is_shown_as_it_is_declared(name: str) -> None:
    assert name in sections("plugins/reference.md")
    assert write_signature(name, getattr(api, name)) in CODE


def test_the_whole_channel_has_fewer_than_forty_lines() -> None:
    assert len(PIGEON.splitlines()) < 40


def test_segue_finds_the_channel_once_it_is_installed(tmp_path: Path) -> None:
    site = _install(tmp_path)
    done = _segue("plugins", "--json", site=site, folder=tmp_path)
    offered = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"distribution": "segue-pigeon", "channels": ["pigeon"]}.items() <= offered[-1].items() or any(
        line.get("distribution") == "segue-pigeon" and line["channels"] == ["pigeon"] for line in offered
    )
    assert not [line for line in offered if "segue-pigeon" in line.get("distributions", ())]


def test_a_rule_can_send_by_it(tmp_path: Path) -> None:
    site = _install(tmp_path)
    for name in ("segue.toml", "hello.rules"):
        (tmp_path / name).write_text(SHOWN[name].text, "utf-8")
    (tmp_path / "messages" / "hello").mkdir(parents=True)
    (tmp_path / "messages" / "hello" / "pigeon.txt").write_text("Hello!", "utf-8")
    done = _segue("check", site=site, folder=tmp_path)
    assert done.returncode == 0, done.stderr


class TestPigeon(ChannelConformance):
    """The channel of the page passes the kit."""

    address = "the old mill"

    def make(self) -> tuple[ChannelSpec, Any]:
        module = _load(self.folder, "segue_pigeon")
        (spec,) = module.segue_channels()
        return spec, module.Config(loft=str(self.folder / "loft.jsonl"))


class TestTail(FetchingSourceConformance):
    """So does the source that fetches."""

    def make(self) -> tuple[SourceSpec, Any]:
        module = _load(self.folder, "segue_tail")
        (spec,) = module.segue_sources()
        (self.folder / "said.txt").touch()
        return spec, module.Config(path=str(self.folder / "said.txt"))

    def feed(self, count: int) -> None:
        with (self.folder / "said.txt").open("a") as file:
            file.write("ann\n" * count)


FIRSTBORN = SHOWN["segue_firstborn.py"].text


def test_a_model_of_one_s_own_takes_less_than_twenty_lines() -> None:
    assert len(FIRSTBORN.splitlines()) < 20


def test_segue_attribute_asks_a_stranger_s_model(tmp_path: Path) -> None:
    site = _install(tmp_path, "firstborn")
    (tmp_path / "touches.csv").write_text("journey_id,channel,ts\na,email,1\na,ads,2\na,sms,3\nb,sms,1\n")
    (tmp_path / "journeys.csv").write_text("journey_id,converted,value,ts\na,1,50,9\nb,1,10,9\n")
    files = ("--touches", "touches.csv", "--journeys", "journeys.csv")
    asked = ("attribute", *files, "--model", "firstborn", "--set", "favour=3", "--json")
    done = _segue(*asked, site=site, folder=tmp_path)
    found = {line["channel"]: line["value"] for line in map(json.loads, done.stdout.splitlines())}
    assert found == {"email": pytest.approx(30), "ads": pytest.approx(10), "sms": pytest.approx(20)}, done.stderr


class TestFirstborn(AttributionConformance):
    """The model of the page passes the kit."""

    @pytest.fixture(autouse=True)
    def folder_of_it(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make(self) -> tuple[AttributionSpec, Any]:
        module = _load(self.folder, "segue_firstborn")
        (spec,) = module.segue_attribution_models()
        return spec, module.Options()


def test_a_model_says_the_same_of_all_paths_at_once(tmp_path: Path) -> None:
    module = _load(tmp_path, "segue_firstborn")
    (said,) = [code for code in _python("writing.md") if code.startswith("def weights(paths, options):")]
    shown: dict[str, Any] = {}
    exec(said, shown)
    paths = api.Paths.of([api.Path(("a", "b", "a"), 1, 1.0), api.Path(("b",), 1, 1.0), api.Path(("c", "a"), 0, 0.0)])
    options = module.Options(favour=3.0)
    assert shown["weights"](paths, options).tolist() == pytest.approx(module.weights(paths, options).tolist())


def _python(page: str) -> list[str]:
    return [block.text for block in blocks(PLUGINS / page) if block.language == "python"]


def test_the_page_on_testing_names_every_test_of_the_kit() -> None:
    page = (PLUGINS / "testing.md").read_text("utf-8")
    for suite in testing.__all__:
        section = page.split(f"`{suite}`\n")[1].split("\n## ")[0]
        listed = re.findall(r"`(test_\w+)`", section)
        asked = [name for part in getattr(testing, suite).__mro__ for name in vars(part) if name.startswith("test_")]
        assert listed == asked, suite


def test_the_list_of_plugins_is_what_segue_plugins_prints(tmp_path: Path) -> None:
    (shown,) = [block.text for block in blocks(PLUGINS / "using.md") if block.language == "text"]
    done = _segue("plugins", site=tmp_path, folder=tmp_path)

    def words(text: str) -> list[list[str]]:
        return [line.split() for line in text.strip().splitlines()]

    assert words(done.stdout) == words(shown)


def test_what_segue_new_makes_is_what_the_page_shows(tmp_path: Path) -> None:
    shown = next(block.text for block in blocks(PLUGINS / "writing.md") if block.text.startswith("  segue-pigeon/"))
    done = _segue("new", "channel", "pigeon", site=tmp_path, folder=tmp_path)
    assert done.stdout.strip() == shown.strip()


def _load(folder: Path, name: str) -> ModuleType:
    file = folder / f"{name}.py"
    file.write_text(SHOWN[file.name].text, "utf-8")
    spec = spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _install(folder: Path, plugin: str = "pigeon") -> Path:
    """What pip would put beside Segue: the module, and a description with the entry point of the page."""
    module = f"segue_{plugin}"
    project = tomllib.loads(SHOWN["pyproject.toml"].text.replace("pigeon", plugin))
    site = folder / "site"
    about = site / f"{module}-0.1.0.dist-info"
    about.mkdir(parents=True)
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["include"] == [f"{module}.py"]
    (site / f"{module}.py").write_text(SHOWN[f"{module}.py"].text, "utf-8")
    named = project["project"]
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {named['name']}\nVersion: {named['version']}\n")
    points = "\n".join(f"{name} = {value}" for name, value in named["entry-points"]["segue"].items())
    (about / "entry_points.txt").write_text(f"[segue]\n{points}\n")
    return site


def _segue(*arguments: str, site: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    source = str(Path(segue.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-m", "segue.cli.main", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{source}", "PYTHONUTF8": "1", "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
