"""scipy and statsmodels, which come with an extra: the statistics that they have are not written again here."""

from __future__ import annotations

import importlib
from typing import Any


class NotInstalled(Exception):
    """A library of the extra is not installed; the text says what to do."""


def load(module: str) -> Any:
    """A module of scipy or statsmodels, imported when it is needed: both take a second. Raises NotInstalled."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        library = module.partition(".")[0]
        raise NotInstalled(f"{library} is not installed: pip install 'segue[measure]'") from error
