"""All messages of a rule book, and which of them a customer's language gets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import msgspec

from segue.customers import normal
from segue.messages.locales import Step, say_step
from segue.messages.template import Template

_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a content file. ``line`` counts from 1, and is 0 where the whole file or folder is meant."""

    path: str
    line: int
    message: str


Form = Literal["txt", "md", "html", "mjml", "toml"]
"""What the content of a file is written in: the ending of its name."""


class Origin(msgspec.Struct, frozen=True):
    """Where the content of a part was found, as its author wrote it: ``line`` of the file ``path``, in ``form``."""

    path: str
    line: int
    form: Form
    source: str


class Choice(msgspec.Struct, frozen=True):
    """The content that a customer gets, None where there is none, and the places that were looked at for it, the last
    of which is where it was found."""

    template: Template | None
    tried: tuple[Step, ...]

    def __str__(self) -> str:
        """``no content in pt-BR, the customer's language; content in pt, …``: for whoever asks why."""
        if self.template is None:
            return f"no content in any of: {'; '.join(map(say_step, self.tried))}"
        *without, found = map(say_step, self.tried)
        return "; ".join([*(f"not in {step}" for step in without), f"written in {found}"])


class Catalogue(msgspec.Struct, frozen=True):
    """Messages by name, channel and locale. ``problems`` are about files whose message was left out. ``origins`` are,
    by the same keys, what each part was made of: several parts may be made of one file, and the text of an HTML file
    has the origin of the HTML. ``layouts`` are the project's own, by path."""

    templates: dict[tuple[str, str, str | None], Template] = {}
    problems: tuple[Problem, ...] = ()
    origins: dict[tuple[str, str, str | None], dict[str, Origin]] = {}
    layouts: dict[str, Origin] = {}

    def choose(self, name: str, channel: str, steps: Sequence[Step]) -> Choice:
        """The content for a customer, by the places to look at that `segue.messages.locales.tried` gives."""
        for number, step in enumerate(steps, 1):
            found = self.templates.get((name, channel, step.locale))
            if found is not None:
                return Choice(found, tuple(steps[:number]))
        return Choice(None, tuple(steps))

    def find(self, name: str, channel: str, locale: str | None = None) -> Template | None:
        """The content closest to a locale: of the language and country, of the language, without a language.

        ``Template.locale`` tells which it was. None where the message has no content for the channel that fits.
        Subtags fall off from the right, as in RFC 4647 section 3.4 (lookup).
        """
        tag = normalise(locale) if locale else None
        while tag:
            found = self.templates.get((name, channel, tag))
            if found is not None:
                return found
            tag = tag.rpartition("-")[0]
        return self.templates.get((name, channel, None))

    def names(self, channel: str) -> tuple[str, ...]:
        """The messages that have content for a channel, in any language, sorted."""
        return tuple(sorted({name for name, of, _ in self.templates if of == channel}))

    def unusable(self) -> dict[tuple[str, str], str]:
        """For each channel and message the file, of those that there are, that cannot be used."""
        found: dict[tuple[str, str], str] = {}
        for problem in self.problems:
            *_, folder, name, file = ["", "", *problem.path.replace("\\", "/").split("/")]
            if folder == "messages" and "." in file:
                found.setdefault((file.partition(".")[0], name), f"messages/{name}/{file}")
        return found

    def languages(self) -> dict[tuple[str, str], frozenset[str | None]]:
        """For each channel and message, the locales of its content; None among them is that for every language."""
        found: dict[tuple[str, str], set[str | None]] = {}
        for name, channel, locale in self.templates:
            found.setdefault((channel, name), set()).add(locale)
        return {key: frozenset(locales) for key, locales in found.items()}


@lru_cache(maxsize=1024)
def normalise(locale: str) -> str | None:
    """A locale as the catalogue writes it, ``pt_br`` as ``pt-BR`` (RFC 5646 section 2.1.1), and a language by the
    code by which customers' languages go, ``iw`` as ``he``; None when it is none."""
    if _LOCALE.fullmatch(locale) is None:
        return None
    language, *subtags = re.split("[-_]", locale)
    return "-".join([normal.language(language) or language.lower(), *map(_subtag, subtags)])


def _subtag(subtag: str) -> str:
    if len(subtag) == 2:
        return subtag.upper()
    return subtag.title() if len(subtag) == 4 and subtag.isalpha() else subtag.lower()
