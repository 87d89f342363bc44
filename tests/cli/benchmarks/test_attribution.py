from __future__ import annotations

from segue.cli.benchmarks.attribution import measure_attribution


def test_every_group_of_models_is_timed_beside_the_bare_scan() -> None:
    told: list[str] = []
    table = measure_attribution(200, told.append)
    assert told[0] == "200 paths"
    assert told[1:] == [f"{record['files']}: {record['models']}" for record in table.records()]
    assert ("touches and journeys", "time-decay") in {row[:2] for row in table.rows}
    for record in table.records():
        seconds, bare, times = (record[name] for name in ("seconds", "bare_seconds", "times"))
        assert isinstance(seconds, float)
        assert isinstance(bare, float)
        assert times == seconds / bare
