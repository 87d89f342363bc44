"""A split that learns draws in replay as it does in the daemon's loops, with the same probabilities in the log."""

from __future__ import annotations

from segue.api.values import MINUTE
from segue.messages.catalogue import Catalogue
from segue.scenario.replay import Arrival, Replay
from segue.store.database import Store
from tests.runtime.rulebook import T0, event, publish_text
from tests.runtime.test_arms import LEARNS, at, play


def draws(store: Store) -> list[tuple[str, str, int, str]]:
    return store.apply(
        lambda tx: tx.rows(
            "select customer.key, arm, at, shares from exposure join customer on customer.id = customer order by 1"
        )
    )


def test_replay_and_the_loops_learn_the_same() -> None:
    daemon, _ = play(7, 400)
    store = Store(None)
    running = publish_text(store, f"event paid\nevent ordered\n{LEARNS}", T0)
    arrivals = []
    for number in range(400):
        arrivals.append(Arrival(event("paid", f"c{number}", at=at(number), traits={}), at(number)))
        if number % 3:
            ordered = event("ordered", f"c{number}", at=at(number), traits={}, id=f"o-{number}")
            arrivals.append(Arrival(ordered, at(number)))
    for _ in Replay(store, running, Catalogue(), span=50).run(arrivals):
        pass
    found = draws(store)
    assert found == draws(daemon)
    assert len({shares for *_, shares in found}) > 2
    assert found[-1][2] - found[0][2] > MINUTE
