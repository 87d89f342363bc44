"""The model against the suite that every attribution plugin gets."""

from __future__ import annotations

import msgspec

from segue.api import AttributionSpec
from segue.testing import AttributionConformance
from segue_attribution_shapley import SHAPLEY, Options


class TestByConversions(AttributionConformance):
    def make(self) -> tuple[AttributionSpec, msgspec.Struct]:
        return SHAPLEY, Options()


class TestByRate(AttributionConformance):
    def make(self) -> tuple[AttributionSpec, msgspec.Struct]:
        return SHAPLEY, Options(worth="rate")
