"""Running attribution models that plugins bring, and not believing what they return."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from segue.api import AttributionSpec, Credit, Path

_TOLERANCE = 1e-6


class OptionError(Exception):
    """An option that a model does not have, or a value that it cannot take."""


class ModelError(Exception):
    """A model that raised, or returned what no model may."""


def options_of(spec: AttributionSpec, settings: Mapping[str, str]) -> Any:
    """The model's options from texts (``{"per": "channel"}``). Raises OptionError in words for whoever wrote them."""
    names = [field.encode_name for field in msgspec.structs.fields(spec.config)]
    for name in settings:
        if name not in names:
            known = f"it has {', '.join(names)}" if names else "it has none"
            raise OptionError(f"model {spec.name} has no option “{name}”; {known}")
    try:
        return msgspec.convert(dict(settings), spec.config, strict=False)
    except msgspec.ValidationError as error:
        raise OptionError(f"model {spec.name}: {error}") from error


def attribute(spec: AttributionSpec, options: Any, paths: Sequence[Path]) -> tuple[Credit, ...]:
    """What the model gives each channel, the largest share first.

    Raises ModelError when the model raises, leaves out a channel or names one that no path has, or when its shares
    don't add up to the conversions and the value of the paths.
    """
    try:
        credits = tuple(spec.credit(paths, options))
    except Exception as error:
        raise ModelError(f"model {spec.name} failed: {type(error).__name__}: {error}") from error
    fault = _fault(credits, paths)
    if fault is not None:
        raise ModelError(f"model {spec.name} is wrong: {fault}")
    return tuple(sorted(credits, key=lambda credit: (-credit.conversions, -credit.value, credit.channel)))


def _fault(credits: tuple[Any, ...], paths: Sequence[Path]) -> str | None:
    for credit in credits:
        if not isinstance(credit, Credit):
            return f"it returned a {type(credit).__name__} where a Credit belongs"
        if not (math.isfinite(credit.conversions) and math.isfinite(credit.value)):
            return f"it gave {credit.channel} no finite number"
    named = [credit.channel for credit in credits]
    occurring = {channel for path in paths for channel in path.channels}
    if len(named) != len(set(named)) or set(named) != occurring:
        return "it did not give each channel that occurs exactly one share"
    for what in ("conversions", "value"):
        given = math.fsum(getattr(credit, what) for credit in credits)
        due = math.fsum(getattr(path, what) for path in paths)
        if not math.isclose(given, due, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
            return f"its shares of {what} add up to {given:g}, and there are {due:g}"
    return None
