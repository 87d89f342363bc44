"""The lists of tables that hold something of a customer, and of those that hold nothing, are whole."""

from __future__ import annotations

from segue.store.belongings import BELONGINGS, IMPERSONAL, LINKED
from segue.store.database import Store


def columns_by_table() -> dict[str, set[str]]:
    store = Store(None)
    tables = store.apply(
        lambda tx: {
            name: {column for _, column, *_ in tx.rows(f"pragma table_info({name})")}
            for (name,) in tx.rows("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'")
        }
    )
    store.close()
    return tables


def test_every_table_with_a_customer_is_listed() -> None:
    tables = {name for name, columns in columns_by_table().items() if "customer" in columns}
    assert tables == {belonging.table for belonging in BELONGINGS}


def test_of_every_other_table_it_is_said_what_leads_to_a_customer_or_that_nothing_does() -> None:
    listed = {belonging.table for belonging in BELONGINGS}
    assert set(columns_by_table()) - listed == IMPERSONAL | {link.table for link in LINKED}


def test_what_is_deleted_in_pieces_has_numbers() -> None:
    tables = columns_by_table()
    assert {one.table for one in BELONGINGS if one.inert and "id" not in tables[one.table]} == set()
