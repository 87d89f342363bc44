"""The conformance kit for authors of plugins.

Subclass a suite in your tests, say how to make your plugin, and run pytest::

    from segue.testing import ChannelConformance
    from my_channel import SPEC, Config

    class TestMyChannel(ChannelConformance):
        def make(self):
            return SPEC, Config(path=str(self.folder / "out"))

Needs pytest, and nothing else of Segue's own tests.
"""

from segue.testing.attribution import AttributionConformance
from segue.testing.channels import ChannelConformance
from segue.testing.fetching import FetchingSourceConformance
from segue.testing.sources import SourceConformance

__all__ = ["AttributionConformance", "ChannelConformance", "FetchingSourceConformance", "SourceConformance"]
