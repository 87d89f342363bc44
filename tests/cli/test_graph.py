"""``segue graph``: where a picture goes, and what it counts."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from segue.cli.main import app

RULE = "rule carts when cart_abandoned wait 1d unless ordered send email then sms"


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["graph", *arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "carts.rules").write_text(RULE)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "begins"), [("carts.svg", "<svg "), ("carts.mmd", "---\ntitle:"), ("carts.txt", "carts\n")]
)
def test_the_name_of_the_file_says_what_is_drawn(shop: Path, name: str, begins: str) -> None:
    assert run("carts", "-o", name) == (0, "", "")
    assert (shop / name).read_text().startswith(begins)


def test_what_is_piped_on_is_svg() -> None:
    code, out, _ = run("carts")
    assert code == 0
    assert ElementTree.fromstring(out).tag.endswith("svg")


def test_a_picture_says_what_the_rule_does() -> None:
    _, out, _ = run("carts", "--as", "text")
    assert [line.split("  ")[0] for line in out.splitlines() if line and line[0] in "●◷✉■"] == [
        "● When cart_abandoned happens",
        "◷ Wait 1 day",
        "✉ Send by email",
        "✉ Send by sms",
        "■ The end",
    ]


def test_without_a_store_nobody_can_be_counted(shop: Path) -> None:
    code, _, err = run("carts", "--live")
    assert code == 1
    assert "segue.db" in err


def test_a_rule_that_is_not_there_is_answered_with_the_nearest() -> None:
    code, out, err = run("cart")
    assert (code, out) == (2, "")
    assert "did you mean carts?" in err


def test_a_picture_of_no_known_kind_is_refused() -> None:
    assert run("carts", "--as", "png")[0] == 2
