"""What came of it: paths, funnels and attribution."""

from segue.measure.attribution import ModelError, OptionError, attribute, options_of
from segue.measure.paths import DataError, Paths, read_aggregated, read_journeys

__all__ = [
    "DataError",
    "ModelError",
    "OptionError",
    "Paths",
    "attribute",
    "options_of",
    "read_aggregated",
    "read_journeys",
]
