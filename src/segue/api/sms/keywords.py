"""STOP, START and HELP: what a customer's message asks for, in the languages of many countries.

Operators and their association fix the English words (CTIA's Messaging Principles and Best Practices), and 47 CFR
64.1200(a)(10) adds ``revoke`` and ``opt out`` and wants usual wordings heard as well. Every language's words hold for
everybody: who writes ``STOPP`` means it, whatever language the shop knows of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final, Literal

__all__ = ["HELP", "START", "STOP", "Keyword", "read_keyword"]

Keyword = Literal["stop", "start", "help"]

STOP: Final[Mapping[str, tuple[str, ...]]] = {
    "cs": ("stop", "odhlásit"),
    "da": ("stop", "afmeld"),
    "de": ("stop", "stopp", "abmelden"),
    "en": ("stop", "stopall", "unsubscribe", "optout", "unsub"),
    "es": ("stop",),
    "et": ("stop", "loobu"),
    "fi": ("stop", "lopeta"),
    "fr": ("stop", "arret", "arrêt", "désabonner", "desabonner"),
    "it": ("stop", "disiscrivimi"),
    "nb": ("stop", "stopp", "avmeld"),
    "nl": ("stop", "afmelden"),
    "pl": ("stop", "rezygnuję", "wypisz"),
    "pt": ("stop",),
    "ru": ("стоп", "отписаться"),
    "sv": ("stopp", "avregistrera"),
    "uk": ("стоп", "відписатися"),
}
"""Words that mean it at the beginning of a message, whatever follows them."""

START: Final[Mapping[str, tuple[str, ...]]] = {
    "de": ("start", "anmelden"),
    "en": ("start", "unstop", "subscribe"),
    "es": ("comenzar", "alta"),
    "fi": ("start", "aloita"),
    "fr": ("reprendre",),
    "it": ("inizia",),
    "pt": ("começar", "comecar"),
    "ru": ("старт",),
}
HELP: Final[Mapping[str, tuple[str, ...]]] = {
    "da": ("hjælp",),
    "de": ("hilfe",),
    "en": ("help", "info"),
    "es": ("ayuda",),
    "fi": ("apua", "ohje"),
    "fr": ("aide",),
    "it": ("aiuto",),
    "nb": ("hjelp",),
    "nl": ("hulp",),
    "pl": ("pomoc",),
    "pt": ("ajuda",),
    "ru": ("помощь",),
    "sv": ("hjälp",),
}

_WORD: Final = re.compile(r"[^\W_]+")
_POLITE: Final = frozenset({"please", "pls", "bitte", "por", "favor"})


def _all(words: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    return frozenset(word for some in words.values() for word in some)


_STOP_FIRST: Final = _all(STOP)
_STOP_ALONE: Final = frozenset(
    {"cancel", "end", "quit", "revoke", "opt out", "remove me"}  # en
    | {"ende", "slut", "fin", "annuler", "alto", "baja", "cancelar", "parar", "sair", "basta", "peruuta"}
)
"""Words of other meanings, and so only where they are the whole message: "Cancel my order" is no STOP."""
_START_ALONE: Final = _all(START) | {"yes"}
_HELP_ALONE: Final = _all(HELP)
_LONGEST: Final = 2_000


def read_keyword(text: str) -> Keyword | None:
    """What a message asks for, None where it is any other. STOP counts as soon as it is the first word, whatever
    follows: a STOP that is missed breaks the law, one too many costs a customer who may write START. START and HELP
    must be the whole message. Case, accents as typed, punctuation and a leading "please" make no difference."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text[:_LONGEST]).casefold())
    while words and words[0] in _POLITE:
        del words[0]
    if not words:
        return None
    whole = " ".join(words)
    if words[0] in _STOP_FIRST or whole in _STOP_ALONE:
        return "stop"
    if whole in _START_ALONE:
        return "start"
    return "help" if whole in _HELP_ALONE else None
