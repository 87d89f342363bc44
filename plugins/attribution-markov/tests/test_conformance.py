"""The model against the suite that every attribution plugin gets."""

from __future__ import annotations

import msgspec

from segue.api import AttributionSpec
from segue.testing import AttributionConformance
from segue_attribution_markov import MARKOV, Options


class TestFirstOrder(AttributionConformance):
    def make(self) -> tuple[AttributionSpec, msgspec.Struct]:
        return MARKOV, Options()


class TestThirdOrder(AttributionConformance):
    def make(self) -> tuple[AttributionSpec, msgspec.Struct]:
        return MARKOV, Options(order=3, value="own")
