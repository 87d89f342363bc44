"""One look at a channel: what is due there, and what of it may be called now."""

from __future__ import annotations

import msgspec

from segue.api import Instant
from segue.delivery.ledger import MessageState
from segue.messages.catalogue import Catalogue
from segue.runtime.accounts import Account
from segue.runtime.choosing import Turns, choose, load_held, next_look
from segue.runtime.dispatch import Claim, look_at, open_turn
from segue.runtime.running import Running
from segue.runtime.turn import Done
from segue.store.database import Transaction


class Claims(msgspec.Struct, frozen=True):
    """What one look at a channel's messages gave: ``seen`` were looked at. ``retractions`` are messages that may now be
    taken back. ``more``: look again at once; else at ``next_due`` (None: nothing waits), and, where the account had no
    room for all, in ``wait`` seconds of the machine's clock, by which it was claimed ``at`` this moment."""

    claims: tuple[Claim, ...]
    done: Done
    next_due: Instant | None
    seen: int
    retractions: tuple[Claim, ...] = ()
    more: bool = False
    wait: float | None = None
    at: Instant = Instant(0)


def claim(
    tx: Transaction,
    running: Running,
    content: Catalogue,
    channel: str,
    now: Instant,
    limit: int,
    *,
    account: Account | None = None,
    turns: Turns | None = None,
) -> Claims:
    """Look at up to ``limit`` messages of a channel that are due, and claim those that may go: as many as its provider
    ``account`` has room for (None: for all). ``turns`` remembers whose turn it was."""
    room = account.room(limit, channel) if account is not None else limit
    held = load_held(tx, channel, account=account is not None and account.held())
    chosen = choose(tx, channel, now, limit, room, held, turns if turns is not None else Turns())
    turn, rows = open_turn(tx, running, now, chosen.rows)
    turn.outgoing.prepare(rows, now)
    claims: list[Claim] = []
    retractions: list[Claim] = []
    # Whose turn it is says which are looked at, and who was due first which of them is looked at first: of two that are
    # tried again and keep each other waiting, one moment knows no other order.
    for row in sorted(rows, key=lambda row: (row.due or now, row.row)):
        taking_back = row.state is MessageState.RETRACTING
        if (claimed := look_at(turn, content, row, now)) is not None:
            (retractions if taking_back else claims).append(claimed)
    places = {row.row: place for place, row in enumerate(chosen.rows)}
    claims.sort(key=lambda one: places[one.row])  # the urgent ones are called first
    done = turn.flush()
    at = account.take(tx, len(claims) + len(retractions)) if account is not None else Instant(0)
    if chosen.short:  # what there was no room for is due already
        held = msgspec.structs.replace(held, account=True)
    return Claims(
        tuple(claims),
        done,
        next_look(tx, channel, now, held),
        len(rows),
        tuple(retractions),
        chosen.more,
        account.wait() if account is not None and chosen.short else None,
        at,
    )
