"""Diagnostics as text, one file for each format. Nothing is read here: the texts of the files are handed in."""

from __future__ import annotations

from segue.diagnostics.render.concise import render_concise
from segue.diagnostics.render.full import render_full
from segue.diagnostics.render.github import render_github
from segue.diagnostics.render.json_lines import render_json
from segue.diagnostics.render.sarif import render_sarif

__all__ = ["render_concise", "render_full", "render_github", "render_json", "render_sarif"]
