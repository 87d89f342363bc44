"""The gallery in rules/: rules to begin with, which must be right, and read well."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from segue.language.formatting import format_text
from segue.language.parser import parse
from segue.messages.loading import load_messages
from segue.messages.rendering import render
from segue.runtime.assembly import Assembly, CheckedBook, assemble, check
from segue.scenario.trials import Trials
from tests.shape.repository import ROOT, shown

GALLERY = ROOT / "rules"
THEMES = sorted(path for path in GALLERY.iterdir() if path.is_dir())
RULES = sorted(GALLERY.rglob("*.rules"))
CATALOGUE = load_messages([GALLERY])
CONTENT = sorted(CATALOGUE.templates.values(), key=lambda t: (t.name, t.channel, t.locale or ""))

ANN = {
    "customer": {"first_name": "Ann", "email": "ann@example.com", "renewal": "2026-06-15"},
    "event": {
        "total": 60,
        "currency": "EUR",
        "products": [{"name": "Lamp <b>&</b> shade", "price": 60}],
        "order_id": "1",
        "store": "Mitte",
        "code": "4711",
        "keep_until": "2026-06-15",
    },
    "code": "PRESENT-1",
}


def test_a_theme_is_a_folder_with_rules_their_tests_and_messages() -> None:
    assert len(THEMES) > 15
    for theme in THEMES:
        assert (theme / f"{theme.name}.rules").is_file(), theme.name
        if theme.name != "contact_policy":  # it sends nothing itself
            assert (theme / f"{theme.name}.test.rules").is_file(), theme.name
            assert (theme / "messages").is_dir(), theme.name


def test_every_message_is_there_in_two_languages() -> None:
    spoken: dict[tuple[str, str], set[str | None]] = {}
    for template in CONTENT:
        spoken.setdefault((template.name, template.channel), set()).add(template.locale)
    assert {message: locales for message, locales in spoken.items() if not {None, "de"} <= locales} == {}


@pytest.mark.parametrize("path", RULES, ids=shown)
def test_every_rule_of_the_gallery_is_read_without_a_word(path: Path) -> None:
    _, diagnostics = parse(shown(path), path.read_text("utf-8"))
    assert list(diagnostics) == []


@pytest.mark.parametrize("path", RULES, ids=shown)
def test_every_rule_file_begins_by_saying_what_it_does(path: Path) -> None:
    assert path.read_text("utf-8").startswith("# ")


def test_the_messages_have_no_fault() -> None:
    assert list(CATALOGUE.problems) == []
    assert CONTENT


@pytest.fixture(name="gallery", scope="module")
def _gallery() -> tuple[Assembly, CheckedBook]:
    """The gallery's own project, checked as `segue check` does it."""
    assembly = assemble(GALLERY)
    return assembly, check(assembly)


def test_the_whole_gallery_is_checked_without_a_warning(gallery: tuple[Assembly, CheckedBook]) -> None:
    assembly, book = gallery
    assert assembly.problems == ()
    assert [(one.code, one.message, one.primary) for one in book.diagnostics] == []
    assert {rule.name for rule in book.checked.book.rules} == {theme.name for theme in THEMES} - {"contact_policy"}


@pytest.mark.parametrize("path", RULES, ids=shown)
def test_every_rule_file_is_laid_out_in_the_one_style(path: Path) -> None:
    text = path.read_text("utf-8")
    assert format_text(shown(path), text).text == text


def test_the_tests_of_the_gallery_hold_and_every_rule_has_one(gallery: tuple[Assembly, CheckedBook]) -> None:
    assembly, book = gallery
    trials = Trials(book.checked.book, assembly.setting, book.content)
    outcomes = [trials.run(test) for test in book.checked.book.tests]
    assert {one.test.title: one.problem or one.unmet for one in outcomes if not one.passed} == {}
    assert {one.test.rule for one in outcomes} == {rule.name for rule in book.checked.book.rules}


@pytest.mark.parametrize("theme", THEMES, ids=lambda path: path.name)
def test_every_theme_is_a_rule_book_of_its_own(theme: Path, gallery: tuple[Assembly, CheckedBook]) -> None:
    assembly, _ = gallery
    assert check(assembly, [theme]).diagnostics == ()


def test_every_message_named_is_there_and_every_message_there_is_named() -> None:
    named = {
        name
        for path in RULES
        if not path.name.endswith(".test.rules")
        for line in re.findall(r"send ([^#\n]*)", path.read_text("utf-8"))
        for name in re.findall(r'(?<!coupon\()"(\w+)"', line)
    }
    assert named == {template.name for template in CONTENT}


@pytest.mark.parametrize("template", CONTENT, ids=lambda t: f"{t.name}-{t.channel}-{t.locale}")
@pytest.mark.parametrize("values", [{}, ANN], ids=["nothing known", "Ann"])
def test_a_message_reads_well_whatever_is_known(template: object, values: dict[str, object]) -> None:
    (found,) = [one for one in CONTENT if one is template]
    parts = render(found, values)
    for part in parts.values():
        assert part.strip()
        assert "{{" not in part
        assert "{%" not in part
        assert "None" not in part
        assert " ," not in part
    if found.channel == "email":
        assert {"subject", "text"} <= set(parts)
        assert len(parts["subject"]) <= 60
        assert 'name="viewport"' in parts.get("html", 'name="viewport"')
        assert "<b>" not in parts.get("html", "")
    if found.channel == "sms":
        assert len(parts["text"]) <= 160
        assert "STOP" in parts["text"]
