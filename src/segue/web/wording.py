"""What the pages for customers say, in each language: the words shipped with Segue, and those of the project over them.

A file ``LOCALE.toml`` holds texts in tables. A project's file may say any of them otherwise; what a language lacks is
said in English.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from hashlib import blake2b
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

__all__ = ["Words", "load_words"]

_FALLBACK: Final = "en"
_LARGEST: Final = 100_000


class Words:
    """The texts of one language. ``version`` names the wording: another text, another version."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self._texts = texts
        content = "\0".join(f"{name}={text}" for name, text in sorted(texts.items()))
        self.version = f"{language} {blake2b(content.encode(), digest_size=4).hexdigest()}"

    def say(self, text: str, **values: str) -> str:
        """A text, with its values put in."""
        said = self._texts[f"texts.{text}"]
        for name, value in values.items():
            said = said.replace(f"{{{name}}}", value)
        return said

    def channel(self, name: str) -> str:
        """What customers call a channel; the name in rules where nothing else is known."""
        return self._texts.get(f"channels.{name}") or name.replace("_", " ").capitalize()

    def by(self, channel: str) -> str:
        """By which channel, within a sentence."""
        return self._texts.get(f"by.{channel}") or f"({self.channel(channel)})"

    def kind(self, name: str) -> str:
        """What customers call a kind of message."""
        return self._texts[f"kinds.{name}.name"]

    def about(self, kind: str) -> str:
        """What messages of a kind are about."""
        return self._texts[f"kinds.{kind}.about"]

    def frequency(self, name: str) -> str:
        """How often at most; empty: as often as there is something."""
        return self._texts[f"frequencies.{name or 'any'}"]

    def hindrance(self, name: str) -> str:
        """Why nothing comes."""
        return self._texts[f"hindrances.{name}"]


class Catalogue:
    """The words of all languages."""

    def __init__(self, languages: Mapping[str, Words], problems: tuple[str, ...] = ()) -> None:
        self._languages = languages
        self.problems = problems
        """Sentences about files of the project that cannot be read."""

    def find(self, locale: str) -> Words:
        """The words for a locale (``de-AT``): its own, those of its language, else English."""
        wanted = locale.replace("_", "-")
        for name in (wanted, wanted.split("-", maxsplit=1)[0].lower()):
            if name in self._languages:
                return self._languages[name]
        return self._languages[_FALLBACK]


def load_words(folder: Path | None = None) -> Catalogue:
    """The words shipped with Segue, and those in a project's folder over them."""
    problems: list[str] = []
    texts = _read_all(resources.files("segue.web") / "words", problems)
    for language, own in (_read_all(folder, problems) if folder is not None else {}).items():
        base = texts.get(language) or texts.get(language.split("-", maxsplit=1)[0], {})
        texts[language] = {**base, **own}
    english = texts[_FALLBACK]
    return Catalogue({name: Words(name, {**english, **own}) for name, own in texts.items()}, tuple(problems))


def _read_all(folder: Traversable, problems: list[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if not file.name.endswith(".toml"):
            continue
        try:
            text = file.read_text(encoding="utf-8")
            if len(text) > _LARGEST:
                raise ValueError(f"it holds more than {_LARGEST} characters")
            found[file.name.removesuffix(".toml")] = dict(_flatten(tomllib.loads(text), ""))
        except (OSError, ValueError, RecursionError) as error:
            problems.append(f"{file}: it cannot be used: {error}")
    return found


def _flatten(table: Mapping[str, Any], prefix: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            pairs += _flatten(value, f"{prefix}{name}.")
        elif isinstance(value, str):
            pairs.append((prefix + name, value))
        else:
            raise ValueError(f"{prefix}{name} should be text in quotes")
    return pairs
