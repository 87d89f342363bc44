"""A folder of files beside the real daemon, which is killed while it reads them: every row is there once."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.harness import Daemon, Project, wait_until

ROWS = 6_000


def test_a_daemon_that_is_killed_in_the_middle_of_a_file_reads_every_row_once(tmp_path: Path) -> None:
    project = Project(tmp_path / "shop", rules="when cart_abandoned wait 1d send email\n")
    drop = project.root / "drop"
    drop.mkdir()
    settings = (project.root / "segue.toml").read_text("utf-8")
    table = f'[sources.till]\nuse = "files"\nfolder = "{drop}"\nsettle = 0.2\nevery = 0.2\nevent = "ordered"\n'
    project.write("segue.toml", f"{settings}\n{table}")
    rows = "".join(f"c{number},2025-03-01T10:00:00Z,{number}\n" for number in range(ROWS))
    (drop / "orders.csv").write_text(f"user_id,timestamp,order_id\n{rows}\nann,yesterday,1\n", "utf-8")
    count = "select count(*), count(distinct message_id) from event"
    with Daemon(project, environment={"SEGUE_KILL_AT": "before-ingest-commit:3"}) as daemon:
        wait_until(lambda: daemon.code is not None, what="the crash")
        daemon.kill()
    assert project.rows(count)[0][0] < ROWS
    with Daemon(project):
        wait_until((drop / "done" / "orders.csv").exists, what="the end of the file")
        rejected = project.command("rejected", "till", "--json").records
    assert project.rows(count) == [(ROWS, ROWS)]
    assert [one["place"] for one in rejected] == [f"orders.csv, line {ROWS + 3}"]
    assert (drop / "rejected" / "orders.csv.rejected.csv").exists()
