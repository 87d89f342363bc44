"""One connection to the server, kept over many mails and made anew when it broke.

The one thing to get right is the moment of handing over. Until the first byte after 354 is written the server cannot
have taken the mail; from then until its reply arrives it may have.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponseException, SMTPServerDisconnected

from segue.api import Answer, Rejected, Retry, Sent, Unknown
from segue_email_smtp.config import Config
from segue_email_smtp.letter import Letter
from segue_email_smtp.replies import Stage, judge, queue_id, readable

IDLE = 30.0
"""Seconds after which a waiting connection is replaced rather than trusted: something between may have forgotten it."""

_BARE_LINE_END = re.compile(rb"\r\n|\r|\n")


class Unreachable(Exception):
    """No connection could be made; nothing was handed over, and the next mail would fare the same."""


class _Broken(Exception):
    """The connection broke before the mail was handed over."""


class Connection:
    """A line to the server. Used by one task at a time."""

    def __init__(self, config: Config, tls: ssl.SSLContext | None) -> None:
        self._config = config
        self._tls = tls
        self._client: aiosmtplib.SMTP | None = None
        self._used = 0.0
        self.handing_over = False
        """Whether a mail was being handed over when `deliver` was left."""

    @property
    def open(self) -> bool:
        return self._client is not None and self._client.is_connected

    async def deliver(self, letter: Letter) -> tuple[Answer, bool]:
        """Hand one mail over. The second value tells whether the connection was still good afterwards.
        Raises Unreachable when there is no server to hand it to."""
        self.handing_over = False
        fresh = await self._connect()
        try:
            try:
                answer = await self._transact(letter)
            except _Broken:
                if fresh:
                    raise
                # A server closes a waiting connection when it likes; that says nothing about this mail.
                await self._connect()
                answer = await self._transact(letter)
        except _Broken as error:
            self.drop()
            return Retry(f"{error} before the mail was handed over"), False
        except BaseException:
            self.drop()
            raise
        self._used = asyncio.get_running_loop().time()
        return answer, self.open

    async def connect(self) -> None:
        """Make sure of a connection. Raises Unreachable."""
        await self._connect()

    def drop(self) -> None:
        """Close without a word."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def quit(self) -> None:
        """Close as the protocol asks (RFC 5321 4.1.1.10), waiting for the server for a moment at most."""
        if self._client is not None and self._client.is_connected:
            with contextlib.suppress(SMTPException, OSError):  # It is closed all the same.
                await self._client.quit(timeout=min(2.0, self._config.timeout))
        self.drop()

    async def _connect(self) -> bool:
        """Make sure of a connection; True when it is a new one."""
        if self.open and asyncio.get_running_loop().time() - self._used < IDLE:
            return False
        await self.quit()
        config = self._config
        client = aiosmtplib.SMTP(
            hostname=config.host,
            port=config.server_port,
            username=config.username,
            password=config.password,
            local_hostname=config.id_domain,
            timeout=config.timeout,
            use_tls=config.tls == "tls",
            start_tls=config.tls == "starttls",
            tls_context=self._tls,
        )
        try:
            await client.connect()
            await client.ehlo()
        except (SMTPException, OSError, ValueError) as error:
            client.close()
            raise Unreachable(f"{config.host}:{config.server_port}: {_words(error)}") from error
        except BaseException:
            client.close()
            raise
        self._client = client
        return True

    async def _transact(self, letter: Letter) -> Answer:
        client = self._client
        assert client is not None
        if letter.international and not client.supports_extension("smtputf8"):
            return Rejected(f"the server {self._config.host} takes no addresses with such letters (SMTPUTF8)")
        data = _wire(letter.data)
        options = [f"SIZE={len(data)}"] if client.supports_extension("size") else []
        if letter.international:
            options.append("SMTPUTF8")
        stage: Stage = "mail"
        try:
            await client.mail(letter.sender, options=options)
            stage = "rcpt"
            await client.rcpt(letter.recipient, encoding="utf-8" if letter.international else "ascii")
            stage = "data"
            ready = await client.execute_command(b"DATA")
            if ready.code != 354:
                raise SMTPResponseException(ready.code, ready.message)
        except SMTPResponseException as refusal:
            if refusal.code == 421 and stage == "mail":
                raise _Broken(f"421 {readable(refusal.message)}") from refusal
            await self._reset()
            return judge(refusal.code, refusal.message, stage)
        except SMTPServerDisconnected as error:
            raise _Broken(_words(error)) from error
        except (SMTPException, OSError) as error:
            # A time-out is not tried again on a new connection: it would cost as long again.
            self.drop()
            return Retry(f"{_words(error)}, before the mail was handed over")
        return await self._hand_over(client, data)

    async def _hand_over(self, client: aiosmtplib.SMTP, data: bytes) -> Answer:
        protocol = client.protocol
        if protocol is None:
            raise _Broken("connection lost")
        self.handing_over = True
        try:
            protocol.write(data)
            reply = await protocol.read_response(timeout=self._config.timeout)
        except SMTPResponseException as garbled:
            self.drop()
            answer: Answer = Unknown(f"the server's reply to the mail was unreadable: {readable(garbled.message)}")
        except (SMTPException, OSError) as error:
            self.drop()
            answer = Unknown(f"{_words(error)} while the mail was being handed over")
        else:
            if 200 <= reply.code <= 299:
                answer = Sent(queue_id(reply.message))
            else:
                answer = judge(reply.code, reply.message, "data")
                if reply.code == 421:
                    self.drop()
        self.handing_over = False
        return answer

    async def _reset(self) -> None:
        """Clear the envelope (RSET), so that the next mail can use the connection."""
        client = self._client
        if client is None or not client.is_connected:
            return
        try:
            await client.rset()
        except (SMTPException, OSError):
            self.drop()


def _wire(data: bytes) -> bytes:
    """The mail with CRLF line ends only, leading dots doubled, and the end mark (RFC 5321 4.5.2). A bare CR or LF must
    not get through: servers disagree on what it ends ("SMTP smuggling")."""
    if not data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r"):
        data = _BARE_LINE_END.sub(b"\r\n", data)
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    data = data.replace(b"\r\n.", b"\r\n..")
    return (b"." if data.startswith(b".") else b"") + data + b".\r\n"


def _words(error: BaseException) -> str:
    if isinstance(error, SMTPResponseException):
        return f"{error.code} {readable(error.message)}"
    return readable(str(error)) or type(error).__name__
