"""The seventeen questions, answered by what was counted."""

from __future__ import annotations

from segue.api import Instant
from segue.api.values import DAY, HOUR
from segue.measure.funnels.answers import questions_table
from segue.measure.funnels.counting import Funnel
from segue.measure.funnels.courses import OPENED, Contact, Sort
from segue.measure.table import Cell
from segue.messages.template import Template, template_of
from segue.program.questions import QUESTIONS, Content, answer
from tests.measure.funnels.test_counting import MONDAY, contact, counted, course, version


def answers(funnel: Funnel, templates: dict[str, Template] | None = None) -> dict[int, Cell]:
    told = answer(version().program.rule, Content(), 4, {})
    table = questions_table(funnel, told, templates or {}, {"app": 3, "till": 1}, lambda seconds: f"{seconds:.0f} s")
    assert table.column("question") == QUESTIONS
    return {number: table.rows[number - 1][5] for number in range(1, 18)}


def test_of_nothing_only_the_rule_speaks() -> None:
    found = answers(counted())
    assert {number for number, told in found.items() if told is not None} == {14, 15}


def test_every_question_has_its_number() -> None:
    template = template_of("offer", "email", "fi", {"text": "Hei {{ customer.first_name }}"})
    sent = Contact(Sort("email", "offer", 1, "sent", "", template.hash), Instant(MONDAY + HOUR), OPENED, 0)
    courses = [
        course(Instant(MONDAY + day * DAY), customer=day % 2, contacts=(sent, contact(fate="failed")))
        for day in range(3)
    ]
    courses.append(course(customer=7, state=2, reason="unless ordered", converted=Instant(MONDAY + HOUR)))
    found = answers(counted(*courses), {template.hash: template})
    assert found == {
        1: "4 journeys began.",
        2: "1 on an ordinary day, 2.5% of what is expected.",
        3: "3 customers, 1.3 times each on average, one of them 2 times.",
        4: "33% of the customers entered more than once.",
        5: "25% did: 1 of 4.",
        6: "Of those who did, half within 3600 s and nine of ten within 3600 s.",
        7: "Left on the way: 1 unless ordered.",
        8: "Sent in fi (100%).",
        9: "0.75 a journey on average, at most 1; one customer got 2.",
        10: "Answered: email 100% of what was sent.",
        11: "Of the messages 100% opened, 0% clicked and 0% replied.",
        12: "What was sent reads customer.first_name.",
        13: "First message: half within 0 s, nine of ten within 3600 s. "
        "Goal: half within 3600 s, nine of ten within 3600 s.",
        14: "Entries by events of app (75%) and till (25%).",
        15: "Entries by events of app (75%) and till (25%).",
        16: "75% inside, 0% finished, 25% exited and 0% failed.",
        17: None,
    }
