"""SQL, and whatever else means something to somebody, in every string that comes from outside: by every door it stays
the string that it is, and is found and shown as that."""

from __future__ import annotations

import csv
import json
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any, Final

import pytest

from segue.api import Instant
from segue.customers.identity import NO_RULES
from segue.runtime.exporting import as_json, export
from segue.runtime.whom import whom
from segue.store.database import Store
from tests.acceptance.harness import Daemon, Project, identify, track, wait_until

EVIL: Final = (
    "x'; drop table event; --",
    'x"; drop table customer; --',
    "') or ('1'='1",
    "x' union select key, traits from customer --",
    "%' or 1=1 /*",
    "?1 :name @name $name",
    "[event]`customer`",
    "\\'; delete from name; --",
    "{{ customer.email }} {% raw %}",
    "$(touch pwned) `touch pwned`",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "\u202eevil\u2028\U0001f600'",
)
"""What somebody could be waiting for who builds statements, templates, commands, paths or pages from strings."""
SOURCE: Final = "x'; drop table event; --"
"""A source's name in segue.toml."""
KEY: Final = {"x-key": "acceptance"}

SOURCES: Final = f"""
[sources."{SOURCE}"]
use = "webhooks"
header = "x-key"
token = {{ env = "WRITE_KEY" }}

[sources."{SOURCE}".map]
event = "$.event"
user = "$.user"
id = "$.id"
ids = {{ loyalty = "$.card" }}

[sources.drop]
use = "files"
folder = "drop"
settle = 0.1
every = 0.1
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("evil") / "shop", channels=SOURCES)
    (project.root / "drop").mkdir()
    with Daemon(project):
        yield project


@pytest.fixture(autouse=True)
def whole(project: Project) -> Iterator[None]:
    """Whatever came, the store is as it was made."""
    yield
    fresh = Store(None)
    try:
        made = fresh.apply(lambda tx: tx.rows("select type, name, sql from sqlite_master order by type, name"))
    finally:
        fresh.close()
    assert project.rows("select type, name, sql from sqlite_master order by type, name") == made
    assert project.rows("pragma integrity_check") == [("ok",)]
    assert not list(project.root.rglob("pwned"))


def exported(project: Project, customer: str) -> dict[str, Any]:
    """All that is kept of a customer, as `segue customer export` gives it."""
    with project.store() as tx:
        (row,) = whom(tx, customer, NO_RULES)
        told = as_json(export(tx, None, row, Instant(time.time_ns() // 1000)))
    assert told["customer"] == customer
    return told


def test_over_http_every_string_is_kept_as_it_is(project: Project) -> None:
    for evil in EVIL:
        fields = {evil: evil, "nested": {evil: [evil, {evil: evil}]}}
        project.send(identify(evil, f"i {evil}", **{evil: evil, "first_name": evil, "tags": [evil]}))
        project.send(track(evil, evil, f"t {evil}", **fields) | {"anonymousId": f"device {evil}"})
    for evil in EVIL:
        told = exported(project, evil)
        assert told["profile"]["traits"] == {evil: evil, "first_name": evil, "tags": [evil]}
        assert {one["value"] for one in told["identifiers"]} == {evil, f"device {evil}"}
        (event,) = [one for one in told["events"] if one["name"] is not None]
        assert (event["name"], event["message_id"]) == (evil, f"t {evil}")
        assert {evil: evil, "nested": {evil: [evil, {evil: evil}]}}.items() <= event["fields"].items()


def test_a_source_s_name_and_its_identifiers_are_kept_as_they_are(project: Project) -> None:
    path = f"/hooks/{urllib.parse.quote(SOURCE, safe='')}"
    for evil in EVIL:
        body = json.dumps({"event": "paid", "user": f"card {evil}", "id": f"c {evil}", "card": evil}).encode()
        assert project.request("POST", path, body, KEY).status == 200
    assert project.request("POST", path, b'{"event": ["x"]}', KEY).status == 400
    for evil in EVIL:
        told = exported(project, f"card {evil}")
        assert {"kind": "loyalty", "value": evil} in told["identifiers"]
        assert {one["fields"]["source"] for one in told["events"]} == {SOURCE}
    (rejected,) = wait_until(lambda: project.command("rejected", "--json", "--", SOURCE).records, what="the rejection")
    assert rejected["source"] == SOURCE
    assert SOURCE in project.command("doctor").out


def test_in_a_drop_folder_names_of_files_and_columns_and_cells_are_kept_as_they_are(project: Project) -> None:
    drop = project.root / "drop"
    names = [f"{number} {evil.replace('/', '_')}.csv" for number, evil in enumerate(EVIL)]
    for evil, name in zip(EVIL, names, strict=True):
        with (drop / name).open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(["user_id", "event", "timestamp", "message_id", f"properties.{evil.replace('.', '_')}"])
            table.writerow([f"file {evil}", evil, "2026-01-02T10:00:00Z", f"f {evil}", evil])
            table.writerow([f"file {evil}", evil, "yesterday", "", evil])
    for name in names:
        wait_until((drop / "done" / name).exists, what=name)
    for evil in EVIL:
        (event,) = exported(project, f"file {evil}")["events"]
        assert (event["name"], event["message_id"]) == (evil, f"f {evil}")
        assert event["fields"][evil.replace(".", "_")] == evil
    rejected = project.command("rejected", "drop", "--json", "--limit", "100").records
    assert {one["place"] for one in rejected} == {f"{name}, line 3" for name in names}


def test_an_import_keeps_every_string_as_it_is(project: Project) -> None:
    path = project.root / f"{SOURCE}.jsonl"
    calls = []
    for evil in EVIL:
        calls += [
            identify(f"past {evil}", f"pi {evil}", **{evil: evil}),
            track(f"past {evil}", evil, f"pt {evil}", **{evil: evil}),
        ]
    path.write_text(
        "".join(json.dumps({**call, "timestamp": "2025-03-01T10:00:00Z"}) + "\n" for call in calls), "utf-8"
    )
    done = project.command("import", "--json", "--", path)
    assert done.code == 0, done.err
    assert done.records[-1]["accepted"] == 2 * len(EVIL)
    for evil in EVIL:
        told = exported(project, f"past {evil}")
        assert told["profile"]["traits"] == {evil: evil}
        assert [one["name"] for one in told["events"] if one["name"] is not None] == [evil]
    assert project.command("import", "--json", "--", path).records[-1]["state"] == "known"


def test_commands_find_whom_such_a_string_means_and_nobody_else(project: Project) -> None:
    evil = f"{EVIL[0]} {EVIL[-1]}"
    found, other = f"found {evil}", f"other {evil}"
    project.send(*(track(who, "Cart Abandoned", f"a {who}", cart_id=evil) for who in (found, other)))
    assert [one["customer"] for one in project.command("customer", "find", "--json", "--", found).records] == [found]
    assert json.loads(project.command("customer", "export", "--json", "-", "--", found).out)["customer"] == found
    told = project.command("why", "--json", "--", found, "cart_abandoned")
    assert told.code == 0, told.err
    assert project.command("customer", "erase", "--yes", "--", found).code == 0
    left = [
        key for (key,) in project.rows("select key from customer where key like '%' || ? and key like 'u:o%'", evil)
    ]
    assert left == [f"u:{other}"]
    nobody = project.command("customer", "find", "--", "' or '1'='1")
    assert nobody.code != 0
    assert "Traceback" not in nobody.err
