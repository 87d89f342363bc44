"""From a body to the event that it means, by the paths of the settings. Pure."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from segue.api import Event, Instant
from segue.api.bodies import Refused
from segue.api.shop import item_ids
from segue.api.webhooks import moment_of, present, text_id
from segue_webhooks.paths import Path, read_path
from segue_webhooks.settings import Config

__all__ = ["Mapping"]

_EACH: Final = "each"


class Mapping:
    """The paths of one source, read. Raises ValueError where a setting is none."""

    def __init__(self, config: Config) -> None:
        self._names = config.names
        self._id = _optional(config.id, "id")
        self._name = read_path(config.name, "name")
        self._time = read_path(config.time, "time")
        self._user = _optional(config.user_id, "user_id")
        self._anonymous = _optional(config.anonymous_id, "anonymous_id")
        self._data = _optional(config.data, "data")
        self._ids = _table(config.ids, "ids")
        self._fields = _table(config.fields, "fields")
        self._traits = _table(config.traits, "traits")
        self._each = _optional(config.lines.get(_EACH, ""), "lines.each")
        self._lines = _table({name: path for name, path in config.lines.items() if name != _EACH}, "lines")
        if self._lines and self._each is None:
            raise ValueError('`lines.each` is missing: it is the path of the list of lines, such as "data.lines"')

    def event(self, body: dict[str, Any], source: str, message_id: str, signed: Instant) -> Event:
        """The event of a body. ``message_id`` and ``signed`` are what counts where the body has no id and no time of
        its own. Raises Refused, naming what is missing."""
        written = self._time.find(body)
        if not isinstance(written, str | int | float) or isinstance(written, bool):
            written = None
        name = self._name_of(body)
        traits = present({trait: path.find(body) for trait, path in self._traits.items()})
        if name is None and not traits:
            raise Refused(
                f"`{'.'.join(self._name.steps)}` is missing: it names the event, and without a name there have to be "
                "traits of a customer"
            )
        own = text_id(self._id.find(body), ".".join(self._id.steps)) if self._id is not None else None
        return Event(
            message_id=own or message_id,
            timestamp=moment_of(written, ".".join(self._time.steps)) if written is not None else signed,
            source=source,
            name=name,
            user_id=_found(self._user, body),
            anonymous_id=_found(self._anonymous, body),
            ids={
                kind: found
                for kind, path in self._ids.items()
                if (found := text_id(path.find(body), ".".join(path.steps))) is not None
            },
            properties=self._properties(body) if name is not None else {},
            traits=traits,
        )

    def _name_of(self, body: dict[str, Any]) -> str | None:
        sent = text_id(self._name.find(body), ".".join(self._name.steps))
        return self._names.get(sent, sent) if sent is not None else None

    def _properties(self, body: dict[str, Any]) -> dict[str, Any]:
        data = self._data.find(body) if self._data is not None else None
        fields = dict(data) if isinstance(data, dict) else {}
        fields |= present({name: path.find(body) for name, path in self._fields.items()})
        if self._each is not None:
            lines = self._each.find(body)
            fields |= present({"products": [self._line(line) for line in lines] if isinstance(lines, list) else None})
        if "products" in fields and "items" not in fields:
            fields |= present({"items": item_ids(fields["products"])})
        return fields

    def _line(self, line: Any) -> Any:
        return present({name: path.find(line) for name, path in self._lines.items()}) if self._lines else line


def _optional(written: str, setting: str) -> Path | None:
    return read_path(written, setting) if written else None


def _table(written: dict[str, str], setting: str) -> dict[str, Path]:
    return {name: read_path(path, f"{setting}.{name}") for name, path in written.items()}


def _found(path: Path | None, body: dict[str, Any]) -> str | None:
    return text_id(path.find(body), ".".join(path.steps)) if path is not None else None


decoder: Final = msgspec.json.Decoder(dict[str, Any])
"""Reads a body: an object, whatever is in it."""
