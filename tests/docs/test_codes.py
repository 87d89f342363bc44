"""The page of codes holds the pages that are shipped, all of them and nothing else."""

from __future__ import annotations

import re

from segue.diagnostics import CODES, FAMILIES, family, page, title
from tests.shape.repository import ROOT

PATH = ROOT / "docs" / "reference" / "codes.md"

_HEADING = re.compile(r"^##? (?=[EW]\d{4}: |Why it matters$|Example$|Instead$)", re.MULTILINE)

HEAD = """\
# Codes

What `segue check` can say, by code. [`segue explain CODE`](commands.md#segue-explain) shows the same pages. A code that
begins with E is an error: the rule is not published. One that begins with W is advice. A code is never used again for
something else.

This page is put together from the pages in `src/segue/diagnostics/pages`; `python -m tests.docs.test_codes` writes it.
"""


def whole_page() -> str:
    """The page as it ought to be."""
    families = [key for key in FAMILIES if any(family(code) == key for code in CODES)]
    parts = [HEAD]
    for key in families:
        parts.append(f"| {FAMILIES[key]} | |\n|---|---|\n")
        parts[-1] += "".join(
            f"| [{code}](#{_anchor(code)}) | {title(code)} |\n" for code in CODES if family(code) == key
        )
    for key in families:
        parts.append(f"## {FAMILIES[key]}\n")
        parts += [_HEADING.sub(r"##\g<0>", page(code)) for code in CODES if family(code) == key]
    return "\n".join(parts)


def _anchor(code: str) -> str:
    """The anchor that GitHub gives the heading of a code."""
    return re.sub(r"[^\w -]", "", f"{code}: {title(code)}".lower()).replace(" ", "-")


def test_the_page_of_codes_is_that_of_the_codes() -> None:
    assert PATH.read_text("utf-8") == whole_page(), "write it anew: python -m tests.docs.test_codes"


if __name__ == "__main__":
    PATH.write_text(whole_page(), "utf-8")
