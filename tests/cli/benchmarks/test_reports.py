"""``segue bench reports``: a store made many times as large is the same shop, and each command is timed on it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from segue.cli.benchmarks.reports import fill, measure
from segue.cli.main import app
from segue.store.database import Store
from segue.store.multiplying import multiply

TIMES = 3


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("shop")
    fill(place, 1, lambda _: None, weeks=0.5)
    return place


@pytest.fixture(scope="module")
def larger(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("larger") / "shop"
    shutil.copytree(shop, place)
    store = Store(place / "segue.db", durable=False)
    multiply(store, TIMES, lambda _: None)
    store.close()
    return place


def read(place: Path, monkeypatch: pytest.MonkeyPatch, *command: str) -> list[dict[str, Any]]:
    monkeypatch.chdir(place)
    result = CliRunner().invoke(app, [*command, "--json"])
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("command", "counts"),
    [
        (("funnel",), ("entered", "inside", "finished", "exited", "failed", "sent", "converted")),
        (("attribute", "--model", "linear"), ("conversions", "value")),
        (("experiment",), ("customers", "converted")),
    ],
)
def test_every_count_of_a_store_made_larger_is_as_many_times_as_large(
    command: Sequence[str],
    counts: Sequence[str],
    shop: Path,
    larger: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, after = read(shop, monkeypatch, *command), read(larger, monkeypatch, *command)
    assert len(before) == len(after)
    found = 0
    for one, many in zip(before, after, strict=True):
        for name in counts:
            if one.get(name):
                found += 1
                assert many[name] == pytest.approx(one[name] * TIMES)
    assert found


def test_each_command_is_measured_beside_the_bare_loop(shop: Path) -> None:
    told: list[str] = []
    rows = measure(shop, told.append)
    assert [row[0] for row in rows] == told
    for _, cpu, clock, memory, times in rows:
        assert 0 < cpu < clock * 8
        assert memory > 5
        assert times == pytest.approx(cpu / rows[0][1])
