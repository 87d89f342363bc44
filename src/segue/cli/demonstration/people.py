"""Who shops in the demo. All addresses and numbers are reserved for examples.

Sources: RFC 2606 for example.com, the North American Numbering Plan for 555-0100 to 555-0199.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any, Final

import msgspec

_NAMES: Final = (
    *("Aino", "Alba", "Amélie", "Ann", "Anton", "Asta", "Ben", "Bruno", "Carla", "Chiara", "Clara", "Daan", "Diego"),
    *("Ebba", "Eero", "Elif", "Elsa", "Emil", "Enzo", "Eva", "Felix", "Finn", "Freya", "Greta", "Hanna", "Hugo"),
    *("Ida", "Ines", "Iris", "Jakob", "Jana", "João", "Jonas", "Julia", "Kaisa", "Lars", "Laura", "Lea", "Leon"),
    *("Lina", "Lotte", "Lucas", "Luis", "Maja", "Marek", "Maria", "Marta", "Matteo", "Mila", "Nils", "Nina", "Noor"),
    *("Olga", "Oskar", "Paul", "Petra", "Rosa", "Sara", "Sofia", "Søren", "Tereza", "Tomás", "Vera", "Wim", "Zoé"),
)
_PLACES: Final = (
    ("DE", "Europe/Berlin", "de-DE"),
    ("FI", "Europe/Helsinki", "fi-FI"),
    ("FR", "Europe/Paris", "fr-FR"),
    ("ES", "Europe/Madrid", "es-ES"),
    ("NL", "Europe/Amsterdam", "nl-NL"),
    ("PT", "Europe/Lisbon", "pt-PT"),
    ("IE", "Europe/Dublin", "en-IE"),
    ("SE", "Europe/Stockholm", "sv-SE"),
)
_PLAIN: Final = str.maketrans("éãøá", "eaoa")


class Customer(msgspec.Struct, frozen=True):
    """One customer of the shop. ``phone`` is None for those who did not give it, ``birthday`` likewise. ``push``: they
    let the shop send push messages from the first."""

    id: str
    first_name: str
    email: str
    phone: str | None
    country: str
    timezone: str
    locale: str
    birthday: date | None
    push: bool

    @property
    def traits(self) -> dict[str, Any]:
        """What the shop knows from the first, as an identify call carries it."""
        known = {
            "first_name": self.first_name,
            "email": self.email,
            "phone": self.phone,
            "country": self.country,
            "timezone": self.timezone,
            "locale": self.locale,
            "birthday": None if self.birthday is None else self.birthday.isoformat(),
            "push_token": self.push_token if self.push else None,
        }
        return {name: value for name, value in known.items() if value is not None}

    @property
    def push_token(self) -> str:
        """What their phone is called where they let the shop send push messages."""
        return f"phone-of-{self.id}"

    @property
    def postal_address(self) -> str:
        """Where a letter would reach them."""
        return f"{self.first_name}, 1 Example Street, {self.country}"


def make_customer(random: Random, number: int, today: date) -> Customer:
    """The customer of that number, by chance; two in three give a phone number, three in five allow push messages,
    and half of them tell their birthday.

    Of these every other one has it in the weeks to come, more than in a real shop, so that a demo of some minutes shows
    what happens then.
    """
    first_name = random.choice(_NAMES)
    country, timezone, locale = random.choice(_PLACES)
    plain = f"{first_name.lower().translate(_PLAIN)}{number}"
    line, area = number % 100, 201 + number // 100 % 700
    phone = f"+1{area}55501{line:02}" if random.random() < 2 / 3 else None
    birthday = None
    if random.random() < 0.5:
        ahead = timedelta(days=random.randint(8, 28) if random.random() < 0.5 else random.randint(1, 365))
        birthday = _years_before(today + ahead, random.randint(19, 80))
    push = random.random() < 0.6
    return Customer(plain, first_name, f"{plain}@example.com", phone, country, timezone, locale, birthday, push)


def _years_before(day: date, years: int) -> date:
    """The same day of the year; a day later where that year lacks it."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 3, 1)
