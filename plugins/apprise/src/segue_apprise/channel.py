"""The open channel: one call of Apprise for each message, on a thread of its own, since Apprise blocks."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from apprise import Apprise, AppriseAsset

from segue.api import Answer, BaseChannel, Message, Rejected, Sent, Unknown
from segue_apprise.config import TARGET, Config
from segue_apprise.hearing import listen
from segue_apprise.outcome import judge, secrets_of, without

__all__ = ["AppriseChannel"]

_TARGET: Final = re.compile(r"[\w@+.:-]{1,200}")
"""What an account looks like. No comma, space, slash, question mark or percent sign: with these one could become
several, or the address another one."""


class AppriseChannel(BaseChannel):
    """One service. Raises ValueError where Apprise does not understand its address."""

    def __init__(self, config: Config) -> None:
        self._config = config
        # Nothing is kept on disk, and Apprise's own log shows no keys.
        self._asset = AppriseAsset(async_mode=False, secure_logging=True)
        self._service: Any = None
        if self._make(config.url_secret.replace(TARGET, "100200300")) is None:
            raise ValueError(
                "url_secret is no address that Apprise understands: see https://github.com/caronc/apprise/wiki for the "
                "form of each service's"
            )

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """One after another: Apprise itself waits between two messages where a service wants that."""
        return [await self._send(message) for message in messages]

    async def _send(self, message: Message) -> Answer:
        text = message.content.get("text", "").strip()
        title = " ".join(message.content.get("title", "").split())
        if not text:
            return Rejected("the text is empty")
        try:
            (title + text).encode()
        except UnicodeEncodeError:
            return Rejected("the content contains half a character (a lone surrogate)")
        url = self._config.url_secret
        if self._config.target_wanted:
            if _TARGET.fullmatch(message.address) is None:
                return Rejected("apprise_target is no account: letters, digits and @ + . : - _", address_gone=True)
            url = url.replace(TARGET, quote(message.address, safe=""))
            service = self._make(url)
        else:
            # The same one each time: it knows how long to wait since the message before.
            self._service = service = self._service or self._make(url)
        if service is None:
            return Rejected("Apprise does not understand the address with this apprise_target", address_gone=True)
        try:
            taken, heard = await asyncio.wait_for(_on_a_thread(service, title, text), self._config.timeout)
        except TimeoutError:
            self._service = None  # its thread still has the old one
            return Unknown(f"{service.service_name} did not answer within {self._config.timeout:g} s")
        except Exception as error:  # a service's part of Apprise may raise whatever it likes
            return Unknown(f"Apprise raised {type(error).__name__}")
        return Sent() if taken else without(judge(heard), secrets_of(url))

    def _make(self, url: str) -> Any:
        with listen():  # what Apprise says about an address that it does not understand is that address
            return Apprise.instantiate(url, asset=self._asset)


async def _on_a_thread(service: Any, title: str, text: str) -> tuple[bool, tuple[str, ...]]:
    """Whether Apprise says that it was taken, and what it said meanwhile. On a thread that ends with the process: one
    of a pool would hold up the end of Segue until a service that hangs has given up."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[bool, tuple[str, ...]]] = loop.create_future()

    def tell(result: tuple[bool, tuple[str, ...]] | Exception) -> None:
        if done.done():
            return
        if isinstance(result, Exception):
            done.set_exception(result)
        else:
            done.set_result(result)

    def work() -> None:
        result: tuple[bool, tuple[str, ...]] | Exception
        try:
            with listen() as heard:
                taken = bool(service.notify(body=text, title=title, body_format="text"))
            result = taken, tuple(heard)
        except Exception as error:
            result = error
        try:
            loop.call_soon_threadsafe(tell, result)
        except RuntimeError:
            return  # the loop has ended meanwhile, and nobody waits any more

    threading.Thread(target=work, name="apprise", daemon=True).start()
    return await done
