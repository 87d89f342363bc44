"""Diagnostics a line each: concise, JSON, GitHub's workflow commands."""

from __future__ import annotations

import json

from msgspec.structs import replace

from segue.diagnostics import render_concise, render_github, render_json
from tests.diagnostics.render.examples import ADVICE, NOWHERE, TEXT, TEXTS, UNKNOWN, at


def test_concise_is_one_line_each() -> None:
    assert (
        render_concise([UNKNOWN, NOWHERE])
        == "a.rules:2:7: E0304 there is no channel `emial`\nE0309 two plugins disagree\n"
    )


def test_json_is_one_object_a_line() -> None:
    first, second = (json.loads(line) for line in render_json([UNKNOWN, NOWHERE]).splitlines())
    assert first["code"] == "E0304"
    assert first["title"] == "An unknown channel"
    assert first["primary"] == {"file": "a.rules", "start": 26, "end": 31, "line": 2, "column": 7}
    assert first["fix"]["replacement"] == "email"
    assert first["fix"]["safe"] is True
    assert second["primary"] is None


def test_github_is_one_command_a_line() -> None:
    first, second, third = render_github([UNKNOWN, ADVICE, NOWHERE], TEXTS).splitlines()
    assert first == (
        "::error file=a.rules,line=2,col=7,endLine=2,endColumn=12,title=E0304 An unknown channel::"
        "there is no channel `emial`%0Ahere: did you mean `email`?%0Aa.rules, line 1: the rule begins here%0A"
        "help: the channels are `email` and `sms`"
    )
    assert second.startswith("::warning file=a.rules,line=2,col=18,endLine=2,endColumn=22,title=W0702 ")
    assert third == "::error title=E0309 One field%2C two types::two plugins disagree"


def test_github_commands_hold_no_text_that_could_end_them() -> None:
    odd = "50%, a:b\r\n::error::x"
    line = render_github([replace(UNKNOWN, message=odd, secondary=())], TEXTS)
    assert line.count("\n") == 1
    assert "::50%25, a:b\ufffd\ufffd::error::x%0A" in line
    named = replace(UNKNOWN.primary, file="a,b:c%.rules") if UNKNOWN.primary else None
    assert "file=a%2Cb%3Ac%25.rules," in render_github([replace(UNKNOWN, primary=named)], {})


def test_github_gets_columns_only_for_what_stands_on_one_line() -> None:
    (line,) = render_github([at("ab\ncd", 1, 4)], {"x": "ab\ncd"}).splitlines()
    assert line.startswith("::error file=x,line=1,endLine=2,title=")


def test_paths_are_seen_from_the_folder() -> None:
    span = replace(UNKNOWN.primary, file="/shop/rules/a.rules") if UNKNOWN.primary else None
    far = replace(UNKNOWN, primary=span)
    assert "file=rules/a.rules," in render_github([far], {"/shop/rules/a.rules": TEXT}, folder="/shop")
    assert "file=/shop/rules/a.rules," in render_github([far], {}, folder="/other")
