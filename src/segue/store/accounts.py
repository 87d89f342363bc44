"""Queries for provider accounts: how each stands."""

from __future__ import annotations

from typing import Final

import msgspec

from segue.api import Instant
from segue.delivery.accounts import AccountState, let_go
from segue.store.books import load_meta, put_meta
from segue.store.database import Transaction

CALLED_AGAIN: Final = "accounts called again"
"""What of the store's own values says which accounts a command had called again, and when: an object of JSON."""

_decoder = msgspec.json.Decoder(AccountState)


def load_accounts(tx: Transaction) -> dict[str, AccountState]:
    """The accounts of which anything is known, by name."""
    return {name: _decoder.decode(state) for name, state in tx.rows("select name, state from account order by name")}


def put_account(tx: Transaction, name: str, state: AccountState) -> None:
    """Keep how an account stands."""
    tx.run(
        "insert into account (name, state) values (?, ?) on conflict (name) do update set state = excluded.state",
        (name, msgspec.json.encode(state)),
    )


def call_again(tx: Transaction, name: str, now: Instant) -> AccountState | None:
    """Have an account called again that is not called for now, or by one message that tries: how it stood; None where
    nothing holds it. The state
    that whoever sends has in hand follows once it sees that this was asked."""
    state = load_accounts(tx).get(name)
    if state is None or (state.held_until(now) is None and state.breaker(now) == "closed"):
        return None
    put_account(tx, name, let_go(state))
    asked = read_called_again(load_meta(tx, CALLED_AGAIN) or "")
    put_meta(tx, CALLED_AGAIN, msgspec.json.encode({**asked, name: now}).decode())
    return state


def read_called_again(value: str) -> dict[str, int]:
    """The accounts that were called again, and when each was last."""
    return msgspec.json.decode(value, type=dict[str, int]) if value else {}
