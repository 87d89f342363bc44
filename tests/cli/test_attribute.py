from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from segue.api import AttributionSpec, Instant
from segue.cli.attribute import attribute
from segue.cli.attributing.asking import UsageError, asked, installed
from segue.measure import OptionError

APP = typer.Typer()
APP.command()(attribute)
MODELS = sorted(installed().models)


class NoOptions(msgspec.Struct):
    pass


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
    assert out.split("Value")[1].split() == [
        "channel",
        "linear",
        "─" * 17,
        "email",
        "20",
        "[red]ads",
        "10",
        "all",
        "30",
    ]


@pytest.fixture
def counted(tmp_path: Path) -> str:
    paths = tmp_path / "paths.csv"
    paths.write_text(
        "path,total_conversions,total_conversion_value,total_null\nemail > sms,4,40,6\nsms > email > ads,2,30,9\n"
    )
    return str(paths)


def test_several_models_stand_side_by_side_with_their_band(counted: str) -> None:
    code, out, _ = run("--paths", counted, "--model", "first", "--model", "last", "--model", "markov", "--json")
    assert code == 0
    lines = [json.loads(line) for line in out.splitlines()]
    assert [list(line)[:4] for line in lines] == [["model", "channel", "conversions", "value"]] * 9
    assert {line["model"] for line in lines if "removal_effect" in line} == {"markov"}
    first = next(line for line in lines if (line["model"], line["channel"]) == ("first", "email"))
    assert (first["conversions"], first["least_conversions"], first["most_conversions"]) == (4, 0, 4)
    code, out, _ = run("--paths", counted, "--model", "first", "--model", "last")
    assert "0.00 – 4.00" in out
    assert "least – most" in out


def test_intervals_are_the_same_each_time_and_hold_the_figure(counted: str) -> None:
    arguments = ("--paths", counted, "--model", "linear", "--model", "markov", "--bootstrap", "200", "--json")
    code, out, _ = run(*arguments)
    assert code == 0
    assert run(*arguments)[1] == out
    for line in map(json.loads, out.splitlines()):
        assert 0 <= line["conversions_from"] < line["conversions"] < line["conversions_to"] <= 21
        assert line["value_from"] < line["value"] < line["value_to"]


def test_intervals_of_value_say_what_counted_paths_cannot(files: list[str], counted: str) -> None:
    told = "value: counted paths tell only an average, so that its from – to is too narrow"
    asked = ("--model", "linear", "--bootstrap", "20")
    assert told in " ".join(run("--paths", counted, *asked)[1].split())
    assert told not in " ".join(run(*files, *asked)[1].split())


def test_credit_goes_to_a_column_of_the_touches(tmp_path: Path) -> None:
    touches, journeys = tmp_path / "touches.csv", tmp_path / "journeys.csv"
    touches.write_text(
        "journey_id,channel,ts,campaign\na,email,2026-01-01,spring\na,direct,2026-01-02,\nb,sms,2026-01-01,spring\n"
    )
    journeys.write_text("journey_id,converted,value,ts\na,1,30,2026-01-04\nb,0,0,\n")
    files = ("--touches", str(touches), "--journeys", str(journeys), "--by", "campaign", "--json")
    lines = [json.loads(line) for line in run(*files, "--model", "last_non_direct", "--model", "last")[1].splitlines()]
    # Which touch was direct is told by its channel, whoever gets the credit.
    assert [(line["model"], line["campaign"], line["conversions"]) for line in lines] == [
        ("last-non-direct", "spring", 1),
        ("last-non-direct", "(none)", 0),
        ("last", "(none)", 1),
        ("last", "spring", 0),
    ]
    assert run(*files, "--model", "markov")[0] == 0
    code, _, err = run(*files[:4], "--by", "arm", "--model", "last")
    assert (code, "no column arm" in err) == (1, True)


def test_tables_go_to_files(counted: str, tmp_path: Path) -> None:
    csv, parquet, picture = tmp_path / "made.csv", tmp_path / "made.parquet", tmp_path / "made.svg"
    more = ("--csv", str(csv), "--parquet", str(parquet), "--picture", str(picture))
    assert run("--paths", counted, "--model", "linear", *more)[0] == 0
    assert csv.read_text("utf-8").splitlines()[0] == "model,channel,conversions,value"
    assert len(csv.read_text("utf-8").splitlines()) == 4
    assert parquet.read_bytes()[:4] == b"PAR1"
    assert "Conversions by channel" in picture.read_text("utf-8")
    code, _, err = run("--paths", counted, "--model", "linear", "--picture", "x.gif")
    assert (code, "call the file x.svg or x.png" in err) == (2, True)


