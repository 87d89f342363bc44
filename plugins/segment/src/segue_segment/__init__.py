"""The Segment tracking API as a source: every Segment and RudderStack SDK is a client."""

from __future__ import annotations

from collections.abc import Sequence

from segue.api import SourceSpec, Vocabulary, plugin
from segue.api.shop import SHOP
from segue_segment.recorded import read_recorded
from segue_segment.source import LARGEST_REQUEST, ROUTES, Config, SegmentSource

__all__ = ["SEGMENT", "Config", "SegmentSource", "read_recorded", "segue_sources", "segue_vocabulary"]

SEGMENT = SourceSpec(
    name="segment",
    doc="The Segment tracking API: track, identify, page, screen, group, alias and batches of them",
    config=Config,
    open=SegmentSource,
    routes=ROUTES,
    body=LARGEST_REQUEST,
    cors=True,
    unasked=True,
    decode=read_recorded,
)


@plugin
def segue_sources() -> Sequence[SourceSpec]:
    return [SEGMENT]


@plugin
def segue_vocabulary() -> Sequence[Vocabulary]:
    return [SHOP]
