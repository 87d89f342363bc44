"""``segue plugins``: what is there, what is broken, and an exit code that says so."""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from segue.api import Answer, BaseChannel, Channel, ChannelSpec, EventSpec, Message, Sent, Tools, Vocabulary, plugin
from segue.cli import plugins as module
from segue.host import discover

NAMES = ("dove", "pigeon")


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Pigeon(BaseChannel):
    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        return [Sent() for _ in messages]


def open_pigeon(config: Config, tools: Tools) -> Channel:
    return Pigeon()


class Pigeons:
    @plugin
    def segue_channels(self) -> Sequence[ChannelSpec]:
        return [ChannelSpec(name=name, doc="x", config=Config, open=open_pigeon, address=None) for name in NAMES]

    @plugin
    def segue_vocabulary(self) -> Sequence[Vocabulary]:
        return [Vocabulary(events=(EventSpec("landed"),))]


class Broken:
    @plugin
    def segue_channels(self) -> Sequence[ChannelSpec]:
        raise RuntimeError("no [wings]")


def run(monkeypatch: pytest.MonkeyPatch, offered: Sequence[object], *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(module, "discover", lambda: discover(offered, entry_points=()))
    app = typer.Typer()
    app.command()(module.plugins)
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_each_distribution_is_listed_with_what_it_offers(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = run(monkeypatch, [Pigeons()])
    assert code == 0
    assert "Pigeons" in output
    assert "channels dove, pigeon" in output
    assert "words for 1 event" in output


def test_a_broken_plugin_is_shown_and_the_exit_code_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = run(monkeypatch, [Pigeons(), Broken()])
    assert code == 1
    assert "channels dove, pigeon" in output
    assert "RuntimeError: no [wings]" in output


def test_json_has_a_line_for_each_distribution_and_each_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = run(monkeypatch, [Pigeons(), Broken()], "--json")
    assert code == 1
    broken, pigeons, problem = [json.loads(line) for line in output.splitlines()]
    assert (broken["distribution"], broken["channels"]) == ("Broken", [])
    assert (pigeons["channels"], pigeons["events"]) == (["dove", "pigeon"], ["landed"])
    assert problem["distributions"] == ["Broken"]
    assert "no [wings]" in problem["problem"]


def test_none_at_all_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = run(monkeypatch, [])
    assert code == 0
    assert "pip install" in output
