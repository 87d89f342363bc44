"""Where plugins live: discovery, configuration, isolation."""

from segue.host.channels import OpenChannel
from segue.host.configuration import ConfigurationError, configure
from segue.host.containment import Fault, Limits
from segue.host.plugins import Distribution, Plugins, discover
from segue.host.project import ChannelSettings, Http, Project, SourceSettings, load_project
from segue.host.sources import OpenSource
from segue.host.tables import ProjectError

__all__ = [
    "ChannelSettings",
    "ConfigurationError",
    "Distribution",
    "Fault",
    "Http",
    "Limits",
    "OpenChannel",
    "OpenSource",
    "Plugins",
    "Project",
    "ProjectError",
    "SourceSettings",
    "configure",
    "discover",
    "load_project",
]
