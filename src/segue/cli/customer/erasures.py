"""``segue customer erasures``: what was erased, and which channels have still to."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from segue.api import Instant, to_rfc3339
from segue.cli.ending import USAGE, counted, fail, open_project, print_json
from segue.customers.pseudonyms import IDENTIFYING, mark
from segue.store import erasures as rows
from segue.store.database import Transaction, change, read_only
from segue.store.erasures import Call, Erasure
from segue.store.errors import StoreError


def erasures(
    customer: Annotated[
        str | None,
        typer.Argument(
            help="Only those of whoever had this identifier: it is compared by its hash, nothing else is left."
        ),
    ] = None,
    settled: Annotated[
        int | None,
        typer.Option("--settled", metavar="NUMBER", help="What its channels did not erase was erased there by hand."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One erasure a line, as JSON.")] = False,
) -> None:
    """List erasures: when, by whom, how much was deleted, and what each channel answered that keeps data of its own."""
    path = open_project(Path.cwd()).project.database
    try:
        if settled is not None:
            now = Instant(time.time_ns() // 1000)
            if not change(path, lambda tx: rows.settle_by_hand(tx, settled, now)):
                fail(f"no channel has anything left to do for erasure {settled}", USAGE)
        with read_only(path) as tx:
            found = [
                (one, rows.load_calls(tx, one.number))
                for one in rows.load_erasures(tx)
                if settled in (None, one.number)
            ]
            if customer is not None:
                wanted = _of(tx, customer)
                found = [(one, calls) for one, calls in found if one.number in wanted]
    except StoreError as error:
        fail(str(error))
    if json:
        for one, calls in found:
            print_json(_record(one, calls))
    elif not found:
        print("Nobody was erased." if customer is None else f"Nobody known by {customer} was erased.")
    else:
        for one, calls in found:
            _show(one, calls)


def _of(tx: Transaction, text: str) -> set[int]:
    return rows.erasures_of(tx, [mark(kind, text) for kind in ("user", "device", *IDENTIFYING)])


def _record(one: Erasure, calls: list[Call]) -> dict[str, Any]:
    return {
        "erasure": one.number,
        "state": _STATES[one.state],
        "asked": to_rfc3339(one.asked),
        "by": one.who,
        "done": to_rfc3339(one.done) if one.done is not None else None,
        "deleted": dict(one.deleted),
        "channels": [
            {
                "channel": call.channel,
                "what": call.what,
                "answered": to_rfc3339(call.answered) if call.answered is not None else None,
                "tries": call.tries,
                "reason": call.answer or None,
            }
            for call in calls
        ],
    }


_STATES = {rows.ASKED: "asked", rows.DELETING: "going on", rows.DONE: "done"}


def _show(one: Erasure, calls: list[Call]) -> None:
    moment = to_rfc3339(one.done or one.asked)[:19].replace("T", " ")
    total = counted(sum(one.deleted.values()), "row")
    print(f"{one.number}  {moment}  {_STATES[one.state]}, asked for by {one.who}: {total}")
    if one.deleted:
        print(f"   {', '.join(f'{n:,} {table}' for table, n in sorted(one.deleted.items()))}")
    for call in calls:
        print(f"   {call.channel}: {_word(call)}")


def _word(call: Call) -> str:
    what = "forget them" if call.what == "forget" else "take a message back"
    if call.due is None:
        return f"would not {what}: {call.answer}" if call.answer else f"was asked to {what}, and did"
    tried = f", {counted(call.tries, 'time')} so far: {call.answer}" if call.tries else ""
    return f"is to {what}{tried}"
