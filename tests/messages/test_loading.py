from __future__ import annotations

from pathlib import Path

import pytest

from segue.messages import Catalogue, load_messages
from segue.messages.locales import tried


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def only_problem(catalogue: Catalogue) -> tuple[str, int, str]:
    assert len(catalogue.problems) == 1, catalogue.problems
    problem = catalogue.problems[0]
    return Path(problem.path).name, problem.line, problem.message


def test_a_message_is_found_at_any_depth_below_a_rule_folder(tmp_path: Path) -> None:
    write(tmp_path, {"a/b/messages/cart/sms.txt": "Your cart waits", "messages/hello/sms.txt": "Hello"})
    catalogue = load_messages([tmp_path])
    assert catalogue.problems == ()
    assert catalogue.names("sms") == ("cart", "hello")
    assert catalogue.names("email") == ()


def test_two_extensions_of_one_channel_are_parts_of_one_message(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "messages/cart/email.html": "---\nsubject: Your cart\npreview: 'It waits'\n---\n\n"
            "<html><body><p>Hi</p></body></html>\n",
            "messages/cart/email.txt": "Hi\n",
        },
    )
    catalogue = load_messages([tmp_path])
    template = catalogue.find("cart", "email")
    assert template is not None
    page = '<html lang="en" dir="ltr"><head></head><body><p>Hi</p></body></html>'
    assert template.parts == {"subject": "Your cart", "preview": "It waits", "html": page, "text": "Hi"}
    assert template.lines == {"subject": 2, "preview": 3, "html": 0, "text": 1}
    assert {part: origin.line for part, origin in catalogue.origins["cart", "email", None].items()} == {
        "subject": 2,
        "preview": 3,
        "html": 6,
        "text": 1,
    }


def test_markdown_is_text(tmp_path: Path) -> None:
    template = load_messages([write(tmp_path, {"messages/cart/chat.md": "*Hi*"})]).find("cart", "chat")
    assert template is not None
    assert template.parts == {"text": "*Hi*"}


def test_a_locale_falls_back_to_its_language_and_then_to_the_content_without_one(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "messages/cart/sms.txt": "default",
            "messages/cart/sms.pt.txt": "português",
            "messages/cart/sms.pt_br.txt": "brasileiro",
        },
    )
    catalogue = load_messages([tmp_path])

    def found(locale: str | None) -> tuple[str | None, str]:
        template = catalogue.find("cart", "sms", locale)
        assert template is not None
        return template.locale, template.parts["text"]

    assert found("pt-BR") == ("pt-BR", "brasileiro")
    assert found("PT_br") == ("pt-BR", "brasileiro")
    assert found("pt-PT") == ("pt", "português")
    assert found("fi-FI") == (None, "default")
    assert found("no locale at all") == (None, "default")
    assert found(None) == (None, "default")


def test_a_message_only_in_another_language_is_not_found(tmp_path: Path) -> None:
    catalogue = load_messages([write(tmp_path, {"messages/cart/sms.fi.txt": "Hei"})])
    assert catalogue.find("cart", "sms", "en") is None
    assert catalogue.find("cart", "sms") is None
    assert catalogue.find("cart", "email", "fi") is None


def test_a_name_used_twice_is_reported_in_both_places_and_harms_no_other(tmp_path: Path) -> None:
    write(tmp_path, {"a/messages/cart/sms.txt": "1", "b/messages/cart/sms.txt": "2", "b/messages/hello/sms.txt": "3"})
    catalogue = load_messages([tmp_path])
    assert catalogue.names("sms") == ("hello",)
    first, second = catalogue.problems
    for problem in (first, second):
        assert str(Path("a/messages/cart")) in problem.message
        assert str(Path("b/messages/cart")) in problem.message


def test_overlapping_rule_folders_are_read_once(tmp_path: Path) -> None:
    write(tmp_path, {"rules/messages/cart/sms.txt": "Hi"})
    catalogue = load_messages([tmp_path, tmp_path / "rules"])
    assert catalogue.problems == ()
    assert catalogue.names("sms") == ("cart",)


def test_the_subject_may_stand_in_the_file_of_either_part(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "messages/cart/email.html": "---\nsubject: Same\n---\n<p>Hi</p>",
            "messages/cart/email.txt": "---\nsubject: Same\n---\nHi",
        },
    )
    catalogue = load_messages([tmp_path])
    assert catalogue.problems == ()
    assert catalogue.names("email") == ("cart",)


