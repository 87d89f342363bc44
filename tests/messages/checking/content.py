"""A small project whose content the tests check."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from segue.api import ContentPart, EventSpec, FieldSpec, Money, Vocabulary
from segue.diagnostics import Diagnostic
from segue.language.book import Source, check_book
from segue.language.vocabulary import ChannelWords, Words
from segue.messages.checking import ChannelFacts, check_content
from segue.messages.loading import load_messages, read_texts

RULE = 'when cart_abandoned send email "sale" then sms "sale" then push "sale"\n'

CHANNELS = {
    "email": ChannelFacts(
        "email",
        (
            ContentPart("subject", most=250),
            ContentPart("preview", required=False, most=250),
            ContentPart("text", required=False, extensions=("txt",)),
            ContentPart("html", required=False, extensions=("html",)),
        ),
    ),
    "sms": ChannelFacts("sms", (ContentPart("text", extensions=("txt",), most=1530),), Money(Decimal("0.07"), "EUR")),
    "push": ChannelFacts(
        "push",
        (
            ContentPart("title", most=200),
            ContentPart("text", required=False, extensions=("txt",), most=2_000),
            ContentPart("url", required=False, most=1_000),
        ),
    ),
}
GIVEN = {"unsubscribe_url": "https://shop.example/u/a-token", "preferences_url": "https://shop.example/p/a-token"}

_WORDS = Words(
    vocabularies=(
        (
            "shop",
            Vocabulary(
                events=(
                    EventSpec("cart_abandoned", (FieldSpec("total", "money"), FieldSpec("items", "list"))),
                    EventSpec("ordered", (FieldSpec("total", "money"), FieldSpec("order_id", "text"))),
                ),
                traits=(FieldSpec("first_name", "text"), FieldSpec("birthday", "date"), FieldSpec("plan", "text")),
            ),
        ),
    ),
    channels={name: ChannelWords(needs_content=False) for name in CHANNELS},
)


def check(folder: Path, files: Mapping[str, str], rules: str = RULE) -> tuple[Diagnostic, ...]:
    """What the checks of content say of these files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    checked = check_book([Source("book.rules", rules)], _WORDS)
    assert checked.ok, checked.diagnostics
    catalogue = load_messages([folder])
    assert not catalogue.problems, catalogue.problems
    return check_content(catalogue, read_texts(catalogue), checked.book, CHANNELS, GIVEN)


def codes(folder: Path, files: Mapping[str, str], rules: str = RULE) -> list[str]:
    """The codes alone, without that of messages that these rules do not send by some channel."""
    return [one.code for one in check(folder, files, rules)]
