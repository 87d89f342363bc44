"""Text to tree: places, comments, recovery, and never an exception."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.diagnostics import render_concise, render_full, render_json
from segue.language import tree as t
from segue.language.book import Source, check_book
from segue.language.keywords import KEYWORDS
from segue.language.parser import parse
from tests.language.words import WORDS

RULE = """\
# Win back carts
rule cart_recovery "Win back carts"
  when cart_abandoned where total > 40
  once per 30d  # not too often
  wait 1d unless ordered
  send email "cart_reminder" with total = total then sms
  if opened email stop else send push end
"""

_PIECES = st.lists(
    st.one_of(
        st.sampled_from(sorted(KEYWORDS)),
        st.sampled_from(
            [
                "cart_abandoned",
                "ordered",
                "email",
                "total",
                "customer",
                ".",
                "(",
                ")",
                "[",
                "]",
                ",",
                "+",
                "-",
                "=",
                "<",
            ]
        ),
        st.sampled_from(
            [
                "1d",
                "5m",
                "3",
                "2.5",
                "40 EUR",
                "09:00",
                "2026-11-27",
                "50%",
                '"x"',
                '"',
                "“",
                "\u00a0",
                "#",
                "\n",
                "local",
            ]
        ),
        st.text(max_size=4),
    ),
    max_size=40,
).map(" ".join)


def _check_says_where(text: str) -> None:
    checked = check_book([Source("fuzz.rules", text)], WORDS)
    lines = text.split("\n")
    for diagnostic in checked.diagnostics:
        span = diagnostic.primary
        assert span is not None
        assert 1 <= span.line <= len(lines)
        assert 1 <= span.column <= len(lines[span.line - 1]) + 1
        assert 0 <= span.start <= span.end <= len(text)
        assert sum(len(line) + 1 for line in lines[: span.line - 1]) + span.column - 1 == span.start
    render_full(checked.diagnostics, checked.texts, colour=True)
    assert len(render_json(checked.diagnostics).splitlines()) == len(checked.diagnostics)
    assert render_concise(checked.diagnostics).count("\n") == len(checked.diagnostics)


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(), max_size=200))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    _check_says_where(text)


@settings(max_examples=300, deadline=None)
@given(_PIECES)
def test_any_row_of_words_is_read_without_an_exception(text: str) -> None:
    _check_says_where(text)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, len(RULE)),
    st.integers(0, 12),
    st.sampled_from(["", " ", '"', "end", "(", "x", "\n", "”", "\ud800", "\x00"]),
)
def test_a_damaged_rule_is_read_without_an_exception(start: int, length: int, put: str) -> None:
    _check_says_where(RULE[:start] + put + RULE[start + length :])


def _only(text: str) -> t.Item:
    tree, problems = parse("a.rules", text)
    assert problems == ()
    (item,) = tree.items
    return item


def test_places_are_those_of_the_file() -> None:
    text = "event viewed\n  price money\n\n" + RULE
    tree, problems = parse("a.rules", text)
    assert problems == ()
    rule = tree.items[1]
    assert isinstance(rule, t.Rule)
    assert text[rule.start : rule.end] == RULE[RULE.index("rule") :].rstrip()
    assert rule.name is not None
    assert text[rule.name.start : rule.name.end] == "cart_recovery"
    wait, send, if_ = rule.steps
    assert text[wait.start : wait.end] == "wait 1d unless ordered"
    assert text[send.start : send.end] == 'send email "cart_reminder" with total = total then sms'
    assert text[if_.start : if_.end] == "if opened email stop else send push end"


def test_comments_are_kept_and_belong_to_what_follows() -> None:
    tree, _ = parse("a.rules", RULE + "# the end")
    assert [comment.text for comment in tree.comments] == ["# Win back carts", "# not too often", "# the end"]
    assert [RULE[comment.follows :].split(maxsplit=1)[0] for comment in tree.comments[:2]] == ["rule", "wait"]
    assert tree.comments[2].follows == len(tree.text)


def test_line_breaks_carry_no_meaning() -> None:
    def shape(text: str) -> list[object]:
        item = check_book([Source("a.rules", text)], WORDS).book.rules
        return [(rule.name, rule.where, rule.once, len(rule.steps)) for rule in item]

    without_comments = "\n".join(line.split("#")[0] for line in RULE.splitlines())
    assert shape(without_comments) == shape(" ".join(without_comments.split()))


def test_names_are_composed_so_that_editors_cannot_make_two_of_one() -> None:
    one, other = _only("event hylätty"), _only("event hyla\u0308tty")
    assert isinstance(one, t.EventDeclaration)
    assert isinstance(other, t.EventDeclaration)
    assert one.name.text == other.name.text == "hylätty"


def test_brackets_and_order_of_operations() -> None:
    rule = _only("when a where x or y and not z send email")
    assert isinstance(rule, t.Rule)
    (where,) = rule.clauses
    assert isinstance(where, t.Where)
    assert isinstance(where.condition, t.Or)
    assert isinstance(where.condition.parts[1], t.And)
    assert isinstance(where.condition.parts[1].parts[1], t.Not)


def test_or_binds_tighter_than_and_and_and_than_then_in_a_send() -> None:
    rule = _only("when a send x or y and z then w")
    assert isinstance(rule, t.Rule)
    (send,) = rule.steps
    assert isinstance(send, t.Send)
    shape = [[[d.place.text for d in group.deliveries] for group in part.groups] for part in send.parts]
    assert shape == [[["x", "y"], ["z"]], [["w"]]]


@pytest.mark.parametrize(
    "name",
    ["last", "first", "time", "day", "local", "text", "limit", "budget", "get", "least", "messages", "finish", "best"],
)
def test_other_words_of_the_grammar_are_free_as_names(name: str) -> None:
    _only(f"event {name}")
    _only(f"event e {name} text")
    _only(f"when {name} wait 1d unless {name} send {name} with {name} = {name}")


def test_a_broken_rule_hides_no_other() -> None:
    tree, problems = parse(
        "a.rules", "when a send\nwhen b send email\nevent c\nwhen d wait send email\nwhen e send sms"
    )
    assert [type(item).__name__ for item in tree.items] == ["Broken", "Rule", "EventDeclaration", "Broken", "Rule"]
    assert [problem.primary and problem.primary.line for problem in problems] == [1, 4]


def test_ten_mistakes_get_ten_diagnostics() -> None:
    lines = [
        "rule a when cart_abandoned wait 5m send email",
        "rule b when cart_abandoned send email “x”",
        "rule c when cart_abandonned send email",
        "rule d when cart_abandoned if total > 5 send email",
        "rule e when cart_abandoned send emial",
        'rule f when cart_abandoned where total > "5" send email',
        "rule g when cart_abandoned until 5 send email",
        "rule h when cart_abandoned send wait 1d",
        "rule i when cart_abandoned wait until 25:00 send email",
        "rule j when cart_abandoned split 50% send email 40% send sms end",
        "rule k when cart_abandoned send email",
    ]
    checked = check_book([Source("a.rules", "\n".join(lines))], WORDS)
    assert [d.code for d in checked.diagnostics] == [
        *("E0206", "E0101", "E0301", "E0203", "E0304", "E0401", "E0402", "E0202", "E0208", "E0506")
    ]
    assert [d.primary.line for d in checked.diagnostics if d.primary] == list(range(1, 11))
    assert [rule.name for rule in checked.book.rules] == ["k"]


@pytest.mark.parametrize("opening", ["(", "if ordered ", "not ", "- ", "split 50% ", "[", "repeat 2 times "])
def test_deep_nesting_is_told_and_not_a_crash(opening: str) -> None:
    for text in ("when cart_abandoned ", "when cart_abandoned where "):
        checked = check_book([Source("a.rules", text + opening * 20_000)], WORDS)
        assert not checked.ok


def test_nesting_that_people_write_is_fine() -> None:
    text = "when cart_abandoned where " + "(" * 60 + "total > 1" + ")" * 60 + " send email"
    assert check_book([Source("a.rules", text)], WORDS).diagnostics == ()
    blocks = "when cart_abandoned " + "if ordered " * 60 + "send email " + "end " * 60
    assert check_book([Source("a.rules", blocks)], WORDS).diagnostics == ()


def test_brackets_and_long_rows_together_are_told_and_not_a_crash() -> None:
    value = "total"
    for _ in range(50):
        value = f"({value}{' + 1' * 90})"
    checked = check_book([Source("a.rules", f"when cart_abandoned where {value} > 1 send email")], WORDS)
    assert [d.code for d in checked.diagnostics] == ["E0209"]
