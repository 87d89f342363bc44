"""The report: what came of a period, as one page for people and as tables for programs."""
