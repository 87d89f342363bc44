"""``segue send --test``: one real message to an address of one's own, through the configured channel."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections.abc import Mapping
from typing import Annotated, Any, Final, assert_never

import msgspec
import typer

from segue.api import Answer, ChannelSpec, Instant, Rejected, Retry, Sent, Tools, Unknown
from segue.api import Message as Handed
from segue.api.channels import address_of
from segue.api.values import SECOND
from segue.cli.ending import USAGE, WRONG, fail, print_json
from segue.cli.previews.gathering import Message, Wanted, find
from segue.customers.suppression import Suppression, comparable
from segue.diagnostics.render.printable import printable
from segue.host import ConfigurationError, configure
from segue.host.channels import OpenChannel
from segue.host.http import AiohttpClient
from segue.messages.locales import tried
from segue.messages.rendering import RenderError, render
from segue.messages.template import Template
from segue.store.consent import find_suppressed
from segue.store.database import read_only
from segue.store.errors import StoreError

MARK: Final = "[Test] "
"""What a test begins with, so that nobody takes it for the real one."""

_WITHIN: Final = 300 * SECOND
_MARKED: Final = ("subject", "title", "text")


def send(
    message: Annotated[str, typer.Argument(help="The message: the name of its folder.")],
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="Your own address, number or token.")],
    channel: Annotated[str, typer.Option("--channel", help="The channel, as rules name it.")],
    test: Annotated[bool, typer.Option("--test", help="Must be given: real messages are for rules to send.")] = False,
    customer: Annotated[
        str | None, typer.Option("--customer", help="As this customer would get it; a made-up one by default.")
    ] = None,
    locale: Annotated[str | None, typer.Option("--locale", help="As a customer of this language gets it.")] = None,
    even_if_suppressed: Annotated[
        bool, typer.Option("--even-if-suppressed", help="Also to an address to which nothing goes.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The answer as one JSON object.")] = False,
) -> None:
    """Send one real message to an address of your own, marked as a test. No customer is written to: the store keeps
    nothing of it, no limit counts it, and a coupon's code is a sample. Exits with 0 when the provider took it, 1 when
    it did not, 2 on wrong usage."""
    if not test:
        fail("give --test: without it nothing is sent, for real messages are sent by rules", USAGE)
    found = find(Wanted(message, customer=customer, channel=channel, locale=locale))
    if channel not in found.assembly.channels:
        fail(f"the project has no channel {channel}", USAGE)
    spec, settings = found.assembly.channels[channel]
    if not even_if_suppressed:
        _refuse_suppressed(found, spec, channel, to)
    template = _template(found, channel)
    try:
        content = marked(render(template, found.values))
        config = configure(spec.config, settings.settings, f"channels.{channel}")
    except (RenderError, ConfigurationError) as error:
        fail(str(error))
    now = Instant(time.time_ns() // 1000)
    handed = Handed(
        key=secrets.token_hex(16),
        channel=channel,
        name=message,
        kind="transactional",  # a test needs no consent, and has no place to unsubscribe from
        customer=str(found.values["customer"]["id"]),
        address=to,
        content=content,
        rule="a test",
        expires=Instant(now + _WITHIN),
        locale=template.language,
    )
    answer = asyncio.run(_hand_over(spec, config, channel, handed, found.assembly.project.http.url))
    _tell(answer, handed, settings.use, json)
    if template.report_days is not None:
        print("A test goes without its attachment: `segue report` makes the page.", file=sys.stderr)
    if not isinstance(answer, Sent):
        raise typer.Exit(WRONG)


def marked(content: Mapping[str, str]) -> dict[str, str]:
    """The parts of a message with the mark of a test, where a reader looks first."""
    place = next((name for name in _MARKED if name in content), None)
    return {name: MARK + text if name == place else text for name, text in content.items()}


def _template(found: Message, channel: str) -> Template:
    steps = tried(found.values["customer"], found.assembly.project.locale)
    choice = found.content.choose(found.templates[0].name, channel, steps)
    if choice.template is None:
        fail(f"{found.templates[0].name} has {choice} by {channel}; name one by --locale", USAGE)
    return choice.template


def _refuse_suppressed(found: Message, spec: ChannelSpec, channel: str, to: str) -> None:
    """End the command where nothing may go to the address."""
    trait = spec.address if spec.address is not None else address_of(channel)
    path = found.assembly.project.database
    if trait is None or not path.exists():
        return
    known: list[Suppression] = []
    try:
        with read_only(path) as tx:
            for suppressions in find_suppressed(tx, [(trait, comparable(trait, to))]).values():
                known += suppressions
    except StoreError as error:
        fail(str(error))
    if known:
        fail(
            f"{printable(to)} is suppressed: {known[0].words(channel)}. "
            "--even-if-suppressed sends the test all the same"
        )


async def _hand_over(spec: ChannelSpec, config: msgspec.Struct, channel: str, handed: Handed, url: str) -> Answer:
    client = AiohttpClient()
    try:
        faults: list[str] = []
        opened = await OpenChannel.open(
            spec, config, Tools(channel=channel, http=client, callback_url=url), on_fault=faults.append
        )
        try:
            (answer,) = await opened.send([handed])
        finally:
            await opened.close()
        return answer if not faults or isinstance(answer, Sent) else Unknown(faults[0])
    finally:
        await client.close()


def _tell(answer: Answer, handed: Handed, use: str, json: bool) -> None:
    said: dict[str, Any] = {"channel": handed.channel, "to": handed.address, "key": handed.key}
    match answer:
        case Sent(receipt=receipt):
            said |= {"answer": "sent", "receipt": receipt, "reason": ""}
            words = f"sent to {handed.address} by {use}" + (f", receipt {receipt}" if receipt else "")
        case Rejected(reason=reason, address_gone=gone):
            said |= {"answer": "rejected", "receipt": "", "reason": reason}
            words = f"rejected by {use}: {reason}" + ("; the address is dead" if gone else "")
        case Retry(reason=reason):
            said |= {"answer": "retry", "receipt": "", "reason": reason}
            words = f"not taken by {use} for now: {reason}"
        case Unknown(reason=reason):
            said |= {"answer": "unknown", "receipt": "", "reason": reason}
            words = f"{use} was cut off, and may have taken it: {reason}"
        case _:
            assert_never(answer)
    if json:
        print_json(said)
    elif isinstance(answer, Sent):
        print(printable(words))
    else:
        fail(printable(words))
