"""Mailboxes that bounces, complaints and replies come to: a maildir, or a folder of an IMAP server (RFC 3501).

A mail is looked at once it is there, and taken away only when what it says is committed. What a person may want to read
stays, marked as read.
"""

from __future__ import annotations

import asyncio
import contextlib
import imaplib
import socket
import ssl
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypeVar

import msgspec
from msgspec import Meta

from segue_email_smtp.addresses import has_control_characters
from segue_email_smtp.replies import readable
from segue_email_smtp.returned import MOST
from segue_email_smtp.streams import LOOPBACK, Port, Timeout, Tls

T = TypeVar("T")

AT_ONCE = 50
"""Mails that are looked at before what they say is committed."""

Fate = Literal["delete", "keep"]

_PORTS = {"none": 143, "starttls": 143, "tls": 993}


class Imap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mailbox on an IMAP server. TLS never falls back to plain text."""

    host: Annotated[str, Meta(min_length=1)]
    username: str
    password: str
    port: Port | None = None
    tls: Tls = "tls"
    ca_file: str | None = None
    mailbox: Annotated[str, Meta(min_length=1)] = "INBOX"
    timeout: Timeout = 20.0

    def __post_init__(self) -> None:
        if any(map(has_control_characters, (self.host, self.username, self.password, self.mailbox))):
            raise ValueError("imap: a setting contains a line break or another control character")
        if not self.mailbox.isascii():
            raise ValueError("imap: write the mailbox as the server does, in modified UTF-7 (RFC 3501, 5.1.3)")
        if self.tls == "none" and self.host not in LOOPBACK:
            raise ValueError(f'imap: the password would go to {self.host} unencrypted: set tls to "starttls" or "tls"')

    def __repr__(self) -> str:
        return f"Imap(host={self.host!r}, username={self.username!r}, mailbox={self.mailbox!r})"


class Bounces(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where bounces, complaints and replies come to: a ``maildir`` on this machine, or ``imap``; looked at ``every`` so
    many seconds. The ``secret`` makes the codes by which they are known."""

    secret: Annotated[str, Meta(min_length=16)]
    maildir: str | None = None
    imap: Imap | None = None
    every: Annotated[float, Meta(ge=1, le=86_400)] = 60.0

    def __post_init__(self) -> None:
        if (self.maildir is None) == (self.imap is None):
            raise ValueError("bounces: give a maildir or imap, one of the two")

    def __repr__(self) -> str:
        return f"Bounces(maildir={self.maildir!r}, imap={self.imap!r}, every={self.every!r})"

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox to look into."""
        if self.maildir is not None:
            return Maildir(Path(self.maildir))
        assert self.imap is not None
        return ImapMailbox(self.imap)


class Mailbox(Protocol):
    """Mails, each under a name of the mailbox's own."""

    async def read(self) -> Sequence[tuple[str, bytes]]:
        """The mails that nobody took yet, the oldest first, `AT_ONCE` at the most. Raises OSError or ValueError."""
        ...

    async def put_away(self, names: Sequence[tuple[str, Fate]]) -> None:
        """Delete mails, or keep them as read. One that is not there any more is passed over."""
        ...


