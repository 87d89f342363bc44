"""The report of refused rows, whole whenever it was cut off."""

from __future__ import annotations

from pathlib import Path

from segue.api import Rejection
from segue.api.rejected import RejectedRows


def test_a_report_goes_on_after_the_rows_that_the_store_knows_of(tmp_path: Path) -> None:
    rows = [Rejection(reason='a "quoted"\nreason', place=f"line {n}", raw=b"=cmd") for n in range(5)]
    report = RejectedRows(tmp_path, "past.csv")
    report.add(rows)
    report.close()
    whole = report.path.read_bytes()
    assert b"'=cmd" in whole
    again = RejectedRows(tmp_path, "past.csv", 2)
    assert again.count == 2
    again.add(rows[2:])
    again.close()
    assert again.path.read_bytes() == whole
    assert RejectedRows(tmp_path, "past.csv").path.exists() is False