def test_a_day_added_gives_what_counting_everything_gives(tmp_path: Path) -> None:
    def day(name: str, lines: list[str], touched: list[str]) -> tuple[str, ...]:
        touches, journeys = tmp_path / f"touches-{name}.csv", tmp_path / f"journeys-{name}.csv"
        touches.write_text("journey_id,channel,ts\n" + "".join(touched))
        journeys.write_text("journey_id,converted,value,ts\n" + "".join(lines))
        return ("--touches", str(touches), "--journeys", str(journeys))

    monday = (["a,1,30,9\n", "b,0,,\n", "n,1,7,5\n"], ["a,email,1\n", "a,ads,2\n", "b,ads,1\n"])
    tuesday = (["c,1,12.5,9\n", "d,0,,\n"], ["c,email,1\n", "c,ads,2\n", "d,sms,1\n"])
    models = ("--model", "linear", "--model", "markov", "--set", "order=2", "--json")
    for name in ("kept.csv", "kept.parquet"):
        state = str(tmp_path / name)
        assert run("--update", state, *day("1", *monday))[0] == 0
        code, out, err = run("--update", state, *day("2", *tuesday), *models)
        assert code == 0
        whole = run(*day("all", monday[0] + tuesday[0], monday[1] + tuesday[1]), *models)
        assert sorted(out.splitlines()) == sorted(whole[1].splitlines())
        assert err == whole[2]
        assert sorted(run("--paths", state, *models)[1].splitlines()) == sorted(out.splitlines())


@pytest.mark.parametrize("name", ["kept.csv", "kept.parquet"])
def test_a_day_is_added_once_and_only_when_every_model_could_speak(name: str, files: list[str], tmp_path: Path) -> None:
    kept = tmp_path / name
    state = ("--update", str(kept))
    code, out, err = run(*files, *state, "--model", "last", "--model", "time-decay", "--json")
    assert (code, out, "these paths have no times" in err) == (1, "", True)
    assert not kept.exists()
    assert run(*files, *state)[0] == 0
    before = kept.read_bytes()
    code, out, err = run(*files, *state, "--model", "last")
    assert (code, out, "exactly these journeys were added to it before" in err) == (1, "", True)
    assert kept.read_bytes() == before
    assert run(*files, *state, "--again")[0] == 0
    out = run("--paths", str(kept), "--model", "last", "--json")[1]
    assert sum(json.loads(line)["value"] for line in out.splitlines()) == 60
    # Noted, and then cut off before the file was replaced: the day is not in it.
    kept.write_bytes(b"path,total_conversions\n")
    assert run(*files, *state)[0] == 0


def test_paths_are_kept_by_channel_alone(files: list[str], tmp_path: Path) -> None:
    code, _, err = run(*files, "--update", str(tmp_path / "kept.csv"), "--by", "campaign", "--model", "last")
    assert (code, "leave out --by" in err) == (2, True)


def test_a_place_that_cannot_be_written_is_named(files: list[str], tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere" / "kept.csv"
    code, _, err = run(*files, "--update", str(nowhere), "--model", "last")
    assert (code, err) == (1, f"segue attribute: {nowhere}: No such file or directory\n")


def test_a_channel_that_looks_like_a_path_cannot_be_kept(tmp_path: Path) -> None:
    touches, journeys = tmp_path / "touches.csv", tmp_path / "journeys.csv"
    touches.write_text("journey_id,channel,ts\na,mail > click,1\n")
    journeys.write_text("journey_id,converted,value,ts\na,1,30,9\n")
    files = ("--touches", str(touches), "--journeys", str(journeys))
    assert json.loads(run(*files, "--model", "last", "--json")[1])["channel"] == "mail > click"
    code, _, err = run(*files, "--update", str(tmp_path / "kept.csv"))
    assert (code, "“mail > click” cannot stand in a path" in err) == (1, True)
    assert not (tmp_path / "kept.csv").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: there is no column path"),
        ("path,total_conversions,total_null\nemail,-1,2\n", "line 2: total_conversions is “-1”"),
        ("path,total_conversions,total_null\n\nemail,1,2\nemail > ,1,1\n", "line 4: path is “email >”"),
        ("path,total_conversions\nemail,1\n", "needs journeys that did not convert"),
    ],
)
def test_hostile_files_end_with_a_sentence(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "paths.csv").write_text(text)
    code, out, err = run("--paths", str(tmp_path / "paths.csv"), "--model", "markov", "--json")
    assert (code, out) == (1, "")
    assert words in err


