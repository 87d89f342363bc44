"""Discovery: what is good is offered, what is broken is named and set aside, and the order of plugins means nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, EntryPoints, distributions
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segue.api import (
    AttributionSpec,
    ChannelSpec,
    EventSpec,
    ReactionSpec,
    SourceSpec,
    Vocabulary,
    plugin,
)
from segue.host import discover
from segue.host.plugins import Plugins


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    path: str = ""


def channel(name: str = "pigeon", **changes: Any) -> ChannelSpec:
    values: dict[str, Any] = {"doc": "By pigeon", "config": Config, "open": print, "address": "loft"}
    return ChannelSpec(name=name, **(values | changes))


def source(name: str = "till", **changes: Any) -> SourceSpec:
    values: dict[str, Any] = {"doc": "Tills", "config": Config, "open": print, "routes": ("POST /till",)}
    return SourceSpec(name=name, **(values | changes))


def model(name: str = "linear", **changes: Any) -> AttributionSpec:
    values: dict[str, Any] = {"doc": "Equal shares", "config": Config, "credit": print}
    return AttributionSpec(name=name, **(values | changes))


class Offering:
    """A plugin whose channels are whatever the function returns."""

    def __init__(self, name: str, records: Callable[[], Any]) -> None:
        self.__name__ = name
        self._records = records

    @plugin
    def segue_channels(self) -> Any:
        return self._records()


def offering(name: str, *records: object) -> Offering:
    return Offering(name, lambda: list(records))


def found(*plugins: object, patience: float = 10.0) -> Plugins:
    return discover(plugins, entry_points=(), patience=patience)


class Everything:
    @plugin
    def segue_channels(self) -> list[ChannelSpec]:
        return [channel(serves=("sms",), reactions=("read",))]

    @plugin
    def segue_sources(self) -> tuple[SourceSpec, ...]:
        return (source(),)

    @plugin
    def segue_attribution_models(self) -> list[AttributionSpec]:
        return [model()]

    @plugin
    def segue_vocabulary(self) -> list[Vocabulary]:
        return [Vocabulary(events=(EventSpec("ordered"),), reactions=(ReactionSpec("read"),))]


def test_a_plugin_offers_all_kinds_of_things() -> None:
    plugins = found(Everything())
    assert plugins.problems == ()
    assert list(plugins.channels) == ["pigeon"]
    assert list(plugins.sources) == ["till"]
    assert list(plugins.models) == ["linear"]
    assert plugins.serving == {"sms": "pigeon"}
    assert [(by, words.events[0].name) for by, words in plugins.vocabularies] == [("Everything", "ordered")]
    assert plugins.offered_by("channel", "pigeon") == "Everything"
    assert plugins.offered_by("source", "pigeon") is None
    (distribution,) = plugins.distributions
    assert (distribution.channels, distribution.sources) == (("pigeon",), ("till",))
    assert (distribution.models, distribution.events) == (("linear",), ("ordered",))


def test_two_calls_share_nothing() -> None:
    one = found(offering("a", channel()))
    two = found(offering("b", channel()))
    assert one.problems == two.problems == ()
    assert two.offered_by("channel", "pigeon") == "b"


def test_a_name_that_two_offer_belongs_to_neither_and_both_are_named() -> None:
    one, two = offering("first", channel(), channel("dove")), offering("second", channel())
    for plugins in (found(one, two), found(two, one)):
        assert list(plugins.channels) == ["dove"]
        (problem,) = plugins.problems
        assert problem.distributions == ("first", "second")
        assert "both offer the channel pigeon" in problem.text


def test_a_name_offered_twice_by_one_is_its_authors_fault() -> None:
    plugins = found(offering("a", channel(), channel()))
    assert not plugins.channels
    assert "its author must rename one" in plugins.problems[0].text


def test_two_that_would_serve_a_channel_leave_it_to_segue_toml() -> None:
    plugins = found(offering("a", channel("x", serves=("sms",))), offering("b", channel("y", serves=("sms",))))
    assert list(plugins.channels) == ["x", "y"]
    assert plugins.serving == {}
    assert "[channels.sms] use = …" in plugins.problems[0].text


def raising(error: BaseException) -> Callable[[], Any]:
    def hook() -> Any:
        raise error

    return hook


@pytest.mark.parametrize(
    ("records", "said"),
    [
        (raising(RuntimeError("no\nwings")), "RuntimeError: no wings"),
        (raising(SystemExit(3)), "SystemExit: 3"),
        (raising(KeyboardInterrupt()), "KeyboardInterrupt"),
        (lambda: 7, "segue_channels returned int; return a list"),
        (lambda: "pigeon", "segue_channels returned str"),
        (lambda: (one for one in [channel()]), "returned generator"),
        (lambda: [7], "segue_channels holds an int, not ChannelSpec"),
        (lambda: [source()], "till: segue_channels holds a SourceSpec, not ChannelSpec"),
        (lambda: [channel("Pigeon")], "name is 'Pigeon'; write lower-case"),
        (lambda: [channel("pigeon\n")], "name is 'pigeon\\n'"),
        (lambda: [channel(doc=" ")], "doc is empty"),
        (lambda: [channel(doc=7)], "doc: Expected `str`, got `int`"),
        (lambda: [channel(config=dict)], "config is the class dict, and must be a msgspec Struct"),
        (lambda: [channel(config=Config())], "config is a Config"),
        (lambda: [channel(open=None)], "open is a NoneType, and must be something to call"),
        (lambda: [channel(batch=0)], "batch is 0, and must be above 0"),
        (lambda: [channel(batch="many")], "batch: Expected `int`"),
        (lambda: [channel(timeout=float("nan"))], "timeout is nan"),
        (lambda: [channel(rate=-1.0)], "rate is -1.0"),
        (lambda: [channel(settles="someday")], "settles: Invalid enum value"),
        (lambda: [channel(settles="report")], "needs settles_within"),
        (lambda: [channel(reactions=("read it",))], "reactions has 'read it'"),
        (lambda: [channel(serves=("sms", "sms"))], "serves names something twice"),
        (lambda: [channel(api=2)], "written for version 2 of segue.api, and this Segue has 1: update Segue"),
        (lambda: [channel(api="1")], "api is '1'"),
        (lambda: [channel(config=msgspec.defstruct("C", [("use", str)]))], "a setting use, which is Segue's own"),
    ],
)
def test_a_broken_plugin_is_set_aside_and_the_others_go_on(records: Callable[[], Any], said: str) -> None:
    plugins = found(Offering("broken", records), offering("sound", channel("dove")))
    assert list(plugins.channels) == ["dove"]
    (problem,) = plugins.problems
    assert problem.distributions == ("broken",)
    assert said in problem.text


def test_sources_and_models_are_looked_at_as_closely() -> None:
    class Routes:
        @plugin
        def segue_sources(self) -> list[SourceSpec]:
            return [source(routes=("till",))]

    class Credit:
        @plugin
        def segue_attribution_models(self) -> list[AttributionSpec]:
            return [model(credit=3)]

    class Words:
        @plugin
        def segue_vocabulary(self) -> list[Any]:
            return [Vocabulary(events=(EventSpec("not a name"),)), {"events": []}]

    class Decode:
        @plugin
        def segue_sources(self) -> list[SourceSpec]:
            return [source(decode="json")]

    said = sorted(str(problem) for problem in found(Routes(), Credit(), Words(), Decode()).problems)
    assert "credit is an int" in said[0]
    assert "decode is a str, and must be something to call" in said[1]
    assert "routes has 'till'; write a method and a path" in said[2]
    assert "'not a name', which is no name for a rule" in said[3]


def test_a_source_may_offer_to_read_recordings() -> None:
    class Recorded:
        @plugin
        def segue_sources(self) -> list[SourceSpec]:
            return [source("a", decode=print), source("b", decode=None)]

    assert list(found(Recorded()).sources) == ["a", "b"]


def test_a_plugin_that_hangs_costs_its_patience_and_no_more() -> None:
    def hang() -> Any:
        time.sleep(3)

    began = time.monotonic()
    plugins = found(Offering("asleep", hang), offering("sound", channel()), patience=0.2)
    assert time.monotonic() - began < 2
    assert list(plugins.channels) == ["pigeon"]
    assert "not ready within 0.2 s" in plugins.problems[0].text


def test_a_hook_with_a_wrong_name_is_not_passed_over() -> None:
    class Typo:
        @plugin
        def segue_chanels(self) -> list[ChannelSpec]:
            return [channel()]

    assert "no hook segue_chanels; did you mean segue_channels?" in found(Typo()).problems[0].text


def test_a_hook_with_arguments_that_nobody_passes_is_refused() -> None:
    class Greedy:
        @plugin
        def segue_channels(self, everything: object) -> list[ChannelSpec]:
            return [channel()]

    assert "everything" in found(Greedy()).problems[0].text


def test_a_plugin_cannot_wrap_the_hooks_of_others() -> None:
    class Wrapper:
        @plugin(wrapper=True)
        def segue_channels(self) -> Iterator[None]:
            yield
            return []  # type: ignore[return-value]

    plugins = found(Wrapper(), offering("sound", channel()))
    assert list(plugins.channels) == ["pigeon"]
    assert "is a wrapper" in plugins.problems[0].text


def test_a_plugin_without_hooks_says_what_is_missing() -> None:
    assert "@segue.api.plugin" in found(object()).problems[0].text


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def install(site: Path, name: str, code: str) -> None:
    """What pip leaves behind of a distribution with one module and one entry point."""
    (site / f"{name}.py").write_text(code)
    info = site / f"{name}-2.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.1\n")
    (info / "entry_points.txt").write_text(f"[segue]\n{name} = {name}\n")


def entry_points_of(site: Path) -> EntryPoints:
    return EntryPoints(point for one in distributions(path=[str(site)]) for point in one.entry_points)


def test_installed_distributions_are_found_by_their_entry_points(site: Path) -> None:
    install(
        site,
        "segue_test_wings",
        "from segue.api import EventSpec, Vocabulary, plugin\n"
        "@plugin\n"
        "def segue_vocabulary():\n"
        "    return [Vocabulary(events=(EventSpec('landed'),))]\n",
    )
    install(site, "segue_test_broken", "import nothing_of_that_name\n")
    install(site, "segue_test_syntax", "def (\n")
    install(site, "segue_test_exit", "raise SystemExit('leaving')\n")
    plugins = discover(entry_points=entry_points_of(site))
    versions = {one.name: (one.version, one.events) for one in plugins.distributions}
    assert versions["segue_test_wings"] == ("2.1", ("landed",))
    said = {problem.distributions[0]: problem.text for problem in plugins.problems}
    assert "No module named 'nothing_of_that_name'" in said["segue_test_broken"]
    assert "SyntaxError" in said["segue_test_syntax"]
    assert "SystemExit: leaving" in said["segue_test_exit"]


def test_an_entry_point_that_leads_nowhere_is_a_problem() -> None:
    plugins = discover(entry_points=[EntryPoint("lost", "segue.nowhere:plugin", "segue")])
    assert "segue.nowhere" in plugins.problems[0].text
    assert plugins.distributions[0].name == "lost"
