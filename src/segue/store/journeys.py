"""Queries for the engine: journeys, their entries, and the programs they run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from segue.api import Instant
from segue.engine.journey import Choice, Journey, Sending, State, Trace
from segue.program.facts import Reaction
from segue.store.database import Transaction

STATES: Final[tuple[State, ...]] = ("inside", "finished", "exited", "failed")
"""The states, in the order of their numbers."""
_STATE_NUMBERS: Final[Mapping[str, int]] = {state: number for number, state in enumerate(STATES)}

_COLUMNS: Final = (
    'journey.id, journey.customer, journey.key, journey.program, value, entered, "order", trigger, journey.state, '
    "step, visit, since, mark, journey.due, ended, journey.reason, goal_until, converted, worth, detail"
)


class _Detail(msgspec.Struct, array_like=True):
    sends: tuple[Sending, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    trace: tuple[Trace, ...] = ()
    choices: tuple[Choice, ...] = ()
    turns: tuple[tuple[int, int], ...] = ()
    holdout: bool = False


_encode_detail: Final = msgspec.msgpack.Encoder().encode
_decode_detail: Final = msgspec.msgpack.Decoder(_Detail).decode


def _programs(tx: Transaction) -> tuple[dict[int, tuple[str, str]], dict[str, int]]:
    """Programs by number (hash and rule), and numbers by hash."""
    by_number = tx.store.caches.setdefault("programs", {})
    by_hash = tx.store.caches.setdefault("program numbers", {})
    if not by_number:
        for number, content, rule in tx.rows("select id, hash, rule from program"):
            by_number[number] = (content, rule)
            by_hash[content] = number
    return by_number, by_hash


def _read(row: tuple[Any, ...], programs: Mapping[int, tuple[str, str]]) -> Journey:
    # by position, in the order of Journey's fields: a batch reads a thousand
    content, rule = programs[row[3]]
    detail = _decode_detail(row[19]) if row[19] is not None else None
    return Journey(
        row[2].hex(),
        rule,
        content,
        row[5],
        row[6],
        row[7] or b"",
        row[0],
        row[4],
        STATES[row[8]],
        row[9],
        row[10],
        row[11],
        row[12],
        row[13],
        row[14],
        row[15] or "",
        row[16],
        row[17],
        row[18],
        detail.sends if detail else (),
        detail.reactions if detail else (),
        detail.trace if detail else (),
        detail.choices if detail else (),
        detail.turns if detail else (),
        detail.holdout if detail else False,
    )


def is_live(journey: Journey) -> bool:
    """Whether inputs still reach the journey: it is inside, or its goal may still be met."""
    return journey.state == "inside" or journey.due is not None


def load_live(tx: Transaction, customers: Iterable[int]) -> dict[int, list[Journey]]:
    """The live journeys of each customer, oldest first."""
    found: dict[int, list[Journey]] = {}
    wanted = msgspec.json.encode(list(customers)).decode()
    programs, _ = _programs(tx)
    for row in tx.rows(
        f"select {_COLUMNS} from journey where live = 1 and customer in (select value from json_each(?)) order by id",
        (wanted,),
    ):
        found.setdefault(row[1], []).append(_read(row, programs))
    return found


def find_inside(tx: Transaction, customers: Sequence[int], rule: str) -> list[bool]:
    """For each customer of a piece (their numbers, in order) whether they are inside a rule."""
    programs, _ = _programs(tx)
    ours = [number for number, (_, name) in programs.items() if name == rule]
    inside = {
        customer
        for (customer,) in tx.rows(
            "select customer from journey where live = 1 and state = 0 and customer between ? and ? "
            f"and program in ({', '.join('?' * len(ours))})",
            (customers[0], customers[-1], *ours),
        )
    }
    return [customer in inside for customer in customers]


def load_due(tx: Transaction, now: Instant, limit: int) -> list[tuple[int, Journey]]:
    """Journeys whose moment has come, the earliest first, each with its customer."""
    programs, _ = _programs(tx)
    return [
        (row[1], _read(row, programs))
        for row in tx.rows(f"select {_COLUMNS} from journey where due <= ? order by due, id limit ?", (now, limit))
    ]


def load_due_places(tx: Transaction, now: Instant, limit: int) -> list[tuple[Instant, int, int]]:
    """Journeys whose moment has come, the earliest first: when, journey, customer."""
    return tx.rows("select due, id, customer from journey where due <= ? order by due, id limit ?", (now, limit))


def next_due(tx: Transaction) -> Instant | None:
    """When the next journey is due."""
    row = tx.row("select min(due) from journey where due is not null")
    return row[0] if row is not None else None


def postpone_earliest(tx: Transaction, now: Instant, until: Instant) -> str:
    """Have the journey that is due first wait until another moment, without reading it. Its key;
    empty where none is due."""
    row = tx.row("select id, key from journey where due <= ? order by due limit 1", (now,))
    if row is None:
        return ""
    tx.run("update journey set due = ? where id = ?", (until, row[0]))
    return str(row[1].hex())


def load_journeys(tx: Transaction, rows: Iterable[int]) -> dict[int, tuple[int, Journey]]:
    """Journeys by number, each with its customer."""
    programs, _ = _programs(tx)
    wanted = msgspec.json.encode(list(rows)).decode()
    return {
        row[0]: (row[1], _read(row, programs))
        for row in tx.rows(f"select {_COLUMNS} from journey where id in (select value from json_each(?))", (wanted,))
    }


def load_inside(tx: Transaction, programs: Iterable[str], since: int, limit: int) -> list[tuple[int, Journey]]:
    """Journeys inside these programs (by hash) of customers from ``since`` on, each with its customer: for the
    piecewise work of a publication."""
    known, numbers = _programs(tx)
    wanted = msgspec.json.encode([numbers[content] for content in programs if content in numbers]).decode()
    return [
        (row[1], _read(row, known))
        for row in tx.rows(
            f"select {_COLUMNS} from journey where live = 1 and state = 0 and customer >= ? "
            "and program in (select value from json_each(?)) order by customer limit ?",
            (since, wanted, limit),
        )
    ]


Standing = tuple[int, int]
"""A customer and a journey: how far a look at all who are inside has come."""


def count_steps(
    tx: Transaction, programs: Iterable[str], after: Standing, limit: int
) -> tuple[Counter[tuple[str, int]], Standing | None]:
    """A piece of all journeys inside these programs (by hash): how many are at each step. Gives where to go on, None at
    the end."""
    known, numbers = _programs(tx)
    rows = tx.rows(
        "select customer, id, program, step from journey where live = 1 and state = 0 and (customer, id) > (?, ?) "
        "and program in (select value from json_each(?)) order by customer, id limit ?",
        (*after, _wanted(programs, numbers), limit),
    )
    counts = Counter((known[program][0], step) for _, _, program, step in rows)
    return counts, (rows[-1][0], rows[-1][1]) if len(rows) == limit else None


def load_inside_after(
    tx: Transaction, programs: Iterable[str], after: Standing, limit: int
) -> tuple[list[tuple[int, Journey]], Standing | None]:
    """The same, the journeys themselves, each with its customer."""
    known, numbers = _programs(tx)
    rows = tx.rows(
        f"select {_COLUMNS} from journey where live = 1 and state = 0 and (customer, id) > (?, ?) "
        "and program in (select value from json_each(?)) order by customer, id limit ?",
        (*after, _wanted(programs, numbers), limit),
    )
    found = [(row[1], _read(row, known)) for row in rows]
    return found, (rows[-1][1], rows[-1][0]) if len(rows) == limit else None


def _wanted(programs: Iterable[str], numbers: Mapping[str, int]) -> str:
    return msgspec.json.encode([numbers[content] for content in programs if content in numbers]).decode()


def programs_inside(tx: Transaction) -> dict[str, str]:
    """The programs that customers are inside of: hash to rule."""
    return dict(
        tx.rows(
            "select hash, rule from program "
            "where id in (select distinct program from journey where live = 1 and state = 0)"
        )
    )


def load_of_customer(tx: Transaction, customer: int, rule: str) -> list[Journey]:
    """A customer's journeys of a rule, live and past, oldest first."""
    programs, _ = _programs(tx)
    found = tx.rows(
        f"select {_COLUMNS} from journey where customer = ?1 and live = 1 "
        f"union all select {_COLUMNS} from journey where customer = ?1 and live = 0",
        (customer,),
    )
    journeys = [_read(row, programs) for row in found]
    return sorted((one for one in journeys if one.rule == rule), key=lambda one: (one.entered, one.row))


