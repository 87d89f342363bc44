"""Tables on the terminal and in files: one renderer for each form, and the options that commands have in common.

A command takes the options of `segue.cli.tabling.options` and hands its tables to `put`.
"""

from segue.cli.tabling.options import Csv, Json, Last, Parquet, Since, Until
from segue.cli.tabling.output import put
from segue.cli.tabling.periods import read_period, read_span
from segue.cli.tabling.shown import Shown
from segue.cli.tabling.terminal import print_table

__all__ = [
    "Csv",
    "Json",
    "Last",
    "Parquet",
    "Shown",
    "Since",
    "Until",
    "print_table",
    "put",
    "read_period",
    "read_span",
]
