"""Values of customers in the one form that each is compared and used in: phone numbers, mail addresses, countries,
languages and zones.

Every function gives None for a text that is no such value. Nothing is asked of a network. What is large (the metadata
of phone numbers, the names of countries) is loaded at the first use: most runs of Segue need none of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from segue.program.calendar import find_zone
from segue.program.facts import ZONE_TRAIT

_LONGEST: Final = 254
"""Octets of a mail address (RFC 5321, section 4.5.3.1.3), and more than any other value here has."""

# Phone numbers


def phone(text: object, country: str | None = None) -> str | None:
    """A phone number in E.164 (``+358401234567``). ``country`` (ISO 3166 alpha-2) is the one whose numbers are
    meant where none is written; without it such a number is none.

    A number counts where its length is right for its country: which blocks are in use changes too often to refuse a
    customer for it. Source: ITU-T E.164 and the metadata of libphonenumber.
    """
    if not isinstance(text, str) or not text or len(text) > _LONGEST:
        return None
    return _phone(text, country)


@lru_cache(maxsize=4096)
def _phone(text: str, country: str | None) -> str | None:
    import phonenumbers

    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(
        phonenumbers.PhoneNumber(
            number.country_code,
            number.national_number,
            italian_leading_zero=number.italian_leading_zero,
            number_of_leading_zeros=number.number_of_leading_zeros,
        ),
        phonenumbers.PhoneNumberFormat.E164,
    )


# Mail addresses

_PLAIN: Final = re.compile(
    r"([a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64})@((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9])"
)
_LOCAL: Final = re.compile(r"[^\s@\"(),:;<>\[\]\\\x00-\x1f\x7f-\x9f]+")
_LONGEST_LOCAL: Final = 64


def email(text: object) -> str | None:
    """A mail address as it is compared, never as it is written to: trimmed, in NFC, lower case, its domain in ASCII
    (``Ann@Bücher.example`` is ``ann@xn--bcher-kva.example``). Dots and plus tags stay: only some providers ignore them.

    Quoted local parts, addresses of hosts by number and domains of one label are none. Sources: RFC 5321, RFC 6531,
    and for what people type the `email` input of the HTML standard.
    """
    return _compared_email(text) if isinstance(text, str) and 3 <= len(text) <= 2 * _LONGEST else None


@lru_cache(maxsize=4096)
def _compared_email(text: str) -> str | None:
    lower = text.strip().lower()
    if len(lower) <= _LONGEST and "xn--" not in lower and _PLAIN.fullmatch(lower):
        return lower
    return _unusual_email(lower)


def _unusual_email(text: str) -> str | None:
    import idna

    local, _, domain = unicodedata.normalize("NFC", text).lower().rpartition("@")
    if _LOCAL.fullmatch(local) is None or len(local.encode("utf-8", "surrogatepass")) > _LONGEST_LOCAL:
        return None
    try:
        ascii_domain = idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return None
    whole = f"{local}@{ascii_domain}"
    if "\ud800" <= max(local) <= "\udfff" or len(whole.encode("utf-8", "surrogatepass")) > _LONGEST:
        return None
    return whole if _PLAIN.fullmatch(f"x@{ascii_domain}") else None


# Countries and languages

_NAMES_IN: Final = ("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "fi", "pl")
"""The languages in which the name of a country is understood."""


def country(text: object) -> str | None:
    """A country as ISO 3166 alpha-2 (``FI``), from that, alpha-3, its number, or its name in one of some languages."""
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    return _country(text.strip())


@lru_cache(maxsize=1024)
def _country(text: str) -> str | None:
    code = text.upper()
    if code in _countries():
        return code
    return _country_names().get(_plain(text))


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    """The codes, from the table that comes with the zones; Kosovo's is no part of the standard, and in use."""
    lines = _lines_of("iso3166.tab")
    return frozenset(line.split("\t")[0] for line in lines) | {"XK"}


