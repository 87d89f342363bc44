"""A shop whose customers fill carts and sometimes order. Like the SDKs it posts a batch until it is acknowledged."""

from __future__ import annotations

import http.client
import random
import threading
import time
from typing import Any

from tests.acceptance.harness import Project, identify, track


class Shop(threading.Thread):
    """Runs until `close`. ``pace`` is new customers a second; ``share`` of them order, ``patience`` wall seconds after
    they left their cart at the latest.

    ``acknowledged`` has the message ids of all calls that were answered with 200, ``carts`` and ``orders`` those of
    both kinds by customer.
    """

    def __init__(self, project: Project, *, seed: int, pace: float, share: float, patience: float) -> None:
        super().__init__(daemon=True)
        self.acknowledged: set[str] = set()
        self.carts: dict[str, str] = {}
        self.orders: dict[str, str] = {}
        self.repeated = 0
        self.failure: Exception | None = None
        self._project = project
        self._draw = random.Random(seed)
        self._pace = pace
        self._share = share
        self._patience = patience
        self._going = threading.Event()
        self._closing = threading.Event()
        self._due: list[tuple[float, str]] = []

    def close(self) -> None:
        """No new customers; what is under way is still posted, and every order that is due. Waits for that."""
        self._closing.set()
        self.join(60)
        assert not self.is_alive(), "the shop could not post its last batch"
        if self.failure is not None:
            raise self.failure

    def run(self) -> None:
        try:
            self._sell()
        except Exception as error:
            self.failure = error

    def _sell(self) -> None:
        number = 0
        began = time.monotonic()
        while True:
            closing = self._closing.is_set()
            calls: list[dict[str, Any]] = []
            if not closing:
                # Time during which nothing was taken is not made up for: customers do not queue before a closed shop.
                count = min(20, max(1, int((time.monotonic() - began) * self._pace)))
                began = time.monotonic()
                for _ in range(count):
                    calls += self._arrive(number)
                    number += 1
            due = [name for at, name in self._due if closing or at <= time.monotonic()]
            self._due = [(at, name) for at, name in self._due if name not in due]
            calls += [track(name, "ordered", self.orders[name], order_id=name, total=60) for name in due]
            if calls:
                self._post(calls)
            if closing:
                return
            time.sleep(1.0 / self._pace * 2)

    def _arrive(self, number: int) -> list[dict[str, Any]]:
        name = f"c{number:05d}"
        self.carts[name] = f"cart-{name}"
        if self._draw.random() < self._share:
            self.orders[name] = f"order-{name}"
            self._due.append((time.monotonic() + self._draw.random() * self._patience, name))
        return [
            identify(
                name, email=f"{name}@example.test", phone=f"+3584000{number:05d}", first_name=name, push_token=name
            ),
            track(name, "cart_abandoned", self.carts[name], cart_id=name, total=60),
        ]

    def _post(self, calls: list[dict[str, Any]]) -> None:
        while True:
            try:
                answer = self._project.post("/v1/batch", {"batch": calls})
            except (OSError, http.client.HTTPException):
                self.repeated += 1
                time.sleep(0.05)
                continue
            if answer.status == 503:
                assert int(answer.headers["retry-after"]) > 0
                time.sleep(0.1)
                continue
            assert answer.status == 200, answer.body
            self.acknowledged |= {call["messageId"] for call in calls}
            return
