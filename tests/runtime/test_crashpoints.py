from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from segue.runtime.crashpoints import POINTS

VISIT = (
    "import sys\nfrom segue.runtime.crashpoints import reach\nfor point in sys.argv[1:]: reach(point)\nprint('alive')"
)


def visit(setting: str | None, *points: str) -> subprocess.CompletedProcess[str]:
    """A process of its own that comes by these points."""
    environment = {name: value for name, value in os.environ.items() if name != "SEGUE_KILL_AT"}
    if setting is not None:
        environment["SEGUE_KILL_AT"] = setting
    return subprocess.run(
        [sys.executable, "-c", VISIT, *points], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_without_the_variable_nothing_happens() -> None:
    assert visit(None, *POINTS, *POINTS).stdout == "alive\n"


def test_the_process_dies_at_the_named_visit_and_not_before() -> None:
    assert visit("after-call:2", "in-wake", "after-call", "in-wake").stdout == "alive\n"
    killed = visit("after-call:2", "after-call", "in-wake", "after-call")
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "")


@pytest.mark.parametrize("setting", ["after-lunch", "after-call:often", ":3"])
def test_a_setting_that_names_no_point_is_refused_with_those_there_are(setting: str) -> None:
    refused = visit(setting, "after-call")
    assert refused.returncode == 1
    assert f"SEGUE_KILL_AT={setting}: write POINT or POINT:COUNT" in refused.stderr
    assert "after-claim-commit" in refused.stderr
