"""What a log line may hold, and what it never does."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from segue.cli.logs import configure


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, settings = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**settings)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_pipe_gets_one_json_object_a_line() -> None:
    out = io.StringIO()
    configure(stream=out, environment={})
    structlog.get_logger().info("batch committed", events=12, shop="Möbel")
    (entry,) = lines(out)
    assert entry["event"] == "batch committed"
    assert entry["level"] == "info"
    assert entry["events"] == 12
    assert entry["timestamp"].endswith("Z")
    assert list(entry)[:3] == ["timestamp", "level", "event"]
    assert "Möbel" in out.getvalue()


def test_a_terminal_gets_a_readable_coloured_line() -> None:
    out = Terminal()
    configure(stream=out, environment={})
    structlog.get_logger().info("batch committed", events=12)
    assert "batch committed" in out.getvalue()
    assert "\x1b[" in out.getvalue()
    assert "{" not in out.getvalue()


def test_a_terminal_opened_by_a_desktop_under_systemd_stays_readable() -> None:
    out = Terminal()
    configure(stream=out, environment={"INVOCATION_ID": "0" * 32, "JOURNAL_STREAM": "8:1"})
    structlog.get_logger().info("up")
    assert "{" not in out.getvalue()


def test_no_color_is_obeyed() -> None:
    out = Terminal()
    configure(stream=out, environment={"NO_COLOR": "1"})
    structlog.get_logger().warning("hello", who="Ann")
    assert "\x1b" not in out.getvalue()
    assert "who=Ann" in out.getvalue()


def test_the_style_asked_for_wins_over_what_the_stream_is() -> None:
    out = Terminal()
    configure(stream=out, style="json", environment={})
    structlog.get_logger().info("up")
    assert lines(out)[0]["event"] == "up"


def test_the_journal_gets_the_priority_of_each_line(tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w+") as journal:
        status = os.fstat(journal.fileno())
        configure(stream=journal, environment={"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
        structlog.get_logger().error("the disk is full")
        structlog.get_logger().info("up")
        journal.flush()
        journal.seek(0)
        first, second = journal.read().splitlines()
    assert first.startswith("<3>{")
    assert second.startswith("<6>{")
    assert json.loads(first[3:])["event"] == "the disk is full"


def test_another_process_s_journal_stream_adds_no_prefix(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w") as out:
        configure(stream=out, environment={"JOURNAL_STREAM": "8:1"})
        structlog.get_logger().info("up")
    assert json.loads(path.read_text())["event"] == "up"


def test_levels_below_the_one_asked_for_are_not_written() -> None:
    out = io.StringIO()
    configure(level="WARNING", stream=out, environment={})
    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet too")
    structlog.get_logger().warning("loud")
    assert [entry["event"] for entry in lines(out)] == ["loud"]


def test_an_unknown_level_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match="no log level 'loud'; there are debug, info"):
        configure(level="loud", stream=io.StringIO())


def test_libraries_come_out_in_the_same_form() -> None:
    out = io.StringIO()
    configure(stream=out, environment={})
    logging.getLogger("uvicorn.error").warning("slow %s", "client")
    (entry,) = lines(out)
    assert entry["event"] == "slow client"
    assert entry["level"] == "warning"
    assert entry["logger"] == "uvicorn.error"


def test_context_variables_are_part_of_every_entry() -> None:
    out = io.StringIO()
    configure(stream=out, environment={})
    with structlog.contextvars.bound_contextvars(batch=7):
        structlog.get_logger().info("committed")
    assert lines(out)[0]["batch"] == 7


@pytest.mark.parametrize(
    "name", ["password", "smtp_password", "API_KEY", "token", "write_key", "Authorization", "client-secret", "apikey"]
)
def test_a_value_under_a_secret_s_name_is_not_written(name: str) -> None:
    for out in (io.StringIO(), Terminal()):
        configure(stream=out, environment={})
        structlog.get_logger().info("opened", **{name: "hunter2", "settings": {"deep": [{name: "hunter2"}]}})
        assert "hunter2" not in out.getvalue()
        assert "***" in out.getvalue()


def test_names_that_only_resemble_a_secret_s_are_written() -> None:
    out = io.StringIO()
    configure(stream=out, environment={})
    structlog.get_logger().info("sent", key="abc", tokens=3, keyboard="fi")
    assert {"key": "abc", "tokens": 3, "keyboard": "fi"}.items() <= lines(out)[0].items()


@pytest.mark.parametrize(
    "text",
    [
        "GET http://127.0.0.1:13013/cgi-bin/sendsms?username=a&password=hunter2&to=1",
        "could not open postgres://segue:hunter2@db/segue",
        "https://segue.example/callbacks/sms?token=hunter2",
    ],
)
def test_a_password_inside_a_url_is_not_written(text: str) -> None:
    for out in (io.StringIO(), Terminal()):
        configure(stream=out, environment={})
        structlog.get_logger().warning(text, url=text)
        logging.getLogger("library").warning(text)
        try:
            raise ConnectionError(text)
        except ConnectionError:
            structlog.get_logger().exception("provider", reason=text)
        assert "hunter2" not in out.getvalue()


HOSTILE = "x\n2026-01-01 [error] forged\r\x1b[2J\x9b1A\x00\u202e\u2028end\x7f"


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_customer_s_text_cannot_forge_a_line_or_steer_the_terminal(style: Any) -> None:
    out = io.StringIO()
    configure(stream=out, style=style, environment={})
    structlog.get_logger().info(HOSTILE, text=HOSTILE, nested={"a": [HOSTILE]}, **{HOSTILE: 1})
    logging.getLogger("library").warning("got %s", HOSTILE)
    written = out.getvalue()
    assert written.count("\n") == 2
    assert len(written.splitlines()) == 2
    assert not any(c in written for c in "\r\x1b\x9b\x00\u202e\u2028\x7f")


def test_json_gives_a_hostile_text_back_exactly() -> None:
    out = io.StringIO()
    configure(stream=out, environment={})
    structlog.get_logger().info("got", text=HOSTILE)
    assert lines(out)[0]["text"] == HOSTILE


def test_a_traceback_in_the_terminal_has_every_line_marked() -> None:
    out = io.StringIO()
    configure(stream=out, style="console", environment={})
    try:
        raise RuntimeError(HOSTILE)
    except RuntimeError:
        structlog.get_logger().exception("step failed")
    first, *rest = out.getvalue().rstrip("\n").split("\n")
    assert "step failed" in first
    assert len(rest) > 2
    assert all(line.startswith("    │ ") for line in rest)
    assert "\x1b" not in out.getvalue()


def test_a_traceback_in_json_stays_on_its_line() -> None:
    out = io.StringIO()
    configure(stream=out, environment={})
    try:
        raise RuntimeError("out of paper")
    except RuntimeError:
        structlog.get_logger().exception("step failed")
    (entry,) = lines(out)
    assert "RuntimeError: …" in entry["exception"]


class Spiteful:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_logging_never_raises_because_of_a_value() -> None:
    loop: list[Any] = []
    loop.append(loop)
    for out in (io.StringIO(), Terminal()):
        configure(stream=out, environment={})
        structlog.get_logger().info(
            "odd",
            spiteful=Spiteful(),
            loop=loop,
            surrogate="\ud800",
            raw=b"\x00\xff",
            big=10**40,
            nan=float("nan"),
            path=Path("a/b"),
            keys={1: 2, None: 3},
            many={"x"},
        )
        assert "Spiteful that cannot be shown" in out.getvalue()


def test_a_very_long_text_is_cut_and_says_so() -> None:
    out = io.StringIO()
    configure(stream=out, environment={})
    structlog.get_logger().info("got", body="x" * 1_000_000)
    assert len(out.getvalue()) < 12_000
    assert lines(out)[0]["body"].endswith("(990000 more characters)")
