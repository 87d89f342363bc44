"""The formatter: it keeps meaning and comments, comes to rest at once, and takes the author's white space for nothing.

``SEGUE_EXAMPLES=5000`` looks deeper than every build does.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from random import Random

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from segue.language import layout, tree
from segue.language.formatting import format_text, meaning
from segue.language.layout_values import shown
from segue.language.parser import parse
from tests.language.generated import GAPS, Words, items, rule_files, written
from tests.shape.repository import ROOT

EXAMPLES = int(os.environ.get("SEGUE_EXAMPLES", "60"))
LAWS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
pytestmark = pytest.mark.timeout(0 if "SEGUE_EXAMPLES" in os.environ else 120)


def formatted(text: str) -> str:
    result = format_text("a.rules", text)
    assert result.diagnostics == ()
    assert result.changed == (result.text != text)
    return result.text


# Laws


@LAWS
@given(rule_files())
def test_what_is_generated_parses(text: str) -> None:
    assert parse("a.rules", text)[1] == ()


@LAWS
@given(rule_files())
def test_formatting_keeps_meaning_and_comments(text: str) -> None:
    before, _ = parse("a.rules", text)
    after, problems = parse("a.rules", formatted(text))
    assert problems == ()
    assert meaning(after) == meaning(before)
    assert [shown(comment) for comment in after.comments] == [shown(comment) for comment in before.comments]


@LAWS
@given(rule_files())
def test_formatting_what_is_formatted_changes_nothing(text: str) -> None:
    once = formatted(text)
    assert formatted(once) == once


@LAWS
@given(items(), st.randoms(use_true_random=False))
def test_the_authors_white_space_makes_no_difference(found: list[Words], random: Random) -> None:
    # But for blank lines, and sentences on one line: those are the author's.
    gaps = ["", *(gap for gap in GAPS if gap.count("\n") < 2)]
    plain = "\n".join(word for item in found for word in item)
    spaced = "\n".join(f"{item[0]}\n{written([item[1:]], random, gaps)}".rstrip() for item in found)
    assert formatted(spaced) == formatted(plain)


@LAWS
@given(rule_files())
def test_a_formatted_text_is_tidy(text: str) -> None:
    after = formatted(text)
    assert "\r" not in after
    assert "\n\n\n" not in after
    assert not after.startswith("\n")
    assert after == "" or (after.endswith("\n") and not after.endswith("\n\n"))
    for line in after.splitlines():
        assert line == line.rstrip(" \t")


def test_the_generator_reaches_every_part_of_the_tree() -> None:
    parts = {each for each in vars(tree).values() if isinstance(each, type) and issubclass(each, tree.Syntax)}
    wanted = parts - {tree.Syntax, tree.Comment, tree.Broken}
    seen: set[object] = set()

    def look(text: str) -> None:
        seen.update(part for part in meaning(parse("a.rules", text)[0]) if isinstance(part, type))

    # What is drawn depends also on which modules are loaded: in batches, so that a rare part is no matter of luck.
    for batch in range(20):
        drawn = settings(LAWS, max_examples=250, database=None)(given(rule_files(most=6, remarks=0.0))(look))
        seed(batch)(drawn)()
        if wanted <= seen:
            break
    assert wanted - seen == set()
    assert not seen & {tree.Comment, tree.Broken}


# The style, by example


def test_a_rule_is_a_head_and_lines() -> None:
    assert formatted(
        'rule cart_recovery "Win back carts" when cart_abandoned where total>40 per cart_id once per 030d\n'
        "goal ordered within 7d worth total\n\n\n"
        'wait 1h30min unless ordered send email "x" then sms if opened email stop else if total>=40 wait until 9:00 '
        'local else split 50% "a" send push 50% "b" end end'
    ) == (
        'rule cart_recovery "Win back carts"\n'
        "  when cart_abandoned where total > 40 per cart_id\n"
        "  once per 30d\n"
        "  goal ordered within 7d worth total\n"
        "\n"
        "  wait 1h 30min unless ordered\n"
        '  send email "x" then sms\n'
        "  if opened email\n"
        "    stop\n"
        "  else if total >= 40\n"
        "    wait until 09:00 local\n"
        "  else\n"
        "    split\n"
        '      50% "a"\n'
        "        send push\n"
        '      50% "b"\n'
        "    end\n"
        "  end\n"
    )


def test_a_sentence_on_one_line_stays_there() -> None:
    sentence = "when cart_abandoned wait 1d unless ordered send email then sms"
    assert formatted(f"  {sentence}   # all\n") == f"{sentence}  # all\n"
    assert formatted(sentence.replace(" send", "\nsend")) == (
        "when cart_abandoned\n  wait 1d unless ordered\n  send email then sms\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "rule a when b send email",
        "when b once send email",
        "when b if c send email end",
        "when a_long_name wait 1d unless ordered send email then sms wait 1d unless ordered send email then push",
    ],
)
def test_what_is_no_short_sentence_gets_its_lines(text: str) -> None:
    assert formatted(text).count("\n") > 1


def test_fields_stand_in_columns_and_so_do_comments_on_neighbouring_lines() -> None:
    assert formatted(
        'event ordered is "Order Completed" # sent by the shop\norder_id text # one an order\ntotal money # with tax\n'
        "customer first_name text 注文 text"
    ) == (
        'event ordered is "Order Completed"  # sent by the shop\n'
        "  order_id text                     # one an order\n"
        "  total    money                    # with tax\n"
        "\n"
        "customer\n"
        "  first_name text\n"
        "  注文       text\n"
    )


def test_one_line_declarations_may_stand_together() -> None:
    together = "event a\nevent b\n\nevent c\n"
    assert formatted(together) == together
    assert formatted("event a\nevent b x text event c\nwhen c send email") == (
        "event a\n\nevent b\n  x text\n\nevent c\n\nwhen c send email\n"
    )


def test_long_conditions_break_at_and_and_or() -> None:
    part = "ordered at least 2 times in last 90d"
    assert formatted(f"when a until {part} and opened or ({part} or clicked) and {part} or not {part} send email") == (
        "when a\n"
        f"  until {part} and opened\n"
        f"      or ({part} or clicked) and {part}\n"
        f"      or not {part}\n"
        "  send email\n"
    )
    assert formatted(f"segment lapsed where {part} and not {part} and {part}") == (
        f"segment lapsed\n  where {part}\n    and not {part}\n    and {part}\n"
    )


def test_long_sends_break_before_their_joining_words() -> None:
    assert formatted(
        'when a send email "cart_reminder" with total = total, code = coupon("CART10"), name = customer.first_name '
        'within 6h or sms "a_short_reminder" then push'
    ) == (
        "when a\n"
        '  send email "cart_reminder"\n'
        '          with total = total, code = coupon("CART10"), name = customer.first_name\n'
        "          within 6h\n"
        '        or sms "a_short_reminder"\n'
        "      then push\n"
    )


def test_a_test_reads_as_a_timeline() -> None:
    assert formatted(
        'test "an order stops it" for cart_recovery given customer country "FI",name "Ann" at 0h cart_abandoned '
        "total 60 at 25h ordered expect no messages expect exit at 25h"
    ) == (
        'test "an order stops it" for cart_recovery\n'
        '  given customer country "FI", name "Ann"\n'
        "  at 0h  cart_abandoned total 60\n"
        "  at 25h ordered\n"
        "  expect no messages\n"
        "  expect exit at 25h\n"
    )


# Comments


def test_comments_stay_with_what_they_are_about() -> None:
    tidy = (
        "# The file.\n"
        "\n"
        "# The rule.\n"
        "rule a  # its name\n"
        "  # when?\n"
        "  when b  # begins\n"
        "\n"
        "  # one\n"
        "  # two\n"
        "\n"
        "  wait 1d unless c  # a guard\n"
        "  if d\n"
        "    stop\n"
        "    # send push\n"
        "  # else what?\n"
        "  else\n"
        "    # nothing\n"
        "    stop\n"
        "    # at the end\n"
        "  end\n"
        "  # send letter\n"
        "\n"
        "# The next rule.\n"
        "when c send email\n"
        "\n"
        "# The end.\n"
    )
    assert formatted(tidy) == tidy


def test_a_comment_in_the_middle_of_a_step_ends_its_row() -> None:
    tidy = (
        "when a\n"
        "  wait 1d       # a day\n"
        "      unless b  # this\n"
        "        # or that\n"
        "        or c\n"
        "  send email  # first\n"
        "      # then\n"
        "      then sms\n"
    )
    assert formatted(tidy) == tidy


@pytest.mark.parametrize("words", ["else|if", "in|last", "can|get", "time|between", "best|time", "40|EUR", "at|least"])
def test_comments_stand_between_any_two_words(words: str) -> None:
    text = (
        "when a where ordered at least 2 times in last 30d and can get sms and x > 40 EUR and "
        "time between 09:00 and 20:00 wait until best time if b send c else if d send e end"
    )
    first, second = words.split("|")
    after = formatted(text.replace(f"{first} {second}", f"{first} # why\n{second}"))
    assert f"{first}  # why\n" in after
    assert meaning(parse("", after)[0]) == meaning(parse("", text)[0])


# What is not formatted


def test_a_file_with_a_mistake_is_left_alone_whole() -> None:
    text = "when  a  send email\nwhen b send\n"
    result = format_text("a.rules", text)
    assert (result.text, result.changed) == (text, False)
    assert [diagnostic.code for diagnostic in result.diagnostics] == ["E0205"]


def test_places_count_a_byte_order_mark_where_there_is_one() -> None:
    result = format_text("a.rules", "\ufeffwhen a send")
    (diagnostic,) = result.diagnostics
    assert diagnostic.primary is not None
    assert diagnostic.primary.start == "\ufeffwhen a send".index("send")


def test_byte_order_mark_and_foreign_line_ends_go() -> None:
    assert formatted("\ufeffwhen a\r\n  # why\r\n  send email\r\n") == "when a\n  # why\n  send email\n"
    assert formatted("when a\r  send email") == "when a\n  send email\n"


@pytest.mark.parametrize(("text", "after"), [("", ""), (" \n\n", ""), ("# only this", "# only this\n")])
def test_a_file_without_rules_is_formatted_too(text: str, after: str) -> None:
    assert formatted(text) == after


def _growing() -> Callable[[str], str]:
    lines = count()
    return lambda text: text + "\n" * next(lines)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda text: text.replace("# why\n", "\n"),
        lambda text: text.replace("1d", "2d"),
        _growing(),
        lambda text: text.replace("send", "sned"),
    ],
    ids=["a comment lost", "another meaning", "not at rest", "not to be read"],
)
def test_a_fault_of_the_formatter_damages_no_file(wrong: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = "when a # why\n wait  1d send email"
    lay_out = layout.lay_out
    monkeypatch.setattr("segue.language.formatting.lay_out", lambda file, known: (wrong(lay_out(file)[0]), known))
    result = format_text("a.rules", text)
    assert (result.text, result.changed) == (text, False)
    assert [diagnostic.code for diagnostic in result.diagnostics] == ["E0108"]


def test_what_segue_ships_is_formatted() -> None:
    shipped = [
        *(ROOT / "rules").rglob("*.rules"),
        *(ROOT / "src").rglob("*.rules"),
        *(ROOT / "plugins").rglob("*.rules"),
    ]
    assert len(shipped) >= 3
    for file in shipped:
        text = file.read_bytes().decode("utf-8")
        assert formatted(text) == text, file
