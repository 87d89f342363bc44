"""What stands side by side agrees to the last digit that is shown."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from segue.api import Credit, Path, Paths
from segue.cli.tabling import Shown
from segue.measure import Journeys
from segue.measure.comparing import Comparison
from segue.program.calendar import find_zone


@given(st.floats(1000, 1e9), st.floats(1000, 1e9))
@example(47_680.5001, 47_680.4999)
def test_a_band_ends_in_the_figures_beside_it(one: float, other: float) -> None:
    paths = Paths.of([Path(("email",), 1.0, 1.0)])
    journeys = Journeys(paths=paths, journeys=1, untouched=0, unattributed_conversions=0, unattributed_value=0)
    result = Comparison(
        "channel",
        journeys,
        {name: (Credit("email", figure, 0.0),) for name, figure in (("a", one), ("b", other))},
        {},
    )
    (table,) = result.tables_for_people()
    zone = find_zone("UTC")
    assert zone is not None
    shown = Shown("en", zone)
    row = next(iter(table.records()))
    figures = sorted(cell for name in ("a", "b") if isinstance(cell := row[name], float))
    assert row["band"] == " – ".join(shown.number(figure) for figure in figures)
