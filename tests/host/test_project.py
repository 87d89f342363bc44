"""segue.toml: defaults, errors with their lines, and secrets that are never kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.api.values import MINUTE
from segue.host import ChannelSettings, Http, ProjectError, SourceSettings, load_project


def project_of(folder: Path, text: str) -> ProjectError:
    (folder / "segue.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ProjectError) as caught:
        load_project(folder)
    return caught.value


def test_a_folder_without_segue_toml_is_a_project_of_defaults(tmp_path: Path) -> None:
    project = load_project(tmp_path)
    assert not project.configured
    assert (project.zone, project.locale, project.currency) == ("UTC", "en", "EUR")
    assert project.database == tmp_path / "segue.db"
    assert project.rules == tmp_path
    assert project.http == Http("127.0.0.1", 8080, "http://127.0.0.1:8080")
    assert project.channels == {}
    assert project.sources == {}


def test_the_rules_folder_is_used_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    assert load_project(tmp_path).rules == tmp_path / "rules"


def test_everything_in_segue_toml_arrives(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    (tmp_path / "segue.toml").write_text(
        """
        zone = "Europe/Helsinki"
        locale = "pt-BR"
        currency = "SEK"
        stale = "1d12h"
        database = "data/journeys.db"
        rules = "book"
        [http]
        host = "::1"
        port = 9000
        [sources.segment]
        cart_abandoned = "1h 30min"
        use = "segment"
        write_keys = ["shop"]
        [channels.email]
        use = "email-smtp"
        consent = "opt-in"
        host = "localhost"
        password = { env = "SMTP_PASSWORD" }
        """
    )
    project = load_project(tmp_path)
    assert project.configured
    assert (project.zone, project.locale, project.currency) == ("Europe/Helsinki", "pt-BR", "SEK")
    assert project.stale == 36 * 3_600_000_000
    assert project.database == tmp_path / "data" / "journeys.db"
    assert project.rules == tmp_path / "book"
    assert project.http == Http("::1", 9000, "http://[::1]:9000")
    assert project.sources == {"segment": SourceSettings("segment", {"write_keys": ["shop"]}, 90 * MINUTE)}
    assert project.channels == {
        "email": ChannelSettings(
            "email-smtp", "opt-in", "thread", {"host": "localhost", "password": {"env": "SMTP_PASSWORD"}}
        )
    }


def test_the_address_for_the_outside_loses_its_final_slash(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_text('[http]\nurl = "https://segue.example/base/"\n')
    assert load_project(tmp_path).http.url == "https://segue.example/base"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('locale = "en"\nzon = "UTC"\n', 2, ("zon ", "did you mean zone?")),
        ('zone = "Europe/Helsinky"\n', 1, ("'Europe/Helsinky' is not a time zone", "did you mean Europe/Helsinki?")),
        ('zone = "../../etc/passwd"\n', 1, ("is not a time zone",)),
        ("zone = 2\n", 1, ("zone should be text in quotes",)),
        ('\n\ncurrency = "eur"\n', 3, ("currency", 'write "EUR"')),
        ('currency = "€"\n', 1, ("currency", "three letters")),
        ('locale = "en_us"\n', 1, ("locale", 'write "en-US"')),
        ('database = ""\n', 1, ("database may not be empty",)),
        ('rules = "nowhere"\n', 1, ("'nowhere'", "no such folder")),
        ("[http]\nport = 0\n", 2, ("http.port", "from 1 to 65535", "0")),
        ('[http]\nport = "80"\n', 2, ("http.port", "whole number")),
        ("[http]\nport = true\n", 2, ("http.port", "whole number")),
        ('[http]\nurl = "segue.example"\n', 2, ("http.url", "https://segue.example")),
        ('[http]\nurl = "https://a:b@segue.example"\n', 2, ("http.url", "without user name")),
        ('[http]\nhots = "x"\n', 2, ("http.hots", "did you mean host?")),
        ('[channels.email]\nhost = "x"\n', 1, ("channels.email does not say which plugin", 'use = "…"')),
        ('[channels.email]\nuse = "a"\nconsent = "maybe"\n', 3, ('"opt-in" or "opt-out"', "'maybe'")),
        ('[channels.email]\nuse = "a"\nisolate = "process"\n', 3, ('isolate = "process" is not carried out yet',)),
        ('[channels.email]\nuse = "a"\nisolate = "fiber"\n', 3, ('should be "thread"',)),
        ('[channels]\nemail = "a"\n', 2, ("channels.email should be a table", "[channels.email]")),
        ('[channels."e mail"]\nuse = "a"\n', 1, ("not a name that a rule can write",)),
        ('[sources.shop]\nuse = "x"\ncart_abandoned = "0h"\n', 3, ("sources.shop.cart_abandoned is no time at all",)),
        ('[sources.web]\nuse = "x"\nlate = "yes"\n', 3, ("sources.web.late should be true or false",)),
        ('[sources.web]\nuse = "x"\ncart_abandoned = true\n', 3, ("sources.web.cart_abandoned says after how long",)),
        ('[sources.shop]\nwrite_keys = ["a"]\n', 1, ("sources.shop does not say which plugin",)),
        ("zone = \n", 1, ("not valid TOML", "invalid value")),
        ("[http]\n[http\n", 2, ("not valid TOML",)),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_do(
    tmp_path: Path, text: str, line: int, words: tuple[str, ...]
) -> None:
    error = project_of(tmp_path, text)
    assert len(error.problems) == 1, error
    assert error.file == tmp_path / "segue.toml"
    assert error.line == line, error
    for word in words:
        assert word in str(error)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    error = project_of(tmp_path, 'zone = "X"\ncurrency = "x"\n[http]\nport = -1\n')
    assert [problem.line for problem in error.problems] == [1, 2, 4]


@pytest.mark.parametrize(
    "setting",
    [
        'password = "hunter2"',
        'smtp_password = "hunter2"',
        'api_key = "hunter2"',
        'auth-token = "hunter2"',
        'key = "hunter2"',
        'tokens = ["hunter2"]',
        'login = { secret = "hunter2" }',
    ],
)
def test_a_secret_in_plain_sight_is_refused_and_not_repeated(tmp_path: Path, setting: str) -> None:
    error = project_of(tmp_path, f'[channels.email]\nuse = "email-smtp"\n{setting}\n')
    assert error.line == 3
    assert "{ env = " in str(error)
    assert "hunter2" not in str(error)


def test_a_secret_is_never_kept_in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "hunter2")
    (tmp_path / "smtp").write_text("hunter2")
    text = '[channels.a]\nuse = "a"\npassword = { env = "SMTP_PASSWORD" }\ntoken = { file = "smtp" }\n'
    (tmp_path / "segue.toml").write_text(text)
    project = load_project(tmp_path)
    assert "hunter2" not in repr(project)
    assert project.channels["a"].settings["token"] == {"file": str(tmp_path / "smtp")}


def test_text_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_bytes(b'zone = "UTC"\nlocale = "\xff"\n')
    with pytest.raises(ProjectError, match="UTF-8") as caught:
        load_project(tmp_path)
    assert caught.value.line == 2


def test_deep_nesting_is_an_error_like_any_other(tmp_path: Path) -> None:
    assert "nested" in str(project_of(tmp_path, "zone = " + "[" * 100_000))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="no such folder"):
        load_project(tmp_path / "nowhere")


def test_a_source_may_be_derived_for_never(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_text('[sources.shop]\nuse = "x"\ncart_abandoned = false\n', encoding="utf-8")
    assert load_project(tmp_path).sources["shop"].cart_abandoned == 0


def test_a_source_may_be_late_on_purpose(tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_text('[sources.erp]\nuse = "x"\nlate = true\nsize = 1\n', encoding="utf-8")
    said = load_project(tmp_path).sources["erp"]
    assert (said.late, said.settings) == (True, {"size": 1})
