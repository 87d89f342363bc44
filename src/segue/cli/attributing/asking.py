"""Which models were asked for, and with which options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import metadata
from typing import Any

import msgspec

from segue.api import AttributionSpec
from segue.host.offering import that_may_offer
from segue.host.plugins import GROUP, Plugins, discover
from segue.measure import OptionError, options_of

__all__ = ["UsageError", "asked", "installed"]


class UsageError(Exception):
    """The command was not given what it needs."""


def installed() -> Plugins:
    """The plugins with attribution models. Others are not imported: that alone would take longer than the command."""
    found = metadata.entry_points(group=GROUP)
    return discover(entry_points=that_may_offer("segue_attribution_models", found))


def asked(
    available: Mapping[str, AttributionSpec], names: Sequence[str], settings: Sequence[str]
) -> dict[str, tuple[AttributionSpec, Any]]:
    """The models by name, each with its options. ``order=2`` goes to every model that has an option ``order``;
    ``markov.order=2`` to that one. Raises UsageError, OptionError."""
    specs = [_model(available, name) for name in dict.fromkeys(name.replace("_", "-") for name in names)]
    parsed = _parsed(settings)
    options = {spec.name: {field.encode_name for field in msgspec.structs.fields(spec.config)} for spec in specs}
    for model, key in parsed:
        if model is not None and model not in options:
            raise UsageError(f"--set {model}.{key}: {model} is not among the models asked for")
        if not any(key in options[name] for name in options if model in (None, name)):
            known = "; ".join(f"{name} has {', '.join(sorted(has)) or 'none'}" for name, has in options.items())
            raise OptionError(f"no model asked for has an option “{key}”: {known}")
    return {
        spec.name: (
            spec,
            options_of(
                spec,
                {
                    key: parsed.get((spec.name, key), value)
                    for (model, key), value in parsed.items()
                    if model in (None, spec.name) and key in options[spec.name]
                },
            ),
        )
        for spec in specs
    }


def _model(available: Mapping[str, AttributionSpec], name: str) -> AttributionSpec:
    spec = available.get(name)
    if spec is None:
        known = ", ".join(sorted(available)) or "none; install a plugin such as segue-attribution-heuristics"
        close = get_close_matches(name, available, 1)
        meant = f"did you mean {close[0]}? " if close else ""
        raise UsageError(f"there is no attribution model “{name}”; {meant}there is {known}")
    return spec


def _parsed(settings: Sequence[str]) -> dict[tuple[str | None, str], str]:
    parsed: dict[tuple[str | None, str], str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        model, _, key = key.strip().rpartition(".")
        if not key or not equals:
            raise UsageError(f"--set takes KEY=VALUE, as in --set per=channel; this is “{setting}”")
        place = (model.replace("_", "-") or None, key)
        if place in parsed:
            raise UsageError(f"--set {f'{model}.' if model else ''}{key} is given twice")
        parsed[place] = value.strip()
    return parsed
