"""The linear model against the suite that every attribution plugin gets."""

from __future__ import annotations

import msgspec

from segue.api import AttributionSpec
from segue.testing import AttributionConformance
from segue_attribution_linear import Options, segue_attribution_models


class TestByTouch(AttributionConformance):
    def make(self) -> tuple[AttributionSpec, msgspec.Struct]:
        return segue_attribution_models()[0], Options()


class TestByChannel(AttributionConformance):
    def make(self) -> tuple[AttributionSpec, msgspec.Struct]:
        return segue_attribution_models()[0], Options(per="channel")
