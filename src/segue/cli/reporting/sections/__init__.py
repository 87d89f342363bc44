"""The parts of the report, a module each: each makes a section of tables that others have counted."""

from __future__ import annotations

from segue.cli.reporting.material import Material, Section
from segue.cli.reporting.sections import attribution, channels, cohorts, experiments, headline, method, money, rules

_PARTS = (headline, channels, rules, attribution, experiments, money, cohorts, method)


def sections_of(material: Material) -> list[Section]:
    """All sections, in the order of the page."""
    return [section for part in _PARTS for section in part.sections(material)]
