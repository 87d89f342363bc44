"""Debian's dnsmasq as the DNS, with the records of a test and no others, on a loopback port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.counterparts.process import Program, free_port, require

_PIECE = 250
"""Bytes in one string of a TXT record, of 255 that may be: longer records stand in several."""


class Dnsmasq:
    """A running DNS server. ``texts`` are TXT records by name, ``mail`` the host that takes a domain's mail. It answers
    for everything below .test, and refuses the rest."""

    def __init__(self, folder: Path, texts: Mapping[str, Sequence[str]], mail: Mapping[str, str]) -> None:
        self._program = require("dnsmasq", "dnsmasq-base")
        self._log = folder / "dnsmasq.log"
        self._config = folder / "dnsmasq.conf"
        self.port = free_port()
        lines = [
            *("no-daemon", "no-resolv", "no-hosts", "listen-address=127.0.0.1", "bind-interfaces", "user=root"),
            *("local=/test/", f"port={self.port}", f"pid-file={folder / 'dnsmasq.pid'}"),
        ]
        for name, records in texts.items():
            for record in records:
                pieces = [record[start : start + _PIECE] for start in range(0, len(record), _PIECE)] or [""]
                lines.append(f"txt-record={name}," + ",".join(f'"{piece}"' for piece in pieces))
        lines += [f"mx-host={domain},{host},10" for domain, host in mail.items()]
        self._config.write_text("\n".join(lines) + "\n")
        self._running: Program | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._running = Program([self._program, "-C", str(self._config)], self._log)
        self._running.wait_for_port(self.port)  # it takes TCP beside UDP
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running is not None:
            self._running.stop()