def test_two_different_subjects_are_a_problem(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "messages/cart/email.html": "---\nsubject: One\n---\n<p>Hi</p>",
            "messages/cart/email.txt": "---\nsubject: Two\n---\nHi",
        },
    )
    catalogue = load_messages([tmp_path])
    name, line, message = only_problem(catalogue)
    assert (name, line) == ("email.txt", 2)
    assert "email.html, line 2" in message
    assert catalogue.find("cart", "email") is None


def test_a_syntax_error_is_reported_on_its_line_of_the_file_and_costs_only_its_message(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "messages/cart/email.html": "---\nsubject: Hi\n---\n\n<p>\n{% if x %}\nno end",
            "messages/cart/email.txt": "Hi",
            "messages/cart/sms.txt": "Hi",
        },
    )
    catalogue = load_messages([tmp_path])
    name, line, message = only_problem(catalogue)
    assert name == "email.html"
    assert line == 6
    assert "endif" in message
    assert catalogue.find("cart", "email") is None, "half an email must not go out"
    assert catalogue.names("sms") == ("cart",)


def test_an_unknown_filter_is_reported_with_its_line(tmp_path: Path) -> None:
    name, line, message = only_problem(load_messages([write(tmp_path, {"messages/c/sms.txt": "a\n{{ x | shout }}"})]))
    assert (name, line) == ("sms.txt", 2)
    assert "shout" in message


def test_front_matter_that_is_wrong_is_reported_where_it_is(tmp_path: Path) -> None:
    cases = {
        "---\nsubject: Hi\n\n": (1, "close"),
        "---\nsubject: Hi\nwords\n---\nBody": (3, "key: value"),
        "---\nsubject: Hi\nsubject: Ho\n---\nBody": (3, "twice"),
        "---\ntext: Hi\n---\nBody": (2, "body"),
        "": (0, "empty"),
    }
    for number, (content, (line, word)) in enumerate(cases.items()):
        folder = write(tmp_path / str(number), {"messages/cart/email.txt": content})
        name, at, message = only_problem(load_messages([folder]))
        assert (name, at) == ("email.txt", line), content
        assert word in message


def test_comments_and_quotes_in_front_matter_mean_nothing(tmp_path: Path) -> None:
    content = '---\n# for the shop\nsubject: "Hi: there"\n\n---\nBody'
    template = load_messages([write(tmp_path, {"messages/cart/email.txt": content})]).find("cart", "email")
    assert template is not None
    assert template.parts == {"subject": "Hi: there", "text": "Body"}


def test_files_that_are_no_content_are_reported(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "messages/cart/sms.txt": "fine",
            "messages/cart/email.docx": "x",
            "messages/cart/a.b.c.txt": "x",
            "messages/cart/email.finnish_language.txt": "x",
            "messages/cart/images/logo.txt": "x",
            "messages/stray.txt": "x",
            "messages/cart/push.txt": b"\xff\xfe",
            "messages/cart/chat.txt": "a\0b",
            "messages/cart/.DS_Store": "ignored",
        },
    )
    catalogue = load_messages([tmp_path])
    assert sorted(Path(problem.path).name for problem in catalogue.problems) == [
        "a.b.c.txt",
        "chat.txt",
        "email.docx",
        "email.finnish_language.txt",
        "images",
        "push.txt",
        "stray.txt",
    ]
    assert catalogue.names("sms") == ("cart",)
    assert catalogue.names("push") == catalogue.names("chat") == ()


def test_line_endings_and_byte_order_mark_do_not_change_the_content(tmp_path: Path) -> None:
    unix = load_messages([write(tmp_path / "unix", {"messages/c/sms.txt": "a\nb\n"})]).find("c", "sms")
    windows = load_messages([write(tmp_path / "win", {"messages/c/sms.txt": b"\xef\xbb\xbfa\r\nb\r\n"})]).find(
        "c", "sms"
    )
    assert unix is not None
    assert unix == windows


def test_a_folder_that_is_missing_is_a_problem(tmp_path: Path) -> None:
    name, line, message = only_problem(load_messages([tmp_path / "nowhere"]))
    assert (name, line) == ("nowhere", 0)
    assert "cannot be read" in message


