"""Queries for pauses: channels and rules that send nothing for now."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import apsw
import msgspec

from segue.api import Instant
from segue.store.accounts import CALLED_AGAIN, read_called_again
from segue.store.database import Transaction, open_reader
from segue.store.dead_letters import PUT_UP
from segue.store.errors import StoreUnavailable

Sort = Literal["channel", "rule"]

_SELECT: Final = "select sort, name, since, who, note from pause order by sort, name"


class Pause(msgspec.Struct, frozen=True):
    """A channel or a rule that sends nothing since a moment: who said so, and why."""

    sort: Sort
    name: str
    since: Instant
    who: str
    note: str = ""


def load_pauses(tx: Transaction) -> list[Pause]:
    """All that is paused, channels first."""
    return [Pause(*row) for row in tx.rows(_SELECT)]


def put_pause(tx: Transaction, pause: Pause) -> bool:
    """Pause something; False where it was paused before, and then stays so as it was."""
    return (
        tx.run(
            "insert into pause (sort, name, since, who, note) values (?, ?, ?, ?, ?) on conflict do nothing",
            (pause.sort, pause.name, pause.since, pause.who, pause.note),
        )
        > 0
    )


def remove_pause(tx: Transaction, sort: Sort, name: str) -> bool:
    """Have something send again; False where it was not paused."""
    return tx.run("delete from pause where sort = ? and name = ?", (sort, name)) > 0


class Asked(msgspec.Struct, frozen=True):
    """What commands have asked of whoever sends: ``pauses`` hold, ``put_up`` changes with each time that dead letters
    were put up again, and so does ``called_again`` for each account that is to be called again."""

    pauses: tuple[Pause, ...] = ()
    put_up: str = ""
    called_again: dict[str, int] = {}


class AskedReader:
    """What commands have asked, read beside the writer. Used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Raises StoreUnavailable."""
        self._connection = open_reader(path)
        self._seen: Any = None

    def look(self) -> Asked | None:
        """What was asked; None where nothing at all was written since it was last asked for. Raises
        StoreUnavailable."""
        try:
            seen: Any = self._connection.execute("pragma data_version").fetchone()
            if seen == self._seen:
                return None
            pauses = tuple(Pause(*row) for row in self._connection.execute(_SELECT))
            said: dict[str, str] = dict(
                self._connection.execute("select name, value from meta where name in (?, ?)", (PUT_UP, CALLED_AGAIN))
            )
        except apsw.Error as error:
            raise StoreUnavailable(str(error)) from error
        self._seen = seen
        return Asked(pauses, said.get(PUT_UP, ""), read_called_again(said.get(CALLED_AGAIN, "")))

    def close(self) -> None:
        self._connection.close()


def count_waiting(tx: Transaction) -> dict[tuple[Sort, str], int]:
    """How many messages wait behind each pause, those that are not due yet among them."""
    return {
        ("channel", channel): n
        for channel, n in tx.rows(
            "select channel, count(*) from message where state = 0 and due is not null "
            "and channel in (select name from pause where sort = 'channel') group by channel"
        )
    } | {
        ("rule", rule): n
        for rule, n in tx.rows(
            "select rule, count(*) from message where state = 0 and due is not null "
            "and rule in (select name from pause where sort = 'rule') group by rule"
        )
    }
