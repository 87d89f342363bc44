"""From the files of an email to its HTML and its text, once, when they are loaded.

MJML becomes HTML, Markdown and plain text are set into the layout, styles move to the elements that they are for, and
the text is made from the HTML. All of it happens around the Liquid in the files (`segue.messages.shielding`), so what
is left to do for a customer is to fill in values: fast, and the same in years from now, whatever the libraries do then.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from html import escape
from importlib import resources
from typing import Any, Final

import msgspec
from liquid import Markup

from segue.api.plaintext import plain_text
from segue.messages.brand import Brand
from segue.messages.liquid import compile_source, environment
from segue.messages.locales import is_right_to_left, shortened
from segue.messages.markdown import escape_around, to_html
from segue.messages.shielding import ELEMENT, VOID, ContentError, Shield, walk
from segue.messages.template import House

_CONTENT: Final = re.compile(r"\{\{-?\s*content\s*-?\}\}")
_LEAVING: Final = re.compile(r"\{\{-?\s*leaving\s*-?\}\}")
_WHOLE: Final = re.compile(r"<(?:!doctype|html|body)\b", re.IGNORECASE)
_HTML_TAG: Final = re.compile(r"<html\b([^>]*)>", re.IGNORECASE)
_BUTTON: Final = re.compile(r"<p><strong>(<a [^<>]*>(?:(?!</?a\b|</strong>).)*</a>)</strong></p>", re.DOTALL)
_BRACES: Final = re.compile(r"[{}]")

MJML: Final = frozenset(
    "mjml mj-head mj-body mj-attributes mj-all mj-class mj-breakpoint mj-font mj-preview mj-style mj-title mj-raw "  # noqa: SIM905
    "mj-section mj-column mj-group mj-wrapper mj-hero mj-text mj-button mj-image mj-divider mj-spacer mj-table "
    "mj-navbar mj-navbar-link mj-social mj-social-element mj-accordion mj-accordion-element mj-accordion-title "
    "mj-accordion-text mj-carousel mj-carousel-image mj-html-attributes mj-selector mj-html-attribute".split()
)
_MOST_RULES: Final = 2_000
"""Rules of CSS in one file: each is tried on each element."""


class Layout(msgspec.Struct, frozen=True):
    """What stands around content that brings no page of its own: ``source`` is HTML, or MJML, with ``{{ content }}``
    in it. ``own`` is False for the one that comes with Segue."""

    source: str
    mjml: bool = False
    own: bool = True


class Frame(msgspec.Struct, frozen=True):
    """What the files of one email are laid out with. ``language`` is that of the content; ``layout`` None for none."""

    house: House
    language: str
    layout: Layout | None


class Mail(msgspec.Struct, frozen=True):
    """The parts that were made of the files: Liquid still, with nothing left to do but to fill it in."""

    html: str | None
    text: str
    made: tuple[str, ...]


@lru_cache(maxsize=1)
def own_layout() -> Layout:
    """The layout that comes with Segue."""
    return Layout((resources.files(__package__) / "layout" / "email.html").read_text("utf-8"), own=False)


def lay_out(form: str, source: str, text: str | None, frame: Frame) -> Mail:
    """The email of a file (``mjml``, ``html`` or ``md``) and, where there is one, of the text beside it; or of a text
    alone (``txt``). Raises ContentError, whose line is the file's own."""
    layout = frame.layout
    match form:
        case "txt":
            if layout is None:
                return Mail(None, source, ())
            return _framed_text(source, layout, frame)
        case "mjml":
            page, content = _from_mjml(source, frame), None
        case "html" if _WHOLE.search(source) is not None:
            page, content = source, None
        case _:
            fragment = _BUTTON.sub(_button, to_html(source)) if form == "md" else source
            alone = Shield(fragment)
            alone.check(alone.text, "HTML")
            fragment = fragment.replace("<table>", '<table class="data" cellpadding="0" cellspacing="0">')
            if layout is None:
                fragment = f"<!doctype html><html><head></head><body>{fragment}</body></html>"
                page, content = fragment, None
            else:
                page, content = _around(layout, frame, source), fragment
    html, made = _finish(
        page if content is None else _CONTENT.sub(lambda _: content, page), frame, wrapped=content is not None
    )
    if text is None:
        return Mail(html, made, ("text",) if form == "html" else ("html", "text"))
    if content is None or layout is None:
        return Mail(html, text, ("html",) if form != "html" else ())
    return Mail(html, _framed_text(text, layout, frame).text, ("html", "text"))


