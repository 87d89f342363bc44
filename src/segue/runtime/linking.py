"""Which links of an identifier count, and how far a new one may reach.

A link says nothing where one of its ends has too many of them, where the two were parted by hand, and as long as a user
id was only ever named by an alias.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from segue.customers.identity import Link, owner_of
from segue.store import identity as rows
from segue.store.arrivals import has_arrivals_since

if TYPE_CHECKING:
    from segue.runtime.identifying import Identities

_WIDEST = 5000
"""Links looked at for one new link. Beyond it only the customers are looked at whom the link itself concerns."""


def seen(known: Identities, links: set[Link], now: Collection[str]) -> set[Link]:
    """Links without those of a user id that only an alias has named so far: it has no part in anything. ``now`` are
    identifiers that are just being seen."""
    known.ask({end for link in links for end in (link.key, link.other)})
    return {
        link
        for link in links
        if (link.key in known.customers or link.key in now) and (link.other in known.customers or link.other in now)
    }


def counting(known: Identities, links: set[Link]) -> list[Link]:
    """Those of some links that say something about who uses an identifier: none of an overfull one, none that was
    parted."""
    links = seen(known, links, ())
    ends = {end for link in links for end in (link.key, link.other)}
    apart = rows.load_partings(known.turn.tx, ends)
    most = known.rules.most_links
    void = {key for key, number in rows.count_links(known.turn.tx, ends, most + 1).items() if number > most}
    return [
        link
        for link in links
        if void.isdisjoint((link.key, link.other))
        and (link.key, link.other) not in apart
        and (link.other, link.key) not in apart
    ]


def user_before(known: Identities, link: Link) -> int:
    """Whose it was what came under a shared identifier at the moment of a new link."""
    tx, most = known.turn.tx, known.rules.most_links
    other = rows.user_before(tx, link.key, link.at, link.message_id)
    if other is None:
        return known.customers[link.key]
    known.ask((other,))
    parted = rows.load_partings(tx, (link.key,))
    if other in known.customers and not parted and rows.count_links(tx, (other,), most + 1)[other] <= most:
        return known.customers[other]
    others = [one for one in counting(known, rows.load_links(tx, (link.key,))) if one.message_id != link.message_id]
    return known.customers[owner_of(link.key, link.at, others)]


def since(known: Identities, new: Collection[Link]) -> list[tuple[str, int]]:
    """Identifiers of new links, each with whoever may have something that came under it alone from then on."""
    turn = known.turn
    found = []
    for link in new:
        row = known.customers.get(link.key)
        if row is None or link.key[0] == "u":
            continue
        holders = {row}
        if link.key in known.shared:
            holders = {user_before(known, link)}
            if link in known.earlier:  # what came after this moment may be somebody else's now
                holders.add(known.customers[link.other])
        for holder in sorted(holders):
            if turn.waits_to_be_written(holder):
                turn.flush()
            if has_arrivals_since(turn.tx, holder, link.at):
                found.append((link.key, holder))
    return found


def around(known: Identities, keys: Iterable[str], new: Collection[Link]) -> tuple[set[str], list[Link], set[str]]:
    """All identifiers whose customers may depend on the links of some, the links among them that count, and those
    that became overfull just now."""
    tx, most = known.turn.tx, known.rules.most_links
    touched = Counter(end for link in new for end in (link.key, link.other))
    nodes, links = set(keys), set[Link]()
    frontier, void, crowded = set(keys), set[str](), set[str]()
    while frontier and len(links) <= _WIDEST:
        numbers = rows.count_links(tx, frontier, most + len(new) + 1)
        full = {key for key, number in numbers.items() if number > most}
        found = seen(known, rows.load_links(tx, frontier - full), nodes)
        reached = {end for link in found for end in (link.key, link.other)}
        reached.update(*(rows.identifiers_of(tx, known.customers[key]) for key in full if key in known.customers))
        just = {key for key in full if numbers[key] <= most + touched[key]}
        if just:
            crowd = seen(known, rows.load_links(tx, just), nodes)
            reached |= {end for link in crowd for end in (link.key, link.other)} & known.shared
        links |= found
        void |= full
        crowded |= just
        frontier = reached - nodes
        nodes |= frontier
        known.ask(frontier)
    if frontier:
        near = {known.customers[key] for key in keys if key in known.customers}
        nodes = set(keys).union(*(rows.identifiers_of(tx, row) for row in near))
        links = seen(known, rows.load_links(tx, nodes - void), nodes)
    return nodes, [link for link in links if {link.key, link.other} <= nodes - void], crowded
