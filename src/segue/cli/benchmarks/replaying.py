"""How fast recorded events are replayed: a month of the canonical rule, from lines of JSON to decisions."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from segue.api import Instant, to_rfc3339
from segue.cli.benchmarks.over_http import find_source
from segue.cli.benchmarks.workload import Shop, book, setting
from segue.messages.catalogue import Catalogue
from segue.runtime.publishing import publish, resume
from segue.scenario.recording import Recording
from segue.scenario.replay import Replay
from segue.store.database import Store, Transaction


class Replaying(msgspec.Struct, frozen=True):
    """How many events were replayed in a second, and how many lines a bare loop only decodes in that time."""

    events: int
    replayed: float
    decoded: float


def measure_replaying(folder: Path, customers: int) -> Replaying:
    """Replay a month of so many customers from a file, over a store in a file. Raises NoSource."""
    _, spec, _ = find_source()
    decode = spec.decode
    assert decode is not None
    path = folder / "month.jsonl"
    began = Instant(time.time_ns() // 1000)
    with path.open("wb") as lines:
        for event in Shop().month(customers, began):
            call = {
                "type": "track",
                "messageId": event.message_id,
                "userId": event.user_id,
                "event": event.name,
                "properties": event.properties,
                "timestamp": to_rfc3339(event.timestamp),
            }
            lines.write(msgspec.json.encode(call) + b"\n")
    started = time.perf_counter()
    with path.open("rb") as written:
        for line in written:
            decode(line)
    decoding = time.perf_counter() - started
    store = Store(folder / "replay.db", durable=False)
    checked, project = book(), setting()

    def prepare(tx: Transaction):  # type: ignore[no-untyped-def]
        publish(tx, checked, Instant(began - 1), "bench")
        return resume(tx, project)

    running = store.apply(prepare)
    started = time.perf_counter()
    recording = Recording(path, decode)
    decided = sum(1 for _ in Replay(store, running, Catalogue(), recording.record).run(recording.arrivals()))
    replaying = time.perf_counter() - started
    store.close()
    if decided < customers:
        raise RuntimeError(f"the replay made {decided} decisions for {customers} customers")
    return Replaying(len(recording), len(recording) / replaying, len(recording) / decoding)
