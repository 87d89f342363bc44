"""Rules and their tests as text, carried out: what the tests of `segue test` stand on."""

from __future__ import annotations

import msgspec

from segue.messages.catalogue import Catalogue
from segue.program.calendar import find_zone
from segue.runtime.publishing import Setting
from segue.scenario.moments import word_after
from segue.scenario.trials import Outcome, Trials
from segue.scenario.verdicts import word_decision
from tests.acceptance.drivers import read_rules, setting

SENTENCE = "rule cart when cart_abandoned wait 1d unless ordered send email then sms\n"


def try_all(text: str, how: Setting | None = None) -> list[Outcome]:
    """Every test of a rule text, carried out."""
    book = read_rules(text)
    trials = Trials(book, how or setting(), Catalogue())
    return [trials.run(test) for test in book.tests]


def try_one(rules: str, lines: str, how: Setting | None = None) -> Outcome:
    """One test, given by its lines, of the last rule of a text."""
    name = rules.rsplit("rule ", maxsplit=1)[-1].split(maxsplit=1)[0]
    (outcome,) = try_all(f'{rules}\ntest "one" for {name}\n{lines}', how)
    return outcome


def told(outcome: Outcome) -> list[str]:
    """What was decided: ``1d email "cart"``."""
    return [f"{word_after(line.at, outcome.start, outcome.zone)} {word_decision(line)}" for line in outcome.decisions]


def reasons(outcome: Outcome) -> dict[str, str]:
    """Why expectations do not hold, by their words."""
    return {one.text: one.reason for one in outcome.unmet}


def in_zone(zone: str) -> Setting:
    """The project of these tests in another time zone."""
    found = find_zone(zone)
    assert found is not None
    return msgspec.structs.replace(setting(), zone=found)