@lru_cache(maxsize=1)
def _country_names() -> Mapping[str, str]:
    """Other codes and names, in plain letters, to codes. A name that means two countries means none."""
    from babel.core import Locale, get_global

    names: dict[str, str | None] = {}
    for language_code in _NAMES_IN:
        for code, name in Locale(language_code).territories.items():
            if code in _countries():
                key = _plain(name)
                names[key] = code if names.get(key, code) == code else None
    for alias, codes in get_global("territory_aliases").items():
        if len(codes) == 1 and codes[0] in _countries():
            names[_plain(alias)] = codes[0]
    return {name: code for name, code in names.items() if code is not None}


def _plain(text: str) -> str:
    """Letters and digits alone, in lower case and without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if letter.isalnum())


_TAG: Final = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?(?:[.@-].*)?", re.DOTALL)


def language(text: object) -> str | None:
    """A language as BCP 47 writes it: language, perhaps script, perhaps region (``fi``, ``pt-BR``, ``zh-Hant-TW``). A
    code of three letters becomes that of two where there is one; variants and the encoding of a locale go."""
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    return _language(text.strip())


@lru_cache(maxsize=1024)
def _language(text: str) -> str | None:
    found = _TAG.fullmatch(text)
    if found is None:
        return None
    from babel.core import get_global

    tongue, script, region = found.groups()
    code = get_global("language_aliases").get(tongue.lower(), tongue.lower()).split("_")[0]
    if code not in _languages():
        return None
    parts = [code]
    if script is not None:
        parts.append(script.title())
    if region is not None:
        known = region if region.isdigit() else country(region)
        if known is None:
            return None
        parts.append(known)
    return "-".join(parts)


@lru_cache(maxsize=1)
def _languages() -> frozenset[str]:
    from babel.core import Locale

    return frozenset(Locale("en").languages)


# Zones


def zone(text: object) -> str | None:
    """A zone by its IANA name (``Europe/Helsinki``), whatever the case it is written in."""
    if not isinstance(text, str) or not text or len(text) > _LONGEST:
        return None
    name = text.strip()
    return name if find_zone(name) is not None else _zones().get(name.lower())


@lru_cache(maxsize=1)
def _zones() -> Mapping[str, str]:
    return {name.lower(): name for name in available_timezones()}


ZONED: Final = frozenset({ZONE_TRAIT, "phone", "country", "state", "city"})
"""The traits that tell a customer's zone."""


def derived_zone(traits: Mapping[str, Any]) -> str | None:
    """The zone of a customer with these traits; None where they don't tell it, so that the project's holds.

    The trait ``timezone`` counts before all else. Then the phone number, by its country or by its area; then the
    ``country``, with ``state`` or ``city`` where it has several zones. Zones that show the same time count as one.
    """
    if not traits:
        return None
    if (named := traits.get(ZONE_TRAIT)) is not None and (own := zone(named)) is not None:
        return own
    number = traits.get("phone")
    if isinstance(number, str) and number.startswith("+") and (by_phone := _zone_of_phone(number)) is not None:
        return by_phone
    code = country(traits.get("country"))
    if code is None:
        return None
    return zone_of_country(code) or _zone_of_place(code, traits.get("state"), traits.get("city"))


def _zone_of_phone(text: str) -> str | None:
    codes = _zones_of_calling_codes()
    # No code begins with another one, and most tell the zone: the number need not be understood for that.
    return codes.get(text[:2]) or codes.get(text[:3]) or codes.get(text[:4]) or _zone_of_area(text)


