"""Advice about the languages of messages."""

from __future__ import annotations

from collections import Counter

from segue.language import tree as t
from segue.language.items import Items
from segue.language.sends import fill
from segue.language.vocabulary import Lexicon


def advise_on_languages(items: Items, lexicon: Lexicon) -> None:
    """Messages that some customers would get in no language, or not in one that most other messages have. Once for each
    message and channel, at its first send."""
    languages = lexicon.words.languages
    if not languages:
        return
    of_channel: dict[str, Counter[str]] = {}
    messages: Counter[str] = Counter()
    for (channel, _), found in languages.items():
        messages[channel] += 1
        of_channel.setdefault(channel, Counter()).update(language for language in found if language is not None)
    elsewhere: dict[str, set[str]] = {}
    for (_, name), found in languages.items():
        elsewhere.setdefault(name, set()).update(language for language in found if language is not None)
    told: set[tuple[str, str]] = set()
    for checked in items.rules:
        for written, _ in checked.made:
            if not isinstance(written, t.Send):
                continue
            for filled in (each for part in fill(written, checked.rule.name) for group in part for each in group):
                key = (filled.written.place.text, filled.message)
                if key in told or key not in languages:
                    continue
                told.add(key)
                locale = lexicon.words.locale
                fault = _fault(key, languages[key], of_channel[key[0]], messages[key[0]], locale)
                fault = fault or _half(key, languages[key], elsewhere[key[1]], locale)
                if fault is not None:
                    message, hint = fault
                    checked.report.add(
                        "W0712", filled.written.message or filled.written.place, message, label="not for all", hint=hint
                    )


def _fault(
    key: tuple[str, str], found: frozenset[str | None], usual: Counter[str], messages: int, locale: str
) -> tuple[str, str] | None:
    channel, name = key
    written = sorted(language for language in found if language is not None)
    if None not in found and not any(language == locale or locale.startswith(f"{language}-") for language in written):
        return (
            f'the message "{name}" has content for {channel} only in {_listed(written)}: '
            "customers of other languages get nothing",
            f"add messages/{name}/{channel}.{locale}.txt, or a file without a language, which all others get",
        )
    lacking = [
        language
        for language, times in sorted(usual.items())
        if language not in found and language != locale and times >= 2 and 2 * times >= messages
    ]
    if lacking:
        return (
            f'the message "{name}" has no content for {channel} in {_listed(lacking)}, '
            f"which most other messages by {channel} have",
            f"add messages/{name}/{channel}.{lacking[0]}.txt; without it such customers get the general one",
        )
    return None


def _half(
    key: tuple[str, str], found: frozenset[str | None], elsewhere: set[str], locale: str
) -> tuple[str, str] | None:
    """A message that other channels have in a language: its customers would be written to in two."""
    channel, name = key
    lacking = sorted(
        language
        for language in elsewhere - found
        if language != locale and not any(language.startswith(f"{one}-") for one in found if one is not None)
    )
    if not lacking:
        return None
    return (
        f'the message "{name}" has content in {_listed(lacking)} for another channel, and none for {channel}',
        f"add messages/{name}/{channel}.{lacking[0]}.txt; without it such customers get the general one",
    )


def _listed(languages: list[str]) -> str:
    return languages[0] if len(languages) == 1 else f"{', '.join(languages[:-1])} and {languages[-1]}"
