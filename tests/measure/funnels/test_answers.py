"""The seventeen questions, answered by what was counted."""

from __future__ import annotations

from datetime import date
from typing import Any

from segue.api import Instant
from segue.api.values import DAY, HOUR
from segue.measure.funnels.answers import questions_table
from segue.measure.funnels.counting import Funnel
from segue.measure.funnels.courses import OPENED, Contact, Sort
from segue.measure.table import Cell
from segue.messages.template import Template, template_of
from segue.program.questions import QUESTIONS, Content, answer
from tests.measure.funnels.test_counting import MONDAY, contact, counted, course, version


def answers(funnel: Funnel, templates: dict[str, Template] | None = None, **more: Any) -> dict[int, Cell]:
    told = answer(version().program.rule, Content(), 4, {})
    sources = {"app": 3, "till": 1} if funnel.journeys else {}
    table = questions_table(funnel, told, templates or {}, sources, lambda seconds: f"{seconds:.0f} s", **more)
    assert table.column("question") == QUESTIONS
    return {number: table.rows[number - 1][5] for number in range(1, 18)}


def test_of_nothing_only_the_rule_speaks() -> None:
    found = answers(counted())
    assert {number for number, told in found.items() if told is not None} == set()


def test_every_question_has_its_number() -> None:
    template = template_of("offer", "email", "fi", {"text": "Hei {{ customer.first_name }}"})
    sent = Contact(Sort("email", "offer", 1, "sent", "", template.hash), Instant(MONDAY + HOUR), OPENED, 0)
    courses = [
        course(Instant(MONDAY + day * DAY), customer=day % 2, contacts=(sent, contact(fate="failed")))
        for day in range(3)
    ]
    courses.append(course(customer=7, state=2, reason="unless ordered", converted=Instant(MONDAY + HOUR)))
    courses.append(course(customer=8, held_out=True))
    found = answers(counted(*courses), {template.hash: template}, ignored=9)
    assert found == {
        1: "5 journeys began; 9 more triggers began none.",
        2: "1 on an ordinary day, 2.5% of what is expected.",
        3: "4 customers, 1.2 times each on average, one of them 2 times.",
        4: "25% of the customers entered more than once, half of the times within 172800 s.",
        5: "25% did: 1 of 4. Of those held out 0% did: 0 of 1.",
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
        16: "80% inside, 0% finished, 20% exited and 0% failed.",
        17: "Too few met it in time to tell: it takes 20.",
    }


def test_days_since_the_last_entry_count_while_the_rule_runs() -> None:
    funnel = counted(*(course(Instant(MONDAY + day * DAY)) for day in range(5) for _ in range(3)))
    assert answers(funnel)[2] == "3 on an ordinary day, 7.5% of what is expected."
    stopped = answers(funnel, through=date(2026, 6, 21))
    assert stopped[2] == "0.63 a day on average, 1.6% of what is expected."


def test_a_goal_that_nobody_met_is_said() -> None:
    assert answers(counted(course()))[6] == "Nobody did yet."


def test_many_touches_are_said_in_full() -> None:
    funnel = counted(course(contacts=(contact(handed=MONDAY),) * 123))
    assert answers(funnel)[9] == "123 a journey on average, at most 123; one customer got 123."
