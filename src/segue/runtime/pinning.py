"""What a claim fixes: the template, the values and the address. A message that is called again, or taken back, finds
them as they were, so the provider gets the same bytes."""

from __future__ import annotations

import msgspec

from segue.api import Instant, to_rfc3339
from segue.delivery.ledger import LedgerRow
from segue.engine.journey import Journey
from segue.messages.catalogue import Catalogue, Choice
from segue.messages.locales import tried
from segue.messages.recommending import VALUE, products_asked
from segue.messages.template import Template, from_canonical, to_canonical
from segue.runtime.people import Person
from segue.runtime.recommending import recommend
from segue.runtime.running import Running
from segue.store import ledger as ledger_rows
from segue.store.database import Transaction


def needs_content(running: Running, channel: str) -> bool:
    """Whether a channel cannot send without content."""
    spec = running.channels.get(channel)
    return spec is not None and bool(spec.content)


def find_template(
    tx: Transaction, running: Running, content: Catalogue, row: LedgerRow, person: Person
) -> Template | None:
    """The content in the customer's language (`segue.messages.locales`); from the second claim on that of the first."""
    if row.attempts > 0:
        return pinned(tx, row)
    return content.choose(row.message, row.channel, tried(person.row.traits, running.locale)).template


def pinned(tx: Transaction, row: LedgerRow) -> Template | None:
    """The template of the first claim."""
    body = ledger_rows.load_template(tx, row.template) if row.template else None
    return from_canonical(body) if body is not None else None


def say_fallback(tx: Transaction, running: Running, row: LedgerRow) -> str | None:
    """Which content a customer got whose language or country is known, and where it was looked for before; None where
    nothing was chosen yet, or was the first that was looked for."""
    template = pinned(tx, row)
    customer = row.given.get("customer")
    if template is None or not isinstance(customer, dict):
        return None
    steps = tried(customer, running.locale)
    places = [step.locale for step in steps]
    if steps[0].because == "project" or template.locale not in places[1:]:
        return None
    return str(Choice(template, steps[: places.index(template.locale) + 1]))


def pin(
    tx: Transaction,
    running: Running,
    template: Template | None,
    row: LedgerRow,
    person: Person,
    journey: Journey,
    now: Instant,
) -> None:
    """Fix template, values and address at the first claim, which is ``now``; a later one finds them as they were."""
    traits = person.row.traits
    event = msgspec.json.decode(journey.trigger) if journey.trigger else {}
    row.given = {**row.given, "customer": {**traits, "id": person.facts.key}, "event": event}
    if template is not None and (most := products_asked(template.parts.values())):
        row.given = {**row.given, VALUE: recommend(tx, row.customer, most, row.decided)}
    if template is not None and template.reads_now():
        row.given = {**row.given, "now": to_rfc3339(now)}
    row.address = running.reach.address(row.channel, person.facts.key, traits)
    if template is not None:
        row.template = template.hash
        kept = tx.store.caches.setdefault("templates", {})
        if template.hash not in kept:
            ledger_rows.put_templates(tx, [(template.hash, to_canonical(template))])
            kept[template.hash] = True
