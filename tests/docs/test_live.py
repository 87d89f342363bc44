"""What the reference shows of a running Segue, compared with one: endpoints, answers, metrics, and lines of JSON."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import segue
from tests.docs.blocks import blocks
from tests.docs.pages import first_names, read, rows, sections, shown_json
from tests.shape.repository import ROOT

pytestmark = pytest.mark.timeout(400)

RULE = "when cart_abandoned expect 100 per 1d wait 1d unless ordered send email then sms\n"
SHOWN = shown_json("reference/commands.md")


class Site:
    """A project with a daemon on it, in time so fast that a day passes in a second or two."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        (folder / "rules").mkdir()
        (folder / "rules" / "carts.rules").write_text(RULE)
        (folder / "segue.toml").write_text(
            f'[http]\nport = {self.port}\n[sources.segment]\nuse = "segment"\nwrite_keys = "k"\n'
            '[sources.kafka]\nuse = "tail"\npath = "said.txt"\n'
            '[readers.till]\nkey = { file = "till.key" }\n'
        )
        (folder / "till.key").write_text("a-key-for-the-till")
        self.environment = environment(_install_tail(folder))
        (folder / "codes.txt").write_text("A1\n")
        self.lines("coupons", "add", "CART10", "codes.txt", "--json")  # a pool, for the metrics of pools
        self.log = folder / "log.jsonl"
        with self.log.open("w") as log:
            command = [sys.executable, "-m", "segue.cli.main", "run", "--speed", "86400", "--json"]
            self.process = subprocess.Popen(command, cwd=folder, env=self.environment, stdout=log, stderr=log)
        until = time.monotonic() + 120
        while not self._listens():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.1)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(
        self, path: str, body: bytes | None = None, key: str | None = "k", method: str | None = None, **headers: str
    ) -> tuple[int, Any]:
        """One request: the status, and the JSON of the answer (or its text)."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read().decode()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def track(self, **call: Any) -> tuple[int, Any]:
        return self.ask("/v1/track", json.dumps(call).encode())

    def lines(self, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
        """What a command prints with --json."""
        command = [sys.executable, "-m", "segue.cli.main", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == code, f"{arguments}: {done.stdout}{done.stderr}"
        return [json.loads(line) for line in done.stdout.splitlines()]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def _install_tail(folder: Path) -> Path:
    """The source that fetches of the page for authors, as pip would install it; its file never comes to be."""
    shown = {block.file: block.text for block in blocks(ROOT / "docs" / "plugins" / "writing.md")}
    site = folder / "site"
    about = site / "segue_tail-0.1.0.dist-info"
    about.mkdir(parents=True)
    (site / "segue_tail.py").write_text(shown["segue_tail.py"], "utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: segue-tail\nVersion: 0.1.0\n")
    (about / "entry_points.txt").write_text("[segue]\ntail = segue_tail\n")
    return site


def environment(site: Path | None = None) -> dict[str, str]:
    path = [str(site)] if site is not None else []
    path.append(str(Path(segue.__file__).parents[1]))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONUTF8": "1"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    try:
        assert made.track(userId="ann", event="Cart Abandoned", properties={"total": 60})[0] == 200
        until = time.monotonic() + 120
        while not any(fact["what"] == "finished" for fact in made.lines("why", "ann", "cart_abandoned", "--json")):
            assert time.monotonic() < until, made.log.read_text()
            time.sleep(0.5)
        yield made
    finally:
        made.stop()


# HTTP


def test_the_page_lists_every_endpoint(site: Site) -> None:
    status, answer = site.ask("/nothing")
    assert status == 404
    assert first_names(sections("reference/http.md")["Endpoints"], "endpoint") == set(answer["paths"])


def test_health_has_the_fields_of_the_page(site: Site) -> None:
    status, answer = site.ask("/healthz", key=None)
    assert status == 200
    (shown,) = shown_json("reference/http.md")["Health"]
    assert list(answer) == list(shown)
    assert first_names(sections("reference/http.md")["Health"], "field") == set(answer)


def test_the_request_of_the_page_is_taken(site: Site) -> None:
    (call,) = [block.text for block in blocks(ROOT / "docs/reference/http.md") if block.language == "sh"]
    match = re.search(r"-d '(.+)'", call)
    assert match is not None
    assert site.ask("/v1/track", match[1].encode()) == (200, {"success": True})


def test_errors_look_as_the_page_shows_them(site: Site) -> None:
    error, batch = shown_json("reference/http.md")["Answers"]
    assert site.track(userId="ann") == (400, error)
    calls = [{"type": "track", "userId": "ann", "event": "E"}, {"type": "track", "userId": "ann"}]
    assert site.ask("/v1/batch", json.dumps({"batch": calls}).encode()) == (200, batch)


def test_each_status_of_the_page_is_answered_when_it_says(site: Site) -> None:
    nested = b'{"userId": "a", "event": "E", "properties": ' + b'{"a":' * 70 + b"1" + b"}" * 71
    asked = {
        400: site.ask("/v1/track", nested)[0],
        401: site.ask("/v1/track", b"{}", key="wrong")[0],
        404: site.ask("/v1/nothing", b"{}")[0],
        405: site.ask("/v1/track", method="GET")[0],
        413: site.ask("/v1/track", gzip.compress(b" " * 512_001), Content_Encoding="gzip")[0],
        415: site.ask("/v1/track", b"{}", Content_Encoding="br")[0],
    }
    assert {status: status for status in asked} == asked
    listed = {int(cells[0]) for cells in rows(sections("reference/http.md")["Answers"]) if cells[0].isdigit()}
    assert set(asked) <= listed
    most = 32 * 1024
    call = {"userId": "ann", "event": "E", "properties": {"a": ""}}
    call["properties"] = {"a": "x" * (most - len(json.dumps(call)))}
    assert len(json.dumps(call)) == most
    assert site.track(**call)[0] == 200
    call["properties"] = {"a": "x" * most}
    assert site.track(**call)[0] == 413


# Metrics


def test_the_page_lists_every_metric_with_its_labels(site: Site) -> None:
    _, text = site.ask("/metrics", key=None)
    kinds = dict(re.findall(r"^# TYPE (\S+) (\w+)$", text, re.MULTILINE))
    found: dict[str, set[str]] = {}
    for name, labels in re.findall(r"^([a-z_]+)(?:\{(.*?)\})? ", text, re.MULTILINE):
        family = re.sub(r"_(bucket|count|sum)$", "", name) if name not in kinds else name
        if not name.endswith("_created"):
            found.setdefault(family, set()).update(re.findall(r"(\w+)=", labels))
    shown = {}
    for name, kind, labels, _ in list(rows(read("reference/metrics.md").partition("\n## ")[0]))[1:]:
        shown[name.strip("`")] = (kind, set(re.findall(r"`(\w+)`", labels)))
    assert shown == {name: (kinds[name], labels - {"le"}) for name, labels in found.items()}


# Lines of JSON


def same_keys(section: str, line: dict[str, Any]) -> None:
    assert list(SHOWN[section][0]) == list(line), f"{section} prints {json.dumps(line)}"


def test_the_lines_of_check_and_publish(site: Site) -> None:
    (site.folder / "typo.rules").write_text("rule typo when cart_abandoned wait 1d unless orderd send email\n")
    try:
        (line,) = site.lines("check", "typo.rules", "--json", code=1)
    finally:
        (site.folder / "typo.rules").unlink()
    assert line == SHOWN["segue check"][0]
    same_keys("segue publish", site.lines("publish", "--json")[-1])


def test_the_lines_of_why_and_doctor(site: Site) -> None:
    for fact in site.lines("why", "ann", "cart_abandoned", "--json"):
        same_keys("segue why", fact)
    for finding in site.lines("doctor", "--json"):
        same_keys("segue doctor", finding)


def test_the_lines_of_the_log(site: Site) -> None:
    first = json.loads(site.log.read_text().splitlines()[0])
    same_keys("segue run", first)


def test_the_lines_of_record_and_replay(site: Site) -> None:
    lines = site.lines("record")
    page = shown_json("reference/replay-format.md")
    answers = [line for line in lines if line["type"] == "segue.answer"]
    assert len(answers) >= 2
    assert {tuple(line) for line in answers} == {tuple(page["Answers"][0])}
    fields = sections("reference/replay-format.md")
    known = first_names(fields["Events"], "field")
    assert {name for line in lines if line["type"] == "track" for name in line} <= known
    (site.folder / "all.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    decisions = site.lines("replay", "--rules", "rules", "--events", "all.jsonl", "--json")
    assert [line["decision"] for line in decisions if line["customer"] == "ann"][:4] == [
        "entered",
        "sent",
        "sent",
        "finished",
    ]
    for decision in decisions:
        same_keys("segue replay", decision)


def test_every_line_that_the_page_on_recordings_shows_can_be_read(site: Site) -> None:
    path = ROOT / "docs" / "reference" / "replay-format.md"
    text = "".join(block.text for block in blocks(path) if block.language == "json")
    (site.folder / "shown.jsonl").write_text(text)
    decisions = site.lines("replay", "--rules", "rules", "--events", "shown.jsonl", "--json")
    assert [line["decision"] for line in decisions] == ["entered", "sent", "sent", "finished"]


def test_the_lines_of_backup_restore_and_release(site: Site, tmp_path: Path) -> None:
    (line,) = site.lines("backup", str(tmp_path / "b.db"), "--json")
    same_keys("segue backup", line)
    other = tmp_path / "other"
    other.mkdir()
    command = [sys.executable, "-m", "segue.cli.main"]
    for arguments, section in (
        (("restore", "--hold", "../b.db", "--json"), "segue restore"),
        (("release", "--json"), "segue release"),
    ):
        done = subprocess.run(
            [*command, *arguments],
            cwd=other,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        same_keys(section, json.loads(done.stdout))


def test_the_lines_of_init_plugins_new_and_attribute(site: Site) -> None:
    for line in site.lines("init", "made", "--json"):
        same_keys("segue init", line)
    for line in site.lines("plugins", "--json"):
        same_keys("segue plugins", line)
    for line in site.lines("new", "channel", "swallow", "--json"):
        same_keys("segue new channel", line)
    (site.folder / "touches.csv").write_text(
        "journey_id,channel,ts\nj1,email,2026-11-01T10:00:00Z\nj1,ads,2026-11-02T10:00:00Z\n"
    )
    (site.folder / "journeys.csv").write_text("journey_id,converted,value,ts\nj1,1,60,2026-11-03T10:00:00Z\n")
    files = ("--touches", "touches.csv", "--journeys", "journeys.csv")
    assert site.lines("attribute", "--model", "linear", *files, "--json")[0] == SHOWN["segue attribute"][0]


def test_the_lines_of_the_benchmark() -> None:
    from segue.cli.benchmarks.figures import Figure

    same_keys("segue bench", Figure("waits", "", "1/s", 1, 1.0).line())
