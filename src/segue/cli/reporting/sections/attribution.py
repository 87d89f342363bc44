"""Attribution: models side by side, and how far they disagree."""

from __future__ import annotations

from segue.cli.reporting.material import Material, Section


def sections(material: Material) -> list[Section]:
    """The models' shares by channel."""
    return [
        Section(
            "attribution",
            "What models attribute to channels",
            missing=("No touch lies before a conversion: messages that go out in rules with a `goal` fill this.",),
        )
    ]
