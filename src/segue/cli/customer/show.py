"""``segue customer show``: a customer's card."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final

import typer

from segue.api import Instant
from segue.cli.customer.reading import read_of
from segue.cli.customer.whom import Whom
from segue.cli.ending import counted, print_json
from segue.program.calendar import find_zone, local
from segue.runtime.card import Card, draw_card
from segue.store.purchases import Order
from segue.web.lookup import card_as_json


def show(
    customer: Whom,
    json: Annotated[bool, typer.Option("--json", help="The card as JSON.")] = False,
) -> None:
    """Show a customer: traits, how they are reached, segments, journeys they are inside, orders, messages, and what
    happened last."""
    now = Instant(time.time_ns() // 1000)
    _, card = read_of(customer, lambda tx, running, row: draw_card(tx, running, row, now))
    if json:
        print_json(card_as_json(card))
    else:
        _show(card)


def _show(card: Card) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    zone = find_zone(card.zone)
    assert zone is not None

    def moment(at: Instant) -> Text:
        return Text(f"{local(at, zone):%Y-%m-%d %H:%M}", "dim")

    def heading(text: str, rest: str = "") -> None:
        console.print(Text.assemble((f"\n{text}", "bold"), (f"  {rest}" if rest else "", "dim")))

    def rows(*lines: tuple[Text | str, ...], none: str = "none") -> None:
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for line in lines or ((Text(none, "dim"),),):
            table.add_row(*line)
        console.print(Padding(table, (0, 0, 0, 2)))

    named = card.traits.get("name") or " ".join(
        str(card.traits[part]) for part in ("first_name", "last_name") if card.traits.get(part)
    )
    console.print(Text.assemble((str(named or card.customer), "bold"), (f"  {card.customer}", "dim")))
    if card.traits:
        rows(*((Text(name, "dim"), Text(_plain(value))) for name, value in card.traits.items()))
    heading("Reach", f"times are {card.zone}")
    rows(
        *(
            (name, Text("reaches them", "green") if reason is None else Text(reason, "yellow"))
            for name, reason in card.reach.items()
        )
    )
    heading("Segments")
    rows((", ".join(card.segments) or Text("none", "dim"),))
    heading("Inside")
    rows(
        *[
            (one.rule, moment(one.since), one.step, Text.assemble("until ", moment(one.until)) if one.until else "")
            for one in card.inside
        ],
        none="no journey",
    )
    totals = ", ".join(f"{amount:,} {currency}" for currency, amount in card.purchases.totals.items())
    heading("Orders", f"{counted(card.purchases.orders, 'order')}{f', {totals}' if totals else ''}")
    rows(
        *(
            (
                moment(order.at),
                order.order_id,
                _total(order),
                ", ".join(order.items),
            )
            for order in card.purchases.newest
        )
    )
    heading("Messages")
    rows(
        *[
            (
                moment(one.at),
                f'{one.channel} "{one.message}"' if one.message else one.channel,
                Text(one.state, _STYLES.get(one.state, "")),
                Text(f"{one.rule}{f': {one.reason}' if one.reason else ''}", "dim"),
            )
            for one in card.messages
        ]
    )
    heading("What happened last")
    rows(*((moment(one.at), one.event, Text(_fields(one.fields), "dim")) for one in card.happened))


_STYLES: Final = {"sent": "green", "delivered": "green", "skipped": "yellow", "failed": "red", "undelivered": "red"}


def _total(order: Order) -> str:
    if order.total is None:
        return ""
    total = f"{order.total.amount:,} {order.total.currency}"
    return f"{total}, {order.refunded:,} of it paid back" if order.refunded else total


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(_plain, value)) if isinstance(value, list) else str(value)


def _fields(fields: dict[str, Any]) -> str:
    shown = ", ".join(f"{name} {_plain(value)}" for name, value in fields.items() if not isinstance(value, dict | list))
    return shown if len(shown) <= 100 else f"{shown[:99]}…"
