"""The list of tables that hold something of a customer is whole."""

from __future__ import annotations

from segue.store.belongings import BELONGINGS
from segue.store.database import Store


def test_every_table_with_a_customer_is_listed() -> None:
    store = Store(None)
    tables = store.apply(
        lambda tx: {
            name
            for (name,) in tx.rows("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'")
            if any(column == "customer" for _, column, *_ in tx.rows(f"pragma table_info({name})"))
        }
    )
    store.close()
    assert tables == {belonging.table for belonging in BELONGINGS}
