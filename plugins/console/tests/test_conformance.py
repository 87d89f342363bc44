"""Segue's own suite for channels."""

from __future__ import annotations

import msgspec

from segue.api import ChannelSpec
from segue.testing import ChannelConformance
from segue_console import Config, segue_channels


class TestConsole(ChannelConformance):
    def make(self) -> tuple[ChannelSpec, msgspec.Struct]:
        (spec,) = segue_channels()
        return spec, Config(path=str(self.folder / "mailbox.jsonl"))

    def delivered(self) -> str:
        path = self.folder / "mailbox.jsonl"
        return path.read_text("utf-8") if path.exists() else ""
