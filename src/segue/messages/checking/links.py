"""Links that lead nowhere, or that only some can follow."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from segue.messages.checking.markup import FILLED, TOLD, masked, tags
from segue.messages.checking.sheet import Medium, Sheet

_LINES: Final = frozenset(["url", "link", "image", "image_url"])
"""Parts that are one address."""
_OPENED: Final = frozenset(["url", "link"])
"""Those of them that a tap opens."""
_HOLDERS: Final = frozenset(["a", "area", "mj-button", "mj-image", "mj-navbar-link", "mj-social-element"])
_SCHEME: Final = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*):(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_WEB: Final = re.compile(r"(?P<host>[^/?#]*)")
_MISSPELT: Final = re.compile(r"(?:h?t{1,3}ps?|htt?s|https?)[;:,.]?/{1,3}(?=\w)", re.IGNORECASE)
_HOST_LIKE: Final = re.compile(r"(?:www\.)?[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?:[/?#:].*)?", re.IGNORECASE | re.DOTALL)
_MAIL: Final = re.compile(r"[^\s@,;]+@[^\s@,;.]+(?:\.[^\s@,;.]+)+")
_IN_TEXT: Final = re.compile(r"\bhttps?:[^\s<>\"'\]]*", re.IGNORECASE)
_CODE: Final = re.compile(
    r"^(```+|~~~+)[^\n]*\n.*?(?:^\1|\Z)|(`+)(?!`)[^\n]{0,500}?(?<!`)\2(?!`)", re.DOTALL | re.MULTILINE
)
"""Markdown that is shown as it is written."""
_DEFINED: Final = re.compile(r"^ {0,3}\[(?!\^)[^\]\n]+\]:[ \t]*<?(?P<target>[^\s>]+)", re.MULTILINE)
_BROKEN: Final = re.compile(r"\]\((?P<target>(?:https?:|www\.)[^()\s\"'<>]*[ \t]+[^()\s\"'<>][^()\n\"'<>]*)\)")
"""What was meant as a link and is shown as it is written, since an address has no spaces."""
_OPEN: Final = re.compile(r"\]\((?P<target>https?:[^()\s]*)[ \t]*(?:\n(?!\s*[\"'(])|\Z)")
_PICTURES: Final = frozenset(["img", "mj-image", "mj-carousel-image"])
_PERCENT: Final = re.compile(r"%(?![0-9a-fA-F]{2}|[\x01])")
_MARKDOWN: Final = re.compile(r"\]\(\s*<?(?P<target>[^()\s>]*(?:\([^()\s]*\)[^()\s>]*)*)>?[^)]*\)")


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a link: a code, the reason, and what to do."""

    code: str
    reason: str
    hint: str


def check_links(sheet: Sheet) -> None:
    """Note the links of every part that lead nowhere, each address once for a part."""
    for part, origin in sheet.sources.items():
        source = origin.source
        told: set[str] = set()
        shown = masked(source).replace(TOLD, FILLED)
        for address, start, end, what in _links(part, origin.form, shown):
            fault = (
                _dead("has no end", "write ) behind the address")
                if what == "open"
                else _fault_of_picture(address)
                if what == "image"
                else _fault_of_place(address, shown)
                if address.startswith("#") and len(address) > 1 and origin.form in ("html", "mjml")
                else fault_of(address, on_a_page=_is_at_its_site(address, part, sheet.channel.medium))
            )
            if fault is None or address in told:
                continue
            told.add(address)
            written = source[start:end] if end > start else ""
            quoted = written if len(written) <= 60 else f"{written[:59]}…"
            sheet.add(
                fault.code,
                part,
                (start, end),
                f"the {'image' if what == 'image' else 'link'} “{quoted}” {fault.reason}",
                label="here",
                hint=fault.hint,
            )


def _is_at_its_site(address: str, part: str, medium: Medium) -> bool:
    """Whether what opens a link knows its site: one of its pages, its service worker, or its app."""
    return medium == "other" or (medium == "push" and part in _OPENED and address.lstrip().startswith("/"))


def _links(part: str, form: str, source: str) -> Iterator[tuple[str, int, int, str]]:
    """Each address of a masked source with its place, and whether it is a ``link``, one left ``open``, or an
    ``image``."""
    if part in _LINES:
        yield source, 0, len(source), "link"
        return
    if form == "md":
        source = _CODE.sub(lambda found: " " * len(found[0]), source)
    if form in ("html", "mjml", "md"):
        for tag in tags(source):
            found = tag.attributes.get("href")
            if found is not None and tag.name in _HOLDERS:
                yield found.value, found.start, found.end, "link"
            found = tag.attributes.get("src")
            if found is not None and tag.name in _PICTURES:
                yield found.value, found.start, found.end, "image"
    if form not in ("html", "mjml"):
        for pattern in (_MARKDOWN, *((_DEFINED, _BROKEN) if form == "md" else ())):
            for one in pattern.finditer(source):
                yield one["target"], *one.span("target"), "link"
        if form == "md":
            yield from ((one["target"], *one.span("target"), "open") for one in _OPEN.finditer(source))
        for one in _IN_TEXT.finditer(source):
            address = one[0].rstrip(".,;:!?)*_")
            if not source.startswith("](", max(one.start() - 2, 0)):
                yield address, one.start(), one.start() + len(address), "link"


