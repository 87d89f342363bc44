"""The suite for attribution models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from segue.api import AttributionSpec, Credit, Instant, Path, Paths
from segue.host.declarations import faults_of_model
from segue.measure.attribution import ModelError, attribute
from segue.testing.declarations import require_config, require_unknown_settings_refused

_DAY: Final = 86_400_000_000
_END: Final = 1_790_000_000_000_000
_CLOSE: Final = 1e-6


def _path(channels: str, conversions: float, value: float, count: float = 1.0) -> Path:
    """A path of one-word channels, a day between touches, the conversion a day after the last."""
    names = tuple(channels.split())
    times = tuple(Instant(_END - (len(names) - place) * _DAY) for place in range(len(names)))
    return Path(names, conversions, value, count, times, Instant(_END) if conversions else None)


PATHS: Final = (
    _path("email", 1, 40.0),
    _path("email sms", 1, 60.0),
    _path("sms email push", 1, 19.9),
    _path("push push email push", 1, 5.0),
    _path("letter", 0, 0.0),
    _path("email letter", 0, 0.0),
    _path("sms", 2, 100.0, 7.0),
    _path("display email", 3, 0.0, 3.0),
)


class AttributionConformance:
    """Subclass it in a test module, with a name that starts with ``Test``, and say how to `make` the model."""

    def make(self) -> tuple[AttributionSpec, msgspec.Struct]:
        """The declaration, and the options to try it with."""
        raise NotImplementedError("say how to make the model: def make(self): return SPEC, Options(…)")

    def test_the_declaration_is_valid(self) -> None:
        spec, _ = self.make()
        faults = faults_of_model(spec)
        assert not faults, f"segue would set this plugin aside: {'; '.join(faults)}"

    def test_the_options_survive_a_round_trip(self) -> None:
        spec, options = self.make()
        require_config(spec.config, options)

    def test_unknown_options_are_refused(self) -> None:
        spec, options = self.make()
        require_unknown_settings_refused(spec.config, options)

    def test_no_paths_give_no_credit(self) -> None:
        credits = self._credit([])
        assert not credits, f"there were no paths, and credit for {sorted(credits)}"

    def test_a_single_touch_gets_everything(self) -> None:
        # Some models need to see journeys that did not convert.
        credits = self._credit([_path("email", 1, 40.0), _path("email", 0, 0.0)])
        assert sorted(credits) == ["email"], f"only email was touched, and there is credit for {sorted(credits)}"
        self._require_close(credits["email"], 1, 40.0, "the only touch")

    def test_every_channel_has_its_credit_and_all_add_up(self) -> None:
        """The command's own checks: finite numbers, one credit for each channel that occurs, and the right sum."""
        self._credit(PATHS)

    def test_paths_that_never_converted_give_none(self) -> None:
        for credit in self._credit([_path("email sms", 0, 0.0), _path("sms", 0, 0.0, 9.0)]).values():
            self._require_close(credit, 0, 0.0, f"{credit.channel}, without any conversion")

    def test_the_order_of_paths_means_nothing(self) -> None:
        expected = self._credit(PATHS)
        for order in (PATHS[::-1], PATHS[3:] + PATHS[:3], sorted(PATHS, key=lambda path: path.channels)):
            self._require_same(expected, self._credit(order), "in another order")

    def test_the_same_paths_give_the_same_credit(self) -> None:
        self._require_same(self._credit(PATHS), self._credit(PATHS), "asked again")

    def test_paths_counted_together_are_the_same_as_one_by_one(self) -> None:
        each = [_path("email sms", 1, 10.0)] * 3 + [_path("push email", 0, 0.0)] * 2 + [_path("push", 1, 1.0)]
        together = [_path("email sms", 3, 30.0, 3.0), _path("push email", 0, 0.0, 2.0), _path("push", 1, 1.0)]
        self._require_same(self._credit(each), self._credit(together), "counted together")

    def test_aggregated_paths_are_credited_or_refused_in_words(self) -> None:
        """Aggregated paths have no times; a model that needs them says so with a ValueError."""
        spec, options = self.make()
        bare = [msgspec.structs.replace(path, times=(), converted_at=None) for path in PATHS]
        refused: BaseException | None = None
        try:
            attribute(spec, options, Paths.of(bare))
        except ModelError as error:
            refused = error.__cause__ or error
        said = isinstance(refused, ValueError) and bool(str(refused).strip())
        assert refused is None or said, f"it refused aggregated paths without a word of explanation: {refused!r}"

    def test_large_and_small_figures_stay_finite(self) -> None:
        self._credit((_path("email sms", 1e9, 1e12, 1e9), _path("sms push", 1, 0.01), _path("push", 0, 0.0, 1e9)))

    def test_the_paths_are_left_as_they_were(self) -> None:
        """Several models look at the same columns, one after the other."""
        spec, options = self.make()
        paths = Paths.of(PATHS)
        attribute(spec, options, paths)
        assert list(paths.each()) == list(PATHS), "the model changed the paths that it was given"

    def _credit(self, paths: Sequence[Path]) -> dict[str, Credit]:
        spec, options = self.make()
        try:
            credits = attribute(spec, options, Paths.of(paths))
        except ModelError as error:
            raise AssertionError(str(error)) from None
        return {credit.channel: credit for credit in credits}

    def _require_same(self, expected: dict[str, Credit], found: dict[str, Credit], when: str) -> None:
        assert sorted(expected) == sorted(found), f"{when} the channels are {sorted(found)}, not {sorted(expected)}"
        for channel, credit in expected.items():
            self._require_close(found[channel], credit.conversions, credit.value, f"{channel} {when}")

    @staticmethod
    def _require_close(credit: Credit, conversions: float, value: float, what: str) -> None:
        for name, found, expected in (
            ("conversions", credit.conversions, conversions),
            ("value", credit.value, value),
        ):
            close = math.isclose(found, expected, rel_tol=_CLOSE, abs_tol=_CLOSE)
            assert close, f"{what}: {name} is {found}, and should be {expected}"
