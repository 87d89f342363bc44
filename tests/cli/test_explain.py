"""``segue explain``: the pages of codes."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from segue.cli import explain as module
from segue.cli.main import app
from segue.diagnostics import CODES, page, title


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["explain", *arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("written", ["E0301", "e0301"])
def test_a_code_shows_its_page(written: str) -> None:
    assert run(written) == (0, page("E0301"), "")


def test_a_code_as_json_has_its_page() -> None:
    code, out, _ = run("W0704", "--json")
    assert code == 0
    assert json.loads(out) == {
        "code": "W0704",
        "severity": "warning",
        "title": "The same message twice",
        "family": "Advice",
        "page": page("W0704"),
    }


def test_without_a_code_all_are_listed() -> None:
    code, out, _ = run()
    assert code == 0
    assert [line.split()[0] for line in out.splitlines() if line.startswith("  ")] == list(CODES)
    assert all(title(one).replace("`", "") in out for one in CODES)
    lines = [json.loads(line) for line in run("--json")[1].splitlines()]
    assert [line["code"] for line in lines] == list(CODES)


def test_an_unknown_code_is_answered_with_the_nearest() -> None:
    code, out, err = run("E0399")
    assert (code, out) == (2, "")
    assert err.startswith("segue: there is no code E0399; did you mean E03")


def test_in_a_terminal_a_page_is_laid_out(capsys: pytest.CaptureFixture[str]) -> None:
    module._show(page("E0301"))
    out = capsys.readouterr().out
    assert out.startswith("E0301: An unknown name ")
    assert "```" not in out
    assert "when cart_abandonned send email" in out
