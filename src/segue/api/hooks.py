"""The hooks. They declare and never act: each returns frozen records, and nothing depends on the order of calls.

A distribution offers them through an entry point in the group ``segue``::

    [project.entry-points.segue]
    my-channel = "my_channel"
"""

from __future__ import annotations

from collections.abc import Sequence

import pluggy

from segue.api.attribution import AttributionSpec
from segue.api.channels import ChannelSpec
from segue.api.sources import SourceSpec
from segue.api.vocabulary import Vocabulary

API_VERSION = 1
"""The version of everything in `segue.api`. A record's ``api`` says which version its plugin was written for."""

PROJECT = "segue"
hookspec = pluggy.HookspecMarker(PROJECT)
plugin = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as the implementation of the hook of the same name."""


@hookspec
def segue_channels() -> Sequence[ChannelSpec]:
    """The channels of this plugin::

    @plugin
    def segue_channels():
        return [ChannelSpec(name="pigeon", doc="By carrier pigeon", config=Config, open=Pigeon, address="loft")]
    """
    raise NotImplementedError


@hookspec
def segue_sources() -> Sequence[SourceSpec]:
    """The sources of this plugin::

    @plugin
    def segue_sources():
        return [SourceSpec(name="till", doc="Tills", config=Config, open=Till, routes=("POST /till",))]
    """
    raise NotImplementedError


@hookspec
def segue_attribution_models() -> Sequence[AttributionSpec]:
    """The attribution models of this plugin::

    @plugin
    def segue_attribution_models():
        return [AttributionSpec(name="linear", doc="Equal shares", config=Options, weights=linear)]
    """
    raise NotImplementedError


@hookspec
def segue_vocabulary() -> Sequence[Vocabulary]:
    """Words that this plugin brings to rules::

    @plugin
    def segue_vocabulary():
        return [Vocabulary(events=(EventSpec("ordered", sent_as=("Order Completed",)),))]
    """
    raise NotImplementedError