def test_a_file_that_is_too_long_is_a_problem(tmp_path: Path) -> None:
    _, _, message = only_problem(load_messages([write(tmp_path, {"messages/c/sms.txt": "a" * 300_000})]))
    assert "longer than" in message


def test_the_order_of_files_on_disk_means_nothing(tmp_path: Path) -> None:
    names = ["a", "b", "c"]
    for folder, order in (("one", names), ("two", names[::-1])):
        write(tmp_path / folder, {f"messages/{name}/sms.txt": name for name in order})
    one, two = (load_messages([tmp_path / folder]) for folder in ("one", "two"))
    assert list(one.templates) == list(two.templates)


def test_the_languages_of_a_message_are_known(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "messages/cart/sms.txt": "Your cart",
            "messages/cart/sms.fi.txt": "Ostoskori",
            "messages/hello/sms.sv.txt": "Hej",
        },
    )
    assert load_messages([tmp_path]).languages() == {
        ("sms", "cart"): frozenset((None, "fi")),
        ("sms", "hello"): frozenset(("sv",)),
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("email.htm", "call it email.html"),
        ("sms.TXT", "call it sms.txt"),
        ("email.fi.markdown", "call it email.fi.md"),
        ("email.docx", "give it such a name, or take it out of the folder"),
        ("email.jp.txt", "there is no language “jp”; where JP is, people read ja"),
        ("email.xx.txt", "there is no language “xx”; languages are named as in fi, sv, pt-BR"),
    ],
)
def test_a_file_with_another_name_is_told_which_it_should_have(name: str, said: str, tmp_path: Path) -> None:
    assert only_problem(load_messages([write(tmp_path, {f"messages/cart/{name}": "Hi"})]))[2].endswith(said)


def test_languages_that_few_read_are_languages(tmp_path: Path) -> None:
    files = {f"messages/cart/sms.{tag}.txt": "Hi" for tag in ("se", "la", "tlh", "yue", "es-419", "sr-Latn")}
    assert load_messages([write(tmp_path, dict(files))]).problems == ()


def test_what_editors_and_file_managers_leave_behind_is_no_content(tmp_path: Path) -> None:
    left = {f"messages/cart/{name}": "x" for name in ("sms.txt~", "#sms.txt#", ".sms.txt.swp", "Thumbs.db")}
    catalogue = load_messages([write(tmp_path, {"messages/cart/sms.txt": "Hi", **left})])
    assert catalogue.problems == ()


def test_front_matter_may_stand_below_blank_lines_and_a_line_drawn_there_is_text(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "messages/cart/email.txt": "\n\n---\nsubject: Hello\n---\nHi",
        "messages/cart/sms.txt": "\n---\nHi",
    }
    catalogue = load_messages([write(tmp_path, files)])
    email, sms = catalogue.find("cart", "email"), catalogue.find("cart", "sms")
    assert email is not None
    assert sms is not None
    assert email.parts == {"subject": "Hello", "text": "Hi"}
    assert email.lines["subject"] == 4
    assert sms.parts == {"text": "---\nHi"}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("---\nsubject: Hi\nDear you\n", 1, "has no second one"),
        ("---\nSubject: Hi\n---\nDear you\n", 2, "write subject: and not Subject:"),
        ("Hi\n{% include 'foot' %}", 2, "what all share belongs into the layout"),
        ("Hi\n{% iff a %}", 2, "there is no tag called iff; did you mean if?"),
        ("Hi {% else %}", 1, "this else has nothing before it that it belongs to"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line_and_what_to_do(
    text: str, line: int, said: str, tmp_path: Path
) -> None:
    problem = only_problem(load_messages([write(tmp_path, {"messages/cart/email.txt": text})]))
    assert problem[1] == line
    assert said in problem[2]


@pytest.mark.parametrize(("name", "spoken"), [("iw", "he"), ("fin", "fi-FI"), ("he", "iw"), ("PT_br", "pt-BR")])
def test_a_language_by_another_of_its_codes_is_the_same(name: str, spoken: str, tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"messages/cart/sms.{name}.txt": "own", "messages/cart/sms.txt": "all"}
    catalogue = load_messages([write(tmp_path, files)])
    found = catalogue.choose("cart", "sms", tried({"locale": spoken}, "en")).template
    assert found is not None
    assert found.parts == {"text": "own"}
