"""``segue suppress``: addresses to which nothing goes, whoever has them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Final

import typer

from segue.api import Instant, to_rfc3339
from segue.cli.ending import USAGE, counted, fail, open_project, print_json
from segue.cli.publish import who
from segue.customers.suppression import ASKED, BOUNCED, COMPLAINED, REASONS, STOPPED, Suppression, comparable
from segue.diagnostics.render.printable import printable
from segue.store.consent import lift as lift_rows
from segue.store.consent import list_suppressed, put_suppressions
from segue.store.database import change, read_only
from segue.store.errors import StoreError

_PIECE: Final = 1000
_MEANS: Final = {
    BOUNCED: "nothing reaches it",
    ASKED: "nothing goes there",
    COMPLAINED: "reported as spam: no marketing",
    STOPPED: "STOP was answered: no marketing",
}


def suppress(
    address: Annotated[
        str | None, typer.Argument(help="An email address, a phone number, a token; without one all are listed.")
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", help="asked or bounced: nothing goes there; complained or stopped: no marketing.")
    ] = ASKED,
    note: Annotated[str, typer.Option("--note", help="What there is to say about it.")] = "",
    sort: Annotated[
        str | None, typer.Option("--as", metavar="TRAIT", help="The trait that holds such addresses: email, phone …")
    ] = None,
    lift: Annotated[bool, typer.Option("--lift", help="Let messages go there again.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One suppression a line, as JSON.")] = False,
) -> None:
    """List the addresses to which nothing goes, add one, or let messages go to one again; while Segue runs or not.

    Whoever has such an address is not written to there: also a customer who comes with it tomorrow, and whatever they
    agree to. Exits with 1 when --lift names an address that is not suppressed."""
    path = open_project(Path.cwd()).project.database
    try:
        if address is None:
            if lift:
                fail("--lift needs the address: segue suppress ADDRESS --lift", USAGE)
            _list(path, json)
            return
        trait = sort or _sort_of(address)
        now = Instant(time.time_ns() // 1000)
        known = comparable(trait, address)
        if lift:
            _lift(path, trait, known, now, json)
        else:
            if reason not in REASONS:
                fail(f"--reason {reason}: there are {', '.join(REASONS)}", USAGE)
            one = Suppression(trait, known, reason, now, who(), detail=note)
            change(path, lambda tx: put_suppressions(tx, [one], followed=False))
            if json:
                print_json(_as_json(one))
            else:
                print(f"{known} ({trait}) is suppressed: {_MEANS[reason]}.")
    except StoreError as error:
        fail(str(error))


def _lift(path: Path, trait: str, known: str, now: Instant, json: bool) -> None:
    ended = change(path, lambda tx: lift_rows(tx, known, now, trait, followed=False))
    if not ended:
        fail(f"{known} ({trait}) is not suppressed")
    if json:
        print_json({"address": known, "sort": trait, "lifted": to_rfc3339(now), "suppressions": ended})
    else:
        print(f"{known} ({trait}) is suppressed no more. What its customers withdrew themselves stays withdrawn.")


def _sort_of(address: str) -> str:
    """What an address looks like; ends the command where it looks like nothing."""
    if "@" in address.strip("@"):
        return "email"
    if address.lstrip("+").replace(" ", "").isdigit():
        return "phone"
    fail(f"{address!r} looks neither like an email address nor like a phone number: say --as TRAIT", USAGE)


def _list(path: Path, json: bool) -> None:
    after, count = 0, 0
    while path.exists():
        with read_only(path) as tx:
            found = list_suppressed(tx, after, _PIECE)
        for number, one in found:
            after, count = number, count + 1
            if json:
                print_json(_as_json(one))
            else:
                where = f" by {one.channel}" if one.channel else ""
                detail = f" ({one.detail})" if one.detail else ""
                since = to_rfc3339(one.since)[:16].replace("T", " ")
                told = f"since {since}, from {one.source}: {_MEANS[one.reason]}{where}{detail}"
                print(printable(f"{one.address}  {one.sort}, {told}"))
        if len(found) < _PIECE:
            break
    if not count and not json:
        print("No address is suppressed.")
    elif not json:
        print(f"{counted(count, 'suppression')}. `segue suppress ADDRESS --lift` lets messages go there again.")


def _as_json(one: Suppression) -> dict[str, object]:
    return {
        "address": one.address,
        "sort": one.sort,
        "channel": one.channel or None,
        "reason": one.reason,
        "detail": one.detail or None,
        "source": one.source,
        "since": to_rfc3339(one.since),
    }