class Maildir:
    """A maildir (https://cr.yp.to/proto/maildir.html). Mails stand in ``new`` until they are taken."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def read(self) -> Sequence[tuple[str, bytes]]:
        return await asyncio.to_thread(lambda: list(self._read()))

    async def put_away(self, names: Sequence[tuple[str, Fate]]) -> None:
        await asyncio.to_thread(self._put_away, names)

    def _read(self) -> Iterator[tuple[str, bytes]]:
        left = AT_ONCE
        for path in sorted((self._folder / "new").iterdir()):
            try:
                if not stat.S_ISREG(path.lstat().st_mode):
                    continue  # no pipe is waited for, and no link followed out of the mailbox
                with path.open("rb") as file:
                    yield path.name, file.read(MOST)
            except FileNotFoundError:
                continue  # somebody else took it
            left -= 1
            if not left:
                return

    def _put_away(self, names: Sequence[tuple[str, Fate]]) -> None:
        for name, fate in names:
            path = self._folder / "new" / Path(name).name
            with contextlib.suppress(FileNotFoundError):
                if fate == "delete":
                    path.unlink()
                else:
                    (self._folder / "cur").mkdir(exist_ok=True)
                    path.rename(self._folder / "cur" / f"{path.name}:2,S")


class ImapMailbox:
    """A mailbox behind IMAP. ``imaplib`` waits in a thread, each time over a connection of its own: one that is kept
    for a minute of silence would seldom be there after it."""

    def __init__(self, settings: Imap) -> None:
        self._settings = settings

    async def read(self) -> Sequence[tuple[str, bytes]]:
        return await self._with(_read)

    async def put_away(self, names: Sequence[tuple[str, Fate]]) -> None:
        await self._with(lambda client: _put_away(client, names))

    async def _with(self, job: Callable[[imaplib.IMAP4], T]) -> T:
        held: list[imaplib.IMAP4] = []

        def work() -> T:
            client = self._connect(held)
            try:
                return job(client)
            finally:
                with contextlib.suppress(imaplib.IMAP4.error, OSError):
                    client.logout()

        try:
            return await asyncio.to_thread(work)
        except asyncio.CancelledError:
            for client in held:  # nobody waits for a server that trickles: its thread ends by the loss of the line
                with contextlib.suppress(OSError, AttributeError):  # it may have none yet
                    client.socket().shutdown(socket.SHUT_RDWR)
            raise
        except imaplib.IMAP4.error as error:
            raise OSError(f"{self._settings.host}: {readable(str(error))}") from None

    def _connect(self, held: list[imaplib.IMAP4]) -> imaplib.IMAP4:
        settings = self._settings
        port = settings.port or _PORTS[settings.tls]
        if settings.tls == "tls":
            context = ssl.create_default_context(cafile=settings.ca_file)
            client: imaplib.IMAP4 = _Secure(held, settings.host, port, ssl_context=context, timeout=settings.timeout)
        else:
            client = _Plain(held, settings.host, port, timeout=settings.timeout)
        try:
            if settings.tls == "starttls":
                client.starttls(ssl.create_default_context(cafile=settings.ca_file))
            if "AUTH=PLAIN" in client.capabilities:
                login = f"\0{settings.username}\0{settings.password}".encode()
                client.authenticate("PLAIN", lambda _: login)
            else:
                client.login(_quoted(settings.username), settings.password)
            _good(client.select(_quoted(settings.mailbox)))
        except BaseException:
            client.shutdown()
            raise
        return client


class _Plain(imaplib.IMAP4):
    """A connection that is in ``held`` from its first moment: its making is where most servers keep one waiting."""

    def __init__(self, held: list[imaplib.IMAP4], host: str, port: int, *, timeout: float) -> None:
        held.append(self)
        super().__init__(host, port, timeout)


class _Secure(imaplib.IMAP4_SSL):
    """The same, over TLS from the first byte."""

    def __init__(
        self, held: list[imaplib.IMAP4], host: str, port: int, *, ssl_context: ssl.SSLContext, timeout: float
    ) -> None:
        held.append(self)
        super().__init__(host, port, ssl_context=ssl_context, timeout=timeout)


def _read(client: imaplib.IMAP4) -> Sequence[tuple[str, bytes]]:
    validity = _validity(client)
    numbers = _good(client.uid("SEARCH", "UNSEEN UNDELETED"))[0].split()[:AT_ONCE]
    mails: list[tuple[str, bytes]] = []
    for number in numbers:
        for piece in _good(client.uid("FETCH", number.decode(), f"(BODY.PEEK[]<0.{MOST}>)")):
            if isinstance(piece, tuple):
                mails.append((f"{validity}:{number.decode()}", piece[1]))
    return mails


def _put_away(client: imaplib.IMAP4, names: Sequence[tuple[str, Fate]]) -> None:
    validity = _validity(client)  # where the server numbered its mails anew, they come again
    for fate, flags in (("keep", r"(\Seen)"), ("delete", r"(\Seen \Deleted)")):
        numbers = [
            name.removeprefix(f"{validity}:") for name, one in names if one == fate and name.startswith(f"{validity}:")
        ]
        if not numbers:
            continue
        _good(client.uid("STORE", ",".join(numbers), "+FLAGS.SILENT", flags))
        # Without UIDPLUS (RFC 4315) EXPUNGE would take away what somebody else has marked: they stay marked, then.
        if fate == "delete" and b"UIDPLUS" in _good(client.capability())[0].upper().split():
            _good(client.uid("EXPUNGE", ",".join(numbers)))


def _validity(client: imaplib.IMAP4) -> str:
    _, values = client.response("UIDVALIDITY")
    return values[0].decode() if values and isinstance(values[0], bytes) else ""


def _good(answer: tuple[str, list[Any]]) -> list[Any]:
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(f"the server answers {status}: {data[:1]!r}")
    return data


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
