"""What is installed: the core's wheel, and the distributions in plugins/."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import segue
from tests.shape.repository import CORE, ROOT, files, imports, plugins, project, rooms, shown

# Names under which a distribution is imported, where they differ.
IMPORTED_AS = {"python-liquid": "liquid", "prometheus-client": "prometheus_client"}
# What only a plugin's author, the benchmark, or who writes Parquet, needs comes with an extra.
ONLY_WITH_AN_EXTRA = (
    "src/segue/testing/",
    "src/segue/clock/yardstick.py",
    "src/segue/cli/attributing/keeping.py",
    "src/segue/cli/attributing/picture.py",
    "src/segue/cli/benchmarks/attribution.py",
    "src/segue/cli/tabling/files.py",
    "src/segue/measure/arrow.py",
    "src/segue/measure/columnar.py",
)


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("segue-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
        entry_points = archive.read(f"segue-{segue.__version__}.dist-info/entry_points.txt").decode()
    expected = {path.relative_to(CORE.parent).as_posix() for path in files(CORE)}
    assert expected - inside == set()
    assert "segue/py.typed" in inside
    gallery = {f"segue/cli/gallery/{path.relative_to(ROOT / 'rules').as_posix()}" for path in files(ROOT / "rules")}
    assert gallery - inside == set()
    assert any(name.endswith("licenses/LICENSE") for name in inside)
    assert "segue = segue.cli.main:main" in entry_points


def test_what_the_core_imports_it_depends_on() -> None:
    declared = project(ROOT)["project"]
    needed = _imported_names(declared["dependencies"])
    extras = declared["optional-dependencies"]
    for_tests = set().union(*(_imported_names(extras[name]) for name in ("test", "bench", "parquet", "measure")))
    missing = [
        f"{shown(path)}:{line} {name}"
        for path in files(CORE, ".py")
        if not {"scaffold", "starter"} & set(path.parts)
        for line, name in imports(path)
        if not _is_known(name, needed | (for_tests if shown(path).startswith(ONLY_WITH_AN_EXTRA) else set()))
    ]
    assert missing == []


@pytest.mark.parametrize("plugin", plugins(), ids=lambda path: path.name)
class TestBundledPlugin:
    def test_it_has_what_a_stranger_s_distribution_has(self, plugin: Path) -> None:
        assert (plugin / "README.md").read_text("utf-8").strip()
        assert any((plugin / "tests").glob("test_*.py"))
        (module,) = [path for path in (plugin / "src").iterdir() if (path / "__init__.py").exists()]
        declared = project(plugin)["project"]
        assert declared["name"] == f"segue-{plugin.name}"
        assert module.name == declared["name"].replace("-", "_")
        assert module.name in {value.split(":")[0] for value in declared["entry-points"]["segue"].values()}
        assert declared["license"] == "Apache-2.0"
        assert declared["requires-python"] == ">=3.11"
        assert (module / "py.typed").exists()

    def test_it_has_the_core_s_version(self, plugin: Path) -> None:
        tables = project(plugin)
        version = tables["project"].get("version")
        if version is None:
            text = (plugin / tables["tool"]["hatch"]["version"]["path"]).read_text("utf-8")
            found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
            assert found is not None
            version = found[1]
        assert version == segue.__version__

    def test_it_sees_only_the_api(self, plugin: Path) -> None:
        found = [
            f"{shown(path)}:{line} {name}"
            for path in files(plugin, ".py")
            for line, name in imports(path)
            if not _is_open_to_plugins(name, in_tests="tests" in path.relative_to(plugin).parts)
        ]
        assert found == []

    def test_it_depends_on_what_it_imports(self, plugin: Path) -> None:
        declared = project(plugin)["project"]
        needed = _imported_names(declared["dependencies"]) | {declared["name"].replace("-", "_")}
        assert "segue" in needed
        for extra in declared.get("optional-dependencies", {}).values():
            needed |= _imported_names(extra)
        missing = [
            f"{shown(path)}:{line} {name}"
            for path in files(plugin / "src", ".py")
            for line, name in imports(path)
            if not _is_known(name, needed)
        ]
        assert missing == []

    def test_it_needs_no_tool_file_of_its_own(self, plugin: Path) -> None:
        assert set(project(plugin).get("tool", {})) <= {"hatch"}
        assert not any((plugin / name).exists() for name in ("setup.py", "setup.cfg", "tox.ini", "pytest.ini"))

    def test_the_tools_know_it(self, plugin: Path) -> None:
        tools = project(ROOT)["tool"]
        assert f"$MYPY_CONFIG_FILE_DIR/plugins/{plugin.name}/src" in tools["mypy"]["mypy_path"]
        (wall,) = [c for c in tools["importlinter"]["contracts"] if c["name"].startswith("The core imports no plugin")]
        assert f"segue_{plugin.name.replace('-', '_')}" in wall["forbidden_modules"]


def test_every_room_has_a_floor() -> None:
    (order, *_) = project(ROOT)["tool"]["importlinter"]["contracts"]
    floors = {name.strip(" ()") for layer in order["layers"] for name in layer.split("|")}
    assert {room.name for room in rooms()} <= floors
    assert order["exhaustive"] is True


def test_no_other_file_configures_a_tool() -> None:
    rivals = ["setup.py", "setup.cfg", "tox.ini", "pytest.ini", "mypy.ini", ".flake8", "ruff.toml", ".coveragerc"]
    rivals += [".importlinter", "requirements.txt"]
    assert [name for name in rivals if (ROOT / name).exists()] == []


def _imported_names(requirements: Iterable[str]) -> set[str]:
    names = [re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower() for requirement in requirements]
    by_distribution: dict[str, set[str]] = {}
    for module, distributions in packages_distributions().items():
        for distribution in distributions:
            by_distribution.setdefault(distribution.lower().replace("_", "-"), set()).add(module)
    found = {IMPORTED_AS.get(name, name.replace("-", "_")) for name in names}
    return found.union(*(by_distribution.get(name.replace("_", "-"), set()) for name in names))


def _is_known(module: str, names: set[str]) -> bool:
    top = module.split(".", maxsplit=1)[0]
    return top in {"segue", "__future__"} or top in sys.stdlib_module_names or top in names


def _is_open_to_plugins(module: str, *, in_tests: bool) -> bool:
    if module.split(".", maxsplit=1)[0] != "segue":
        return True
    allowed = ("segue.api", "segue.testing") if in_tests else ("segue.api",)
    return module == "segue" or any(module == name or module.startswith(f"{name}.") for name in allowed)
