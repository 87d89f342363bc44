"""What came of it: paths, funnels and attribution."""

from segue.measure.attribution import Labels, ModelError, OptionError, attribute, options_of, weigh
from segue.measure.paths import DataError, Journeys, read_aggregated, read_journeys

__all__ = [
    "DataError",
    "Journeys",
    "Labels",
    "ModelError",
    "OptionError",
    "attribute",
    "options_of",
    "read_aggregated",
    "read_journeys",
    "weigh",
]
