"""Rules as bytes and back, so that journeys keep the version they began with when the text is long gone.

Every node is ``{"_": "ClassName", field: value, …}`` with defaults left out; the encoding is canonical (keys in the
order of declaration), so that equal rules give equal bytes. A class or field may be added to the model; one that was
ever stored must stay readable.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any, Final, TypeVar

import msgspec

from segue.api import Money, Period
from segue.language import model as m

N = TypeVar("N", bound=m.Node)

_CLASSES: Final[dict[str, type[msgspec.Struct]]] = {
    name: kind
    for name, kind in vars(m).items()
    if isinstance(kind, type) and issubclass(kind, m.Node) and kind is not m.Node
} | {"Money": Money, "Period": Period}

_PLACE: Final = frozenset({"line", "file", "title"})
"""What says where a rule stands and no part of what it means."""


def encode_rule(rule: m.Rule, *, meaning: bool = False) -> bytes:
    """The rule as canonical JSON; with ``meaning``, without the places in its file, as the content hash wants it."""
    return msgspec.json.encode(_simplify(rule, _PLACE if meaning else frozenset()))


def decode_rule(data: bytes) -> m.Rule:
    """The rule that `encode_rule` wrote. Raises ValueError where a newer Segue wrote something this one does not
    know."""
    rule = _restore(msgspec.json.decode(data))
    if not isinstance(rule, m.Rule):
        raise ValueError("the stored program is not a rule")
    return rule


def encode_node(node: m.Node, *, meaning: bool = False) -> bytes:
    """Any other node of the model (a segment, a policy, a trigger), as `encode_rule` does it."""
    return msgspec.json.encode(_simplify(node, _PLACE if meaning else frozenset()))


def decode_node(data: bytes, kind: type[N]) -> N:
    """The node that `encode_node` wrote. Raises ValueError as `decode_rule` does."""
    node = _restore(msgspec.json.decode(data))
    if not isinstance(node, kind):
        raise ValueError(f"what is stored is no {kind.__name__}")
    return node


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)  # evaluates the annotations anew at each call


def _simplify(value: Any, without: frozenset[str]) -> Any:
    if isinstance(value, msgspec.Struct):
        name = type(value).__name__
        fields: dict[str, Any] = {"_": name}
        for field in _fields(type(value)):
            part = getattr(value, field.name)
            if field.name in without or (field.default is not msgspec.NODEFAULT and part == field.default):
                continue
            fields[field.name] = _simplify(part, without)
        return fields
    if isinstance(value, (tuple, list)):
        return [_simplify(part, without) for part in value]
    if isinstance(value, Decimal):
        return {"_": "Decimal", "of": str(value)}
    return value


def _restore(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_restore(part) for part in value)
    if isinstance(value, dict):
        name = value["_"]
        if name == "Decimal":
            return Decimal(value["of"])
        kind = _CLASSES.get(name)
        if kind is None:
            raise ValueError(f"the stored program has a {name}, which this version of Segue does not know")
        known = {field.name for field in _fields(kind)} | {"_"}
        if not value.keys() <= known:
            unknown = ", ".join(sorted(value.keys() - known))
            raise ValueError(f"the stored program has {unknown} in a {name}, unknown to this version of Segue")
        return kind(**{field: _restore(part) for field, part in value.items() if field != "_"})
    return value
