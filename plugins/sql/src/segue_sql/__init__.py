"""SQL: rows of PostgreSQL and MariaDB, new and changed ones, by a watermark. For the CRM and for offline purchases."""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import SourceSpec, Vocabulary, plugin
from segue.api.shop import SHOP
from segue_sql.config import Config
from segue_sql.source import SqlSource

__all__ = ["SQL", "Config", "SqlSource", "segue_sources", "segue_vocabulary"]

SQL = SourceSpec(
    name="sql",
    doc="New and changed rows of PostgreSQL or MariaDB, polled by a watermark",
    config=Config,
    open=SqlSource,
    fetches=True,
)


@plugin
def segue_sources() -> Sequence[SourceSpec]:
    return [SQL]


@plugin
def segue_vocabulary() -> Sequence[Vocabulary]:
    return [SHOP]
