"""One broken rule never hides another: a file with ten different mistakes reports ten."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from segue.diagnostics import render_full
from segue.runtime.assembly import CheckedBook, assemble, check

TEN = """\
event cart_abandoned
  total money
event ordered
  total money
customer
  country text

rule win_back when cart_abandonned send email  # E0301
rule big_carts when cart_abandoned where total > "40" send email  # E0401
rule by_minute when cart_abandoned wait 5m send email  # E0206
rule curly when cart_abandoned send email “hello”  # E0101
rule by_mail when cart_abandoned send emial  # E0304
rule open_block when cart_abandoned if total > 40 send email  # E0203
rule late_header when ordered send email once per 30d  # E0201
rule at_night when ordered wait until 25:00 send email  # E0208
rule big_carts when ordered send email  # E0307
rule unfinished when ordered  # E0205
rule right when ordered send email
"""


@pytest.fixture
def found(tmp_path: Path) -> CheckedBook:
    (tmp_path / "ten.rules").write_text(TEN, "utf-8")
    return check(assemble(tmp_path), [tmp_path], content=False)


def test_ten_mistakes_are_ten_diagnostics_each_on_its_line(found: CheckedBook) -> None:
    marked = {
        number: code.group(1)
        for number, line in enumerate(TEN.splitlines(), 1)
        if (code := re.search(r"# ([EW]\d+)$", line))
    }
    assert len(set(marked.values())) == 10
    assert [(one.primary.line, one.code) for one in found.diagnostics if one.primary] == list(marked.items())


def test_the_rule_without_a_mistake_is_read(found: CheckedBook) -> None:
    assert [rule.name for rule in found.checked.book.rules] == ["right"]


def test_they_are_shown_with_what_was_meant_and_where_else_to_look(found: CheckedBook) -> None:
    shown = render_full(found.diagnostics, found.checked.texts)
    assert shown.count("error[") == 10
    assert "did you mean `cart_abandoned`?" in shown
    assert "did you mean `email`?" in shown
    # The second `big_carts` is shown below the first.
    first, second = shown.index(" 9 | rule big_carts"), shown.index("the name is taken")
    assert "the rule `big_carts`" in shown
    assert first < second
    assert "= fix: put straight quotes: `segue check --fix` does it" in shown
