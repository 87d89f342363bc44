"""Finding plugins: through entry points of the group ``segue``, each by itself, so that one that is broken harms none.

Nobody else speaks to pluggy. Hooks declare and never act, hence the order of plugins means nothing: two that
offer the same name are both set aside, for either choice would depend on it.
"""

from __future__ import annotations

import functools
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any, Final, Literal, TypeVar

import msgspec
import pluggy

from segue.api import AttributionSpec, ChannelSpec, SourceSpec, Vocabulary, hooks
from segue.host.configuration import nearest
from segue.host.declarations import checked, faults_of_channel, faults_of_model, faults_of_source, faults_of_vocabulary

GROUP: Final = "segue"
PATIENCE: Final = 10.0
"""Seconds in which a plugin must be imported and have declared itself; a cold disk needs some of them."""

Kind = Literal["channel", "source", "attribution"]
S = TypeVar("S", ChannelSpec, SourceSpec, AttributionSpec)

_HOOKS: Final[Mapping[str, Callable[[object], list[str]]]] = {
    "segue_channels": faults_of_channel,
    "segue_sources": faults_of_source,
    "segue_attribution_models": faults_of_model,
    "segue_vocabulary": faults_of_vocabulary,
}


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """An installed distribution that offers something to Segue, and the names of what it offers.

    ``version`` is empty where it has none. What was set aside is not among the names.
    """

    name: str
    version: str
    channels: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


class Problem(msgspec.Struct, frozen=True):
    """Why something was set aside: the distributions concerned, and a sentence."""

    distributions: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{' and '.join(self.distributions)}: {self.text}"


