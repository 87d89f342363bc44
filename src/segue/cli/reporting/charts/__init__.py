"""Charts: lines, bars, funnels, ranges, heat maps and sparklines.

A chart fills the width that it is given and its letters stay as large as the page's: places across are percentages,
places down are pixels. Colours are classes that the page's style sheet has for light, dark and paper. What has a name
on each line, bars and ranges, is a list of texts with a strip of SVG below each, so that long names wrap; it is read
aloud as the list that it is. Lines and heat maps are one picture, with a title and a description for those who cannot
see it. Every chart has a table behind it.
"""

from segue.cli.reporting.charts.bars import Bar, Bars
from segue.cli.reporting.charts.chart import Chart
from segue.cli.reporting.charts.heat import Heat
from segue.cli.reporting.charts.lines import Line, Lines
from segue.cli.reporting.charts.ranges import Dot, Range, Ranges
from segue.cli.reporting.charts.spark import spark

__all__ = ["Bar", "Bars", "Chart", "Dot", "Heat", "Line", "Lines", "Range", "Ranges", "spark"]