def _framed_text(source: str, layout: Layout, frame: Frame) -> Mail:
    """A plain text inside a layout: as paragraphs in the HTML, as it is in the text."""
    page = _around(layout, frame, source)
    held = f"{{% capture plain_text %}}{escape_around(source)}{{% endcapture %}}{{{{ plain_text | as_paragraphs }}}}"
    html, _ = _finish(_CONTENT.sub(lambda _: held, page), frame, wrapped=True)
    place = "zqcontent"
    while place in page or place in source:
        place += "q"
    _, text = _finish(_CONTENT.sub(f"<div>{place}</div>", page), frame, wrapped=True)
    return Mail(html, text.replace(place, source), ("html", "text"))


def _button(match: re.Match[str]) -> str:
    return (
        '<table class="button" role="presentation" cellpadding="0" cellspacing="0"><tr>'
        f"<td>{match[1]}</td></tr></table>"
    )


# The layout


def _around(layout: Layout, frame: Frame, content: str) -> str:
    """The page of a layout, its ``{{ content }}`` still to be set in."""
    source = layout.source if layout.own else _filled(layout.source, frame)
    source = _LEAVING.sub(lambda _: _leaving(content), source)
    return _from_mjml(source, frame) if layout.mjml else source


def _filled(source: str, frame: Frame) -> str:
    """Segue's own layout with the brand in it: it asks for nothing of a customer's, so that nothing of it is left to do
    for each of them."""
    whole = {**Brand().values(), **frame.house.brand}
    # A brace of the brand's must not become Liquid; names of fonts go into CSS, which knows no escapes of HTML.
    brand = {
        name: Markup(value if name == "font" else escape(value).replace("{", "&#123;"))
        if isinstance(value, str)
        else value
        for name, value in whole.items()
    }
    sides = {name: value for name, value in known(frame).items() if name in ("start", "end", "direction")}
    later = {"content": Markup("{{ content }}"), "leaving": Markup("{{ leaving }}")}
    return compile_source(environment(autoescape=True), source).render_bounded({"brand": brand, **sides, **later})


def _leaving(content: str) -> str:
    """How a customer leaves, for the foot of a layout: nothing twice that the content has already."""
    unsubscribe = '<a href="{{ unsubscribe_url }}">{{ words.unsubscribe }}</a>'
    preferences = '<a href="{{ preferences_url }}">{{ words.preferences }}</a>'
    links = [
        link
        for name, link in (("unsubscribe_url", unsubscribe), ("preferences_url", preferences))
        if name not in content
    ]
    if not links:
        return ""
    gap = " · "
    # A message that somebody's own order needs has nothing to unsubscribe from.
    return f'{{% unless kind == "transactional" %}}<p>{gap.join(links)}</p>{{% endunless %}}'


@lru_cache(maxsize=1)
def _words() -> dict[str, dict[str, str]]:
    return tomllib.loads((resources.files(__package__) / "layout" / "words.toml").read_text("utf-8"))


def known(frame: Frame) -> dict[str, str]:
    """The values that are known when content is loaded, by their paths: the brand's, the direction of the language and
    the side on which its lines start and end, and words of the layout."""
    found: dict[str, str] = {}
    # A project without a brand has colours all the same.
    _flatten("brand", frame.house.brand or Brand().values(), found)
    words = next((_words()[tag] for tag in shortened(frame.language) if tag in _words()), _words()["en"])
    _flatten("words", words, found)
    backwards = is_right_to_left(frame.language)
    found |= {
        "direction": "rtl" if backwards else "ltr",
        "start": "right" if backwards else "left",
        "end": "left" if backwards else "right",
    }
    return {path: value for path, value in found.items() if _BRACES.search(value) is None}


def _flatten(path: str, value: Any, found: dict[str, str]) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _flatten(f"{path}.{name}", inner, found)
    elif isinstance(value, str | int):
        found[path] = str(value)


# MJML


def _from_mjml(source: str, frame: Frame) -> str:
    """MJML as HTML. Raises ContentError."""
    import mrml

    begin = source.find("<mjml")
    if begin < 0:
        raise ContentError("is no MJML: it begins with <mjml> and ends with </mjml>")
    # Liquid before the first element, such as assignments, is no affair of MJML.
    before, source = source[:begin], source[begin:]
    lines = before.count("\n")
    shield = Shield(source, known(frame))
    page = _in_language(shield.text, "mjml", frame)
    try:
        _check_mjml(shield.text)
        made = mrml.to_html(page).content
        shield.check(made, "MJML")
    except ContentError as error:
        raise error.moved(lines) from None
    except OSError as error:
        at = _AT.search(str(error))
        line = page.encode()[: int(at[1])].count(b"\n") + 1 + lines if at is not None and at[1] else 0
        raise ContentError(f"is no correct MJML here: {_AT.sub('', str(error))}", line) from None
    return before + shield.restore(made)


_AT: Final = re.compile(r" in root template(?: at position (\d+):\d+)?$")


