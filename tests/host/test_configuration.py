"""From settings to a plugin's Struct."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest

from segue.host import ConfigurationError, configure


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: str
    port: int = 25
    tls: Literal["none", "starttls"] = "none"
    rate: float | None = None
    password: str = ""
    headers: dict[str, str] = {}
    tries: Annotated[int, msgspec.Meta(ge=1)] = 1

    def __post_init__(self) -> None:
        if self.password and self.tls == "none":
            raise ValueError(f"a password ({self.password}) needs tls")


class Lenient(msgspec.Struct, frozen=True):
    host: str = ""


def problems_of(settings: dict[str, Any]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        configure(Config, settings, "channels.email")
    return str(caught.value)


def test_good_settings_become_the_struct() -> None:
    assert configure(Config, {"host": "a", "rate": 3}, "channels.email") == Config(host="a", rate=3)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"host": "a", "prot": 3}, "channels.email.prot is not a setting; did you mean port?"),
        ({"host": "a", "zzzz": 3}, "channels.email.zzzz is not a setting; there are headers, host"),
        ({}, "channels.email.host is missing"),
        ({"host": "a", "port": "25"}, "channels.email.port should be a whole number, and is text in quotes"),
        ({"host": "a", "rate": "x"}, "channels.email.rate should be a number, and is text in quotes"),
        ({"host": "a", "tls": "ssl"}, "channels.email.tls: invalid enum value 'ssl'; there are none, starttls"),
        ({"host": "a", "headers": {"x": 1}}, "channels.email.headers[...] should be text in quotes"),
        ({"host": "a", "tries": 0}, "channels.email.tries should be a whole number >= 1"),
    ],
)
def test_a_wrong_setting_is_told_in_plain_words(settings: dict[str, Any], said: str) -> None:
    assert said in problems_of(settings)


def test_everything_wrong_is_told_at_once() -> None:
    said = problems_of({"port": "x", "tries": "y"})
    assert "host is missing" in said
    assert "port should be" in said
    assert "tries should be" in said


def test_an_unknown_setting_is_refused_even_where_the_struct_would_let_it_pass() -> None:
    with pytest.raises(ConfigurationError, match="did you mean host"):
        configure(Lenient, {"hots": "x"}, "channels.x")


def test_a_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P", "hunter2")
    found = configure(Config, {"host": "a", "tls": "starttls", "password": {"env": "P"}}, "channels.email")
    assert found.password == "hunter2"


def test_a_secret_comes_from_a_file_without_its_final_line_break(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("hunter2\n")
    settings = {"host": "a", "tls": "starttls", "headers": {"Authorization": {"file": str(tmp_path / "p")}}}
    assert configure(Config, settings, "channels.email").headers == {"Authorization": "hunter2"}


def test_a_secret_comes_from_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "smtp").write_text("hunter2")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    settings = {"host": "a", "tls": "starttls", "password": {"credential": "smtp"}}
    assert configure(Config, settings, "channels.email").password == "hunter2"


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ({"env": "NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE is not set; set it before starting"),
        ({"env": 3}, "needs a name in quotes"),
        ({"file": "/nowhere/at/all"}, "the file /nowhere/at/all cannot be read: No such file"),
        ({"file": "/"}, "cannot be read"),
        ({"file": "/dev/zero"}, "more than 64000 bytes"),
        ({"file": "/dev/null"}, "is empty"),
        ({"credential": "../x"}, "may not contain a slash"),
    ],
)
def test_a_reference_that_leads_nowhere_says_so(
    reference: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/nowhere")
    text = problems_of({"host": "a", "password": reference})
    assert text.startswith("channels.email.password: ")
    assert said in text


def test_a_credential_outside_systemd_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert "LoadCredential=smtp" in problems_of({"host": "a", "password": {"credential": "smtp"}})


@pytest.mark.parametrize("name", ["tls", "password"])
def test_no_error_repeats_a_secret(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P", "hunter2")
    assert "hunter2" not in problems_of({"host": "a", name: {"env": "P"}})
