"""What strangers write, made fit to print."""

from __future__ import annotations

import pytest

from segue.diagnostics.render.printable import printable, width


@pytest.mark.parametrize("hidden", ["\x1b", "\u200b", "\u2028", "\ud800", "\ufffe", "\uffff", "\ufdd0", "\U0010ffff"])
def test_what_does_not_show_is_replaced_by_one_column(hidden: str) -> None:
    assert printable(f"a{hidden}b") == "a\N{REPLACEMENT CHARACTER}b"
    assert width(printable(hidden)) == 1


def test_what_shows_stays_as_it_is() -> None:
    assert printable("Ä日本\N{WAVING HAND SIGN}") == "Ä日本\N{WAVING HAND SIGN}"
    assert width("日本") == 4
