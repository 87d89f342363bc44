"""HTML for customers: templates, and the headers under which every page of ours goes out.

No page loads anything, runs a script, may be framed, or tells another site where it was opened: what it shows belongs
to whoever holds its link.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from segue.api import Response

__all__ = ["page"]

_STYLE: Final = (resources.files("segue.web") / "templates" / "style.css").read_text(encoding="utf-8")
_TEMPLATES: Final = Environment(
    loader=PackageLoader("segue.web", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    auto_reload=False,
)
_TEMPLATES.globals["style"] = _STYLE
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS: Final = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex",
}


def page(template: str, status: int = 200, headers: dict[str, str] | None = None, **values: Any) -> Response:
    """A page from a template. All values are escaped."""
    text = _TEMPLATES.get_template(template).render(**values)
    return Response(status, text.encode("utf-8", "replace"), {**HEADERS, **(headers or {})})
