"""The way of an author, as the pages lead it: write a plugin far from this repository, install it, test it by the kit,
and have a daemon send by it."""

from __future__ import annotations

import hmac
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.acceptance.harness import Daemon, Project, identify, track, wait_until
from tests.docs.blocks import blocks
from tests.shape.repository import ROOT
from tests.strangers import SOURCES, install, python

pytestmark = pytest.mark.timeout(300)

PAGES = ROOT / "docs" / "plugins"
SHOWN = {
    block.file: block.text
    for page in ("writing.md", "testing.md")
    for block in blocks(PAGES / page)
    if block.file is not None
}
NAMES = ("pigeon", "raven")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where both plugins of the pages are installed; each was written into a folder with the page's pyproject.toml."""
    folder = tmp_path_factory.mktemp("strangers")
    target = folder / "site"
    target.mkdir()
    for name in NAMES:
        home = folder / name
        home.mkdir()
        (home / f"segue_{name}.py").write_text(SHOWN[f"segue_{name}.py"], "utf-8")
        (home / "pyproject.toml").write_text(SHOWN["pyproject.toml"].replace("pigeon", name), "utf-8")
        install(home, target)
    assert not folder.is_relative_to(ROOT)
    return target


@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_s_plugin_passes_the_kit_with_the_test_of_the_page(name: str, site: Path, tmp_path: Path) -> None:
    (tmp_path / f"test_{name}.py").write_text(SHOWN[f"test_{name}.py"], "utf-8")
    told = python("-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", site=site, cwd=tmp_path)
    assert " passed" in told
    assert "failed" not in told
    assert "skipped" not in told


class Rookery(BaseHTTPRequestHandler):
    """The raven's provider: keeps what it is sent."""

    got: list[tuple[str, dict[str, str]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        Rookery.got.append((self.headers["authorization"], json.loads(body)))
        self.send_response(202)
        self.end_headers()

    def log_message(self, *ignored: object) -> None:
        """Nothing."""


def test_a_daemon_sends_by_what_a_stranger_wrote(site: Path, tmp_path: Path) -> None:
    rookery = HTTPServer(("127.0.0.1", 0), Rookery)
    threading.Thread(target=rookery.serve_forever, daemon=True).start()
    channels = SHOWN["segue.toml"] + (
        f'\n[channels.raven]\nuse = "raven"\nurl = "http://127.0.0.1:{rookery.server_port}/fly"\n'
        'api_key = { env = "RAVEN_KEY" }\n'
    )
    rules = SHOWN["hello.rules"].replace('send pigeon "hello"', 'send pigeon "hello"\n  send raven "hello"')
    texts = {"pigeon.txt": "Hello!", "raven.txt": "Hello {{ customer.id }}!"}
    project = Project(tmp_path, rules=rules, messages={"hello": texts}, channels=channels)
    environment = {"PYTHONPATH": os.pathsep.join([str(site), SOURCES]), "RAVEN_KEY": "three-eyed-secret"}
    try:
        with Daemon(project, environment=environment) as daemon:
            project.send(identify("ann", roof="the old mill"), track("ann", "signed_up"))
            wait_until(lambda: (tmp_path / "loft.jsonl").exists() and Rookery.got, what="both birds")
            wait_until(project.is_drained, what="the end of the journey")
            ((authorization, flown),) = Rookery.got
            assert (authorization, flown["to"], flown["text"]) == (
                "Bearer three-eyed-secret",
                "the old mill",
                "Hello ann!",
            )
            call = json.dumps({"message": flown["id"], "at": int(time.time())}).encode()
            assert landed(project, call, b"a guess") == 403
            assert landed(project, call, b"three-eyed-secret") == 200
            delivered = "select 1 from message where channel = 'raven' and state = 3"
            wait_until(lambda: project.rows(delivered), what="the report")
            assert "three-eyed" not in daemon.log
    finally:
        rookery.shutdown()
        rookery.server_close()
    slip = json.loads((tmp_path / "loft.jsonl").read_text("utf-8"))
    assert (slip["to"], slip["text"]) == ("the old mill", "Hello!")


def landed(project: Project, call: bytes, key: bytes) -> int:
    """What the daemon answers to the rookery, or to somebody who says to be it."""
    signature = hmac.new(key, call, "sha256").hexdigest()
    return project.request("POST", "/callbacks/raven", call, {"X-Raven-Signature": signature}).status
