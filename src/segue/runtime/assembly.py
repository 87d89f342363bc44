"""A project put together: its settings, plugins, rule book and messages, checked as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from segue.api import ChannelSpec, Source, SourceSpec
from segue.api.channels import address_of
from segue.customers.reach import ChannelReach, Reach
from segue.diagnostics import Diagnostic, Span
from segue.host import ConfigurationError, Plugins, Project, configure, discover, load_project
from segue.host.project import ChannelSettings, SourceSettings
from segue.language.book import Checked, check_book, read_book
from segue.language.vocabulary import ChannelWords, Words
from segue.messages.catalogue import Catalogue
from segue.messages.loading import load_messages
from segue.program.calendar import find_zone
from segue.runtime.publishing import Setting


class Assembly(msgspec.Struct, frozen=True):
    """A project with its plugins. ``channels`` are those that rules may name, by name, each with the spec that serves
    it and its settings; ``sources`` likewise. ``problems`` are sentences about plugins and settings;
    what they concern is left out."""

    project: Project
    plugins: Plugins
    channels: Mapping[str, tuple[ChannelSpec, ChannelSettings]]
    sources: Mapping[str, tuple[SourceSpec, SourceSettings]]
    problems: tuple[str, ...]

    @property
    def setting(self) -> Setting:
        """What the loops need to know of the project."""
        reach = {
            name: ChannelReach(
                address=spec.address if spec.address is not None else address_of(name),
                consent=settings.consent or "opt-out",
                optional=spec.address is None,
            )
            for name, (spec, settings) in self.channels.items()
        }
        zone = find_zone(self.project.zone)
        if zone is None:
            raise ConfigurationError((f"zone {self.project.zone} does not exist",))
        return Setting(
            zone=zone,
            currency=self.project.currency,
            locale=self.project.locale,
            reach=Reach(reach),
            channels={name: spec for name, (spec, _) in self.channels.items()},
        )

    def words(self, content: Catalogue | None) -> Words:
        """What rules may use. With ``content``, messages are checked to have some for the channels that need it."""
        return Words(
            vocabularies=self.plugins.vocabularies,
            channels={
                name: ChannelWords(reactions=spec.reactions, needs_content=bool(spec.content), stands=spec.stands)
                for name, (spec, _) in self.channels.items()
            },
            currency=self.project.currency,
            messages=None if content is None else {name: frozenset(content.names(name)) for name in self.channels},
        )


class CheckedBook(msgspec.Struct, frozen=True):
    """A rule book and its messages after their check."""

    checked: Checked
    content: Catalogue
    diagnostics: tuple[Diagnostic, ...]

    @property
    def ok(self) -> bool:
        return not any(diagnostic.is_error for diagnostic in self.diagnostics)


def assemble(folder: Path, plugins: Plugins | None = None) -> Assembly:
    """The project in a folder. Raises ProjectError where its segue.toml is wrong."""
    project = load_project(folder)
    found = plugins if plugins is not None else discover()
    problems = [str(problem) for problem in found.problems]
    channels: dict[str, tuple[ChannelSpec, ChannelSettings]] = {}
    for name, settings in project.channels.items():
        spec = found.channels.get(settings.use)
        if spec is None:
            offered = ", ".join(sorted(found.channels)) or "none is installed"
            problems.append(f"channels.{name}: no plugin offers {settings.use!r} ({offered})")
        else:
            channels[name] = (spec, settings)
    if not project.channels:
        for name, use in found.serving.items():
            channels[name] = (found.channels[use], ChannelSettings(use=use))
    sources: dict[str, tuple[SourceSpec, SourceSettings]] = {}
    for name, source_settings in project.sources.items():
        source_spec = found.sources.get(source_settings.use)
        if source_spec is None:
            offered = ", ".join(sorted(found.sources)) or "none is installed"
            problems.append(f"sources.{name}: no plugin offers {source_settings.use!r} ({offered})")
        else:
            sources[name] = (source_spec, source_settings)
    if not project.sources:
        for name, source_spec in found.sources.items():
            sources[name] = (source_spec, SourceSettings(use=name))
    return Assembly(project, found, channels, sources, tuple(problems))


def check(assembly: Assembly, paths: Sequence[Path] | None = None, *, content: bool = True) -> CheckedBook:
    """Read and check the rule book: the project's, or what lies under ``paths``. With ``content``, a message that a
    channel needs and the book lacks is an error."""
    places = list(paths) if paths is not None else [_from_here(assembly.project.rules)]
    sources, unreadable = read_book(places)
    folders = list(dict.fromkeys(place if place.is_dir() else place.parent for place in places))
    catalogue = load_messages(folders)
    checked = check_book(sources, assembly.words(catalogue if content else None))
    wrong = tuple(
        Diagnostic(
            severity="error",
            code="E0504",
            message=problem.message,
            primary=Span(problem.path, 0, 0, max(problem.line, 1), 1),
        )
        for problem in catalogue.problems
    )
    return CheckedBook(checked, catalogue, (*unreadable, *checked.diagnostics, *wrong))


def _from_here(path: Path) -> Path:
    """A path as the user would write it: from the folder they stand in, where it lies below that."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def open_sources(assembly: Assembly) -> tuple[list[tuple[SourceSpec, Source]], list[str]]:
    """The sources of a project, opened, and sentences about those that cannot be."""
    opened: list[tuple[SourceSpec, Source]] = []
    problems: list[str] = []
    for name, (spec, settings) in assembly.sources.items():
        try:
            config = configure(spec.config, settings.settings, f"sources.{name}")
            opened.append((spec, spec.open(config)))
        except ConfigurationError as error:
            problems.append(str(error))
        except Exception as error:  # a plugin's fault is its own: the other sources go on
            problems.append(f"sources.{name}: {type(error).__name__}: {error}")
    return opened, problems
