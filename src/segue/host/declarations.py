"""What a plugin's records must be.

msgspec checks no types when a Struct is made, so a stranger's record may hold anything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Final, TypeVar, get_args, get_origin

import msgspec

from segue.api import API_VERSION, AttributionSpec, ChannelSpec, SourceSpec, Vocabulary

T = TypeVar("T")

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_ROUTE: Final = re.compile(r"(GET|POST|PUT|PATCH|DELETE) /[^\s?#]*")
_SETTINGS_OF_SEGUE: Final = ("use", "consent", "isolate", "cost", "account", "rate", "in_flight")
_SETTINGS_OF_A_SOURCE: Final = ("use", "cart_abandoned", "late")


def is_plugin_name(name: str) -> bool:
    """Whether ``name`` may stand behind ``use``: lower-case words of letters and digits, joined by dashes."""
    return _NAME.fullmatch(name) is not None


def checked(value: object, type_: type[T]) -> T:
    """``value`` taken apart and built again with every type checked; raises ValueError saying what is wrong.

    Lists become tuples where the type says so. Only for records that hold plain data.
    """
    if type(value) is not type_:
        raise ValueError(f"is {_article(value)}, not {type_.__name__}")
    try:
        plain = msgspec.to_builtins(value, builtin_types=(bytes,))
        return msgspec.convert(plain, type_, strict=True, builtin_types=(bytes,))
    except (msgspec.ValidationError, TypeError, ValueError, RecursionError, OverflowError) as error:
        raise ValueError(_bare(error)) from None


def faults_of_channel(spec: object) -> list[str]:
    """What is wrong with a channel's declaration; empty when nothing is."""
    if not isinstance(spec, ChannelSpec):
        return [f"segue_channels holds {_article(spec)}, not ChannelSpec"]
    faults = _common(spec)
    if faults:
        return faults
    numbers = {"batch": spec.batch, "in_flight": spec.in_flight, "rate": spec.rate, "timeout": spec.timeout}
    for name, number in numbers.items():
        if number is not None and not (math.isfinite(number) and number > 0):
            faults.append(f"{name} is {number}, and must be above 0")
    if not (math.isfinite(spec.settles_within) and spec.settles_within >= 0):
        faults.append(f"settles_within is {spec.settles_within}, and must be 0 or more seconds")
    if spec.settles == "report" and spec.settles_within == 0:
        faults.append('settles = "report" needs settles_within: how long to wait for the report')
    for what, names in (
        ("address", (spec.address,) if spec.address is not None else ()),
        ("serves", spec.serves),
        ("reactions", spec.reactions),
        ("content", tuple(part.name for part in spec.content)),
    ):
        faults += [
            f"{what} has {name!r}, which is no name for a rule or message" for name in names if not name.isidentifier()
        ]
        if len(set(names)) < len(names):
            faults.append(f"{what} names something twice")
    taken = [name for name in _settings(spec.config) if name in _SETTINGS_OF_SEGUE]
    faults += [f"config has a setting {name}, which is Segue's own; rename it" for name in taken]
    return faults


def faults_of_source(spec: object) -> list[str]:
    """What is wrong with a source's declaration; empty when nothing is."""
    if not isinstance(spec, SourceSpec):
        return [f"segue_sources holds {_article(spec)}, not SourceSpec"]
    faults = _common(spec)
    if faults:
        return faults
    if spec.body <= 0:
        faults.append(f"body is {spec.body}, and must be above 0 bytes")
    for route in spec.routes:
        if _ROUTE.fullmatch(route) is None:
            faults.append(f'routes has {route!r}; write a method and a path, such as "POST /till"')
    if len(set(spec.routes)) < len(spec.routes):
        faults.append("routes names something twice")
    taken = [name for name in _settings(spec.config) if name in _SETTINGS_OF_A_SOURCE]
    faults += [f"config has a setting {name}, which is Segue's own; rename it" for name in taken]
    return faults


def faults_of_model(spec: object) -> list[str]:
    """What is wrong with an attribution model's declaration; empty when nothing is."""
    if not isinstance(spec, AttributionSpec):
        return [f"segue_attribution_models holds {_article(spec)}, not AttributionSpec"]
    faults = _common(spec)
    if not faults and (spec.weights is None) == (spec.credit is None):
        faults.append("it has weights and credit, or neither of them; a model says one of the two")
    return faults


def faults_of_vocabulary(words: object) -> list[str]:
    """What is wrong with a plugin's words; empty when nothing is."""
    try:
        vocabulary = checked(words, Vocabulary)
    except ValueError as error:
        return [
            f"segue_vocabulary holds something that {error}"
            if type(words) is not Vocabulary
            else f"segue_vocabulary: {error}"
        ]
    names = [event.name for event in vocabulary.events]
    names += [field.name for event in vocabulary.events for field in event.fields]
    names += [trait.name for trait in vocabulary.traits] + [reaction.name for reaction in vocabulary.reactions]
    return [f"segue_vocabulary has {name!r}, which is no name for a rule" for name in names if not name.isidentifier()]


def _common(spec: ChannelSpec | SourceSpec | AttributionSpec) -> list[str]:
    """Version first: a record written for a later API may well have other types."""
    api: object = spec.api
    if type(api) is not int or api < 1:
        return [f"api is {api!r}; write the version of segue.api it was made for, which is now {API_VERSION}"]
    if api > API_VERSION:
        return [f"it was written for version {api} of segue.api, and this Segue has {API_VERSION}: update Segue"]
    faults = []
    for field in msgspec.structs.fields(spec):
        value = getattr(spec, field.name)
        if field.name == "config":
            if not (isinstance(value, type) and issubclass(value, msgspec.Struct)):
                faults.append(f"config is {_article(value)}, and must be a msgspec Struct (the class)")
        elif Callable in {get_origin(option) for option in (field.type, *get_args(field.type))}:
            if not callable(value) and (value is not None or type(None) not in get_args(field.type)):
                faults.append(f"{field.name} is {_article(value)}, and must be something to call")
        else:
            try:
                msgspec.convert(msgspec.to_builtins(value), field.type, strict=True)
            except (msgspec.ValidationError, TypeError, ValueError, RecursionError, OverflowError) as error:
                faults.append(f"{field.name}: {_bare(error)}")
    if not faults and not is_plugin_name(spec.name):
        faults.append(f'name is {spec.name!r}; write lower-case letters, digits and dashes, such as "carrier-pigeon"')
    if not faults and not spec.doc.strip():
        faults.append("doc is empty; say in a sentence what it is")
    return faults


def _settings(config: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(config)]


def _article(value: Any) -> str:
    kind = value.__name__ if isinstance(value, type) else type(value).__name__
    return f"the class {kind}" if isinstance(value, type) else f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"


def _bare(error: BaseException) -> str:
    return str(error) or type(error).__name__
