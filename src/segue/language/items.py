"""What stands in a book, each thing as it was written and as it was understood."""

from __future__ import annotations

import msgspec

from segue.language import model
from segue.language import tree as t
from segue.language.policies import CheckedPolicy
from segue.language.report import Report
from segue.language.rules import CheckedRule
from segue.language.segments import CheckedSegment


class CheckedTest(msgspec.Struct, frozen=True):
    """A test as it was written and as it was understood, and the report of its file."""

    written: t.Test
    test: model.Test
    report: Report


class Items(msgspec.Struct):
    """The things of a book in the order of its files, those with errors in their text among them."""

    rules: list[CheckedRule] = []
    segments: list[CheckedSegment] = []
    policies: list[CheckedPolicy] = []
    tests: list[CheckedTest] = []