def customers_with_value(tx: Transaction, rules: Sequence[str], value: str) -> list[int]:
    """Customers with a live journey of one of the rules for a ``per`` value."""
    names = msgspec.json.encode(rules).decode()
    return [
        row[0]
        for row in tx.rows(
            "select distinct customer from journey where live = 1 and value = ? and program in "
            "(select id from program where rule in (select value from json_each(?))) order by customer",
            (value, names),
        )
    ]


def insert(tx: Transaction, journeys: Iterable[tuple[int, Journey]]) -> None:
    """Write new journeys; their ``row`` is set."""
    _, numbers = _programs(tx)
    tx.run_many(
        'insert into journey (id, customer, key, program, value, entered, "order", trigger, state, step, visit, since, '
        "mark, due, ended, reason, goal_until, converted, worth, detail, live) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                journey.row,
                customer,
                bytes.fromhex(journey.key),
                numbers[journey.program],
                journey.value,
                journey.entered,
                journey.order,
                journey.trigger or None,
                *_state_columns(journey),
            )
            for customer, journey in journeys
        ],
    )


def update(tx: Transaction, journeys: Iterable[Journey]) -> None:
    """Write what changed in journeys that are stored."""
    tx.run_many(
        "update journey set state = ?, step = ?, visit = ?, since = ?, mark = ?, due = ?, ended = ?, reason = ?, "
        "goal_until = ?, converted = ?, worth = ?, detail = ?, live = ? where id = ?",
        [(*_state_columns(journey), journey.row) for journey in journeys],
    )


