"""What a check reads beside the rules: the files of messages, and the names that diagnostics call files by."""

from __future__ import annotations

from pathlib import Path

import pytest

from segue.messages.rendering import render
from segue.runtime.assembly import assemble, check, mend

THANKS = "---\nsubject: Thanks\n---\nHello {{ unsubscribe_url }}"
RULE = 'event ordered\nwhen ordered send email "thanks"\n'


def shop(folder: Path, content: str, rule: str = RULE) -> Path:
    (folder / "rules" / "messages" / "thanks").mkdir(parents=True)
    (folder / "rules" / "messages" / "thanks" / "email.txt").write_text(content, "utf-8")
    (folder / "rules" / "thanks.rules").write_text(rule, "utf-8")
    return folder


def codes(folder: Path) -> list[str]:
    return [diagnostic.code for diagnostic in check(assemble(folder)).diagnostics]


def test_a_content_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    assert "E0504" in codes(shop(tmp_path, "Dear {{ first_name"))


def test_a_content_file_that_cannot_be_used_is_shown_at_its_line(tmp_path: Path) -> None:
    folder = shop(tmp_path, "---\nsubject: Thanks\n---\nDear you\n  {% iff x %}")
    found = next(one for one in check(assemble(folder)).diagnostics if one.code == "E0504")
    assert found.primary is not None
    assert (found.primary.line, found.primary.column, found.primary.end - found.primary.start) == (5, 3, 11)


def test_a_rule_whose_content_cannot_be_used_is_sent_to_the_file_and_not_to_another_message(tmp_path: Path) -> None:
    shop(tmp_path, "Dear {{ first_name")
    (tmp_path / "rules" / "messages" / "thank").mkdir()
    (tmp_path / "rules" / "messages" / "thank" / "email.txt").write_text(THANKS, "utf-8")
    (tmp_path / "segue.toml").write_text(SMTP, "utf-8")
    found = next(one for one in check(assemble(tmp_path)).diagnostics if one.code == "E0503")
    assert (found.label, found.fix) == ("its file cannot be used", None)
    assert found.hint == "mend messages/thanks/email.txt, of which E0504 says what is wrong"


def test_a_content_file_that_can_be_used_is_not(tmp_path: Path) -> None:
    assert (
        codes(
            shop(
                tmp_path,
                "---\nsubject: Thanks\n---\nDear {{ customer.first_name | default: 'you' }}{{ unsubscribe_url }}",
            )
        )
        == []
    )


def test_files_below_this_folder_are_called_as_seen_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop(tmp_path, THANKS, RULE.replace("when", "wen"))
    monkeypatch.chdir(tmp_path)
    (diagnostic,) = check(assemble(tmp_path), [tmp_path / "rules"]).diagnostics
    assert diagnostic.primary is not None
    assert diagnostic.primary.file == str(Path("rules", "thanks.rules"))


def test_mending_reads_and_checks_what_check_does_and_writes_nothing(tmp_path: Path) -> None:
    shop(tmp_path, "Dear {{ first_name", RULE.replace("send", "Send"))
    mended = mend(assemble(tmp_path))
    assert [diagnostic.code for diagnostic in mended.fixed] == ["E0201"]
    assert mended.after[0].text == RULE
    assert (tmp_path / "rules" / "thanks.rules").read_text("utf-8") == mended.before[0].text
    assert "E0504" in [diagnostic.code for diagnostic in mended.book.diagnostics]


def test_a_channel_of_which_nobody_said_whether_it_needs_a_yes_is_told_once(tmp_path: Path) -> None:
    shop(tmp_path, THANKS, RULE + 'rule b when ordered send email "thanks"\n')
    smtp = '[channels.email]\nuse = "email-smtp"\nhost = "localhost"\nsender = "shop@example.com"\n'
    (tmp_path / "segue.toml").write_text(smtp, "utf-8")
    assert codes(tmp_path) == ["W0715"]
    (tmp_path / "segue.toml").write_text(smtp + 'consent = "opt-out"\n', "utf-8")
    assert codes(tmp_path) == []


