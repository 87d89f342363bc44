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
    "ar": ("توقف", "إيقاف", "إلغاء"),
    "bg": ("стоп", "отказ", "спри"),
    "cs": ("stop", "odhlásit"),
    "da": ("stop", "afmeld"),
    "de": ("stop", "stopp", "stoppen", "abmelden", "abbestellen"),
    "el": ("στοπ", "διακοπή", "διαγραφή"),
    "en": ("stop", "stopall", "unsubscribe", "optout", "unsub"),
    "es": ("stop", "detener"),
    "et": ("stop", "loobu"),
    "fi": ("stop", "lopeta"),
    "fr": ("stop", "arrêt", "désabonner", "désabonnement", "désinscrire", "désinscription"),
    "he": ("הסר", "הסרה"),
    "hr": ("stop", "odjava"),
    "hu": ("stop", "leiratkozás", "leiratkozom"),
    "is": ("hætta", "stopp"),
    "it": ("stop", "disiscrivimi", "cancellami"),
    "ja": ("停止", "配信停止", "解除"),
    "ko": ("수신거부", "중지"),
    "nb": ("stop", "stopp", "avmeld"),
    "nl": ("stop", "stoppen", "afmelden", "uitschrijven"),
    "pl": ("stop", "rezygnuję", "wypisz"),
    "pt": ("stop",),
    "ro": ("stop", "dezabonare"),
    "ru": ("стоп", "отписаться"),
    "sk": ("stop", "odhlásiť"),
    "sl": ("stop", "odjava"),
    "sv": ("stopp", "stoppa", "avregistrera"),
    "tr": ("iptal", "dur"),
    "uk": ("стоп", "відписатися"),
    "zh": ("退订", "退訂", "取消订阅", "停止"),
}
"""Words that mean it at the beginning of a message, whatever follows them."""

START: Final[Mapping[str, tuple[str, ...]]] = {
    "de": ("start", "anmelden"),
    "en": ("start", "unstop", "subscribe"),
    "es": ("comenzar", "alta"),
    "fi": ("start", "aloita"),
    "fr": ("reprendre",),
    "it": ("inizia",),
    "pt": ("começar",),
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


def _words(text: str) -> list[str]:
    """The words of a text, without case and accents: who types in haste leaves them out (``DESABONNER``), and Turkish
    puts a dot where others have none. Letters that stand alone (``S.T.O.P``) are one word."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    words = _WORD.findall("".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c)))
    return ["".join(words)] if len(words) > 1 and all(len(word) == 1 for word in words) else words


_POLITE: Final = frozenset({"please", "pls", "bitte", "por", "favor"})


def _all(words: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    return frozenset(" ".join(_words(word)) for some in words.values() for word in some)


_STOP_FIRST: Final = _all(STOP)
_STOP_ALONE: Final = frozenset(
    {"cancel", "end", "quit", "revoke", "remove me"}  # en
    | {"ende", "slut", "slutt", "fin", "annuler", "alto", "baja", "cancelar", "parar", "sair", "basta", "cancella"}
    | {"peruuta", "td", "t"}  # fi, and what networks in China have customers answer
)
"""Words of other meanings, and so only where they are the whole message: "Cancel my order" is no STOP."""
_START_ALONE: Final = _all(START) | {"yes"}
_HELP_ALONE: Final = _all(HELP)
_LONGEST: Final = 2_000


def read_keyword(text: str) -> Keyword | None:
    """What a message asks for, None where it is any other. STOP counts as soon as it is the first word, whatever
    follows: a STOP that is missed breaks the law, one too many costs a customer who may write START. START and HELP
    must be the whole message. Case, accents, punctuation and a leading "please" make no difference."""
    words = _words(text[:_LONGEST])
    while words and words[0] in _POLITE:
        del words[0]
    if not words:
        return None
    whole = " ".join(words)
    if words[0] in _STOP_FIRST or words[:2] == ["opt", "out"] or whole in _STOP_ALONE:
        return "stop"
    if whole in _START_ALONE:
        return "start"
    return "help" if whole in _HELP_ALONE else None