def _check_mjml(text: str) -> None:
    """Raise ContentError for what MJML would pass over in silence, or name no line for."""
    stack: list[tuple[str, int]] = []
    if "<!doctype" in text.lower():
        raise ContentError("MJML has no doctype; take it out")
    for found in ELEMENT.finditer(
        re.sub(r"<!--.*?-->", lambda match: "\n" * match[0].count("\n"), text, flags=re.DOTALL)
    ):
        line = found.string.count("\n", 0, found.start()) + 1
        name = found[2].lower()
        if name == "mj-include":
            raise ContentError("mj-include is not carried out: a message is made of its own files; use a layout", line)
        if name.startswith("mj") and name not in MJML:
            near = get_close_matches(name, MJML, 1)
            raise ContentError(f"MJML has no <{name}>{f'; did you mean <{near[0]}>?' if near else ''}", line)
        if found[1]:
            if not stack or stack[-1][0] != name:
                if not stack:
                    raise ContentError(f"</{name}> closes nothing here", line)
                raise ContentError(f"</{name}> stands here where <{stack[-1][0]}> is still open", line, stack[-1][1])
            stack.pop()
        elif name not in VOID and not found[3].endswith("/"):
            stack.append((name, line))
    if stack:
        raise ContentError(f"this <{stack[-1][0]}> is not closed", stack[-1][1])
    for _ in walk(text):
        """Only for how deep it goes: mrml reads an element inside an element by calling itself."""


# HTML


_ROWS: Final = re.compile(r"<!--.*?-->|(<table\b[^>]*>)((?:\s*<!--.*?-->)*\s*)(?=<tr\b)", re.DOTALL | re.IGNORECASE)
"""Rows without a body of their own. HTML gives them one, at the first row, which would tear a loop of rows apart."""


_STYLED: Final = re.compile(r"<[A-Za-z][^<>]*?\sstyle=\"([^\"]*)\"")


def _finish(page: str, frame: Frame, *, wrapped: bool) -> tuple[str, str]:
    """HTML that mail programs show as it was meant, and the text of it. ``wrapped``: the page is not the file itself,
    so no line of it can be named."""
    import css_inline

    try:
        shield = Shield(page, known(frame), isolate=is_right_to_left(frame.language))
        page = _in_language(shield.text, "html", frame)
        if sum(style.count("{") for style in re.findall(r"<style\b[^>]*>(.*?)</style", page, re.DOTALL)) > _MOST_RULES:
            raise ContentError(f"has more than {_MOST_RULES:,} rules of CSS")
        page = _ROWS.sub(lambda match: f"{match[1]}<tbody>{match[2]}" if match[1] else match[0], page)
        for _ in walk(page):
            """Only for how deep it goes."""
        html = css_inline.inline(
            page, keep_style_tags=True, remove_inlined_selectors=True, load_remote_stylesheets=False
        )
        if not any("!" in found[1] for found in _STYLED.finditer(page)):
            # What came from a sheet came after its own rank was settled; a rule for the dark must still outrank it.
            html = _STYLED.sub(lambda found: found[0].replace(" !important", ""), html)
        shield.check(html, "HTML")
    except ContentError as error:
        raise (error.without_lines() if wrapped else error) from None
    except css_inline.InlineError as error:
        raise ContentError(f"its CSS cannot be read: {error}") from None
    return shield.restore(html), shield.restore_words(plain_text(shield.words(page)))


def _in_language(page: str, tag: str, frame: Frame) -> str:
    """The page with its language and direction on its first element, where the author did not say them."""
    found = re.search(rf"<{tag}\b([^>]*)>", page, re.IGNORECASE)
    if found is None:
        return page
    backwards = is_right_to_left(frame.language)
    said = found[1]
    for name, value in (("dir", "rtl" if backwards else "ltr"), ("lang", frame.language)):
        if re.search(rf"\b{name}\s*=", said, re.IGNORECASE) is None:
            said = f' {name}="{value}"{said}'
    page = f"{page[: found.start()]}<{tag}{said}>{page[found.end() :]}"
    return _mirrored(page) if tag == "mjml" and backwards else page


_MIRRORED: Final = (
    '<mj-attributes><mj-text align="right" /><mj-table align="right" /><mj-section direction="rtl" />'
    '<mj-column direction="rtl" />'
    '<mj-group direction="rtl" /></mj-attributes>'
)


def _mirrored(page: str) -> str:
    """MJML whose texts start on the right and whose columns run from there, unless the author says otherwise."""
    head = re.search(r"<mj-head\b[^>]*>", page)
    if head is not None:
        return f"{page[: head.end()]}{_MIRRORED}{page[head.end() :]}"
    return re.sub(r"<mj-body\b", f"<mj-head>{_MIRRORED}</mj-head><mj-body", page, count=1)
