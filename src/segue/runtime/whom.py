"""Which customer somebody means who writes an identifier: an id, a device's id, an address, or a pseudonym of the
log."""

from __future__ import annotations

from segue.customers.identity import device_key, show, user_key
from segue.customers.pseudonyms import IDENTIFYING, PSEUDONYM, mark, pseudonym
from segue.store.customers import find_customers
from segue.store.database import Transaction
from segue.store.erasures import secret


def whom(tx: Transaction, text: str) -> list[int]:
    """The customers whom an identifier means, by number: several where they share an address. Keys are looked up, all
    else is a scan."""
    keys = find_customers(tx, [user_key(text), device_key(text)])
    for key in (user_key(text), device_key(text)):
        if key in keys:
            return [keys[key]]
    if text.startswith(PSEUDONYM):
        return _by_pseudonym(tx, text)
    return _by_address(tx, text)


def name_of(tx: Transaction, customer: int) -> str:
    """The id of a customer, by number."""
    row = tx.row("select key from customer where id = ?", (customer,))
    return show(row[0]) if row is not None else ""


def _by_pseudonym(tx: Transaction, text: str) -> list[int]:
    key = secret(tx)
    rows = tx.rows("select key, id from customer union all select key, customer from alias")
    return sorted({row for name, row in rows if pseudonym(key, show(name)) == text})


def _by_address(tx: Transaction, text: str) -> list[int]:
    wanted = {trait: mark(trait, text) for trait in IDENTIFYING}
    columns = ", ".join(f"json_extract(traits, '$.{trait}')" for trait in IDENTIFYING)
    return [
        row
        for row, *values in tx.rows(f"select id, {columns} from customer where traits is not null order by id")
        if any(
            value is not None and mark(trait, value) == wanted[trait]
            for trait, value in zip(wanted, values, strict=True)
        )
    ]
