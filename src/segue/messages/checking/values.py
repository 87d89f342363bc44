"""Values that a template asks for and that nothing gives it, or not always."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from segue.api import FieldType
from segue.language.nearest import listed, nearest
from segue.language.vocabulary import EVERY_EVENT
from segue.messages.brand import TEXTS, Brand
from segue.messages.checking.sheet import Sheet
from segue.messages.recommending import SHOWN
from segue.messages.rendering import RenderError, Variable, asked, compile_part
from segue.messages.shielding import LIQUID

_BRANCH: Final = re.compile(r"\{%-?\s*(?:if|elsif|unless|case)\b(?P<condition>[^%]*)%\}")
_ALWAYS: Final = frozenset(["now", "locale", "direction"])
"""What every message is given by the rendering itself."""
_BRAND: Final = frozenset(Brand().values()) | {*TEXTS, "url", "logo", "logo_dark", "icon", "font"}
_COLOURS: Final = frozenset(Brand().values()["colours"])
_OF_LAYOUTS: Final = frozenset(["content", "leaving", "words", "start", "end", "kind"])
_WORDS: Final = frozenset(["unsubscribe", "preferences"])
_OF_PRODUCTS: Final = frozenset({*SHOWN, "product_id"})
_PRODUCT: Final = re.compile(r"\bproduct\.([a-z_]\w*)", re.IGNORECASE)
_RECOMMEND: Final = re.compile(r"\{%-?\s*recommend\b.*?\{%-?\s*endrecommend\b", re.DOTALL)
_DEFAULT: Final = re.compile(r"(?P<path>[\w.\[\]-]+)\s*\|[^}%]*\bdefault\b")


def check_values(sheet: Sheet, traits: Mapping[str, FieldType], project: Mapping[str, object]) -> None:
    """Note the values that nobody declares or gives. ``project`` holds what every message is given, such as links."""
    _check_products(sheet)
    told: set[str] = set()
    for variable in _asked(sheet):
        first, *rest = variable.name.split(".")
        name = ".".join([first, *rest[:1]])
        if name in told:
            continue
        told.add(name)
        if first == "customer":
            if rest and _key(rest[0]) != "id" and _key(rest[0]) not in traits:
                _undeclared(sheet, variable, _key(rest[0]), traits, "trait of a customer")
        elif first == "event":
            if rest and sheet.sendings:
                _check_field(sheet, variable, _key(rest[0]))
        elif first == "brand":
            _check_brand(sheet, variable, [_key(one) for one in rest])
        elif _key(first) not in project and _key(first) not in _ALWAYS and sheet.sendings:
            _check_given(sheet, variable, _key(first), project)


def _check_products(sheet: Sheet) -> None:
    """Note what a recommended product never has."""
    for part, origin in sheet.sources.items():
        for block in _RECOMMEND.finditer(origin.source):
            for piece in LIQUID.finditer(origin.source, block.start(), block.end()):
                found = _PRODUCT.search(piece[0])
                if found is not None and found[1] not in _OF_PRODUCTS:
                    start = piece.start() + found.start()
                    near = nearest(found[1], _OF_PRODUCTS)
                    sheet.add(
                        "W1001",
                        part,
                        (start, start + len(found[0])),
                        f"`{found[0]}` is nothing that a recommended product has",
                        label=f"did you mean `product.{near}`?" if near else "unknown",
                        hint=f"a product has {listed(sorted(_OF_PRODUCTS), 20)}; what is missing is written as nothing",
                    )


def check_layout(sheet: Sheet, traits: Mapping[str, FieldType], project: Mapping[str, object]) -> None:
    """Note what a layout asks for that no message is given. It stands around all of them, so that nothing of an event
    is there for certain."""
    told: set[str] = set()
    for variable in _asked(sheet):
        first, *rest = (_key(one) for one in variable.name.split("."))
        name = ".".join([first, *rest[:1]])
        if name in told:
            continue
        told.add(name)
        if first == "customer":
            if rest and rest[0] != "id" and rest[0] not in traits:
                _undeclared(sheet, variable, rest[0], traits, "trait of a customer")
        elif first == "brand":
            _check_brand(sheet, variable, rest)
        elif first == "event":
            if rest and not is_guarded(sheet.sources[variable.part].source, name):
                _not_always(sheet, variable, name, "a layout stands around messages of all rules")
        elif first == "words":
            if rest and rest[0] not in _WORDS:
                _undeclared(sheet, variable, rest[0], _WORDS, "word of a layout")
        elif first not in project and first not in _ALWAYS and first not in _OF_LAYOUTS:
            near = nearest(first, {*project, *_ALWAYS, *_OF_LAYOUTS, "customer", "brand"})
            sheet.add(
                "E1002",
                variable.part,
                _place(variable, first),
                f"nothing gives `{first}` to a layout",
                label=f"did you mean `{near}`?" if near else "always empty",
                hint=f"a layout has {listed(sorted(_OF_LAYOUTS), 20)}, the `brand`, and traits such as "
                "`customer.first_name`",
            )


def _check_brand(sheet: Sheet, variable: Variable, path: list[str]) -> None:
    if path and path[0] not in _BRAND:
        _undeclared(sheet, variable, path[0], _BRAND, "value of the brand")
    elif path[:1] == ["colours"]:
        name = path[2] if path[1:2] == ["dark"] and len(path) > 2 else path[1] if len(path) > 1 else "dark"
        if name not in _COLOURS:
            _undeclared(sheet, variable, name, _COLOURS, "colour of the brand", "brand.colours")


def _asked(sheet: Sheet) -> list[Variable]:
    """What the parts ask for, as they were written, in the order of places in each."""
    found: list[Variable] = []
    for part, origin in sheet.sources.items():
        try:
            compiled = compile_part(part, origin.source)
        except RenderError:  # told as E0504
            continue
        found += sorted(asked(part, compiled, origin.source, origin.line), key=lambda one: one.index)
    return found


def _key(segment: str) -> str:
    """The name without the places in a list that stand behind it."""
    return segment.partition("[")[0]


def _undeclared(
    sheet: Sheet, variable: Variable, name: str, known: Collection[str], what: str, of: str | None = None
) -> None:
    near = nearest(name, known)
    of = of or variable.name.partition(".")[0]
    declared = "a `customer` block" if of == "customer" else "the `event` block of that name"
    sheet.add(
        "W1001",
        variable.part,
        _place(variable, f"{of}.{name}"),
        f"`{of}.{name}` is no {what} that anything declares",
        label=f"did you mean `{of}.{near}`?" if near else "unknown",
        hint=f"there are {listed(sorted(known), 20)}; what is missing is written as nothing"
        if of in ("brand", "brand.colours", "words")
        else f"write a declared name, or declare `{name}` in {declared}; what is missing is written as nothing",
    )


def _place(variable: Variable, text: str) -> tuple[int, int]:
    return variable.index, variable.index + len(text)


def _check_field(sheet: Sheet, variable: Variable, name: str) -> None:
    with_events = [sending for sending in sheet.sendings if sending.fields]
    if any(name in sending.fields or name in EVERY_EVENT for sending in with_events):
        lacking = [sending.rule for sending in sheet.sendings if name not in sending.always and name not in EVERY_EVENT]
        lacking += [sending.rule for sending in sheet.sendings if not sending.fields and name in EVERY_EVENT]
        if lacking and not is_guarded(sheet.sources[variable.part].source, f"event.{name}"):
            _not_always(sheet, variable, f"event.{name}", f"an event that begins {_rules(lacking)} does not have it")
        return
    if not with_events:
        _not_always(sheet, variable, f"event.{name}", f"no event begins {_rules([one.rule for one in sheet.sendings])}")
        return
    fields: dict[str, FieldType] = {}
    for sending in with_events:
        fields.update(sending.fields)
    what = f"field of an event that begins {_rules([one.rule for one in with_events])}"
    _undeclared(sheet, variable, name, fields, what)


def _check_given(sheet: Sheet, variable: Variable, name: str, project: Mapping[str, object]) -> None:
    lacking = [sending.rule for sending in sheet.sendings if name not in sending.given]
    if not lacking:
        return
    guarded = is_guarded(sheet.sources[variable.part].source, name)
    if len(lacking) < len(sheet.sendings):
        if not guarded:
            _not_always(sheet, variable, name, f"{_rules(lacking)} sends it without `with {name} = …`")
        return
    if guarded:
        _not_always(sheet, variable, name, "no rule gives it, so that what is written in its place always is")
        return
    given = {known for sending in sheet.sendings for known in sending.given}
    near = nearest(name, {*given, *project, "customer", "event"})
    sheet.add(
        "E1002",
        variable.part,
        _place(variable, name),
        f"nothing gives `{name}`",
        label=f"did you mean `{near}`?" if near else "always empty",
        hint=f"a trait is `customer.{name}`, a field of the event `event.{name}`; "
        f'what a rule gives stands behind its `send`: with {name} = "…"',
    )


def _not_always(sheet: Sheet, variable: Variable, name: str, reason: str) -> None:
    sheet.add(
        "W1003",
        variable.part,
        _place(variable, name),
        f"`{name}` is not always there: {reason}",
        label="may be nothing",
        hint=f'say what to write then: {{{{ {name} | default: "…" }}}}, or put it inside {{% if {name} %}}',
    )


def _rules(names: list[str]) -> str:
    """``the rule `a```, ``the rules `a` and `b```."""
    several = dict.fromkeys(names)
    return f"the rule{'s' if len(several) > 1 else ''} {listed(several, 4)}"


def is_guarded(source: str, name: str) -> bool:
    """Whether a source says what to do without a value: it asks for it in a condition, or names a default."""
    if any(found["path"].startswith(name) for found in _DEFAULT.finditer(source)):
        return True
    named = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    return any(named.search(found["condition"]) for found in _BRANCH.finditer(source))
