"""The mailbox: what the console channel wrote, read as it grows."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Letter(msgspec.Struct, frozen=True):
    """A message as it went out, or was taken back (``retracted``). ``at`` is the machine's own time (RFC 3339)."""

    at: str
    key: str
    channel: str
    name: str
    customer: str
    address: str
    rule: str
    content: dict[str, str] = {}
    retracted: bool = False

    @property
    def words(self) -> str:
        """The subject or title, and the first words, on one line."""
        subject = " ".join((self.content.get("subject") or self.content.get("title", "")).split())
        text = " ".join(self.content.get("text", "").split())
        return f"{subject} · {text}" if subject and text else subject or text


_decode = msgspec.json.Decoder(Letter).decode


class Mailbox:
    """Reads the file from where it was left. Only whole lines count."""

    def __init__(self, path: Path, *, from_end: bool = False) -> None:
        self._path = path
        self._place = path.stat().st_size if from_end and path.exists() else 0

    def read(self) -> list[Letter]:
        """The messages that came since the last look, in order."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._place)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data.rfind(b"\n") + 1
        self._place += whole
        return [_decode(line) for line in data[:whole].splitlines()]
