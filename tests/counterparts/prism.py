"""A provider as its own OpenAPI description says it answers: prism from npm, which refuses what does not fit."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Self

import pytest

from tests.counterparts.npm import install
from tests.counterparts.process import CounterpartFailed, Program, free_port
from tests.shape.repository import ROOT

__all__ = ["Prism", "description"]


def description(name: str) -> Path:
    """Where a provider's description lies: in ``shared/specs`` beside the checkout, or above. Skips the test where
    it is missing: it is too large, and not ours, to be part of the repository."""
    for folder in ROOT.parents:
        if (found := folder / "shared" / "specs" / name).exists():
            return found
    pytest.skip(f"{name} is missing: put it into shared/specs beside this checkout")


class Prism:
    """A mock of one description on a free port, by a process of its own. As a context it is started and ended."""

    def __init__(self, specification: Path, folder: Path) -> None:
        self.specification = specification
        self._folder = folder
        self._program: Program | None = None
        self.url = ""

    def document(self) -> Any:
        return json.loads(self.specification.read_text("utf-8"))

    def __enter__(self) -> Self:
        try:
            install(self._folder, "", "@stoplight/prism-cli@5")
        except subprocess.TimeoutExpired as error:
            raise CounterpartFailed(f"npm install did not end: {error}") from None
        port = free_port()
        command = ["node", str(self._folder / "node_modules" / ".bin" / "prism"), "mock", "-p", str(port)]
        self._program = Program([*command, str(self.specification)], self._folder / "prism.log")
        self._program.wait_for_text("Prism is listening", 60.0)
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *error: object) -> None:
        if self._program is not None:
            self._program.stop()
