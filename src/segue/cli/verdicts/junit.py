"""JUnit's XML, as CI systems read it: a suite for each file, a case for each test."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from segue.cli.verdicts.timelines import as_text
from segue.scenario.trials import Outcome

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold (section 2.2)."""


def junit(outcomes: Mapping[str, Sequence[tuple[Outcome, float]]]) -> bytes:
    """The report on tests by file, each with the seconds that it took. Expectations that do not hold are failures; a
    test that could not be carried out is an error."""
    every = [one for each in outcomes.values() for one in each]
    root = ElementTree.Element("testsuites", {"name": "segue test", **_counts(every)})
    for file, ran in outcomes.items():
        suite = ElementTree.SubElement(root, "testsuite", {"name": _clean(file), **_counts(ran)})
        for outcome, seconds in ran:
            test = outcome.test
            case = ElementTree.SubElement(
                suite,
                "testcase",
                name=_clean(test.title),
                classname=_clean(test.rule),
                file=_clean(file),
                line=str(test.line),
                time=f"{seconds:.3f}",
            )
            if outcome.problem is not None:
                _add(case, "error", outcome.problem, outcome)
            elif outcome.unmet:
                _add(case, "failure", "; ".join(f"{one.text}: {one.reason}" for one in outcome.unmet), outcome)
    ElementTree.indent(root)
    report: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return report + b"\n"


def _add(case: ElementTree.Element, tag: str, message: str, outcome: Outcome) -> None:
    kind = "expectation" if tag == "failure" else "test"
    ElementTree.SubElement(case, tag, message=_clean(message), type=kind).text = _clean(as_text(outcome))


def _counts(ran: Sequence[tuple[Outcome, float]]) -> dict[str, str]:
    return {
        "tests": str(len(ran)),
        "failures": str(sum(1 for outcome, _ in ran if outcome.problem is None and outcome.unmet)),
        "errors": str(sum(1 for outcome, _ in ran if outcome.problem is not None)),
        "time": f"{sum(seconds for _, seconds in ran):.3f}",
    }


def _clean(text: str) -> str:
    return _NO_XML.sub("�", text)
