"""Where plugins live: discovery, configuration, isolation."""

from __future__ import annotations

from typing import TYPE_CHECKING

# A name's module is imported when the name is first asked for: a command that only looks for plugins does not wait for
# all that a project's settings lead to.
if TYPE_CHECKING:
    from segue.host.channels import OpenChannel
    from segue.host.configuration import ConfigurationError, configure
    from segue.host.containment import Fault, Limits
    from segue.host.plugins import Distribution, Plugins, discover
    from segue.host.project import ChannelSettings, Http, Project, SourceSettings, load_project
    from segue.host.sources import OpenSource
    from segue.host.tables import ProjectError
else:
    _HOMES = {
        "channels": ("OpenChannel",),
        "configuration": ("ConfigurationError", "configure"),
        "containment": ("Fault", "Limits"),
        "plugins": ("Distribution", "Plugins", "discover"),
        "project": ("ChannelSettings", "Http", "Project", "SourceSettings", "load_project"),
        "sources": ("OpenSource",),
        "tables": ("ProjectError",),
    }

    def __getattr__(name: str) -> object:
        for module, names in _HOMES.items():
            if name in names:
                from importlib import import_module

                return getattr(import_module(f"segue.host.{module}"), name)
        raise AttributeError(f"module {__name__} has no attribute {name}")


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
