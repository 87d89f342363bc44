from __future__ import annotations

import re
import sys
from pathlib import Path as Place
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

from segue.api import AttributionSpec, Path, Paths
from segue.cli.attributing.asking import installed
from segue.cli.attributing.picture import MOST, NoPicture, draw, save
from segue.measure import Journeys, options_of
from segue.measure.comparing import compare

MODELS = installed().models


def picture(paths: list[Path], *models: str, samples: int = 0) -> str:
    columns = Paths.of(paths)
    chosen: dict[str, tuple[AttributionSpec, object]] = {
        name: (MODELS[name], options_of(MODELS[name], {})) for name in models
    }
    return draw(compare(chosen, Journeys(paths=columns, journeys=len(paths)), samples=samples))


def test_each_model_has_a_dot_in_each_line_and_in_the_key() -> None:
    drawn = picture(
        [Path(("<email>", "ads"), 5, 1.0, 9), Path(("ads",), 1, 1.0, 9)], "first", "last", "markov", samples=9
    )
    root = ElementTree.fromstring(drawn)
    assert len(root.findall(".//{*}circle")) == 3 * 2 + 3
    words = [element.text for element in root.findall(".//{*}text")]
    assert {"<email>", "ads", "first", "last", "markov"} <= set(words)
    assert len(re.findall('class="whisker"', drawn)) == 6
    assert "nan" not in drawn


def test_nothing_to_draw_is_an_empty_chart() -> None:
    drawn = picture([], "first", "markov")
    assert "0 conversions" in drawn
    assert "nan" not in drawn


def test_of_many_channels_the_largest_are_drawn() -> None:
    paths = [Path((f"channel {number}",), number, 1.0, number + 1) for number in range(MOST + 5)]
    drawn = picture(paths, "linear")
    assert "and 5 more with less" in drawn
    assert ">channel 24<" in drawn
    assert ">channel 4<" not in drawn


def test_everything_drawn_lies_inside_the_picture() -> None:
    rng = np.random.default_rng(3)
    for scale in (1e-6, 1, 1e9):
        paths = [Path(("a", "b"), float(rng.random() * scale), 1.0, scale) for _ in range(3)]
        root = ElementTree.fromstring(picture(paths, "first", "markov"))
        _, _, wide, high = map(float, root.attrib["viewBox"].split())
        for dot in root.findall(".//{*}circle"):
            assert 0 <= float(dot.attrib["cx"]) <= wide
            assert 0 <= float(dot.attrib["cy"]) <= high


def test_a_file_called_png_is_one(tmp_path: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = picture([Path(("email", "ads"), 5, 1.0, 9)], "first")
    try:
        save(tmp_path / "p.PNG", drawn)
    except NoPicture as error:
        assert "needs a font" in str(error)  # noqa: PT017  # a machine may have none
    else:
        assert (tmp_path / "p.PNG").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    monkeypatch.setitem(sys.modules, "resvg_py", SimpleNamespace(svg_to_bytes=lambda drawn, zoom=1: b"nothing"))
    with pytest.raises(NoPicture, match=r"needs a font.* or call the file q\.svg"):
        save(tmp_path / "q.png", drawn)
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(NoPicture, match=r"pip install 'segue\[measure\]', or call the file q\.svg"):
        save(tmp_path / "q.png", drawn)
    assert not (tmp_path / "q.png").exists()
