"""Segue: omnichannel customer journeys that people write as text."""

__version__ = "0.1.0"
