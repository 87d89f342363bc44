"""The page of commands is the command line's: the same commands, options and arguments, no more and no fewer."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
import typer
from typer.main import get_command

from segue.cli.main import COMMANDS, app
from segue.engine.journey import Decision
from tests.docs.pages import first_names, read, rows, sections, shown_json

PAGE = sections("reference/commands.md")
ROOT_COMMAND: Any = get_command(app)


def find(name: str) -> Any:
    """The command behind a heading such as ``segue new channel``."""
    command = ROOT_COMMAND
    for word in name.split()[1:]:
        command = command.get_command(typer.Context(command), word)
    return command


HEADINGS = [heading for heading in PAGE if heading.startswith("segue ")]


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    assert [heading.split()[1] for heading in HEADINGS if heading.count(" ") == 1] == list(COMMANDS)
    groups = {
        name: list(command.commands) for name in COMMANDS if hasattr(command := find(f"segue {name}"), "commands")
    }
    below = [heading.split()[1:] for heading in HEADINGS if heading.count(" ") == 2]
    assert below == [[group, name] for group, names in groups.items() for name in names]


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_section_lists_exactly_the_options_of_its_command(heading: str) -> None:
    parameters = [one for one in find(heading).params if one.param_type_name == "option"]
    options = {option for one in parameters for option in one.opts if option != "--help"}
    assert first_names(PAGE[heading], "option") == options


@pytest.mark.parametrize("heading", [heading for heading in HEADINGS if heading != "segue new"])
def test_a_section_begins_with_how_its_command_is_called(heading: str) -> None:
    usage = re.search(rf"^`{heading}([^`]*)`", PAGE[heading], re.MULTILINE)
    assert usage is not None
    called = find(heading)
    options = {option for one in called.params for option in one.opts if option.startswith("--")}
    required = {option for one in called.params if one.required for option in one.opts if option.startswith("--")}
    arguments = [one for one in called.params if one.param_type_name == "argument"]
    assert set(re.findall(r"--\w+", usage[1])) <= options
    assert required <= set(re.findall(r"--\w+", usage[1]))
    words = re.findall(r"(?<![\w-])\[?[A-Z|]+", re.sub(r"--(?!hold|send)\w+ [A-Z]+", "", usage[1]))
    assert [word.startswith("[") for word in words] == [not one.required for one in arguments]


def test_every_command_with_json_shows_a_line_of_it() -> None:
    shown = shown_json("reference/commands.md")
    silent = []
    for heading in HEADINGS:
        options = {option for one in find(heading).params for option in one.opts}
        elsewhere = "segue new" in heading or heading == "segue demo"  # those refer to another section
        if "--json" in options and not elsewhere and heading not in shown:
            silent.append(heading)
    assert silent == []


def test_the_decisions_are_those_that_there_are() -> None:
    assert first_names(PAGE["segue replay"], "`decision`") == set(get_args(Decision))


def test_the_list_of_purposes_names_every_command() -> None:
    before = read("reference/commands.md").partition("\n## ")[0]
    named = [word for cells in rows(before) for word in re.findall(r"\[([\w-]+)\]", cells[1])]
    assert sorted(named) == sorted(COMMANDS)
