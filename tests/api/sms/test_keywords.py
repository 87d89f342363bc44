"""What a customer's message asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.api.sms import Keyword, read_keyword


@pytest.mark.parametrize(
    "text",
    [
        *("STOP", "stop", " Stop! ", "“STOP”", "STOPALL", "stop all", "Stop it now", "please stop", "Stop texting me."),
        *("unsubscribe me", "END", "quit", "cancel", "opt-out", "OptOut", "remove me", "revoke", "ＳＴＯＰ"),
        *(
            "S.T.O.P.",
            "s t o p",
            "opt out of this please",
            "Opt-out!",
            "STOPPEN",
            "Stoppa",
            "slutt",
            "detener",
            "cancella",
        ),
        *(
            "ΣΤΟΠ",
            "διακοπή",
            "İptal",
            "iptal",
            "leiratkozás",
            "dezabonare",
            "توقف",
            "הסר",
            "退订",
            "T",
            "配信停止",
            "수신거부",
        ),
        *("désinscrire", "DESINSCRIPTION", "Désabonnement", "hætta", "отказ", "odjava", "odhlasit", "rezygnuje"),
        *("STOPP", "Стоп 🛑", "ARRÊT", "arret", "Abmelden bitte", "LOPETA", "baja", "stop & +1 100%"),
    ],
)
def test_stop_is_heard_in_many_words(text: str) -> None:
    assert read_keyword(text) == "stop"


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("START", "start"),
        ("yes.", "start"),
        ("unstop", "start"),
        ("старт", "start"),
        ("HELP", "help"),
        ("info?", "help"),
        ("Hilfe", "help"),
        ("apua", "help"),
    ],
)
def test_start_and_help_are_the_whole_message(text: str, keyword: Keyword) -> None:
    assert read_keyword(text) == keyword
    assert read_keyword(f"{text} with my order") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "!!!",
        "stopping by tomorrow",
        "don't stop",
        "Cancel my order",
        "End of May is fine",
        "bus stop",
        "t shirt",
        "start to finish",
        "o p t",
        "seis",
    ],
)
def test_other_messages_are_no_keyword(text: str) -> None:
    assert read_keyword(text) is None


@given(st.text(max_size=300))
def test_whatever_follows_stop_it_is_stop(text: str) -> None:
    assert read_keyword(f"STOP {text}") == "stop"
