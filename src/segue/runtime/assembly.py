"""A project put together: its settings, plugins, rule book and messages, checked as one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from segue.api import ChannelSpec, Source, SourceSpec, SourceTools
from segue.api.channels import address_of, in_the_place_of
from segue.api.values import HOUR
from segue.customers.reach import ChannelReach, Reach
from segue.diagnostics import Diagnostic
from segue.host import ConfigurationError, Plugins, Project, configure, discover, load_project
from segue.host.bundled import not_offered
from segue.host.project import ChannelSettings, SourceSettings
from segue.language.book import Checked, check_book
from segue.language.book import Source as RuleFile
from segue.language.mending import mend as mend_sources
from segue.language.nearest import nearest
from segue.language.reading import read_book
from segue.language.vocabulary import ChannelWords, Words
from segue.messages.attaching import ATTACH
from segue.messages.brand import Brand
from segue.messages.catalogue import Catalogue, Problem
from segue.messages.checking import ChannelFacts, check_content, content_problems, facts_of_channels
from segue.messages.links import reactions_of
from segue.messages.loading import EMAIL, load_messages, read_texts
from segue.messages.recommending import VALUE
from segue.messages.samples import PRODUCTS
from segue.messages.template import House, Template
from segue.program.calendar import find_zone
from segue.runtime.accounts import AccountTerms
from segue.runtime.inbound import INBOUND
from segue.runtime.links import samples_of_links
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

    def of_the_project(self, plugins: Iterable[str]) -> tuple[str, ...]:
        """Of plugins that bring a word, those by which it comes in this project: whose source it has, or who have no
        source at all; all of them where there is none such."""
        brought = tuple(dict.fromkeys(plugins))
        silent = {one.name for one in self.plugins.distributions if one.sources}
        silent -= {self.plugins.offered_by("source", spec.name) for spec, _ in self.sources.values()}
        return tuple(one for one in brought if one not in silent) or brought

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
            stale=self.project.stale,
            reach=Reach(reach),
            channels={name: spec for name, (spec, _) in self.channels.items()},
            costs={
                name: cost
                for name, (spec, settings) in self.channels.items()
                if (cost := settings.cost if settings.cost is not None else spec.cost) is not None
            },
            best_minute=self.project.best_time,
            erase_on=frozenset(self.project.privacy.erase_on),
            limits=self.project.limits,
            carts={
                name: quiet
                for name, (source, said) in self.sources.items()
                if (quiet := said.cart_abandoned if said.cart_abandoned is not None else source.carts and HOUR)
            },
            late=frozenset(name for name, (_, said) in self.sources.items() if said.late),
            accounts=account_terms(self.channels),
            identity=self.project.identity,
            kept=self.project.segments,
            orders=self.project.touchpoints.orders,
        )

    @property
    def house(self) -> House:
        """What all messages of the project have in common."""
        brand = self.project.brand
        return House(
            self.project.locale, self.project.zone, self.project.currency, brand.values() if brand is not None else {}
        )

    def messages(self, folders: Sequence[Path]) -> Catalogue:
        """The messages below some folders, laid out for the project's channels, with what those say of their parts."""
        parts = {name: {part.name for part in spec.content} for name, (spec, _) in self.channels.items()}
        html = {name for name, known in parts.items() if "html" in known}
        # What stands in for email takes whatever email would.
        html |= {name for name in EMAIL if not parts.get(name)}
        house = self.house
        # A notification shows the brand's picture unless it says another.
        given = {name: {"icon": "{{ brand.icon }}"} for name, known in parts.items() if "icon" in known}
        catalogue = load_messages(folders, house, frozenset(html), given if "icon" in house.brand else {})
        strange = tuple(
            problem
            for key, template in catalogue.templates.items()
            if template.channel in self.channels
            for problem in _strange_parts(template, catalogue, key, self.channels[template.channel][0])
        )
        problems = sorted((*catalogue.problems, *strange), key=lambda problem: (problem.path, problem.line))
        return msgspec.structs.replace(catalogue, problems=tuple(problems))

    @property
    def channel_facts(self) -> Mapping[str, ChannelFacts]:
        """The channels as the content of messages is checked for them."""
        return facts_of_channels({name: spec for name, (spec, _) in self.channels.items()}, self.setting.costs)

    @property
    def always_given(self) -> Mapping[str, Any]:
        """Likely values of what every message is given beside the customer and the event."""
        return {**samples_of_links(self.project.http.url), VALUE: list(PRODUCTS)}

    def words(self, content: Catalogue | None) -> Words:
        """What rules may use. With ``content``, messages are checked to have some for the channels that need it."""
        return Words(
            vocabularies=(*self.plugins.vocabularies, ("segue", INBOUND)),
            channels={
                name: ChannelWords(
                    reactions=spec.reactions,
                    needs_content=bool(spec.content),
                    stands=spec.stands,
                    # What stands in for others, such as the console, reaches nobody who could mind.
                    consent=settings.consent or ("opt-out" if spec.stand_in else "unsettled"),
                    # An email's open is told by a picture, which mail services fetch whether anybody looks or not.
                    doubtful=("opened",) if (spec.address or address_of(name)) == "email" else (),
                )
                for name, (spec, settings) in self.channels.items()
            },
            currency=self.project.currency,
            messages=None if content is None else {name: frozenset(content.names(name)) for name in self.channels},
            languages={} if content is None else content.languages(),
            unusable={} if content is None else content.unusable(),
            locale=self.project.locale,
            kept=self.project.retention.kept(),
        )


