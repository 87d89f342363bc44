"""Every code, its severity and its page. A code is never used again for something else."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from segue.diagnostics.diagnostic import Severity

FAMILIES: Final[dict[str, str]] = {
    "01": "Characters",
    "02": "Sentences",
    "03": "Names",
    "04": "Types",
    "05": "What a rule lacks",
    "07": "Advice on a rule",
    "08": "Tests of rules",
    "09": "Advice on the whole book",
    "10": "Messages",
}
"""What the first two digits of a code say."""

CODES: Final[dict[str, str]] = {
    "E0101": "Curly quotes",
    "E0102": "A space that only looks like one",
    "E0103": "An invisible character",
    "E0104": "Letters of two alphabets in one word",
    "E0105": "A character without meaning",
    "E0106": "A text that is not closed",
    "E0107": "A file that cannot be read",
    "E0108": "A file that the formatter left as it is",
    "E0201": "A word that cannot stand here",
    "E0202": "A word of the language used as a name",
    "E0203": "A block without its end",
    "E0204": "An end without a block",
    "E0205": "The sentence stops too early",
    "E0206": "Minutes or months",
    "E0207": "A duration that cannot be read",
    "E0208": "A number, date or time that does not exist",
    "E0209": "Nested too deep",
    "E0210": "A line given twice",
    "E0211": "An edition that does not exist",
    "E0212": "A number or duration out of its bounds",
    "E0213": "An end before its beginning",
    "E0301": "An unknown name",
    "E0302": "An unknown field",
    "E0303": "An unknown trait",
    "E0304": "An unknown channel",
    "E0305": "An unknown kind of message",
    "E0306": "A name that could mean two things",
    "E0307": "A name that is taken",
    "E0308": "Declared twice",
    "E0309": "One field, two types",
    "E0310": "A sent name that means two events",
    "E0311": "An unknown type",
    "E0312": "An unknown function",
    "E0313": "An unknown segment or rule",
    "E0314": "Segments that name each other in a circle",
    "E0401": "Two values that cannot be compared",
    "E0402": "A value where a condition belongs",
    "E0403": "A value where a date belongs",
    "E0404": "A calculation that has no meaning",
    "E0405": "A value of the wrong type",
    "E0406": "A condition that cannot be asked here",
    "E0407": "A coupon that no message takes",
    "E0501": "A `per` field that an event lacks",
    "E0502": "A `worth` field that an event lacks",
    "E0503": "A message without content",
    "E0504": "A content file that cannot be used",
    "E0505": "A schedule for nobody in particular",
    "E0506": "Percentages that do not add up",
    "W0701": "Steps that are never reached",
    "W0702": "A wait with nothing after it",
    "W0703": "A guard that hears events of every value",
    "W0704": "The same message twice",
    "W0705": "`and` with `or` in one send",
    "W0706": "A reaction that this channel does not report",
    "W0707": "Two currencies",
    "W0708": "A wait that only the clock could end",
    "W0709": "A condition that can never be true",
    "W0710": "Messages lost to those who enter late",
    "W0711": "A reaction that could be to several messages",
    "W0712": "A message that lacks a language",
    "W0713": "A goal that no guard names",
    "W0714": "A holdout without a goal",
    "W0715": "Consent that nobody settled",
    "W0716": "Consent that nobody asks for",
    "W0717": "A message at midnight",
    "W0718": "A goal that is over before the first message",
    "W0719": "A guard that is true from the beginning",
    "W0720": "A line that changes nothing",
    "W0721": "A message in quiet hours",
    "W0722": "A condition that a guard has ruled out",
    "W0723": "A way that hangs on opens",
    "E0801": "A test that does not say of which rule",
    "E0802": "Something that a test of this rule cannot hold",
    "W0803": "A test in which the rule never begins",
    "W0901": "Rules that set each other off",
    "W0902": "A line of a policy that never binds",
    "W0903": "Quiet hours that take up the whole day",
    "W0904": "A message that a policy never lets through",
    "W0905": "A look back at what is deleted by then",
    "W1001": "A value that nobody declares",
    "E1002": "A value that nothing gives",
    "W1003": "A value that is not always there",
    "W1004": "A message that no rule sends",
    "W1005": "Content for a channel that does not exist",
    "E1006": "A part that the channel needs",
    "W1007": "A part that may be too long",
    "W1008": "A part that may be empty",
    "E1009": "A part that is too long",
    "W1010": "Words that are cut off",
    "W1011": "An email without a preview",
    "W1012": "An image without a description",
    "W1013": "A promotional email without a way out",
    "E1014": "A link that leads nowhere",
    "W1015": "A link that only some can follow",
    "W1016": "Text that is hard to read",
    "W1017": "An SMS of several parts",
    "W1018": "A character that makes an SMS dearer",
    "E1019": "A message that cannot be filled in",
    "W1020": "A message that cannot be filled in for some",
}


def severity(code: str) -> Severity:
    return "error" if code.startswith("E") else "warning"


def family(code: str) -> str:
    """The family of a code, a key of `FAMILIES`."""
    return code[1:3]


def title(code: str) -> str:
    """The heading of a code's page. Raises KeyError for a code that does not exist."""
    return CODES[code]


def page(code: str) -> str:
    """The page of a code, in Markdown. Raises KeyError for a code that does not exist."""
    if code not in CODES:
        raise KeyError(code)
    return files("segue.diagnostics").joinpath("pages", f"{code}.md").read_text(encoding="utf-8")
