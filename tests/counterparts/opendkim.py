"""Debian's opendkim, asked about one mail at a time, with the keys of a file in place of the DNS."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.counterparts.process import require

_CONFIG = "TestPublicKeys {keys}\nMode v\nSyslog no\nOn-BadSignature reject\n"


class OpenDkim:
    """Verifies mails against ``records``: names in the DNS, and the TXT records there. Raises CounterpartMissing."""

    def __init__(self, folder: Path, records: Iterable[tuple[str, str]]) -> None:
        self._program = require("opendkim", "opendkim")
        self._folder = folder
        (folder / "keys").write_text("".join(f"{name} {record}\n" for name, record in records))
        (folder / "opendkim.conf").write_text(_CONFIG.format(keys=folder / "keys"))

    def verdict(self, mail: bytes) -> str:
        """What it says of a mail: ``… succeeded``, or why not."""
        (self._folder / "mail").write_bytes(mail)
        done = subprocess.run(
            [self._program, "-x", str(self._folder / "opendkim.conf"), "-t", str(self._folder / "mail")],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        return done.stdout.partition(": ")[2].partition(": ")[2].strip() or done.stderr.strip()
