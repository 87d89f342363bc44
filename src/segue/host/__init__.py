"""Where plugins live: discovery, configuration, isolation."""

from segue.host.channels import ChannelFault, Limits, OpenChannel
from segue.host.configuration import ConfigurationError, configure
from segue.host.plugins import Distribution, Plugins, discover
from segue.host.project import ChannelSettings, Http, Project, SourceSettings, load_project
from segue.host.tables import ProjectError

__all__ = [
    "ChannelFault",
    "ChannelSettings",
    "ConfigurationError",
    "Distribution",
    "Http",
    "Limits",
    "OpenChannel",
    "Plugins",
    "Project",
    "ProjectError",
    "SourceSettings",
    "configure",
    "discover",
    "load_project",
]
