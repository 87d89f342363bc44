"""The console script and where its output goes: pipes that close, disks that are full, terminals of other encodings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SEGUE = Path(sys.executable).with_name("segue")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.rules").write_text('rule hyvä "Hyvää päivää – 👍"\n when ordered send email', "utf-8")
    return tmp_path


def run(shop: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [SEGUE, *arguments], cwd=shop, env={**os.environ, **environment}, capture_output=True, timeout=60, check=False
    )


@pytest.mark.parametrize("arguments", [("explain", "hyvä"), ("fmt", "--diff"), ("check", "--format", "sarif")])
def test_a_reader_that_goes_away_is_no_error(shop: Path, arguments: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        result = subprocess.run(
            [SEGUE, *arguments], cwd=shop, stdout=closed, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert b"Traceback" not in result.stderr
    assert b"Exception" not in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no disk that is always full")
@pytest.mark.parametrize("arguments", [("check",), ("explain", "hyvä"), ("check", "--format", "json", "--bounds")])
def test_a_full_disk_is_told_in_a_sentence(shop: Path, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            [SEGUE, *arguments], cwd=shop, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert result.returncode == 1
    assert result.stderr.decode().splitlines()[-1].startswith("segue: the output cannot be written: No space left")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("arguments", [("explain", "hyvä"), ("fmt", "--diff"), ("graph", "hyvä")])
def test_a_pipe_gets_utf_8_whatever_the_locale(shop: Path, arguments: tuple[str, ...], encoding: str) -> None:
    result = run(shop, *arguments, PYTHONIOENCODING=encoding)
    assert b"Traceback" not in result.stderr
    assert "päivää – 👍" in result.stdout.decode("utf-8")


def test_fmt_without_standard_input_says_so(shop: Path) -> None:
    command = f'"{SEGUE}" fmt - <&-'
    result = subprocess.run(["sh", "-c", command], cwd=shop, capture_output=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (2, b"segue: there is no standard input to read\n")
