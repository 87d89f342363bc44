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


def test_a_sealed_token_gives_back_its_bytes_and_opens_no_other_purpose() -> None:
    token = SIGNER.seal("track", b"\x00\xffbytes")
    assert SIGNER.unseal("track", token) == b"\x00\xffbytes"
    with pytest.raises(BadToken, match="damaged"):
        SIGNER.unseal("other", token)


def test_a_sealed_token_has_one_spelling() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    token = SIGNER.seal("track", b"four")
    others = [token[:at] + one + token[at + 1 :] for at in range(len(token)) for one in alphabet if one != token[at]]
    foreign = Signer(["another"]).seal("track", b"four")
    for bad in (*others, f"{token}=", f"{token[:5]}.{token[5:]}", f" {token}", foreign, "", "é", "x" * 100_000):
        with pytest.raises(BadToken):
            SIGNER.unseal("track", bad)


def test_an_old_key_still_unseals_while_the_new_one_seals() -> None:
    renewed = Signer(["new", "secret"])
    assert renewed.unseal("track", SIGNER.seal("track", b"x")) == b"x"
    assert Signer(["new"]).unseal("track", renewed.seal("track", b"x")) == b"x"


def test_a_code_is_the_same_for_the_same_content_and_key() -> None:
    code = SIGNER.code("track", b"one", 9)
    assert code == Signer(["secret"]).code("track", b"one", 9)
    assert len(code) == 9
    assert code.isalnum()
    assert len({code, SIGNER.code("track", b"two", 9), Signer(["x"]).code("track", b"one", 9)}) == 3
