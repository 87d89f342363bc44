"""Signed tokens open only what they were made for, as they were made, in time."""

from __future__ import annotations

import pytest

from segue.api import Instant
from segue.api.values import DAY
from segue.messages.tokens import BadToken, Signer

NOW = Instant(1_790_000_000_000_000)
SIGNER = Signer(["secret"])


def test_a_token_gives_back_what_was_put_in() -> None:
    assert SIGNER.read("preferences", SIGNER.sign("preferences", {"c": 7}, NOW), NOW) == {"c": 7}


def test_a_token_for_one_purpose_opens_no_other() -> None:
    with pytest.raises(BadToken, match="damaged"):
        SIGNER.read("loyalty", SIGNER.sign("preferences", 7, NOW), NOW)


def test_a_changed_or_foreign_token_is_refused() -> None:
    token = SIGNER.sign("preferences", 7, NOW)
    changed = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token))]
    foreign = Signer(["another"]).sign("preferences", 7, NOW)
    for bad in (*changed[:-1], foreign, "", "..", "\0", "é", "x" * 100_000):
        with pytest.raises(BadToken):
            SIGNER.read("preferences", bad, NOW)


def test_a_token_ends_when_it_was_said_to() -> None:
    token = SIGNER.sign("preferences", 7, NOW, lives=DAY)
    assert SIGNER.read("preferences", token, Instant(NOW + DAY - 1)) == 7
    with pytest.raises(BadToken, match="expired"):
        SIGNER.read("preferences", token, Instant(NOW + DAY))


def test_an_old_key_still_reads_while_the_new_one_signs() -> None:
    token = SIGNER.sign("preferences", 7, NOW)
    renewed = Signer(["new", "secret"])
    assert renewed.read("preferences", token, NOW) == 7
    assert Signer(["new"]).read("preferences", renewed.sign("preferences", 7, NOW), NOW) == 7


def test_a_signer_needs_a_key() -> None:
    with pytest.raises(ValueError, match="key"):
        Signer([""])