class CheckedBook(msgspec.Struct, frozen=True):
    """A rule book and its messages after their check. ``sources`` are its files, name to text; ``texts`` likewise those
    of its messages, where they were looked at."""

    checked: Checked
    content: Catalogue
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str] = {}
    texts: Mapping[str, str] = {}

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
            problems.append(f"channels.{name}: {not_offered(settings.use, found.channels)}")
        else:
            as_it_serves = _as_it_serves(project, name, spec)
            channels[name] = (as_it_serves, _signed(name, spec, settings, project.brand, problems))
    if not project.channels:
        for name, use in found.serving.items():
            channels[name] = (_as_it_serves(project, name, found.channels[use]), ChannelSettings(use=use))
    sources: dict[str, tuple[SourceSpec, SourceSettings]] = {}
    for name, source_settings in project.sources.items():
        source_spec = found.sources.get(source_settings.use)
        if source_spec is None:
            problems.append(f"sources.{name}: {not_offered(source_settings.use, found.sources)}")
        else:
            sources[name] = (source_spec, source_settings)
    if not project.sources:
        for name, source_spec in found.sources.items():
            if source_spec.unasked:
                sources[name] = (source_spec, SourceSettings(use=name))
    return Assembly(project, found, channels, sources, tuple(problems))


def account_terms(channels: Mapping[str, tuple[ChannelSpec, ChannelSettings]]) -> tuple[AccountTerms, ...]:
    """The provider accounts of a project. Where channels that share one say different things, the least holds."""
    shared: dict[str, list[str]] = {}
    for name, (_, settings) in channels.items():
        shared.setdefault(settings.terms.account or name, []).append(name)
    found = []
    for account, names in shared.items():
        said = [(channels[name][1].terms, channels[name][0]) for name in names]
        rates = [terms.rate if terms.rate is not None else spec.rate for terms, spec in said]
        calls = [terms.in_flight for terms, _ in said]
        found.append(
            AccountTerms(
                account,
                tuple(names),
                min((rate for rate in rates if rate is not None), default=None),
                min((most for most in calls if most is not None), default=None),
            )
        )
    return tuple(found)


_NAMED: Final = re.compile(r"\s*(.*?)\s*<([^<>]+)>\s*")


def _signed(
    name: str, spec: ChannelSpec, settings: ChannelSettings, brand: Brand | None, problems: list[str]
) -> ChannelSettings:
    """The settings of a channel, from the brand's sender where they name none."""
    if brand is None:
        return settings
    fields = {field.encode_name for field in msgspec.structs.fields(spec.config)}
    said = brand.senders.get(name, "")
    if said and "sender" not in fields:
        problems.append(f"brand.senders.{name}: {settings.use} has no setting “sender”; leave it out")
        return settings
    named = _NAMED.fullmatch(said) if "sender_name" in fields else None
    signs = {"sender": named[2] if named is not None else said} if said else {}
    if "sender_name" in fields and (shown := (named[1] if named is not None else "") or brand.name):
        signs["sender_name"] = shown
    return msgspec.structs.replace(settings, settings={**signs, **settings.settings})


def _as_it_serves(project: Project, name: str, spec: ChannelSpec) -> ChannelSpec:
    """A channel as it is under its name in rules: it reports what its plugin does, and what the links of its messages
    tell."""
    found = in_the_place_of(name, spec)
    if found.stands or found.retracts:
        return found
    seen = reactions_of(project.tracking, name, [part.name for part in found.content])
    return msgspec.structs.replace(found, reactions=tuple(dict.fromkeys((*found.reactions, *seen))))


def check(assembly: Assembly, paths: Sequence[Path] | None = None, *, content: bool = True) -> CheckedBook:
    """Read and check the rule book: the project's, or what lies under ``paths``. With ``content``, a message that a
    channel needs and the book lacks is an error."""
    found = _find(assembly, paths)
    checked = check_book(found.sources, assembly.words(found.catalogue if content else None))
    return _with_rest(assembly, checked, found, advise=content)


def check_version(assembly: Assembly, files: Mapping[str, str]) -> CheckedBook:
    """Check the rules of an earlier version, with the messages that lie on disk now."""
    found = _find(assembly, None)
    sources = tuple(RuleFile(path, text) for path, text in files.items())
    checked = check_book(sources, assembly.words(found.catalogue))
    return _with_rest(assembly, checked, _Found(sources, (), found.catalogue), advise=False)


class MendedBook(msgspec.Struct, frozen=True):
    """A rule book with its safe fixes made, in memory only. ``before`` are the files as they are, ``after`` as they
    would be, one for one; ``book`` is the check of the latter, ``fixed`` what was fixed."""

    before: tuple[RuleFile, ...]
    after: tuple[RuleFile, ...]
    fixed: tuple[Diagnostic, ...]
    book: CheckedBook