def _fault_of_picture(address: str) -> Fault | None:
    """What is wrong with the address of a picture, which nobody opens and every mail program fetches."""
    link = address.strip()
    if link.startswith((FILLED, "cid:")):
        return None
    if link.startswith("data:"):
        return Fault("W1015", "is in the message itself, and many mail programs show no such", "put it on the web")
    fault = fault_of(address) if link else _dead("shows nothing", "write the address of the picture")
    return None if fault is not None and fault.code == "W1015" and link.startswith("http:") else fault


def _fault_of_place(address: str, source: str) -> Fault | None:
    """What is wrong with a link to a place in the message itself."""
    name = address[1:]
    if FILLED in name or any(name in (tag.value("id"), tag.value("name")) for tag in tags(source)):
        return None
    return _dead("leads to a place that this message does not have", f'give the place its name: id="{name}"')


def fault_of(address: str, *, on_a_page: bool = False) -> Fault | None:
    """What is wrong with a link whose filled-in characters are `FILLED`; ``on_a_page`` it may be relative to it."""
    link = address.strip()
    if not link or link == "#":
        return _dead("leads nowhere", "write the address that it should open")
    if link.startswith(FILLED):
        return None
    if " " in link.rstrip(FILLED):
        return _dead("has a space in it", "write %20 for a space, or take it away")
    found = _SCHEME.fullmatch(link)
    scheme = found["scheme"].lower() if found is not None and not _looks_like_a_port(link) else ""
    if scheme in ("http", "https") and found is not None:
        return _fault_of_web(scheme, found["rest"])
    if scheme == "mailto" and found is not None:
        return _fault_of_mail(found["rest"])
    if scheme == "tel" and found is not None:
        known = FILLED in link or any(letter.isdigit() for letter in found["rest"])
        return None if known else _dead("holds no number", "write tel: and the number, as in tel:+358401234567")
    if scheme in ("javascript", "data", "file"):
        return _dead("is one that mail programs and browsers refuse", "write an address that begins with https://")
    if _MISSPELT.match(link) and not link.startswith(("http://", "https://")):
        return _dead("does not begin as an address does", "write https:// before the name of the site")
    if not scheme and not on_a_page:
        return _dead(
            "has no https:// before it, and outside a website that opens nothing",
            f"write https://{link}" if _HOST_LIKE.fullmatch(link) else "write the whole address: https://…",
        )
    return None


def _looks_like_a_port(link: str) -> bool:
    """``localhost:8080`` reads like a scheme."""
    return re.match(r"[\w.-]+:\d", link) is not None and not link.lower().startswith("tel:")


def _fault_of_web(scheme: str, rest: str) -> Fault | None:
    if not rest.startswith("//") or rest.startswith("///"):
        slashes = len(rest) - len(rest.lstrip("/"))
        said = {0: "no slash", 1: "one slash"}.get(slashes, f"{slashes} slashes")
        return _dead(f"has {said} after {scheme}: where two belong", f"write {scheme}://{rest.lstrip('/')}")
    found = _WEB.match(rest[2:])
    host = found["host"].rpartition("@")[2] if found is not None else ""
    if not host:
        return _dead("names no site", f"write the name of the site after {scheme}://")
    if FILLED in host:
        return None
    if rest[2:].lower().startswith(("http:", "https:", "http//", "https//")):
        return _dead("begins twice", f"write {scheme}:// once")
    if _PERCENT.search(rest):
        return _dead("has a % that is no sign of an address", "write %25 for a percent sign")
    port = host.rpartition(":")[2] if re.search(r":[^\]]*$", host) else ""
    if port and (not port.isdigit() or not 0 < int(port) < 65_536):
        return _dead(f"has {port} for a port, which is none", "leave :… away")
    name = host.partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if not host.startswith("[") and (".." in name or name.startswith(".") or not _is_a_name(name)):
        return _dead(f"names “{host}”, which is no site", "write the name of the site as in https://shop.example/sale")
    if _is_at_home(name):
        return Fault("W1015", "leads to a machine that customers do not reach", "write the address of the public site")
    if scheme == "http":
        return Fault(
            "W1015", "is not encrypted, and some networks and programs refuse it", "write https:// if the site has it"
        )
    return None


def _is_a_name(host: str) -> bool:
    return re.fullmatch(r"[^\s\"<>\\^`{|},;()]+", host) is not None


def _is_at_home(host: str) -> bool:
    name = host.lower().strip("[]").rstrip(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return "." not in name or name.endswith((".localhost", ".local", ".internal", ".lan"))
    return address.is_private or address.is_loopback or address.is_link_local


def _fault_of_mail(rest: str) -> Fault | None:
    to = rest.partition("?")[0]
    if FILLED in to:
        return None
    if rest.startswith("//"):
        return _dead("has slashes after mailto:", f"write mailto:{rest.lstrip('/')}")
    if _MAIL.fullmatch(to) is None and not (not to and "?" in rest):
        return _dead("names no email address", "write mailto: and the address, as in mailto:help@shop.example")
    return None


def _dead(reason: str, hint: str) -> Fault:
    return Fault("E1014", reason, hint)
