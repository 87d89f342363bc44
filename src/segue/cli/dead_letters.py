"""``segue dead-letters``: what was not delivered, why, and sending it after all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from segue.api import Instant, from_datetime, to_rfc3339
from segue.cli.clocks import present_of
from segue.cli.ending import USAGE, counted, fail, open_project, print_json
from segue.cli.publish import who
from segue.delivery.dead_letters import SORTS, sort_of
from segue.delivery.ledger import LedgerRow, MessageState
from segue.diagnostics.render.printable import printable
from segue.store.database import Transaction, change, read_only
from segue.store.dead_letters import load_dead, put_up_again
from segue.store.errors import StoreError

_PIECE = 500
_FIRST = 2**62


def dead_letters(
    keys: Annotated[list[str] | None, typer.Argument(metavar="[KEY]...", help="Only these, by their keys.")] = None,
    channel: Annotated[str | None, typer.Option("--channel", help="Only of this channel.")] = None,
    rule: Annotated[str | None, typer.Option("--rule", help="Only of this rule.")] = None,
    sort: Annotated[
        str | None, typer.Option("--sort", help="Only those: retries, unknown, content, refused or late.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only what came to nothing since then: 2026-03-02.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", help="How many of the newest to show.", min=1)] = 20,
    retry: Annotated[bool, typer.Option("--retry", help="Send them after all: these keys, or --all.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="With --retry: all that the options leave.")] = False,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="With --retry: also those that may have gone out already.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One message a line, as JSON.")] = False,
) -> None:
    """List messages that were not delivered for a reason worth another try, the newest first; or have them tried again.

    A further try has the same key and as much time as the first. Consent, guards and policy are looked at again, and
    what was never handed over is made anew, by the content of today. A message that may have gone out already is only
    tried again with --unknown. Exits with 1 where nothing is found, 2 where an option makes no sense.
    """
    if sort is not None and sort not in SORTS:
        fail(f"--sort {sort}: there are {', '.join(SORTS)}", USAGE)
    if retry and bool(keys) == everything:
        fail("--retry needs the keys of messages, or --all", USAGE)
    moment = _moment(since)
    path = open_project(Path.cwd()).project.database

    def wanted(row: LedgerRow) -> bool:
        return (
            (not keys or row.key in keys)
            and channel in (None, row.channel)
            and rule in (None, row.rule)
            and sort in (None, sort_of(row))
            and (moment is None or (row.settled or row.decided) >= moment)
        )

    try:
        if retry:
            _retry(path, wanted, unknown=unknown, json=json)
        else:
            _list(path, wanted, limit, json=json)
    except StoreError as error:
        fail(str(error))


def _moment(text: str | None) -> Instant | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f"--since {text}: write a day or a time such as 2026-03-02 or 2026-03-02T10:00", USAGE)
    return from_datetime(moment if moment.tzinfo is not None else moment.astimezone())


def _find(tx: Transaction, wanted: Callable[[LedgerRow], bool]) -> Iterator[LedgerRow]:
    before = _FIRST
    while found := load_dead(tx, before, _PIECE):
        before = found[-1].row
        yield from (row for row in found if wanted(row))


def _list(path: Path, wanted: Callable[[LedgerRow], bool], limit: int, *, json: bool) -> None:
    shown: list[LedgerRow] = []
    counts: Counter[str] = Counter()
    if path.exists():
        with read_only(path) as tx:
            for row in _find(tx, wanted):
                counts[sort_of(row) or ""] += 1
                if len(shown) < limit:
                    shown.append(row)
    for row in shown:
        if json:
            print_json(_as_json(row))
        else:
            at = to_rfc3339(row.settled or row.decided)[:16].replace("T", " ")
            what = f'{row.rule} {row.channel} "{row.message}"'
            print(printable(f"{row.key}  {at}  {what}  {sort_of(row)}: {row.reason}"))
    if not shown:
        fail("no dead letters")
    if not json:
        several = ", ".join(f"{count:,} {name}" for name, count in counts.most_common())
        print(f"{counted(counts.total(), 'dead letter')}: {several}.")
        print("Next: mend the reason, then `segue dead-letters --retry KEY`, or --all.")


def _retry(path: Path, wanted: Callable[[LedgerRow], bool], *, unknown: bool, json: bool) -> None:
    again: list[LedgerRow] = []
    left: list[LedgerRow] = []
    before = _FIRST

    def piece(tx: Transaction) -> int | None:
        found = load_dead(tx, before, _PIECE)
        rows = [row for row in found if wanted(row)]
        may = [row for row in rows if unknown or row.state is not MessageState.UNKNOWN]
        put_up_again(tx, may, present_of(tx), who())
        again.extend(may)
        left.extend(row for row in rows if row not in may)
        return found[-1].row if len(found) == _PIECE else None

    if path.exists():
        last: int | None = _FIRST
        while last is not None:
            before = last
            last = change(path, piece)
    if json:
        for row in again:
            print_json(_as_json(row))
    elif again:
        print(f"{counted(len(again), 'message')} will be tried again, as soon as Segue runs.")
    if left and not json:
        print(f"{counted(len(left), 'message')} may have gone out already: --unknown sends also those again.")
    if not again:
        fail("nothing is tried again" if left else "no dead letters")


def _as_json(row: LedgerRow) -> dict[str, object]:
    return {
        "key": row.key,
        "at": to_rfc3339(row.settled or row.decided),
        "rule": row.rule,
        "channel": row.channel,
        "message": row.message,
        "sort": sort_of(row),
        "reason": row.reason,
        "attempts": row.attempts,
    }
