"""What refusals mean."""

from __future__ import annotations

import pytest

from segue.api import Rejected, Retry
from segue_sms_smpp.statuses import judge


@pytest.mark.parametrize(
    ("status", "rejected", "gone"),
    [
        (0x58, False, False),
        (0x14, False, False),
        (0x08, False, False),
        (0x04, False, False),
        (0x0A, False, False),
        (0x64, False, False),
        (0x400, False, False),
        (0x0B, True, True),
        (0x65, True, False),
        (0x104, True, False),
    ],
)
def test_a_refusal_is_for_good_or_for_now(status: int, rejected: bool, gone: bool) -> None:
    answer = judge(status)
    assert isinstance(answer, Rejected) == rejected
    assert f"0x{status:08X}" in answer.reason
    if isinstance(answer, Rejected):
        assert answer.address_gone == gone


@pytest.mark.parametrize(("status", "whole"), [(0x58, True), (0x14, True), (0x08, False), (0x64, False)])
def test_a_message_centre_that_has_too_much_is_left_alone_for_a_second(status: int, whole: bool) -> None:
    answer = judge(status)
    assert isinstance(answer, Retry)
    assert (answer.account, answer.after) == (whole, 1.0 if whole else None)