def test_the_console_reaches_nobody_who_could_mind(tmp_path: Path) -> None:
    shop(tmp_path, THANKS)
    (tmp_path / "segue.toml").write_text('[channels.email]\nuse = "console"\n', "utf-8")
    assert codes(tmp_path) == []


def test_what_stands_in_for_an_audience_stands_too(tmp_path: Path) -> None:
    home = shop(tmp_path, THANKS, 'when ordered send ads "thanks" wait 14d\n') / "rules" / "messages" / "thanks"
    (home / "email.txt").rename(home / "ads.txt")
    assert codes(tmp_path) == []


def test_a_message_only_in_another_language_is_told(tmp_path: Path) -> None:
    shop(tmp_path, THANKS)
    content = tmp_path / "rules" / "messages" / "thanks" / "email.txt"
    content.rename(content.with_name("email.fi.txt"))
    (tmp_path / "segue.toml").write_text(
        '[channels.email]\nuse = "email-smtp"\nhost = "localhost"\nsender = "shop@example.com"\nconsent = "opt-in"\n',
        "utf-8",
    )
    assert codes(tmp_path) == ["W0716", "W0712"]


SMTP = '[channels.email]\nuse = "email-smtp"\nconsent = "opt-out"\nhost = "localhost"\n'


def test_a_part_that_the_channel_does_not_know_is_told_on_its_line(tmp_path: Path) -> None:
    shop(tmp_path, "---\nsubject: Thanks\npreveiw: Now\nlayot: none\n---\nHello {{ unsubscribe_url }}")
    (tmp_path / "segue.toml").write_text(f'{SMTP}sender = "shop@example.com"\n', "utf-8")
    first, second = check(assemble(tmp_path)).diagnostics
    assert first.message == "email has no part “preveiw”; did you mean preview?"
    assert second.message == "email has no part “layot”; did you mean layout?"
    assert [one.primary.line for one in (first, second) if one.primary is not None] == [3, 4]


def test_a_report_goes_where_attachments_are_carried(tmp_path: Path) -> None:
    shop(tmp_path, "---\nsubject: Thanks\nattach: report 7d\n---\nHello {{ unsubscribe_url }}")
    assert codes(tmp_path) == []  # what stands in for email shows what would be attached
    (tmp_path / "segue.toml").write_text(f'{SMTP}sender = "shop@example.com"\n', "utf-8")
    assert codes(tmp_path) == []
    webhook = '[channels.email]\nuse = "webhook"\nconsent = "opt-out"\nurl = "http://localhost/"\n'
    (tmp_path / "segue.toml").write_text(webhook, "utf-8")
    found = {one.message: one.primary for one in check(assemble(tmp_path)).diagnostics if one.code == "E0504"}
    place = found["email carries no attachments, so no report can go by it: send it by email"]
    assert place is not None
    assert place.line == 3


def test_a_report_is_asked_for_in_toml_as_in_front_matter(tmp_path: Path) -> None:
    shop(tmp_path, "")
    home = tmp_path / "rules" / "messages" / "thanks"
    (home / "email.txt").unlink()
    (home / "email.toml").write_text(
        'subject = "Thanks"\nattach = "report 30d"\nbody = "Hello {{ unsubscribe_url }}"\n', "utf-8"
    )
    assembly = assemble(tmp_path)
    assert [one.report_days for one in check(assembly).content.templates.values()] == [30]


@pytest.mark.parametrize("said", ["report", "report 0d", "report 400d", "report 7 days", "report {{ event.span }}", ""])
def test_a_report_of_no_such_span_is_told_on_its_line(tmp_path: Path, said: str) -> None:
    shop(tmp_path, f"---\nsubject: Thanks\nattach: {said}\n---\nHello {{{{ unsubscribe_url }}}}")
    (tmp_path / "segue.toml").write_text(f'{SMTP}sender = "shop@example.com"\n', "utf-8")
    (found,) = [one for one in check(assemble(tmp_path)).diagnostics if one.code == "E0504"]
    assert found.message == f"write attach: report 7d: a report of 1 to 366 days; this is “{said}”"
    assert found.primary is not None
    assert found.primary.line == 3


