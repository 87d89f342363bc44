"""One APScheduler job for each wait, in its SQLAlchemy job store on SQLite: what ``segue bench`` compares with.

The job store gets what Segue has: a write-ahead log with synchronous=FULL. It finds no duplicates, and a crash loses
the jobs that were handed to a thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler


class MissingLibrary(Exception):
    """SQLAlchemy is not installed."""


class JobRates(msgspec.Struct, frozen=True):
    """What was reached, each in 1/s."""

    journeys: float
    events: float
    waits: float


class _Fired:
    """Counts the jobs that ran."""

    def __init__(self) -> None:
        self.count = 0
        self.lock = threading.Lock()


_fired = _Fired()


def fire(customer: str) -> None:
    """The job: it is stored by this name, and stands for the message."""
    with _fired.lock:
        _fired.count += 1


def measure_jobs(folder: Path, customers: Sequence[str]) -> JobRates:
    """Start a wait for each customer, end every second by an order, and fire a backlog of as many. Raises
    MissingLibrary."""
    scheduler = _scheduler(folder / "jobs.db")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    began = time.perf_counter()
    for customer in customers:
        scheduler.add_job(fire, "date", run_date=tomorrow, args=(customer,), id=customer)
    starting = time.perf_counter() - began
    for customer in customers[1::2]:
        scheduler.remove_job(customer)
    deciding = time.perf_counter() - began
    scheduler.shutdown()
    events = len(customers) + len(customers[1::2])
    return JobRates(len(customers) / starting, events / deciding, _fire_backlog(folder / "backlog.db", customers))


def _fire_backlog(path: Path, customers: Sequence[str]) -> float:
    scheduler = _scheduler(path)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for customer in customers:
        scheduler.add_job(fire, "date", run_date=yesterday, args=(customer,), id=customer)
    before = _fired.count
    began = time.perf_counter()
    scheduler.resume()
    while _fired.count - before < len(customers):
        time.sleep(0.002)
        if time.perf_counter() - began > 300:
            raise RuntimeError(f"{_fired.count - before} of {len(customers)} jobs ran within 300 s")
    seconds = time.perf_counter() - began
    scheduler.shutdown()
    return len(customers) / seconds


def _scheduler(path: Path) -> BackgroundScheduler:
    """A scheduler that is started and paused, so that jobs go to the store at once and none fires."""
    try:
        from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
        from sqlalchemy import create_engine, event
    except ImportError as error:
        raise MissingLibrary(
            "SQLAlchemy is not installed: `pip install 'segue[bench]'` adds APScheduler to the comparison"
        ) from error
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 60})

    @event.listens_for(engine, "connect")
    def make_durable(connection: Any, _: object) -> None:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")

    scheduler = BackgroundScheduler(
        timezone=UTC,
        jobstores={"default": SQLAlchemyJobStore(engine=engine)},
        executors={"default": ThreadPoolExecutor(10)},
        job_defaults={"misfire_grace_time": None},
    )
    scheduler.start(paused=True)
    return scheduler
