"""The vocabulary that the language's tests share: a small shop and three channels."""

from __future__ import annotations

import msgspec

from segue.api import EventSpec, FieldSpec, ReactionSpec, Vocabulary
from segue.api.values import DAY
from segue.language.vocabulary import ChannelWords, Words

SHOP = Vocabulary(
    events=(
        EventSpec(
            "cart_abandoned", (FieldSpec("total", "money"), FieldSpec("items", "list"), FieldSpec("cart_id", "text"))
        ),
        EventSpec(
            "ordered",
            (
                FieldSpec("order_id", "text"),
                FieldSpec("total", "money"),
                FieldSpec("items", "list"),
                FieldSpec("lines", "number"),
            ),
            sent_as=("Order Completed",),
        ),
        EventSpec("returned", (FieldSpec("order_id", "text"), FieldSpec("total", "money"))),
        EventSpec("signed_up", sent_as=("Signed Up",)),
    ),
    traits=(
        FieldSpec("first_name", "text"),
        FieldSpec("country", "text"),
        FieldSpec("birthday", "date"),
        FieldSpec("renewal", "date"),
        FieldSpec("cycle_days", "number"),
        FieldSpec("vip", "boolean"),
        FieldSpec("wakes", "time"),
        FieldSpec("interests", "list"),
        FieldSpec("spent", "money"),
    ),
    reactions=(ReactionSpec("opened"), ReactionSpec("clicked"), ReactionSpec("replied")),
)

WORDS = Words(
    vocabularies=(("shop", SHOP),),
    channels={
        "email": ChannelWords(reactions=("opened", "clicked", "bounced"), doubtful=("opened",)),
        "sms": ChannelWords(reactions=("replied",)),
        "push": ChannelWords(),
        "audience": ChannelWords(needs_content=False, stands=True),
        "onsite": ChannelWords(stands=True),
    },
)

_CHANNELS = WORDS.channels

OPT_IN = msgspec.structs.replace(
    WORDS, channels={**_CHANNELS, "push": ChannelWords(consent="opt-in"), "sms": ChannelWords(consent="opt-in")}
)
"""Push and SMS need a yes beforehand."""

UNSETTLED = msgspec.structs.replace(
    WORDS, channels={**_CHANNELS, "email": ChannelWords(consent="unsettled"), "sms": ChannelWords(consent="unsettled")}
)
"""Nobody has said whether email and SMS need a yes."""

KEPT = msgspec.structs.replace(WORDS, kept={"": 365 * DAY, "cart_abandoned": 30 * DAY, "signed_up": None})
"""Events are kept for a year, carts for 30 days, and who signed up for good."""

WITH_LANGUAGES = msgspec.structs.replace(
    WORDS,
    locale="pt-BR",
    languages={
        ("email", "cart_reminder"): frozenset(("fi",)),
        ("email", "general"): frozenset((None, "fi")),
        ("email", "translated"): frozenset((None, "fi", "sv")),
        ("email", "forgotten"): frozenset((None,)),
        ("sms", "cart_reminder"): frozenset((None, "fi")),
        ("sms", "general"): frozenset((None,)),
        ("sms", "ours"): frozenset(("pt",)),
    },
)
"""Messages in several languages, in a project whose own is Brazilian Portuguese."""

WITH_MESSAGES = Words(
    vocabularies=WORDS.vocabularies,
    channels=WORDS.channels,
    messages={"email": frozenset(("cart_reminder", "cart_abandoned")), "sms": frozenset(("cart_reminder",))},
)
