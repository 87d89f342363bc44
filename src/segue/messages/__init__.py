"""The content of messages: found below the rule folders, and rendered for one customer.

`load_messages` reads the files into a `Catalogue`; `render` turns a `Template` and values into the parts
that a channel carries. Rendering is pure: the same template and values give the same bytes, on any machine
and in any year, so that a retry hands the provider what the first attempt did.
"""

from segue.messages.catalogue import Catalogue, Problem
from segue.messages.loading import load_messages
from segue.messages.rendering import RenderError, Variable, render, undeclared
from segue.messages.template import Template, from_canonical, to_canonical

__all__ = [
    "Catalogue",
    "Problem",
    "RenderError",
    "Template",
    "Variable",
    "from_canonical",
    "load_messages",
    "render",
    "to_canonical",
    "undeclared",
]
