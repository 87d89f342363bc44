"""The models against the suite that every attribution plugin gets."""

from __future__ import annotations

import msgspec

from segue.api import AttributionSpec
from segue.testing import AttributionConformance
from segue_attribution_heuristics import MODELS, Alone, Linear, NonDirect, PositionBased, TimeDecay, WShaped


class TestFirst(AttributionConformance):
    def make(self) -> tuple[AttributionSpec, msgspec.Struct]:
        return MODELS["first"], Alone()


class TestLast(AttributionConformance):
    def make(self) -> tuple[AttributionSpec, msgspec.Struct]:
        return MODELS["last"], Alone()


class TestLastNonDirect(AttributionConformance):
    def make(self) -> tuple[AttributionSpec, msgspec.Struct]:
        return MODELS["last-non-direct"], NonDirect("push, letter")


class TestLinearByTouch(AttributionConformance):
    def make(self) -> tuple[AttributionSpec, msgspec.Struct]:
        return MODELS["linear"], Linear()


class TestLinearByChannel(AttributionConformance):
    def make(self) -> tuple[AttributionSpec, msgspec.Struct]:
        return MODELS["linear"], Linear(per="channel")


class TestTimeDecay(AttributionConformance):
    def make(self) -> tuple[AttributionSpec, msgspec.Struct]:
        return MODELS["time-decay"], TimeDecay("36h")


class TestPositionBased(AttributionConformance):
    def make(self) -> tuple[AttributionSpec, msgspec.Struct]:
        return MODELS["position-based"], PositionBased("50/10/40")


class TestWShaped(AttributionConformance):
    def make(self) -> tuple[AttributionSpec, msgspec.Struct]:
        return MODELS["w-shaped"], WShaped(lead="push", opportunity="middle")
