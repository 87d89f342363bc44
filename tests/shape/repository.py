"""The repository as data, for the tests beside this file."""

from __future__ import annotations

import ast
import os
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "src" / "segue"
# Made by tools, never part of the repository (see .gitignore).
_MADE = {".git", ".venv", "__pycache__", "node_modules", "build", "dist", "htmlcov"}
_MADE |= {".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache"}


def files(folder: Path = ROOT, suffix: str = "") -> Iterator[Path]:
    """Every file below the folder that belongs to the repository."""
    for place, below, names in os.walk(folder):
        below[:] = sorted(name for name in below if name not in _MADE and not name.endswith(".egg-info"))
        for name in sorted(names):
            if name.endswith(suffix) and not name.startswith(".coverage"):
                yield Path(place, name)


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def rooms() -> list[Path]:
    """The folders directly below src/segue that hold Python."""
    return sorted(
        path for path in CORE.iterdir() if path.is_dir() and path.name not in _MADE and any(path.glob("*.py"))
    )


def plugins() -> list[Path]:
    return sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of every module that a Python file imports, wherever in the file it does so."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            yield node.lineno, node.module
            # `from segue import api` names the module segue.api
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def program(name: str, package: str) -> str:
    """Where a program is. Missing in CI is a failure, elsewhere a reason to skip."""
    found = shutil.which(name)
    if found is None:
        reason = f"{name} is missing: apt-get install {package}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found
