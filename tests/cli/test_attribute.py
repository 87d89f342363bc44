from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from segue.api import AttributionSpec, Credit, Paths
from segue.cli.attribute import UsageError, attribute, attribute_files, print_lines, print_table
from segue.measure import OptionError

APP = typer.Typer()
APP.command()(attribute)


class NoOptions(msgspec.Struct):
    pass


def last_touch(paths: Paths, options: Any) -> list[Credit]:
    found = {channel: [0.0, 0.0] for channel in paths.names}
    for path in paths.each():
        found[path.channels[-1]][0] += path.conversions
        found[path.channels[-1]][1] += path.value
    return [Credit(channel, conversions, value, 0.25) for channel, (conversions, value) in found.items()]


LAST = AttributionSpec(name="last", doc="", config=NoOptions, credit=last_touch)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    touches, journeys = tmp_path / "touches.csv", tmp_path / "journeys.csv"
    touches.write_text(
        "journey_id,channel,ts\na,email,2026-01-01\na,[red]ads,2026-01-02\na,email,2026-01-03\na,email,2026-02-01\nx,sms,1\n"
    )
    journeys.write_text("journey_id,converted,value,ts\na,1,30,2026-01-04\nb,1,12.5,\n")
    return ["--touches", str(touches), "--journeys", str(journeys)]


def run(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(APP, args)
    return result.exit_code, result.stdout, result.stderr


def test_json_lines_are_printed_as_documented(files: list[str]) -> None:
    code, out, err = run(*files, "--model", "linear", "--json")
    assert code == 0, err
    assert [json.loads(line) for line in out.splitlines()] == [
        {"model": "linear", "channel": "email", "conversions": pytest.approx(2 / 3), "value": pytest.approx(20)},
        {"model": "linear", "channel": "[red]ads", "conversions": pytest.approx(1 / 3), "value": pytest.approx(10)},
    ]
    assert "1 journey without a touch, 1 conversion of them worth 12.50 unattributed" in err
    assert "1 touch after the conversion not counted" in err
    assert "1 touch of unknown journeys not counted" in err


def test_options_reach_the_model(files: list[str]) -> None:
    code, out, _ = run(*files, "--model", "linear", "--set", "per=channel", "--json")
    assert code == 0
    assert [json.loads(line)["conversions"] for line in out.splitlines()] == [0.5, 0.5]


def test_a_table_is_printed_without_json(files: list[str]) -> None:
    code, out, _ = run(*files, "--model", "linear")
    assert code == 0
    assert "[red]ads" in out
    assert "20.00" in out
    assert "30.00" in out


def test_several_models_stand_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = tmp_path / "paths.csv"
    paths.write_text("path,total_conversions,total_conversion_value,total_null\nemail > sms,4,40,6\n")
    other = AttributionSpec(
        name="none", doc="", config=NoOptions, credit=lambda p, o: [Credit("sms", 4, 40.0), Credit("email", 0, 0.0)]
    )
    result = attribute_files({"last": LAST, "none": other}, ["last", "none", "last"], paths=paths)
    print_lines(result)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["model"], line["channel"], line.get("removal_effect")) for line in lines] == [
        ("last", "sms", 0.25),
        ("last", "email", 0.25),
        ("none", "sms", None),
        ("none", "email", None),
    ]
    print_table(result)
    assert "0.250" in capsys.readouterr().out


def test_wrong_data_ends_with_1_and_its_place(files: list[str]) -> None:
    Path(files[1]).write_text("journey_id,channel,ts\na,email,soon\n")
    code, out, err = run(*files, "--model", "linear", "--json")
    assert (code, out) == (1, "")
    assert "touches.csv, line 2: ts is “soon”" in err


def test_bytes_that_are_no_text_end_with_1(files: list[str]) -> None:
    Path(files[1]).write_bytes(b"journey_id,channel,ts\na,\xff\xfe,1\n")
    code, _, err = run(*files, "--model", "linear")
    assert code == 1
    assert "not UTF-8" in err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--model", "nothing"], "no attribution model “nothing”"),
        (["--model", "linear", "--set", "half_life=7d"], "linear has per"),
        (["--model", "linear", "--set", "per=day"], "Invalid enum value 'day'"),
        (["--model", "linear", "--set", "per"], "KEY=VALUE"),
        (["--model", "linear", "--set", "per=touch", "--set", "per=channel"], "twice"),
        ([], "--model"),
    ],
)
def test_wrong_usage_ends_with_2(files: list[str], more: list[str], words: str) -> None:
    code, out, err = run(*files, *more)
    assert (code, out) == (2, "")
    assert words in err


def test_files_that_are_missing_or_too_many_are_wrong_usage(files: list[str]) -> None:
    assert run("--model", "linear")[0] == 2
    assert run("--model", "linear", *files[:2])[0] == 2
    assert run("--model", "linear", *files, "--paths", files[1])[0] == 2
    assert run("--model", "linear", "--paths", "no-such-file.csv")[0] == 2


def test_a_setting_goes_only_to_models_that_have_it(tmp_path: Path) -> None:
    paths = tmp_path / "paths.csv"
    paths.write_text("path,total_conversions\nemail,1\n")

    class Deep(msgspec.Struct):
        depth: int = 0

    deep = AttributionSpec(
        name="deep", doc="", config=Deep, credit=lambda p, o: [Credit("email", 1 if o.depth == 7 else 0, 0.0)]
    )
    result = attribute_files({"deep": deep, "last": LAST}, ["deep", "last"], paths=paths, settings=["depth=7"])
    assert result.credits["deep"][0].conversions == 1
    with pytest.raises(OptionError, match="deep has depth; last has none"):
        attribute_files({"deep": deep, "last": LAST}, ["deep", "last"], paths=paths, settings=["deep=7"])
    with pytest.raises(UsageError, match="--model"):
        attribute_files({}, [], paths=paths)
