"""An SMTP server (aiosmtpd) that does what the recipient's address says, for what postfix cannot be brought to do.

with MisbehavingSmtp() as server:
    ...                      # send to 127.0.0.1:server.port
    server.taken             # mails that it took, as (recipient, bytes)

    hang-rcpt@…   never answers RCPT                hang-end@…   takes the mail and never says so
    drop-rcpt@…   closes instead of answering RCPT  drop-end@…   takes the mail, and closes instead of saying so
    drop-data@…   closes instead of answering DATA  drop-body@…  closes while the mail is being written
    busy@…        421 at RCPT, and closes           junk-end@…   answers the mail with what is no reply
    code-NNN@…    answers NNN to RCPT               end-NNN@…    answers NNN after the mail
"""

from __future__ import annotations

import asyncio
import re
import threading
import warnings
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP as Server
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session


class MisbehavingSmtp:
    """A running server on a thread of its own. ``password`` makes it ask for AUTH (user ``shop``); ``last`` closes a
    connection after that many mails, without a word."""

    def __init__(self, *, port: int = 0, password: str | None = None, last: int | None = None) -> None:
        self.host = "127.0.0.1"
        self.port = port
        self.password = password
        self.last = last
        self.taken: list[tuple[str, bytes]] = []
        self.connections = 0
        self.peak = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()
        self.open: set[_Session] = set()
        self._server: asyncio.Server | None = None

    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.taken]

    def close_connections(self) -> None:
        """Close every connection, as a server does with those that wait too long."""

        async def close() -> None:
            for server in list(self.open):
                server.drop()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(5)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(self._loop.create_server(self._session, "127.0.0.1", self.port))
        self.port = self._server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        self._server.close()
        for server in list(self.open):
            server.drop()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def _session(self) -> Server:
        return _Session(self)

    def check_login(
        self, server: Server, session: Session, envelope: Envelope, mechanism: str, login: Any
    ) -> AuthResult:
        good = isinstance(login, LoginPassword) and login == LoginPassword(b"shop", (self.password or "").encode())
        return AuthResult(success=good, handled=good)

    async def handle_RCPT(
        self, server: Server, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        assert isinstance(server, _Session)
        what = address.partition("@")[0]
        if what == "hang-rcpt":
            await asyncio.sleep(3600)
        if what == "drop-rcpt":
            server.drop()
        if what == "drop-data":
            server.drop_at_data = True
        if what == "drop-body":
            server.drop_in_body = True
        if what == "busy":
            asyncio.get_running_loop().call_later(0.05, server.drop)
            return "421 4.3.2 too busy"
        if found := re.fullmatch(r"code-(\d{3})", what):
            return f"{found[1]} as you wish"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Server, session: Session, envelope: Envelope) -> str:
        assert isinstance(server, _Session)
        recipient = envelope.rcpt_tos[0]
        what = recipient.partition("@")[0]
        if found := re.fullmatch(r"end-(\d{3})", what):
            return f"{found[1]} as you wish"
        assert isinstance(envelope.content, bytes)
        self.taken.append((recipient, envelope.content))
        if what == "hang-end":
            await asyncio.sleep(3600)
        if what == "drop-end":
            server.drop()
        if what == "junk-end":
            return "what? 250"
        server.mails += 1
        if self.last is not None and server.mails >= self.last:
            asyncio.get_running_loop().call_later(0.02, server.drop)
        return "250 OK"


class _Session(Server):
    """One connection."""

    def __init__(self, owner: MisbehavingSmtp) -> None:
        asks = owner.password is not None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that passwords should not go in plain text; here they may
            super().__init__(
                owner,
                enable_SMTPUTF8=True,
                authenticator=owner.check_login if asks else None,
                auth_required=asks,
                auth_require_tls=False,
            )
        self.owner = owner
        self.mails = 0
        self.drop_at_data = False
        self.drop_in_body = False
        self._wire: asyncio.BaseTransport | None = None

    def drop(self) -> None:
        """Close the connection without a word."""
        if self._wire is not None:
            self._wire.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = transport
        self.owner.connections += 1
        self.owner.open.add(self)
        self.owner.peak = max(self.owner.peak, len(self.owner.open))
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.owner.open.discard(self)
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:
        if self.drop_at_data:
            self.drop()
            return
        if self.drop_in_body:
            await self.push("354 go on")
            self.drop()
            return
        await super().smtp_DATA(arg)
