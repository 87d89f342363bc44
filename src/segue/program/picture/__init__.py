"""A rule as a picture: one chart, drawn as SVG, as Mermaid text and for the terminal."""
