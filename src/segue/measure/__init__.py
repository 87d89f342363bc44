"""What came of it: paths, funnels and attribution."""

from segue.measure.attribution import Labels, ModelError, OptionError, attribute, options_of, share, weigh
from segue.measure.paths import Journeys, count_paths
from segue.measure.recognising import read_journey_files, read_path_file
from segue.measure.tables import DataError

__all__ = [
    "DataError",
    "Journeys",
    "Labels",
    "ModelError",
    "OptionError",
    "attribute",
    "count_paths",
    "options_of",
    "read_journey_files",
    "read_path_file",
    "share",
    "weigh",
]
