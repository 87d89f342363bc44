"""What time it is in a message: that of its first hand-over, fixed with its other values."""

from __future__ import annotations

import pytest

from segue.api import Retry
from segue.api.values import HOUR
from segue.messages.catalogue import Catalogue
from segue.messages.rendering import render
from segue.messages.template import template_of
from segue.store.database import Store
from tests.engine.stage import with_content
from tests.runtime.stage import Stage


def stage_with(text: str) -> Stage:
    stage = Stage(Store(None), 'event paid\nwhen paid send email "news"', email=with_content("email"))
    template = template_of("news", "email", None, {"subject": "News", "text": text})
    stage.content = Catalogue({("news", "email", None): template})
    stage.arrive("paid")
    return stage


@pytest.mark.parametrize(
    "text", ['{{ now | datetime: "long" }}', "{{ 'now' | datetime }}", "{%- assign t = 'today' -%}{{ t | datetime }}"]
)
def test_a_message_tells_the_time_of_its_first_hand_over_and_a_retry_the_same(text: str) -> None:
    stage = stage_with(text)
    (claimed,), _ = stage.claim()
    assert claimed.template is not None
    first = render(claimed.template, claimed.values)["text"]
    assert "2026" in first
    stage.answer(claimed, Retry("busy"))
    stage.later(HOUR)
    (again,), _ = stage.claim()
    assert again.template is not None
    assert render(again.template, again.values)["text"] == first


def test_a_message_that_asks_for_no_time_is_told_none() -> None:
    (claimed,), _ = stage_with("Buy now, or {{ customer.nowhere }} today").claim()
    assert "now" not in claimed.values
