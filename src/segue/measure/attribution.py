"""Running attribution models that plugins bring, and not believing what they return."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from segue.api import AttributionSpec, Credit, Paths

if TYPE_CHECKING:
    from segue.api.attribution import Codes, Floats

_TOLERANCE = 1e-6


class OptionError(Exception):
    """An option that a model does not have, or a value that it cannot take."""


class ModelError(Exception):
    """A model that cannot work with the paths, raised, or returned what no model may."""


class Labels(msgspec.Struct, frozen=True, eq=False):
    """What credit is added up by instead of channels: for each touch a place in ``names`` (campaigns, rules, …)."""

    names: tuple[str, ...]
    codes: Codes


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


def attribute(spec: AttributionSpec, options: Any, paths: Paths, labels: Labels | None = None) -> tuple[Credit, ...]:
    """What the model gives each channel, or each label, the largest share first.

    A model that weighs touches sees their channels, and its weights are added up by label; one that looks at all paths
    together is shown the labels in the place of channels. Raises ModelError when the model raises or refuses, leaves
    out a channel or names one that no path has, or when its shares don't add up to the conversions and the value of
    the paths.
    """
    if spec.weights is not None:
        found = share(paths, weigh(spec, options, paths), labels)
    else:
        shown = paths
        if labels is not None:
            shown = msgspec.structs.replace(paths, names=labels.names, channels=labels.codes)
        found = tuple(_call(spec, "credit", shown, options))
        fault = _fault(found, shown)
        if fault is not None:
            raise ModelError(f"model {spec.name} is wrong: {fault}")
    return ranked(found)


def ranked(found: Iterable[Credit]) -> tuple[Credit, ...]:
    """Credits in the order in which they are shown: the largest first."""
    return tuple(sorted(found, key=lambda credit: (-credit.conversions, -credit.value, credit.channel)))


def weigh(spec: AttributionSpec, options: Any, paths: Paths) -> Floats:
    """Each touch's part of its path, by a model that has ``weights``. Raises ModelError."""
    import numpy as np

    found = _call(spec, "weights", paths, options)
    try:
        weights = np.asarray(found, np.float64)
    except (TypeError, ValueError):
        raise ModelError(f"model {spec.name} is wrong: its weights are no numbers") from None
    if weights.shape != paths.channels.shape:
        raise ModelError(
            f"model {spec.name} is wrong: it returned {weights.size} weights, "
            f"and there are {len(paths.channels)} touches"
        )
    sums = paths.per_path(weights)
    # A weight that is no number makes its sum none, which is not close to 1 either.
    wrong = ~(np.abs(sums - 1) <= _TOLERANCE)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ModelError(
            f"model {spec.name} is wrong: its weights add up to {sums[place]:g} on the path {_shown(paths, place)}, "
            "and must add up to 1"
        )
    if weights.size and weights.min() < 0:
        place = int(np.searchsorted(paths.starts, np.argmin(weights), side="right")) - 1
        raise ModelError(
            f"model {spec.name} is wrong: it gave a touch of the path {_shown(paths, place)} less than nothing"
        )
    return weights


def share(paths: Paths, weights: Floats, labels: Labels | None = None) -> tuple[Credit, ...]:
    """What touches of these weights bring each channel, or each label, that occurs."""
    import numpy as np

    names, codes = (paths.names, paths.channels) if labels is None else (labels.names, labels.codes)
    occurring = np.flatnonzero(np.bincount(codes, minlength=len(names)))
    # Most paths bring nothing, and their touches nothing to anybody.
    bringing = (paths.conversions != 0) | (paths.values != 0)
    chosen = np.flatnonzero(paths.per_touch(bringing))
    codes, weights, lengths = codes[chosen], weights[chosen], paths.lengths[bringing]
    conversions, values = (
        np.bincount(codes, weights * np.repeat(of_paths[bringing], lengths), minlength=len(names))
        for of_paths in (paths.conversions, paths.values)
    )
    return tuple(
        Credit(names[place], *figures)
        for place, *figures in zip(
            occurring.tolist(), conversions[occurring].tolist(), values[occurring].tolist(), strict=True
        )
    )


def _call(spec: AttributionSpec, door: str, paths: Paths, options: Any) -> Any:
    try:
        return getattr(spec, door)(paths, options)
    except ValueError as error:
        raise ModelError(f"model {spec.name}: {error}") from error
    except Exception as error:
        raise ModelError(f"model {spec.name} failed: {type(error).__name__}: {error}") from error


def _shown(paths: Paths, place: int) -> str:
    return " > ".join(paths.names[code] for code in paths.channels[paths.starts[place] : paths.starts[place + 1]])


def _fault(credits: tuple[Any, ...], paths: Paths) -> str | None:
    import numpy as np

    for credit in credits:
        if not isinstance(credit, Credit):
            return f"it returned a {type(credit).__name__} where a Credit belongs"
        figures: tuple[Any, ...] = (credit.conversions, credit.value, credit.removal_effect or 0.0)
        if not all(isinstance(figure, int | float) and math.isfinite(figure) for figure in figures):
            return f"it gave {credit.channel} no finite number"
        if not -_TOLERANCE <= figures[2] <= 1 + _TOLERANCE:
            return f"the removal effect of {credit.channel} lies outside 0 to 1"
    named = [credit.channel for credit in credits]
    occurring = {paths.names[code] for code in np.flatnonzero(np.bincount(paths.channels, minlength=1)).tolist()}
    if len(named) != len(set(named)) or set(named) != (occurring if len(paths.channels) else set()):
        return "it did not give each channel that occurs exactly one share"
    for what, of_paths in (("conversions", paths.conversions), ("value", paths.values)):
        given = math.fsum(getattr(credit, what) for credit in credits)
        due = float(of_paths.sum())
        if not math.isclose(given, due, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
            return f"its shares of {what} add up to {given:g}, and there are {due:g}"
    return None
