"""``segue new``: what it makes installs, passes the conformance suite and works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from segue.cli import new as module
from segue.cli.new import new
from segue.host import discover
from tests.strangers import install, python


@pytest.fixture(autouse=True)
def _without_installed_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "discover", lambda: discover(entry_points=()))


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(new, list(arguments))
    return result.exit_code, result.output


WORKS = {
    "channel": """
import asyncio, json, pathlib
from segue.api import Instant, Message, Sent, Tools
from segue.host import OpenChannel, configure, discover
from segue.host.http import AiohttpClient
plugins = discover()
assert plugins.offered_by("channel", "carrier-pigeon") == "segue-carrier-pigeon", plugins
spec = plugins.channels["carrier-pigeon"]
message = Message(key="0" * 32, channel="pigeon", name="m", kind="promotional", customer="ann",
                  address="ann@example.com", content={"text": "hi"}, rule="r", expires=Instant(0))
async def send():
    tools = Tools(channel="pigeon", http=AiohttpClient())
    channel = await OpenChannel.open(spec, configure(spec.config, {"path": "out.jsonl"}, "channels.pigeon"), tools)
    assert await channel.send([message]) == [Sent("0" * 32)]
    await channel.close()
asyncio.run(send())
assert json.loads(pathlib.Path("out.jsonl").read_text())["text"] == "hi"
""",
    "source": """
from segue.api import Instant, Request, SourceTools
from segue.host import configure, discover
plugins = discover()
assert plugins.offered_by("source", "carrier-pigeon") == "segue-carrier-pigeon", plugins
spec = plugins.sources["carrier-pigeon"]
source = spec.open(configure(spec.config, {"token": "t"}, "sources.pigeon"), SourceTools(source="pigeon"))
body = b'[{"id": "1", "event": "Landed", "customer": "ann", "at": "2026-01-31T12:00:00Z"}]'
request = Request("POST", "/hooks/pigeon", {"authorization": "Bearer t"}, {}, body)
received = source.receive(request, Instant(2 * 10**15))
assert (received.events[0].name, received.events[0].source) == ("Landed", "pigeon"), received
""",
    "attribution": """
from segue.api import Path, Paths
from segue.host import configure, discover
plugins = discover()
assert plugins.offered_by("attribution", "carrier-pigeon") == "segue-carrier-pigeon", plugins
spec = plugins.models["carrier-pigeon"]
first = configure(spec.config, {"touch": "first"}, "--set")
assert spec.weights(Paths.of([Path(("a", "b"), 1, 9.0)]), first).tolist() == [1, 0]
""",
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["channel", "source", "attribution"])
def test_what_is_made_installs_passes_the_suite_and_works(kind: str, tmp_path: Path) -> None:
    code, output = run(kind, "carrier-pigeon", "--in", str(tmp_path))
    assert code == 0, output
    folder = tmp_path / "segue-carrier-pigeon"
    assert f"cd {folder}" in output
    for name in ("pyproject.toml", "README.md", "src/segue_carrier_pigeon/__init__.py", "tests/test_conformance.py"):
        text = (folder / name).read_text()
        assert "@" not in text.replace("@plugin", "").replace("@each_path", "").replace("@example", ""), name
    site = tmp_path / "site"
    site.mkdir()
    install(folder, site)
    assert (site / "segue_carrier_pigeon" / "py.typed").exists()
    tested = python("-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", site=site, cwd=folder)
    assert " passed" in tested
    assert "failed" not in tested
    python("-W", "error", "-c", WORKS[kind], site=site, cwd=tmp_path)


@pytest.mark.parametrize("name", ["Pigeon", "9lives", "a_b", "../evil", "a--b", "a-", "é", ""])
def test_a_name_that_is_none_is_refused_as_a_mistake_of_usage(name: str, tmp_path: Path) -> None:
    code, output = run("channel", "--in", str(tmp_path), "--", name)
    assert code == 2
    assert "carrier-pigeon" in output
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "segue-pigeon").mkdir()
    (tmp_path / "segue-pigeon" / "mine").write_text("mine")
    code, output = run("channel", "pigeon", "--in", str(tmp_path))
    assert code == 1
    assert "nothing is overwritten" in output
    assert [path.name for path in (tmp_path / "segue-pigeon").iterdir()] == ["mine"]


def test_a_name_that_an_installed_plugin_has_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Taken:
        @staticmethod
        def offered_by(kind: str, name: str) -> str | None:
            return "segue-pigeons" if (kind, name) == ("source", "pigeon") else None

    monkeypatch.setattr(module, "discover", Taken)
    code, output = run("source", "pigeon", "--in", str(tmp_path))
    assert code == 1
    assert "segue-pigeons offers the source pigeon already" in output
    assert run("channel", "pigeon", "--in", str(tmp_path))[0] == 0


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, output = run("channel", "pigeon", "--in", str(tmp_path / "file"))
    assert code != 0
    assert "file" in output


def test_json_names_each_file(tmp_path: Path) -> None:
    code, output = run("channel", "pigeon", "--json", "--in", str(tmp_path))
    assert code == 0
    created = [json.loads(line)["created"] for line in output.splitlines()]
    assert sorted(created) == sorted(str(path) for path in tmp_path.rglob("*") if path.is_file())
