"""A message as a few lines of text. Nothing a message contains can move the cursor, recolour or retitle a terminal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from segue.api import Message

_WIDTH = 78
_LONGEST = 40  # lines of one part; a long HTML part would push everything else off the screen
_MARKS = {"email": "✉", "sms": "✆", "letter": "⚑", "chat": "…"}


def draw(message: Message, *, retracted: bool = False) -> str:
    """The picture of a message, or of its being taken back, ending in a line break."""
    mark = _MARKS.get(message.channel, "•")
    title = f"{mark} {visible(message.channel)}"
    if message.name and message.name != message.rule:
        title += f' "{visible(message.name)}"'
    who = visible(message.customer)
    if message.address and message.address != message.customer:
        who += f" <{visible(message.address)}>"
    title += f" to {who}"
    about = f"rule {visible(message.rule)} · {message.kind}"
    if message.attempt > 1:
        about += f" · attempt {message.attempt}"
    if retracted:
        return "\n".join([f"┌─ taken back: {title}", f"│  {about}", "└" + "─" * 20]) + "\n"
    lines = [f"┌─ {title}", f"│  {about}", *_parts(message)]
    return "\n".join([*lines, "└" + "─" * 20]) + "\n"


def _parts(message: Message) -> Iterator[str]:
    content = dict(message.content)
    if (subject := content.pop("subject", "")).strip():
        yield f"│  Subject: {visible(subject)}"
    text, markup = content.pop("text", ""), content.pop("html", "")
    for name, value in content.items():
        yield f"│  {visible(name)}: {visible(value)[:_WIDTH]}"
    words = text if text.strip() else _without_tags(markup)
    lines = [line for paragraph in words.strip().splitlines() for line in _wrap(visible(paragraph))]
    if any(lines):
        yield "│"
        yield from (f"│  {line}".rstrip() for line in lines[:_LONGEST])
        if len(lines) > _LONGEST:
            yield f"│  … and {len(lines) - _LONGEST} more lines"
    for file in message.attachments:
        yield f"│  attached: {visible(file.name)}, {len(file.data) / 1000:.1f} kB"


def visible(text: str) -> str:
    """The text on one line, with controls, terminal sequences and marks that turn the direction of writing defused."""
    shown: list[str] = []
    for character in text:
        category = unicodedata.category(character)
        if character in "\t\n\r" or category in {"Zl", "Zp"}:
            shown.append(" ")
        elif category in {"Cc", "Cs"} or unicodedata.bidirectional(character) in _TURNING:
            shown.append("�")
        else:
            shown.append(character)
    return "".join(shown).strip()


_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def _wrap(paragraph: str) -> list[str]:
    lines, line = [], ""
    for word in paragraph.split(" "):
        if line and len(line) + 1 + len(word) > _WIDTH:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def _without_tags(markup: str) -> str:
    seen = re.sub(r"(?is)<(style|script|head)\b.*?</\1\s*>", "", markup)
    seen = re.sub(r"(?i)<(br|/p|/div|/h\d|/li|/tr)\b[^>]*>", "\n", seen)
    return re.sub(r"\n\s*\n+", "\n\n", re.sub(r"<[^>]*>", "", seen))
