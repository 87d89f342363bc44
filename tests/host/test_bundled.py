"""What to install for a channel or a source that is not there."""

from __future__ import annotations

from segue.host.bundled import bundled, not_offered
from segue.host.plugins import discover


def test_every_channel_and_source_that_comes_with_segue_is_known_by_its_package() -> None:
    found = discover()
    offered = {name: found.offered_by("channel", name) for name in found.channels}
    offered |= {name: found.offered_by("source", name) for name in found.sources}
    assert bundled() == offered


def test_whoever_names_one_that_is_not_installed_is_told_what_to_install() -> None:
    assert not_offered("rcs", ["webhook", "console"]) == (
        "no plugin offers 'rcs' (console, webhook): pip install segue-twilio"
    )
    assert not_offered("segment", []) == "no plugin offers 'segment' (none is installed): pip install segue-segment"
    assert not_offered("pigeon", ["console"]) == "no plugin offers 'pigeon' (console)"
