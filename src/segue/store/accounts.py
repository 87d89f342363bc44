"""Queries for provider accounts: how each stands."""

from __future__ import annotations

import msgspec

from segue.delivery.accounts import AccountState
from segue.store.database import Transaction

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