def mend(assembly: Assembly, paths: Sequence[Path] | None = None) -> MendedBook:
    """Read the rule book as `check` does, and make every safe fix."""
    found = _find(assembly, paths)
    words = assembly.words(found.catalogue)
    mended = mend_sources(found.sources, lambda sources: check_book(sources, words))
    after = msgspec.structs.replace(found, sources=mended.sources)
    return MendedBook(found.sources, mended.sources, mended.fixed, _with_rest(assembly, mended.checked, after))


class _Found(msgspec.Struct, frozen=True):
    """What lies under the paths of a book."""

    sources: tuple[RuleFile, ...]
    unreadable: tuple[Diagnostic, ...]
    catalogue: Catalogue


def _find(assembly: Assembly, paths: Sequence[Path] | None) -> _Found:
    places = [_from_here(path) for path in (paths if paths is not None else [assembly.project.rules])]
    sources, unreadable = read_book(places)
    folders = list(dict.fromkeys(place if place.is_dir() else place.parent for place in places))
    return _Found(sources, unreadable, assembly.messages(folders))


def _with_rest(assembly: Assembly, checked: Checked, found: _Found, *, advise: bool = True) -> CheckedBook:
    """The check of a book with what is wrong outside the texts of its rules. ``advise``: the content of messages is
    looked at as well."""
    texts: Mapping[str, str] = read_texts(found.catalogue) if advise else {}
    wrong = content_problems(found.catalogue, texts)
    if advise:
        wrong += check_messages(assembly, checked, found.catalogue, texts)
    files = {source.path: source.text for source in found.sources}
    return CheckedBook(checked, found.catalogue, (*found.unreadable, *checked.diagnostics, *wrong), files, texts)


def check_messages(
    assembly: Assembly, checked: Checked, catalogue: Catalogue, texts: Mapping[str, str]
) -> tuple[Diagnostic, ...]:
    """What is wrong with the content of messages, whose files have these texts. Of a book with errors, nothing is said
    of which messages its rules send."""
    return check_content(
        catalogue, texts, checked.book, assembly.channel_facts, assembly.always_given, whole=checked.ok
    )


def _strange_parts(
    template: Template, catalogue: Catalogue, key: tuple[str, str, str | None], spec: ChannelSpec
) -> list[Problem]:
    """Parts that a channel does not know. One that can do without content takes any, but for what is attached."""
    known = [part.name for part in spec.content]
    strange = [name for name in template.parts if known and name not in (*known, *template.made, ATTACH)]
    problems = []
    if ATTACH in template.parts and not spec.attachments:
        origin = catalogue.origins[key][ATTACH]
        said = f"{template.channel} carries no attachments, so no report can go by it: send it by email"
        problems.append(Problem(origin.path, origin.line, said))
    for name in strange:
        origin = catalogue.origins[key][name]
        shown = "body" if name == "text" and origin.form == "toml" else name
        near = nearest(name, [*known, "layout"] if "html" in known else known)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
        problems.append(Problem(origin.path, origin.line, f"{template.channel} has no part “{shown}”; {hint}"))
    return problems


def _from_here(path: Path) -> Path:
    """A path as the user would write it: from the folder they stand in, where it lies below that."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def open_sources(assembly: Assembly) -> tuple[list[tuple[str, SourceSpec, Source]], list[str]]:
    """The sources of a project that are called over HTTP, opened, each with its name; and sentences about those that
    cannot be."""
    opened: list[tuple[str, SourceSpec, Source]] = []
    problems: list[str] = []
    claimed: dict[str, str] = {}
    for name, (spec, settings) in assembly.sources.items():
        routes = [route.replace("{source}", name) for route in spec.routes]
        taken = next((route for route in routes if route in claimed), None)
        if taken is not None:
            problems.append(f"sources.{name}: {taken} is answered by sources.{claimed[taken]} already: keep one")
            continue
        if not routes:
            continue
        claimed.update(dict.fromkeys(routes, name))
        try:
            config = configure(spec.config, settings.settings, f"sources.{name}")
            opened.append((name, spec, spec.open(config, SourceTools(source=name, url=assembly.project.http.url))))
        except ConfigurationError as error:
            problems.append(str(error))
        except Exception as error:  # a plugin's fault is its own: the other sources go on
            problems.append(f"sources.{name}: {type(error).__name__}: {error}")
    return opened, problems


def configure_fetching(assembly: Assembly) -> tuple[list[tuple[str, SourceSpec, msgspec.Struct]], list[str]]:
    """The sources of a project that fetch, each with its name and its configuration, not opened yet; and sentences
    about those whose settings are wrong."""
    found: list[tuple[str, SourceSpec, msgspec.Struct]] = []
    problems: list[str] = []
    for name, (spec, settings) in assembly.sources.items():
        if spec.fetches:
            try:
                found.append((name, spec, configure(spec.config, settings.settings, f"sources.{name}")))
            except ConfigurationError as error:
                problems.append(str(error))
    return found, problems
