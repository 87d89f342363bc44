"""Which language a customer is written to in, and how its numbers and dates look.

The order is language, then country, then default. A customer of ``pt-BR`` gets content in ``pt-BR``, else in ``pt``;
else in the main language of their country; else what is written for everyone; else what is in the project's own
language. Who tells neither is written to as someone of the project's locale. `tried` is the whole list, so that it can
be shown why a customer got what they got.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, Literal

import msgspec

from segue.customers import normal

Because = Literal["language", "country", "project", "everyone"]

_NORWEGIAN: Final = {"nb": ("no",), "no": ("nb",), "nn": ("no", "nb")}
"""Norwegian is called by the name of the language and by those of its two forms, all of which Norwegians read."""
_RIGHT_TO_LEFT: Final = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
_RIGHT_TO_LEFT_SCRIPTS: Final = frozenset({"Arab", "Hebr", "Thaa", "Nkoo", "Syrc"})


class Step(msgspec.Struct, frozen=True):
    """One place that is looked for content: a locale (None: content without one), and why it is looked for."""

    locale: str | None
    because: Because


def tried(customer: Mapping[str, Any], project: str) -> tuple[Step, ...]:
    """The locales in which content for a customer is looked for, in order. ``customer`` are traits (``locale`` or
    ``language``, and ``country``), ``project`` the project's own locale."""
    return _tried(
        _text(customer.get("locale")) or _text(customer.get("language")), _text(customer.get("country")), project
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


@lru_cache(maxsize=4096)
def _tried(spoken: str | None, country: str | None, project: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    language = normal.language(spoken)
    region = normal.country(country)
    if language is not None:
        if region is not None and "-" not in language:
            steps.append(Step(f"{language}-{region}", "language"))
        steps += [Step(tag, "language") for tag in _related(language)]
        region = region or country_of(language)
    main = main_language(region) if region is not None else None
    if main is not None:
        steps += [Step(tag, "country") for tag in _related(f"{main}-{region}")]
    own = [Step(tag, "project") for tag in shortened(project)]
    everyone = Step(None, "everyone")
    # Someone of whom nothing is known is one of the project's own; for anybody else its language is the last resort.
    steps += [everyone, *own] if steps else [*own, everyone]
    seen: set[str | None] = set()
    return tuple(step for step in steps if not (step.locale in seen or seen.add(step.locale)))  # type: ignore[func-returns-value]


def shortened(tag: str) -> tuple[str, ...]:
    """A tag and what is left as its subtags fall off from the right, as in RFC 4647 section 3.4 (lookup)."""
    parts = tag.split("-")
    return tuple("-".join(parts[:length]) for length in range(len(parts), 0, -1))


def _related(tag: str) -> tuple[str, ...]:
    """A tag, what is left as its subtags fall off, and other names for the same writing before one that is written
    otherwise: who reads ``zh-Hant-TW`` gets ``zh-TW`` and not ``zh``, whose letters are simplified."""
    found: list[str] = []
    for one in shortened(tag):
        found += [one, *_same_writing(one)]
    return tuple(dict.fromkeys(found))


def _same_writing(tag: str) -> Iterator[str]:
    language, *rest = tag.split("-")
    if not rest:
        yield from _NORWEGIAN.get(language, ())
        return
    region = country_of(tag)
    script = next((part for part in rest if len(part) == 4), None)
    if script is not None:
        if region is not None and _script(language, region) == script:
            yield f"{language}-{region}"
    elif region is not None:
        script = _script(language, region)
        if script is None or script == _script(language, None):
            return
        yield f"{language}-{script}"
    if script is not None and script != _script(language, None):
        place = _likely(f"{language}_{script}")[2]
        if place is not None and _script(language, place) == script:
            yield f"{language}-{place}"


def _script(language: str, region: str | None) -> str | None:
    """The script in which a language is written, in a region."""
    return (_likely(f"{language}_{region}")[1] if region is not None else None) or _likely(language)[1]


def _likely(tag: str) -> tuple[str, str | None, str | None]:
    """Language, script and region that a tag most likely means, by Unicode's CLDR; None for what is not known."""
    from babel.core import get_global

    known: str = get_global("likely_subtags").get(tag, "")
    language, *rest = known.split("_")
    script = next((part for part in rest if len(part) == 4), None)
    return language, script, next((part for part in rest if len(part) == 2), None)


def country_of(tag: str) -> str | None:
    """The country in a tag (``pt-BR``), None where there is none."""
    return next((part for part in tag.split("-")[1:] if len(part) == 2 and part.isalpha()), None)


@lru_cache(maxsize=512)
def main_language(country: str) -> str | None:
    """The language that most people of a country read, by the likely subtags of Unicode's CLDR."""
    from babel.core import get_global

    likely: str | None = get_global("likely_subtags").get(f"und_{country}")
    return likely.split("_")[0] if likely is not None else None


@lru_cache(maxsize=512)
def is_a_language(code: str) -> bool:
    """Whether there is a language of this code, by Unicode's CLDR: ``ja``, and not ``jp``."""
    from babel import Locale
    from babel.localedata import exists

    return code in Locale.parse("en").languages or exists(code)


@lru_cache(maxsize=1024)
def is_right_to_left(tag: str) -> bool:
    """Whether a language is written from right to left."""
    parts = tag.split("-")
    script = next((part for part in parts[1:] if len(part) == 4), None)
    return script in _RIGHT_TO_LEFT_SCRIPTS if script is not None else parts[0] in _RIGHT_TO_LEFT


def manner_of(language: str, customer: Mapping[str, Any]) -> str:
    """The locale by which dates and numbers are written in content of a language: with the customer's country, where
    the customer speaks that language (``en`` for a customer of ``en-GB``), else that of the content."""
    return _manner(
        language, _text(customer.get("locale")) or _text(customer.get("language")), _text(customer.get("country"))
    )


@lru_cache(maxsize=4096)
def _manner(language: str, spoken: str | None, country: str | None) -> str:
    if "-" in language:
        return language
    tag = normal.language(spoken)
    if tag is not None and tag.split("-")[0] == language and "-" in tag:
        return tag
    region = normal.country(country)
    if region is not None and (tag == language or (tag is None and main_language(region) == language)):
        return f"{language}-{region}"
    return language


def say_step(step: Step) -> str:
    """A step in words, for whoever asks why a customer got this content."""
    match step.because:
        case "language":
            return f"{step.locale}, the customer's language"
        case "country":
            return f"{step.locale}, the language of the customer's country"
        case "project":
            return f"{step.locale}, the project's language"
        case "everyone":
            return "the content for everyone"