@lru_cache(maxsize=1)
def _zones_of_calling_codes() -> Mapping[str, str]:
    """The zones of calling codes, with their plus, all of whose countries show the same time."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    found = {}
    for code, countries in COUNTRY_CODE_TO_REGION_CODE.items():
        one = _one_of(tuple(name for country_ in countries for name in _zones_of(country_)))
        if one is not None:
            found[f"+{code}"] = one
    return found


@lru_cache(maxsize=4096)
def _zone_of_area(text: str) -> str | None:
    import phonenumbers

    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(number)
    if region is None and number.country_code is not None:
        regions = phonenumbers.region_codes_for_country_code(number.country_code)
        region = regions[0] if len(regions) == 1 else None
    if region is not None and (by_country := zone_of_country(region)) is not None:
        return by_country
    from phonenumbers.timezone import time_zones_for_number

    return _one_of(tuple(name for name in time_zones_for_number(number) if find_zone(name) is not None))


@lru_cache(maxsize=512)
def zone_of_country(code: str) -> str | None:
    """The zone of a country (ISO 3166 alpha-2) that has one, by what its clocks show; else None."""
    return _one_of(_zones_of(code))


@lru_cache(maxsize=512)
def _zones_of(code: str) -> tuple[str, ...]:
    """The zones of a country, the one with the most people first, as tz's table has them."""
    return tuple(line.split("\t")[2] for line in _lines_of("zone.tab") if line.split("\t")[0] == code)


def _one_of(names: tuple[str, ...]) -> str | None:
    """The first of zones that all show the same time, else None."""
    return names[0] if names and len({_shown(name) for name in names}) == 1 else None


@lru_cache(maxsize=512)
def _shown(name: str) -> tuple[float, ...]:
    """What a zone's clocks show, as offsets in seconds at the middle of each month: two zones that agree on them are
    the same for whoever is written to. The years are fixed, so that the answer depends on the zone data alone."""
    clock = ZoneInfo(name)
    moments = (datetime(year, month, 15, 12, tzinfo=UTC) for year in (2025, 2026) for month in range(1, 13))
    return tuple(moment.astimezone(clock).utcoffset().total_seconds() for moment in moments)  # type: ignore[union-attr]


_STATES: Final[Mapping[str, Mapping[str, str]]] = {
    "AU": {
        "Australia/Sydney": "act nsw australiancapitalterritory newsouthwales",
        "Australia/Melbourne": "vic victoria",
        "Australia/Brisbane": "qld queensland",
        "Australia/Hobart": "tas tasmania",
        "Australia/Adelaide": "sa southaustralia",
        "Australia/Darwin": "nt northernterritory",
        "Australia/Perth": "wa westernaustralia",
    },
    "CA": {
        "America/Halifax": "ns nb pe novascotia newbrunswick princeedwardisland",
        "America/Winnipeg": "mb manitoba",
        "America/Edmonton": "ab alberta",
        "America/Whitehorse": "yt yukon",
    },
    "US": {
        "America/New_York": "ct dc de ga ma md me nc nh nj ny oh pa ri sc va vt wv connecticut districtofcolumbia "
        "delaware georgia massachusetts maryland maine northcarolina newhampshire newjersey newyork ohio pennsylvania "
        "rhodeisland southcarolina virginia vermont westvirginia",
        "America/Chicago": "al ar ia il la mn mo ms ok wi alabama arkansas iowa illinois louisiana minnesota missouri "
        "mississippi oklahoma wisconsin",
        "America/Denver": "co mt nm ut wy colorado montana newmexico utah wyoming",
        "America/Los_Angeles": "ca wa california washington",
        "Pacific/Honolulu": "hi hawaii",
    },
}
"""States that lie in one zone, but for a town or two on a border. A state that is cut in two is not here."""


def _zone_of_place(code: str, state: object, city: object) -> str | None:
    """The zone of a state that has one; else the zone that is named for the city."""
    if isinstance(state, str) and (key := _plain(state.removeprefix(f"{code}-"))):
        for name, states in _STATES.get(code, {}).items():
            if key in states.split():
                return name
    if isinstance(city, str) and (key := _plain(city)):
        named = [name for name in _zones_of(code) if _plain(name.rpartition("/")[2]) == key]
        return named[0] if len(named) == 1 else None
    return None


def _lines_of(table: str) -> list[str]:
    """The lines of one of tz's tables. Source: https://data.iana.org/time-zones/tz-link.html"""
    text = (resources.files("tzdata") / "zoneinfo" / table).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
