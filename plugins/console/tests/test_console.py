"""The console: what is seen, and what is in the file."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api import Attachment, HttpError, Message, Response, Retry, Sent, Tools
from segue_console import Config, ConsoleChannel, segue_channels
from segue_console.channel import append
from segue_console.picture import draw, visible


class NoNetwork:
    """The console calls nobody."""

    async def request(self, method: str, url: str, **options: Any) -> Response:
        raise HttpError(f"the console asked for {url}", sent=False)


def message(**changes: Any) -> Message:
    fields: dict[str, Any] = {
        "key": "0123456789abcdef0123456789abcdef",
        "channel": "email",
        "name": "cart_reminder",
        "kind": "promotional",
        "customer": "c1",
        "address": "ann@example.test",
        "content": {"subject": "Still thinking it over?", "text": "Hi Ann,\n\nyour cart is waiting.\n"},
        "rule": "cart_abandoned",
        "expires": 0,
    }
    return Message(**(fields | changes))


def console(**settings: Any) -> ConsoleChannel:
    return ConsoleChannel(Config(**settings), Tools(channel="email", http=NoNetwork()))


def test_a_message_is_drawn_with_who_what_and_why() -> None:
    assert draw(message()) == (
        '┌─ ✉ email "cart_reminder" to c1 <ann@example.test>\n'
        "│  rule cart_abandoned · promotional\n"
        "│  Subject: Still thinking it over?\n"
        "│\n"
        "│  Hi Ann,\n"
        "│\n"
        "│  your cart is waiting.\n"
        "└────────────────────\n"
    )


def test_what_is_attached_is_named_on_the_screen_and_in_the_file(tmp_path: Path) -> None:
    page = Attachment(name="report-2026-11-23.html", media="text/html", data=b"." * 1500)
    assert "│  attached: report-2026-11-23.html, 1.5 kB\n└" in draw(message(attachments=(page,)))
    path = tmp_path / "mailbox.jsonl"
    append(str(path), message(attachments=(page,)))
    assert msgspec.json.decode(path.read_bytes())["attachments"] == ["report-2026-11-23.html"]


def test_a_message_without_content_and_address_is_drawn_too() -> None:
    drawn = draw(message(channel="pigeon", name="cart_abandoned", address="", content={}, attempt=2))
    assert drawn == "┌─ • pigeon to c1\n│  rule cart_abandoned · promotional · attempt 2\n└────────────────────\n"


@pytest.mark.asyncio
async def test_what_is_taken_back_is_shown_and_written_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mailbox.jsonl"
    assert await console(path=str(path)).retract([message(channel="ads")]) == [Sent()]
    assert capsys.readouterr().out.startswith('┌─ taken back: • ads "cart_reminder" to c1')
    (line,) = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    assert (line["channel"], line["retracted"]) == ("ads", True)


def test_html_is_shown_as_its_words() -> None:
    markup = "<style>p{}</style><p>Hi <b>Ann</b></p><p>again</p>"
    drawn = draw(message(content={"subject": "s", "html": markup}))
    assert "│  Hi Ann\n" in drawn
    assert "style" not in drawn


@given(st.text(), st.text(), st.text(), st.text())
def test_nothing_in_a_message_reaches_the_terminal_as_a_command(
    customer: str, subject: str, text: str, other: str
) -> None:
    content = {"subject": subject, "text": text, other: other}
    drawn = draw(message(customer=customer, address=other, name=other, content=content))
    drawn.encode("utf-8")
    for line in drawn.removesuffix("\n").split("\n"):
        assert line.strip() == visible(line)
        assert line[:1] in "┌│└"


@pytest.mark.parametrize(
    "hostile", ["\x1b]0;title\x07", "\x1b[2J", "\x9b31m", "\r overwritten", "\u202e txt.exe", "\ud800"]
)
def test_terminal_sequences_are_made_harmless(hostile: str) -> None:
    shown = visible(f"a{hostile}b")
    assert shown.isprintable()


def test_very_long_messages_are_cut_on_the_screen() -> None:
    drawn = draw(message(content={"text": "line\n" * 500}))
    assert drawn.count("\n") < 60
    assert "and 460 more lines" in drawn


@pytest.mark.asyncio
async def test_messages_go_to_the_stream_that_was_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    assert await console().send([message(), message(customer="c2")]) == [Sent(), Sent()]
    out, err = capsys.readouterr()
    assert "to c1" in out
    assert "to c2" in out
    assert err == ""
    await console(stream="stderr").send([message()])
    out, err = capsys.readouterr()
    assert out == ""
    assert "to c1" in err


@pytest.mark.asyncio
async def test_the_file_holds_one_line_of_json_for_each_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mailbox.jsonl"
    channel = console(stream="none", path=str(path))
    await channel.send([message(), message(content={"text": "line\nbreak \ud83d 🛒"})])
    await channel.send([message(attempt=2)])
    lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    assert [line["attempt"] for line in lines] == [1, 1, 2]
    assert lines[0]["content"]["subject"] == "Still thinking it over?"
    assert lines[1]["content"]["text"] == "line\nbreak ? 🛒"
    assert set(lines[0]) == {
        "at", "key", "channel", "name", "kind", "customer", "address", "rule", "attempt", "content"
    }  # fmt: skip
    assert capsys.readouterr().out == ""


@pytest.mark.asyncio
async def test_a_file_that_cannot_be_written_means_later_and_shows_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (answer,) = await console(path=str(tmp_path / "no" / "such" / "folder")).send([message()])
    assert isinstance(answer, Retry)
    assert "No such file" in answer.reason
    assert capsys.readouterr().out == ""


@pytest.mark.asyncio
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
async def test_a_full_disk_means_later() -> None:
    (answer,) = await console(stream="none", path="/dev/full").send([message()])
    assert isinstance(answer, Retry)
    assert "No space left" in answer.reason


@pytest.mark.asyncio
async def test_a_terminal_that_is_gone_means_later_unless_there_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError("gone")

    monkeypatch.setattr(sys, "stdout", Gone())
    (answer,) = await console().send([message()])
    assert isinstance(answer, Retry)
    assert await console(path=str(tmp_path / "mailbox")).send([message()]) == [Sent()]


@pytest.mark.asyncio
async def test_a_terminal_that_knows_only_ascii_still_shows_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert await console().send([message()]) == [Sent()]
    assert b"Still thinking it over?" in raw.getvalue()


@pytest.mark.parametrize(
    "settings", [{"stream": "none"}, {"path": ""}, {"path": "a\x00b"}, {"stream": "x"}, {"pth": "x"}]
)
def test_wrong_settings_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(settings, Config)


def test_the_channel_stands_in_for_every_usual_name_and_needs_nothing() -> None:
    (spec,) = segue_channels()
    assert {"email", "sms", "push", "letter", "ads", "onsite"} <= set(spec.serves)
    assert spec.address is None
    assert spec.content == ()
    assert msgspec.convert({}, spec.config) == Config()
