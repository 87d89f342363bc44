"""What is new in a reply: the words above the mail that it answers, and above a signature.

No standard says how a mail program marks what it quotes. These are the marks of the common ones (Gmail, Outlook, Apple
Mail, Yahoo, Thunderbird), in the languages of many customers. Where none is found the whole text counts as written.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 10_000
"""Characters of a reply that are read."""
_ATTRIBUTION_LINES: Final = 3
"""Lines over which "On Monday the shop wrote:" is broken at the most."""
_HEADER_LINES: Final = 3

_MARK: Final = re.compile(
    r">|_{10,}$|-- ?$"
    r"|-{2,} ?(?:original message|forwarded message)|-{5,} ?[^-]{3,60}-{5,}$"
    r"|sent from my |von meinem \S+.{0,40} gesendet|gesendet von |envoyé de mon |envoyé depuis |enviado desde mi "
    r"|enviado do meu |inviato da |verzonden vanaf |skickat från min |sendt fra min |lähetetty \w|wysłane z "
    r"|get outlook for |outlook für |télécharger outlook ",
    re.IGNORECASE,
)
_WROTE: Final = re.compile(
    r"(?=.{0,500}(?:\b20\d\d\b|\d[:.h]\d\d)).{0,500}\b(?:wrote|schrieb|a écrit|escribió|escreveu|ha scritto|schreef"
    r"|skrev|kirjoitti|napsala?|napisał\(?a?\)?|написал\(?а?\)?|пишет)\b.{0,300}:\s*",
    re.IGNORECASE,
)
_FROM: Final = re.compile(r"\*?(?:from|von|de|da|van|från|fra|lähettäjä|od|от)\s?:\*?\s", re.IGNORECASE)
_HEADER: Final = re.compile(r"\*?[^\W\d_][\w -]{0,30}\s?:")


def written(text: str) -> str:
    """The words that are new in a reply."""
    lines = text[:LONGEST].splitlines()
    kept: list[str] = []
    for number, line in enumerate(lines):
        if _MARK.match(line.strip()) or _begins_quoted(lines, number):
            break
        kept.append(line.rstrip())
    while kept and (not kept[-1] or kept[-1].endswith(":")):  # "On Monday the shop wrote:"
        kept.pop()
    return "\n".join(kept).strip()


def _begins_quoted(lines: list[str], number: int) -> bool:
    """Whether a line begins the words by which a mail program introduces what it quotes: a sentence, or some fields of
    its header, as Outlook does."""
    line = lines[number].strip()
    if not line:
        return False
    if _FROM.match(line):
        following = [one.strip() for one in lines[number + 1 :][: _HEADER_LINES * 2] if one.strip()][:_HEADER_LINES]
        return len(following) == _HEADER_LINES and all(_HEADER.match(one) for one in following)
    piece = ""
    for one in lines[number : number + _ATTRIBUTION_LINES]:
        if not one.strip() or one.lstrip().startswith(">"):
            return False
        piece = f"{piece} {one.strip()}".strip()
        if piece.endswith(":"):
            return _WROTE.fullmatch(piece) is not None
    return False
