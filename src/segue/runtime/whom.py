"""Which customer somebody means who writes an identifier: an id, a device's id, an address, a card, or a pseudonym of
the log."""

from __future__ import annotations

from segue.customers.identity import ADDRESSES, Rules, address_key, device_key, show, user_key
from segue.customers.pseudonyms import PSEUDONYM, pseudonym
from segue.store.database import Transaction
from segue.store.erasures import secret
from segue.store.identity import find_customers, owners_of


def possible_keys(text: str, rules: Rules) -> list[str]:
    """The identifiers that a text may mean, the likeliest first. ``KIND:ID`` names a further one, as in
    ``loyalty:F-1001``."""
    keys = [user_key(text), device_key(text)]
    keys += [key for trait in ADDRESSES if (key := address_key(trait, text, rules.country)) is not None]
    if ":" in text:
        keys.append(f"x:{text}")
    return keys


def find_key(tx: Transaction, text: str, rules: Rules) -> tuple[str, int] | None:
    """The identifier that a text means, and the customer whose it is."""
    keys = possible_keys(text, rules)
    found, _ = find_customers(tx, keys)
    return next(((key, found[key]) for key in keys if key in found), None)


def find_customer(tx: Transaction, text: str, rules: Rules) -> int | None:
    """The customer whom a text means, by number; None where no event ever named them. Of several who share an address
    it is the one whose it is: see `segue.customers.identity`."""
    found = find_key(tx, text, rules)
    return found[1] if found is not None else None


def whom(tx: Transaction, text: str, rules: Rules) -> list[int]:
    """The customers whom an identifier means, by number: several where they share an address. Only a pseudonym is
    looked for among all customers."""
    found = find_key(tx, text, rules)
    if found is not None:
        key, customer = found
        return [customer] if key[0] in "ua" else owners_of(tx, key)
    return _by_pseudonym(tx, text) if text.startswith(PSEUDONYM) else []


def whom_by(tx: Transaction, kind: str, value: str, rules: Rules) -> list[int]:
    """The customers whom an identifier of a kind means, by number: an address, or one that sources name so."""
    key = address_key(kind, value, rules.country) if kind in ADDRESSES else f"x:{kind}:{value}"
    return owners_of(tx, key) if key is not None else []


def name_of(tx: Transaction, customer: int) -> str:
    """The id of a customer, by number."""
    row = tx.row("select key from customer where id = ?", (customer,))
    return show(row[0]) if row is not None else ""


def _by_pseudonym(tx: Transaction, text: str) -> list[int]:
    key = secret(tx)
    rows = tx.rows("select key, id from customer union all select key, customer from alias")
    return sorted({row for name, row in rows if pseudonym(key, show(name)) == text})