def test_of_many_channels_people_see_the_largest(tmp_path: Path) -> None:
    lines = [f"channel {number},{number}\n" for number in range(60)]
    (tmp_path / "paths.csv").write_text("path,total_conversions\n" + "".join(lines))
    out = run("--paths", str(tmp_path / "paths.csv"), "--model", "last")[1]
    assert "channel 59 " in out
    assert "channel 9 " not in out
    assert "and 10 more, which files and JSON have" in out


@pytest.mark.parametrize("text", ["path,total_conversions\n", "\ufeffpath,total_conversions\n\n\n"])
def test_files_with_nothing_in_them_give_no_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "paths.csv").write_text(text, "utf-8")
    every = [part for name in MODELS for part in ("--model", name) if name != "time-decay"]
    code, out, err = run("--paths", str(tmp_path / "paths.csv"), *every, "--json")
    assert (code, out) == (0, ""), err
    assert err == "there is nothing to share: no journey was read, only the names of columns\n"
    assert run("--paths", str(tmp_path / "paths.csv"), *every)[0] == 0


def test_a_line_told_twice_is_counted_once_and_said(files: list[str]) -> None:
    Path(files[3]).write_text("journey_id,converted,value,ts\na,1,30,2026-01-04\na,1,30,2026-01-04\n")
    _, out, err = run(*files, "--model", "linear", "--json")
    assert sum(json.loads(line)["conversions"] for line in out.splitlines()) == pytest.approx(1)
    assert "1 line of journeys told of a second time, and counted once" in err


def test_files_are_counted_without_what_runs_rules() -> None:
    # Importing that takes longer than counting a million paths.
    code = "import sys, segue.cli.main, segue.cli.attribute; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"lark", "liquid", "structlog", "apsw", "numpy", "rich", "segue.runtime"} & {*loaded}


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
        (["--model", "linear", "--goal", "hello"], "--goal is for what the store knows"),
        (["--model", "linear", "--last", "3d"], "--last is for what the store knows"),
        (["--model", "linear", "--with-machines"], "--with-machines is for what the store knows"),
    ],
)
def test_wrong_usage_ends_with_2(files: list[str], more: list[str], words: str) -> None:
    code, out, err = run(*files, *more)
    assert (code, out) == (2, "")
    assert words in err


def test_files_that_are_missing_or_too_many_are_wrong_usage(files: list[str]) -> None:
    assert run("--model", "linear", *files[:2])[0] == 2
    assert run("--model", "linear", *files, "--paths", files[1])[0] == 2
    assert run("--model", "linear", "--paths", "no-such-file.csv")[0] == 2


def test_without_files_there_must_be_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run("--model", "linear")
    assert (code, out) == (1, "")
    assert "there is no database at" in err


@pytest.mark.parametrize("asked", [False, True])
def test_what_machines_opened_counts_when_it_is_asked_for(
    asked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, object] = {}

    def read_paths(*ignored: object, **options: object) -> None:
        told.update(options)
        raise typer.Exit

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("segue.cli.attributing.showing.now_of", lambda assembly: Instant(1_780_000_000_000_000))
    monkeypatch.setattr("segue.cli.attributing.showing.read_paths", read_paths)
    assert run("--model", "linear", *["--with-machines"] * asked)[0] == 0
    assert told["machines"] is asked


def test_a_setting_goes_only_to_models_that_have_it() -> None:
    class Deep(msgspec.Struct):
        depth: int = 0

    class Wide(msgspec.Struct):
        depth: int = 0
        width: int = 0

    models = {
        name: AttributionSpec(name=name, doc="", config=config, weights=lambda paths, options: paths.counts)
        for name, config in (("deep", Deep), ("wide", Wide), ("plain", NoOptions))
    }
    found = asked(models, ["deep", "wide", "plain"], ["depth=1", "wide.depth=2", "width=3"])
    assert [options for _, options in found.values()] == [Deep(1), Wide(2, 3), NoOptions()]
    with pytest.raises(OptionError, match="no model asked for has an option “heigth”"):
        asked(models, ["deep"], ["heigth=1"])
    with pytest.raises(UsageError, match="wide is not among the models"):
        asked(models, ["deep"], ["wide.depth=1"])
    with pytest.raises(UsageError, match="did you mean deep"):
        asked(models, ["deeep"], [])