def test_a_strange_key_of_toml_is_told_with_what_there_is(tmp_path: Path) -> None:
    shop(tmp_path, "---\nsubject: Thanks\n---\nHello", 'event ordered\nwhen ordered send sms "thanks"\n')
    (tmp_path / "rules" / "messages" / "thanks" / "email.txt").unlink()
    (tmp_path / "rules" / "messages" / "thanks" / "sms.toml").write_text(
        'body = "Hi"\nimage = "https://shop.example/x.png"\n', "utf-8"
    )
    sms = '[channels.sms]\nuse = "sms-gateway"\nconsent = "opt-out"\nurl = "http://localhost/"\nusername = "a"\n'
    (tmp_path / "segue.toml").write_text(sms + 'password = { env = "SMS" }\n', "utf-8")
    assert [one.message for one in check(assemble(tmp_path)).diagnostics] == ["sms has no part “image”; there are text"]


def test_a_channel_without_settings_takes_any_part(tmp_path: Path) -> None:
    assert codes(shop(tmp_path, "---\nsubject: Thanks\nanything: x\n---\nHello {{ unsubscribe_url }}")) == []


@pytest.mark.parametrize(
    ("settings", "sender", "name"),
    [
        ('[brand.senders]\nemail = "Lamps <hello@lamps.example>"\n', "hello@lamps.example", "Lamps"),
        ('[brand]\nname = "Shade"\n[brand.senders]\nemail = "hello@lamps.example"\n', "hello@lamps.example", "Shade"),
        (
            'sender = "own@lamps.example"\n[brand.senders]\nemail = "L <hello@lamps.example>"\n',
            "own@lamps.example",
            "L",
        ),
        ('sender = "own@lamps.example"\nsender_name = "Own"\n[brand]\nname = "Shade"\n', "own@lamps.example", "Own"),
        ('sender = "own@lamps.example"\n', "own@lamps.example", None),
    ],
)
def test_a_channel_is_from_the_brand_unless_it_says_so_itself(
    tmp_path: Path, settings: str, sender: str, name: str | None
) -> None:
    (tmp_path / "segue.toml").write_text(SMTP + settings, "utf-8")
    assembly = assemble(tmp_path)
    assert assembly.problems == ()
    found = assembly.channels["email"][1].settings
    assert (found["sender"], found.get("sender_name")) == (sender, name)


def test_a_sender_for_a_channel_that_has_none_is_told(tmp_path: Path) -> None:
    text = '[channels.email]\nuse = "console"\n[brand.senders]\nemail = "a@example.com"\n'
    (tmp_path / "segue.toml").write_text(text, "utf-8")
    assert assemble(tmp_path).problems == ("brand.senders.email: console has no setting “sender”; leave it out",)


@pytest.mark.parametrize(
    ("brand", "said", "shown"),
    [
        ('logo = "https://shop.example/logo.png"', "", "https://shop.example/logo.png"),
        (
            'logo = "https://shop.example/logo.png"\nicon = "https://shop.example/i.png"',
            "",
            "https://shop.example/i.png",
        ),
        (
            'icon = "https://shop.example/i.png"',
            'icon = "https://shop.example/own.png"',
            "https://shop.example/own.png",
        ),
        ('name = "Lamps"', "", None),
    ],
)
def test_a_notification_shows_the_brand_s_picture_unless_it_names_another(
    brand: str, said: str, shown: str | None, tmp_path: Path
) -> None:
    folder = shop(tmp_path, THANKS, RULE.replace("email", "web_push"))
    (folder / "rules" / "messages" / "thanks" / "email.txt").unlink()
    (folder / "rules" / "messages" / "thanks" / "web_push.toml").write_text(f'title = "Hi"\n{said}\n', "utf-8")
    settings = '[channels.web_push]\nuse = "web-push"\nprivate_key = { file = "key" }\nsubject = "mailto:a@b.example"\n'
    (folder / "key").write_text("A" * 43, "utf-8")
    (folder / "segue.toml").write_text(f"{settings}[brand]\n{brand}\n", "utf-8")
    template = check(assemble(folder)).content.find("thanks", "web_push")
    assert template is not None
    assert render(template, {}).get("icon") == shown
