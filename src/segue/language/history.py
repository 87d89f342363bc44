"""What is asked of past events: whether they happened, how often, and what their fields come to.

A part that is wrong gives None: it has been told already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from segue.api import FieldType
from segue.language import model
from segue.language import tree as t
from segue.language.keywords import AGGREGATES, is_reserved
from segue.language.names import Names, Scope
from segue.language.nearest import listed, nearest
from segue.language.operators import CALLED, ORDERED, Typed, boolean
from segue.language.report import Report


class History:
    """Reads looks into history. ``condition_on`` reads what stands in the brackets of `where (…)`, given the event."""

    def __init__(
        self,
        report: Report,
        scope: Scope,
        names: Names,
        condition_on: Callable[[str, t.Expression], model.Expression | None],
    ) -> None:
        self._report = report
        self._scope = scope
        self._names = names
        self._condition_on = condition_on

    def happened(self, written: t.History) -> Typed | None:
        event = self._names.event_with_history(written.path)
        if event is None:
            return None
        where = None
        if written.where is not None:
            where = self._condition_on(event, written.where)
            if where is None:
                return None
        return boolean(model.Happened(event, self._window(written.window), where, written.times or 1))

    def _window(self, written: t.InLast | t.Ever | None) -> model.Window:
        match written:
            case None:
                return model.Window(self._scope.since)
            case t.Ever():
                return model.Window("ever")
            case t.InLast(duration=duration):
                return model.Window("last", duration.period)

    def call(self, written: t.Call) -> Typed | None:
        name = written.name.text
        if name == "coupon":
            self._report.add(
                "E0407",
                written,
                "a coupon is taken for a message, and this is no message's value",
                label="no message takes it here",
                hint='write it as a value of a send: `send email with code = coupon("CART10")`',
            )
            return None
        if name not in AGGREGATES:
            if not is_reserved(name):
                near = nearest(name, AGGREGATES)
                self._report.unknown(
                    "E0312",
                    written.name,
                    f"there is no function `{name}`",
                    near,
                    f"the functions are {listed(AGGREGATES)}",
                )
            return None
        example = "count(ordered in last 90d)" if name == "count" else f"{name}(ordered.total in last 90d)"
        if self._scope.event is not None:
            self._report.add(
                "E0406", written, "inside the brackets only this event's fields can be asked, not other history"
            )
            return None
        what = written.arguments[0] if len(written.arguments) == 1 else None
        asked = (
            what
            if isinstance(what, t.History)
            else t.History(what.start, what.end, what, None, None, None)
            if isinstance(what, t.Path)
            else None
        )
        if asked is None or not isinstance(asked.path, t.Path) or asked.times is not None:
            self._report.add(
                "E0406",
                written,
                f"`{name}` looks at past events, and needs one to look at",
                hint=f"write for instance `{example}`",
            )
            return None
        return self._aggregate(written, name, asked, asked.path, example)

    def _aggregate(self, written: t.Call, name: str, asked: t.History, path: t.Path, example: str) -> Typed | None:
        function: Literal["count", "sum", "average", "min", "max", "first", "last"] = name  # type: ignore[assignment]
        event = self._names.event(path.names[0])
        if event is None:
            return None
        if len(path.names) != (1 if function == "count" else 2):
            message = (
                "`count` counts events, not a field" if function == "count" else f"`{name}` needs a field of the event"
            )
            self._report.add("E0406", path, message, hint=f"write for instance `{example}`")
            return None
        type_: FieldType = "number"
        field: str | None = None
        if function != "count":
            found = self._names.field(event, path.names[1])
            if found is None:
                return None
            field, type_ = path.names[1].text, found
            takes = {"sum": ("number", "money"), "average": ("number", "money"), "min": ORDERED, "max": ORDERED}.get(
                name
            )
            if takes is not None and type_ not in takes:
                self._report.add(
                    "E0404",
                    path,
                    f"`{name}` of {CALLED[type_]} has no meaning",
                    label=f"this is {CALLED[type_]}",
                    hint=f"`{name}` needs numbers or money{'' if name in ('sum', 'average') else ', dates or times'}",
                )
                return None
        where = None
        if asked.where is not None:
            where = self._condition_on(event, asked.where)
            if where is None:
                return None
        return Typed(model.Aggregate(function, event, field, type_, self._window(asked.window), where), type_)