class Plugins(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found.

    ``channels``, ``sources`` and ``models`` are the specs by name; ``vocabularies`` has the words with the distribution
    that brings them; ``problems`` tells what was set aside. ``serving`` has the names in rules that are served without
    a segue.toml, each with the channel plugin that does.
    """

    channels: Mapping[str, ChannelSpec]
    sources: Mapping[str, SourceSpec]
    models: Mapping[str, AttributionSpec]
    vocabularies: tuple[tuple[str, Vocabulary], ...] = ()
    distributions: tuple[Distribution, ...] = ()
    problems: tuple[Problem, ...] = ()
    serving: Mapping[str, str] = {}

    def offered_by(self, kind: Kind, name: str) -> str | None:
        """The distribution that offers the channel, source or model of that name."""
        field = {"channel": "channels", "source": "sources", "attribution": "models"}[kind]
        return next((found.name for found in self.distributions if name in getattr(found, field)), None)


class _Offer(msgspec.Struct, frozen=True):
    """What one plugin declared, all of it good."""

    distribution: str
    version: str
    channels: tuple[ChannelSpec, ...] = ()
    sources: tuple[SourceSpec, ...] = ()
    models: tuple[AttributionSpec, ...] = ()
    vocabularies: tuple[Vocabulary, ...] = ()


class _Junk(Exception):
    """A plugin that is set aside; the text says why."""


def discover(
    extra: Sequence[object] = (),
    entry_points: Iterable[metadata.EntryPoint] | None = None,
    patience: float = PATIENCE,
) -> Plugins:
    """Every plugin that is installed, checked.

    ``extra`` are further plugins (modules or objects with hooks), as tests have them. ``entry_points`` replaces those
    of the installed distributions. ``patience`` is how many seconds each plugin gets. Never raises for a plugin's
    fault: see `Plugins.problems`.
    """
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    if entry_points is None:
        entry_points = metadata.entry_points(group=GROUP)
    asked: list[tuple[tuple[str, str], str, Callable[[], object]]] = []
    asked += [(_distribution(entry), f"entry point {entry.name}", entry.load) for entry in entry_points]
    asked += [((_name(plugin), ""), "plugin", functools.partial(_same, plugin)) for plugin in extra]
    offers: list[_Offer] = []
    problems: list[Problem] = []
    versions: dict[str, str] = {}
    for (distribution, version), where, load in sorted(asked, key=lambda one: (one[0], one[1])):
        versions.setdefault(distribution, version)
        try:
            offers.append(_ask(manager, distribution, version, load, patience))
        except _Junk as junk:
            problems.append(Problem((distribution,), f"{where} is set aside: {junk}"))
    channels, channel_problems = _by_name(offers, "channel", lambda offer: offer.channels)
    sources, source_problems = _by_name(offers, "source", lambda offer: offer.sources)
    models, model_problems = _by_name(offers, "attribution model", lambda offer: offer.models)
    serving, serving_problems = _serving(channels)
    return Plugins(
        channels={name: spec for name, (_, spec) in channels.items()},
        sources={name: spec for name, (_, spec) in sources.items()},
        models={name: spec for name, (_, spec) in models.items()},
        vocabularies=tuple((offer.distribution, words) for offer in offers for words in offer.vocabularies),
        distributions=tuple(
            Distribution(
                name=name,
                version=version,
                channels=tuple(sorted(key for key, (by, _) in channels.items() if by == name)),
                sources=tuple(sorted(key for key, (by, _) in sources.items() if by == name)),
                models=tuple(sorted(key for key, (by, _) in models.items() if by == name)),
                events=_events(offer for offer in offers if offer.distribution == name),
            )
            for name, version in sorted(versions.items())
        ),
        problems=(*problems, *channel_problems, *source_problems, *model_problems, *serving_problems),
        serving=serving,
    )


def _distribution(entry: metadata.EntryPoint) -> tuple[str, str]:
    """Name and version of the distribution behind an entry point; its metadata may be damaged."""
    try:
        if entry.dist is not None:
            return entry.dist.name, entry.dist.version
    except Exception:  # a broken METADATA file raises whatever the parser does
        return entry.name, ""
    return entry.name, ""


def _same(plugin: object) -> object:
    return plugin


def _name(plugin: object) -> str:
    name = getattr(plugin, "__name__", None)
    return name if isinstance(name, str) else type(plugin).__name__


def _events(offers: Iterable[_Offer]) -> tuple[str, ...]:
    return tuple(sorted({event.name for offer in offers for words in offer.vocabularies for event in words.events}))


def _ask(
    manager: pluggy.PluginManager, distribution: str, version: str, load: Callable[[], object], patience: float
) -> _Offer:
    """Import a plugin and call its hooks on a thread that may be left behind. Raises _Junk."""
    answer: list[dict[str, list[object]] | BaseException] = []

    def declare() -> None:
        try:
            answer.append(_declared(manager, load()))
        except BaseException as error:  # a plugin that calls sys.exit() is contained like any other
            answer.append(error)

    thread = threading.Thread(target=declare, name=f"segue-plugin-{distribution}", daemon=True)
    thread.start()
    thread.join(patience)
    match answer:
        case []:
            raise _Junk(f"it was not ready within {patience:g} s")
        case [_Junk() as junk]:
            raise junk
        case [BaseException() as error]:
            raise _Junk(_said(error))
        case [dict() as declared]:
            return _offer(distribution, version, declared)
        case _:
            raise AssertionError(answer)


def _declared(manager: pluggy.PluginManager, plugin: object) -> dict[str, list[object]]:
    """The records of each hook that the plugin has."""
    try:
        name = manager.register(plugin)
    except (pluggy.PluginValidationError, ValueError, TypeError) as error:
        raise _Junk(_said(error)) from None
    if name is None:
        raise _Junk("pluggy refuses it")
    try:
        found: dict[str, list[object]] = {}
        for caller in manager.get_hookcallers(plugin) or ():
            if caller.spec is None:
                close = nearest(caller.name, _HOOKS)
                raise _Junk(f"there is no hook {caller.name}" + (f"; did you mean {close}?" if close else ""))
            if any(hook.wrapper or hook.hookwrapper for hook in caller.get_hookimpls() if hook.plugin is plugin):
                raise _Junk(f"{caller.name} is a wrapper; a hook declares what its own plugin offers, and no more")
            others = [other for other in manager.get_plugins() if other is not plugin]
            for records in manager.subset_hook_caller(caller.name, others)():
                if not isinstance(records, list | tuple):
                    raise _Junk(f"{caller.name} returned {type(records).__name__}; return a list")
                found.setdefault(caller.name, []).extend(records)
        if not found:
            raise _Junk("it has no hook; mark one with @segue.api.plugin, such as segue_channels")
        return found
    finally:
        manager.unregister(plugin)


def _offer(distribution: str, version: str, declared: Mapping[str, list[object]]) -> _Offer:
    for hook, records in declared.items():
        for record in records:
            name = getattr(record, "name", None)
            label = f"{name}: " if isinstance(name, str) and name else ""
            for fault in _HOOKS[hook](record):
                raise _Junk(f"{label}{fault}")

    def records_of(hook: str) -> tuple[Any, ...]:
        return tuple(declared.get(hook, ()))

    return _Offer(
        distribution,
        version,
        channels=records_of("segue_channels"),
        sources=records_of("segue_sources"),
        models=records_of("segue_attribution_models"),
        vocabularies=tuple(checked(words, Vocabulary) for words in records_of("segue_vocabulary")),
    )


def _by_name(
    offers: Iterable[_Offer], what: str, specs: Callable[[_Offer], tuple[S, ...]]
) -> tuple[dict[str, tuple[str, S]], list[Problem]]:
    """The specs by name with the distribution of each; a name that is offered twice belongs to nobody."""
    found: defaultdict[str, list[tuple[str, S]]] = defaultdict(list)
    for offer in offers:
        for spec in specs(offer):
            found[spec.name].append((offer.distribution, spec))
    problems = []
    for name, offered in sorted(found.items()):
        if len(offered) > 1:
            by = tuple(sorted({distribution for distribution, _ in offered}))
            who = "both offer" if len(by) == 2 else "all offer" if len(by) > 2 else "offers twice"
            remedy = "uninstall one" if len(by) > 1 else "its author must rename one"
            problems.append(Problem(by, f"{who} the {what} {name}, so none is used; {remedy}"))
    return {name: offered[0] for name, offered in sorted(found.items()) if len(offered) == 1}, problems


def _serving(channels: Mapping[str, tuple[str, ChannelSpec]]) -> tuple[dict[str, str], list[Problem]]:
    """Who serves a channel that no segue.toml speaks of; two who would leave it unserved."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, (_, spec) in channels.items():
        for served in spec.serves:
            found[served].append(name)
    problems = []
    for served, names in sorted(found.items()):
        if len(names) > 1:
            by = tuple(sorted({channels[name][0] for name in names}))
            remedy = f"say which in segue.toml: [channels.{served}] use = …"
            text = f"{' and '.join(names)} would each serve the channel {served}, so none does; {remedy}"
            problems.append(Problem(by, text))
    return {served: names[0] for served, names in found.items() if len(names) == 1}, problems


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:500]}" if text else type(error).__name__