def move_programs(tx: Transaction, journeys: Iterable[Journey]) -> None:
    """Write which programs journeys run now, where an edit took them over."""
    _, numbers = _programs(tx)
    tx.run_many(
        "update journey set program = ? where id = ?", [(numbers[journey.program], journey.row) for journey in journeys]
    )


def _state_columns(journey: Journey) -> tuple[Any, ...]:
    detail = None
    if journey.sends or journey.reactions or journey.trace or journey.holdout:
        detail = _encode_detail(
            _Detail(journey.sends, journey.reactions, journey.trace, journey.choices, journey.turns, journey.holdout)
        )
    return (
        _STATE_NUMBERS[journey.state],
        journey.step,
        journey.visit,
        journey.since,
        journey.mark,
        journey.due,
        journey.ended,
        journey.reason or None,
        journey.goal_until,
        journey.converted,
        journey.worth,
        detail,
        1 if is_live(journey) else 0,
    )


def last_entries(tx: Transaction, customers: Iterable[int]) -> dict[tuple[int, str, str], Instant]:
    """The latest entry by (customer, rule, value): as remembered for rules that say ``once``, and those of the journeys
    themselves, for a rule that only says so since it was edited."""
    wanted = msgspec.json.encode(list(customers)).decode()
    found: dict[tuple[int, str, str], Instant] = {}
    for customer, rule, value, at in tx.rows(
        "select customer, rule, value, at from entry where customer in (select value from json_each(?1)) "
        f"union all {_LAST_OF_JOURNEYS.format(live=1)} union all {_LAST_OF_JOURNEYS.format(live=0)}",
        (wanted,),
    ):
        place = (customer, rule, value)
        found[place] = max(at, found.get(place, at))
    return found


# two halves, each by an index of its own
_LAST_OF_JOURNEYS: Final = (
    "select customer, program.rule, coalesce(value, ''), max(entered) from journey "
    "join program on program.id = journey.program "
    "where live = {live} and customer in (select value from json_each(?1)) group by 1, 2, 3"
)


def put_entries(tx: Transaction, entries: Mapping[tuple[int, str, str], Instant]) -> None:
    """Remember the latest entries."""
    tx.run_many(
        "insert into entry (customer, rule, value, at) values (?, ?, ?, ?) "
        "on conflict (customer, rule, value) do update set at = max(at, excluded.at)",
        [(*place, at) for place, at in entries.items()],
    )


def put_ignored(tx: Transaction, rows: Iterable[tuple[int, str, Instant, int, str]]) -> None:
    """Record triggers that began nothing: customer, rule, when, event, reason."""
    tx.run_many("insert into ignored (customer, rule, at, event, reason) values (?, ?, ?, ?, ?)", rows)


def count(tx: Transaction, changes: Mapping[tuple[str, str, str], int]) -> None:
    """Add to the tallies: (rule, what, reason) by how much."""
    tx.run_many(
        "insert into tally (rule, what, reason, n) values (?, ?, ?, ?) "
        "on conflict (rule, what, reason) do update set n = n + excluded.n",
        [(*place, change) for place, change in changes.items() if change],
    )
