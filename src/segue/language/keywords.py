"""The one table of words that belong to the language and so cannot be names.

A word stands here when some place of the grammar takes both it and a name, where it could be read either way, or when
a rule with such a name would read wrongly to people (`then`, `unless`). Every other word of the grammar (`day`,
`local`, `text`, `least` …) is free as a name. A test compares this table with the grammar's own states.
"""

from __future__ import annotations

from typing import Final

TOP_LEVEL: Final = frozenset(
    ("edition", "event", "customer", "segment", "policy", "rule", "when", "every", "on", "test")
)
"""Words that begin something new in a file (`customer`, `when`, `every` and `on` also stand elsewhere)."""

STEPS: Final = frozenset(("wait", "send", "if", "split", "repeat", "set", "emit", "stop"))
"""Words that begin a step."""

OPENERS: Final = frozenset(("if", "split", "repeat"))
"""Words that begin a block which `end` closes."""

HEADER_LINES: Final = frozenset(("once", "until", "goal", "expect", "rollout", "holdout", "from", "as"))
"""Words that begin a line between trigger and first step, beside `on repeat` and `on edit`."""

KEYWORDS: Final = (
    TOP_LEVEL
    | STEPS
    | HEADER_LINES
    | frozenset(
        (
            *("where", "for", "per", "enters", "leaves", "changes", "before", "after", "at", "to", "is"),
            *("unless", "up", "next", "tomorrow", "then", "with", "within", "worth", "towards", "preferred"),
            *("else", "end", "and", "or", "not", "between", "in", "ever", "now", "true", "false"),
            *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
            *("given", "no", "fails"),
        )
    )
)
"""Words that can never be a name."""

BUILT_IN: Final = frozenset(("trigger", "weekday"))
"""Names that the language gives a meaning itself; nothing else may be called so."""

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

UNITS: Final = ("mo", "w", "d", "h", "min", "s")
"""Units of a duration, longest first."""

TYPES: Final = ("text", "number", "money", "boolean", "date", "time", "list")

AGGREGATES: Final = ("count", "sum", "average", "min", "max", "first", "last")

POLICY_WORDS: Final = ("quiet", "limit", "space", "budget", "defer", "drop", "local")
"""Words that mean something inside a `policy` alone, and are free as names everywhere else."""

PHRASES: Final[tuple[tuple[str, ...], ...]] = (
    ("time", "between"),
    ("best", "time"),
    ("in", "last"),
    ("can", "get"),
    ("at", "least"),
    ("given", "arm"),
    ("on", "repeat", "ignore|restart"),
    ("on", "edit", "finish|follow"),
    ("every", "day|month|year"),
    ("NUMBER", "times"),
    ("CLOCK", "local"),
    ("CLOCK", "ZONE"),
)
"""Words that mean something only together, most of them free as names by themselves; `|` stands between alternatives,
and NUMBER, CLOCK and ZONE for such a thing."""

CONSTANTS: Final = ("true", "false", "now")
"""Words that are values."""

LOGICAL: Final = ("and", "or", "not", "in", "between")
"""Words that join or ask values."""

KINDS: Final = ("transactional", "promotional", "informational")


def is_reserved(word: str) -> bool:
    """Whether a word cannot be the name of an event, field, trait, channel, segment or rule."""
    return word in KEYWORDS or word in BUILT_IN
