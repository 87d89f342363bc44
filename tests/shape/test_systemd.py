"""The unit that is shipped, as systemd itself judges it."""

from __future__ import annotations

import os
import re
import subprocess

from tests.shape.repository import ROOT, program

UNIT = ROOT / "docs" / "deploy" / "segue.service"
MOST_EXPOSED = 1.5
"""Of 10, as `systemd-analyze security` counts."""


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("systemd-analyze", "systemd"), *arguments, str(UNIT)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "LC_ALL": "C", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"},
    )


def test_systemd_finds_nothing_to_say_about_the_unit() -> None:
    verdict = analyze("verify")
    assert (verdict.returncode, verdict.stdout, verdict.stderr) == (0, "", "")


def test_the_service_is_hardly_exposed() -> None:
    verdict = analyze("security", "--offline=true")
    exposure = re.search(r"Overall exposure level for segue\.service: ([\d.]+)", verdict.stdout)
    assert exposure is not None, verdict.stdout + verdict.stderr
    assert float(exposure[1]) <= MOST_EXPOSED


def test_the_page_about_it_states_the_exposure_that_systemd_counts() -> None:
    verdict = analyze("security", "--offline=true")
    exposure = re.search(r"Overall exposure level for segue\.service: ([\d.]+)", verdict.stdout)
    assert exposure is not None
    assert f"{exposure[1]} of 10" in (ROOT / "docs" / "deploy" / "systemd.md").read_text("utf-8")


def test_the_unit_knows_of_readiness_reload_and_watchdog() -> None:
    lines = UNIT.read_text("utf-8").splitlines()
    assert {"Type=notify", "ExecReload=/bin/kill -HUP $MAINPID", "DynamicUser=yes", "StateDirectory=segue"} <= set(
        lines
    )
    assert any(line.startswith("WatchdogSec=") for line in lines)
