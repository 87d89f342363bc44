"""The kinds of messages: promotional, transactional, informational."""

from __future__ import annotations

from typing import cast

from segue.api import Kind
from segue.language import tree as t
from segue.language.keywords import KINDS, is_reserved
from segue.language.nearest import listed, nearest
from segue.language.report import Report


def read_kind(name: t.Name, report: Report) -> Kind | None:
    """A written kind of message, None (and told) where there is no such kind."""
    if name.text in KINDS:
        return cast(Kind, name.text)
    if not is_reserved(name.text):
        near = nearest(name.text, KINDS)
        report.unknown(
            "E0305", name, f"there is no kind of message `{name.text}`", near, f"the kinds are {listed(KINDS)}"
        )
    return None
