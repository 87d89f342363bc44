"""What a shop looks like and how it signs, said once for all channels."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from segue.messages.locales import shortened

FONT: Final = "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"

LIGHT: Final = {
    "background": "#f3f4f6",
    "surface": "#ffffff",
    "text": "#1b1f27",
    "muted": "#626b7a",
    "line": "#e3e6eb",
    "accent": "#2456d6",
}
"""Colours that a brand has where it names no others. Text has a contrast of 4.5 at least on all of them (WCAG 2.2)."""

DARK: Final = {
    "background": "#101318",
    "surface": "#1a1f27",
    "text": "#e8ebf0",
    "muted": "#9aa4b2",
    "line": "#303743",
    "accent": "#7ea2ff",
}
"""The same for those who read in the dark."""

TEXTS: Final = ("name", "signature", "footer", "address")
"""What may be said in several languages."""

_LANGUAGES: Final = "languages"

_ENOUGH: Final = 4.5
"""Contrast of text that is easily read: WCAG 2.2, criterion 1.4.3."""


class Brand(msgspec.Struct, frozen=True):
    """``[brand]`` of segue.toml. ``logo``, ``logo_dark`` and ``icon`` are addresses of pictures, ``logo_width``
    is in pixels; ``address`` is the postal one. ``colours`` and ``dark`` are those that were given, by name.
    ``senders`` are what a channel says it is from, by the channel's name in rules. ``languages`` holds texts in other
    languages, by locale."""

    name: str = ""
    url: str = ""
    logo: str = ""
    logo_dark: str = ""
    icon: str = ""
    logo_width: int = 140
    font: str = FONT
    signature: str = ""
    footer: str = ""
    address: str = ""
    colours: dict[str, str] = {}
    dark: dict[str, str] = {}
    links: dict[str, str] = {}
    senders: dict[str, str] = {}
    languages: dict[str, dict[str, str]] = {}

    def values(self) -> dict[str, Any]:
        """The brand as templates see it, ``{{ brand.colours.accent }}``: what was not said is missing, but for the
        colours, of which there are always all."""
        said = {name: value for name in (*TEXTS, "url", "logo", "logo_dark", "font") if (value := getattr(self, name))}
        icon = self.icon or self.logo
        return {
            **said,
            **({"icon": icon} if icon else {}),
            "logo_width": self.logo_width,
            "colours": {**_whole(self.colours, LIGHT), "dark": _whole(self.dark, self._dark())},
            "links": [{"name": name, "url": url} for name, url in self.links.items()],
            "sender": dict(self.senders),
            **({_LANGUAGES: self.languages} if self.languages else {}),
        }

    def _dark(self) -> dict[str, str]:
        """Colours for the dark: a brand's own accent stays where it can be read there."""
        own = self.colours.get("accent")
        if own is not None and contrast(own, DARK["surface"]) >= _ENOUGH:
            return {**DARK, "accent": own}
        return {**DARK, "accent": _lightened(own)} if own is not None else DARK


def in_language(values: dict[str, Any], language: str) -> dict[str, Any]:
    """The values of a brand as content in a language sees them."""
    texts = values.get(_LANGUAGES, {})
    own: dict[str, str] = next((texts[tag] for tag in shortened(language) if tag in texts), {})
    return {name: value for name, value in {**values, **own}.items() if name != _LANGUAGES}


def _whole(given: dict[str, str], defaults: dict[str, str]) -> dict[str, str]:
    colours = {**defaults, **given}
    accent = colours["accent"]
    # A colour that is good for a button may be too light for words.
    link = accent if contrast(accent, colours["surface"]) >= _ENOUGH else colours["text"]
    return {"accent_text": readable_on(accent), "link": link, **colours}


def readable_on(colour: str) -> str:
    """White or near black, whichever is read better on a colour."""
    return max("#ffffff", "#12161d", key=lambda text: contrast(text, colour))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (``#rrggbb``), from 1 to 21: WCAG 2.2, relative luminance."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _parts(colour: str) -> tuple[int, int, int]:
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def _luminance(colour: str) -> float:
    shares = (part / 255 for part in _parts(colour))
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _lightened(colour: str) -> str:
    """The colour, mixed with as much white as it needs to be read on the dark surface."""
    for white in range(0, 101, 5):
        mixed = "#" + "".join(f"{round(part + (255 - part) * white / 100):02x}" for part in _parts(colour))
        if contrast(mixed, DARK["surface"]) >= _ENOUGH:
            return mixed
    return DARK["accent"]
