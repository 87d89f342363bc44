"""Whose event it is, and who turns out to be one: identifiers and links of one turn, over the store's.

`segue.customers.identity` says what links mean. Here the few customers whom a new link concerns are brought into that
state: mostly it is one identifier more for one of them; two become one (`segue.runtime.merging`); and where an event
came late, or something was parted, identifiers go from one to another with what came under them
(`segue.runtime.moving`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from segue.api import Instant
from segue.customers.identity import Group, Link, Rules, find_groups, owner_of, show, shown_key
from segue.runtime import linking
from segue.runtime.merging import mark_arrivals, merge
from segue.runtime.moving import look_again, move_arrivals
from segue.runtime.turn import Turn
from segue.store import identity as rows
from segue.store.identity import Joining

_DIRECT = frozenset("atw")
"""Kinds that tell nobody apart: a new one is simply one more of a known customer's."""


class Identities:
    """Identifiers of a turn: ``customers`` are whose they are, ``shared`` those that several customers use. ``earlier``
    are links that were known, and were first seen sooner than was known."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.rules: Rules = turn.running.identity
        self.customers: dict[str, int] = {}
        self.shared: set[str] = set()
        self.earlier: set[Link] = set()
        self._asked: set[str] = set()
        self._links: dict[tuple[str, str], tuple[Instant, str]] = {}
        self._fresh_links: dict[tuple[str, str], Link] = {}
        self._fresh: dict[str, int] = {}
        self._awaited: set[str] = set()

    # Looking up

    def expect(self, keys: Collection[str], links: Collection[tuple[str, str]]) -> None:
        """Bring what is known of identifiers and of pairs of them, for a whole batch."""
        tx = self.turn.tx
        missing = [key for key in keys if key not in self._asked]
        self._asked.update(missing)
        if missing:
            found, shared = rows.find_customers(tx, missing)
            for key, row in found.items():
                self.customers.setdefault(key, row)  # what this turn did is newer
            self.shared |= shared
            users = [key for key in missing if key[0] == "u" and key not in self.customers]
            if users:
                self._awaited |= rows.awaited(tx, users)
        pairs = [pair for pair in links if pair not in self._links]
        if pairs:
            for pair, first in rows.find_links(tx, pairs).items():
                self._links.setdefault(pair, first)

    def resolve(self, keys: tuple[str, ...], links: Iterable[Link], at: Instant, now: Instant) -> int:
        """The customer whom an event is about, given its identifiers, the strongest first, and its links."""
        strongest = keys[0]
        new = [
            link
            for link in links
            if (known := self._links.get((link.key, link.other))) is None or (link.at, link.message_id) < known
        ]
        if new:
            self._connect(keys, new, now)
        elif strongest not in self.customers:
            if strongest in self._awaited:
                self._settle(keys, now)
            else:
                self._begin(keys)
        if strongest in self.shared and strongest[0] != "u":
            return self.owner(strongest, at)
        return self.customers[strongest]

    def owner(self, key: str, at: Instant) -> int:
        """The customer to whom belongs what came under one identifier alone at a moment."""
        if key not in self.shared:
            return self.customers[key]
        self.write()
        links = linking.counting(self, rows.load_links(self.turn.tx, (key,)))
        return self.customers[owner_of(key, at, links)]

    def ask(self, keys: Iterable[str]) -> None:
        """Bring what is known of identifiers, where that is not so yet."""
        self.expect([key for key in keys if key not in self.customers], ())

    # New links

    def _begin(self, keys: tuple[str, ...]) -> None:
        """A customer whom nothing was known of."""
        row = self.turn.tx.store.ids.take("customer")
        own = shown_key(keys)
        self.turn.add(row, own)
        self.customers.update(dict.fromkeys(keys, row))
        self._fresh.update((key, row) for key in keys if key != own)

    def _connect(self, keys: tuple[str, ...], new: list[Link], now: Instant) -> None:
        for link in new:
            if self._links.get((link.key, link.other)) is not None:
                self.earlier.add(link)
            self._links[link.key, link.other] = (link.at, link.message_id)
        known = any(key in self.customers for key in keys)
        few = len(new) <= self.rules.most_links and not any(link.key[0] == "u" for link in new)
        if few and not known and self._awaited.isdisjoint(keys):
            self._begin(keys)
        elif len(new) == 1 and self._is_one_more(new[0]):
            row = self.customers[new[0].other]
            self.customers[new[0].key] = self._fresh[new[0].key] = row
        else:
            self._settle(keys, now, new)
            return
        self._fresh_links.update({(link.key, link.other): link for link in new})

    def _is_one_more(self, link: Link) -> bool:
        """Whether a link does nothing but give a customer one more device."""
        if link.key[0] not in _DIRECT or link.key in self.customers or link.other not in self.customers:
            return False
        own = self.turn.people[self.customers[link.other]].row.key
        if own != link.other or own[0] not in "ux" or own in self.shared:
            return False
        self.write()
        most = self.rules.most_links
        return rows.count_links(self.turn.tx, (own,), most)[own] < most

    # Bringing customers into the state that links mean

    def settle(self, keys: Collection[str], now: Instant) -> None:
        """Have customers be what links mean, around some identifiers: something else than an event changed that."""
        self.ask(keys)
        self._settle(tuple(keys), now)

    def _settle(self, keys: tuple[str, ...], now: Instant, new: Collection[Link] = ()) -> None:
        turn, tx = self.turn, self.turn.tx
        awaited = [key for key in keys if key in self._awaited and key not in self.customers]
        said = {*new, *(rows.load_links(tx, awaited) if awaited else ())}  # those count only from now on
        ends = {end for link in said for end in (link.key, link.other)}
        self.ask(ends)
        self._fresh_links.update({(link.key, link.other): link for link in new})
        self._awaited.update(link.key for link in new if link.key[0] == "u" and link.key not in self.customers)
        self.write()
        before = {end: self._shown(end) for link in new for end in (link.key, link.other)}
        nodes = {*keys, *(end for end in ends if end in self.customers)}
        if new and not awaited and self._settle_near(nodes, new, before, now):
            return
        late = linking.since(self, new)
        turn.flush()
        nodes, counting, crowded = linking.around(self, nodes, new)
        sources = {row for key, row in late if key in self.shared}
        if crowded:  # whoever has something that came under them alone
            rows.put_crowded(tx, crowded, now)
            using = linking.seen(self, rows.load_links(tx, crowded | (nodes & self.shared)), nodes)
            sources |= {
                self.customers[end] for link in using for end in (link.key, link.other) if end in self.customers
            }
        groups, _ = find_groups(counting, rows.load_partings(tx, nodes), self.rules, nodes)
        self._become(groups, nodes, counting, sources, late, new, before, now)

    def _settle_near(
        self, nodes: set[str], new: Collection[Link], before: Mapping[str, str | None], now: Instant
    ) -> bool:
        """Mostly a new link can concern nobody but the customers whom it names: where it is later than whatever else is
        said of them, and where it joins nobody. What each of them was at its moment, their own links tell. False where
        more may depend on it, or an identifier has just become overfull; then nothing was done."""
        turn, tx, most = self.turn, self.turn.tx, self.rules.most_links
        touched = Counter(end for link in new for end in (link.key, link.other))
        near = {self.customers[key] for key in nodes if key in self.customers}
        turn.load(near)
        nodes = nodes.union(rows.further_identifiers(tx, near), (turn.people[row].row.key for row in near))
        self.ask(nodes)
        numbers = rows.count_links(tx, nodes, most + len(new) + 1)
        void = {key for key, number in numbers.items() if number > most}
        if any(numbers[key] <= most + touched[key] for key in void):
            return False
        counting = list(rows.links_among(tx, nodes - void))
        groups, joined = find_groups(counting, rows.load_partings(tx, nodes), self.rules, nodes)
        made = [link for link in new if link in joined]
        if made:
            latest = rows.latest_link(tx, nodes - void, made[0].message_id)
            if latest is not None and latest > min((link.at, link.message_id) for link in made):
                return False
        group = {key: one.key for one in groups for key in one.members}
        shared = {link for link in new if link.key[0] != "u" and group[link.key] != group[link.other]}
        late = linking.since(self, shared | {link for link in new if link.key in self.shared})
        self._become(groups, set(), [], set(), late, new, before, now, shared)
        return True

    def _become(
        self,
        groups: list[Group],
        nodes: set[str],
        counting: list[Link],
        sources: set[int],
        late: list[tuple[str, int]],
        new: Collection[Link],
        before: Mapping[str, str | None],
        now: Instant,
        shared: set[Link] | None = None,
    ) -> None:
        """Have customers be these groups. ``shared`` are links that show of an identifier that several use it; None:
        look at all that is ``counting``, of all ``nodes``. ``sources`` may hold what belongs to others now, and so may
        those of ``late``, by identifiers that several use."""
        turn = self.turn
        turn.load({self.customers[key] for group in groups for key in group.members if key in self.customers})
        targets, merges = self._assign(groups)
        moved = self._move_identifiers(groups, targets)
        if shared is None:
            self._mark_shared(self._sharing(nodes, counting, groups))
        elif shared:
            self._mark_shared({one.key: True for one in linking.counting(self, shared) if one.key not in self.shared})
        sources |= {row for row, _ in moved} | {row for key, row in late if key in self.shared}
        if sources:
            turn.flush()  # all that is said of the customers of before is written as theirs
        changed = move_arrivals(turn, self, sources, {row for _, row in moved}) if sources else set()
        for group, kept in zip(groups, targets, strict=True):
            for gone in merges.get(kept, ()):
                self._merge(kept, gone, new, before, now)
            self._rename(kept, group.key, new, before, now)
        if changed:
            turn.flush()
            look_again(turn, {turn.became.get(row, row) for row in changed}, now)

    def _shown(self, key: str) -> str | None:
        row = self.customers.get(key)
        return self.turn.people[row].row.key if row in self.turn.people else None

    def _assign(self, groups: list[Group]) -> tuple[list[int], dict[int, list[int]]]:
        """For each group the customer whom it is from now on, and those who become part of that one."""
        turn = self.turn
        targets: list[int] = []
        merges: dict[int, list[int]] = {}
        for group in groups:
            home = sorted(
                {
                    row
                    for key in group.members
                    if (row := self.customers.get(key)) is not None and turn.people[row].row.key in group.members
                },
                key=lambda row: (turn.people[row].row.key != group.key, turn.people[row].row.key[0] not in "ux", row),
            )
            if not home:
                row = turn.tx.store.ids.take("customer")
                turn.add(row, group.key)
                home = [row]
            targets.append(home[0])
            if home[1:]:
                merges[home[0]] = home[1:]
        return targets, merges

    def _move_identifiers(self, groups: list[Group], targets: list[int]) -> list[tuple[int, int]]:
        """Give each customer the identifiers that are theirs. Says from whom to whom, but for those who become one."""
        turn = self.turn
        moved: list[tuple[int, int]] = []
        owners: dict[str, int] = {}
        freed: list[str] = []
        for group, row in zip(groups, targets, strict=True):
            own = turn.people[row].row.key
            for key in group.members:
                was = self.customers.get(key)
                if was is not None and was != row:
                    if turn.people[was].row.key in group.members:
                        continue
                    moved.append((was, row))
                self.customers[key] = row
                if key == own and key not in self.shared:
                    freed.append(key)
                elif was != row:
                    owners[key] = row
        if freed and moved:
            rows.remove_identifiers(turn.tx, freed)
        rows.put_identifiers(turn.tx, owners)
        return moved

    def _sharing(self, nodes: set[str], said: list[Link], groups: list[Group]) -> dict[str, bool]:
        """Whether several customers use an identifier, where that is another answer than before."""
        named = {key: group.key for group in groups for key in group.members}
        users: dict[str, set[str]] = {}
        for link in linking.counting(self, set(said)):
            users.setdefault(link.key, {named[link.key]}).add(named[link.other])
        return {
            key: several
            for key in nodes
            if key[0] != "u" and (several := len(users.get(key, ())) > 1) != (key in self.shared)
        }

    def _mark_shared(self, changes: Mapping[str, bool]) -> None:
        """Note which identifiers several customers use."""
        for key, several in changes.items():
            (self.shared.add if several else self.shared.discard)(key)
        rows.set_shared(self.turn.tx, changes, self.customers)

    def _merge(
        self, kept: int, gone: int, new: Collection[Link], before: Mapping[str, str | None], now: Instant
    ) -> None:
        turn = self.turn
        known, unknown = turn.people[kept].row.key, turn.people[gone].row.key
        merge(turn, kept, gone, now)
        for key, row in self.customers.items():
            if row == gone:
                self.customers[key] = kept
        self._note(kept, known, unknown, gone, new, before)

    def _rename(
        self, row: int, key: str, new: Collection[Link], before: Mapping[str, str | None], now: Instant
    ) -> None:
        """Have a customer go by another identifier."""
        turn = self.turn
        person = turn.people[row]
        old = person.row.key
        if old == key:
            return
        if old[0] == "u":
            turn.flush()
            mark_arrivals(turn.tx, person.row)
        person.row.seed = person.row.seed or show(old)
        person.row.key = key
        turn.refresh(person)
        if key not in self.shared:
            rows.remove_identifiers(turn.tx, (key,))
        if old not in self.shared:
            rows.put_identifiers(turn.tx, {old: row})
        if old in before.values():
            self._note(row, key, old, None, new, before)

    def _note(
        self,
        row: int,
        kept: str,
        was: str,
        gone: int | None,
        new: Collection[Link],
        before: Mapping[str, str | None],
    ) -> None:
        """Record that two were found to be one, and by what."""
        for link in new:
            if was in (before[link.key], before[link.other]) or len(new) == 1:
                joining = Joining(row, kept, was, link.at, link.key, link.other, link.message_id, gone)
                rows.put_joining(self.turn.tx, joining)
                return

    # Somebody is no more

    def links_with_others(self, row: int) -> set[Link]:
        """What links the identifiers of a customer to those of others: theirs are shared."""
        self.write()
        own = set(rows.identifiers_of(self.turn.tx, row))
        links = rows.load_links(self.turn.tx, own)
        self.ask({end for link in links for end in (link.key, link.other)})
        return {
            link
            for link in links
            if any(self.customers.get(end, row) != row for end in (link.key, link.other))
            and self.shared.issuperset(end for end in (link.key, link.other) if self.customers.get(end) == row)
        }

    def lose(self, row: int, links: Collection[Link], now: Instant) -> None:
        """A customer is no more, nor is any of their identifiers; what others use too, by these links, is theirs."""
        gone = {key for key, known in self.customers.items() if known == row}
        for key in gone:
            del self.customers[key]
        self.shared -= gone
        self._links = {pair: first for pair, first in self._links.items() if gone.isdisjoint(pair)}
        if links:
            rows.put_links(self.turn.tx, links)
            self._links.update({(link.key, link.other): (link.at, link.message_id) for link in links})
            self.settle({end for link in links for end in (link.key, link.other)}, now)

    # Writing

    def write(self) -> None:
        """Write what is new of identifiers."""
        if self._fresh:
            rows.put_identifiers(self.turn.tx, self._fresh)
            self._fresh.clear()
        if self._fresh_links:
            rows.put_links(self.turn.tx, self._fresh_links.values())
            self._fresh_links.clear()
