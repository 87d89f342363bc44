"""``segue init``: a project folder to begin with."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from segue.cli.themes import gallery, list_themes
from segue.host.project import FILE, load_project
from segue.host.tables import ProjectError

WRONG = 1
USAGE = 2

# A .gitignore inside the package would hold for Segue's own repository.
_DOTTED = {"gitignore": ".gitignore"}


class Conflict(Exception):
    """Files that are in the way; nothing was written."""

    def __init__(self, paths: tuple[Path, ...]) -> None:
        super().__init__(", ".join(str(path) for path in paths))
        self.paths = paths


def init(
    folder: Annotated[Path, typer.Argument(help="The folder to make, or to fill.")] = Path(),
    theme: Annotated[
        list[str] | None,
        typer.Option("--theme", help="Begin with this theme of the gallery, or add it to a project. More than once."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON lines: created, with the path of each file.")] = False,
) -> None:
    """Make a project: segue.toml, a first rule and its messages. Files that exist are never overwritten."""
    themes = tuple(dict.fromkeys(theme or ()))
    if unknown := [name for name in themes if name not in list_themes()]:
        typer.echo(f"segue init: there is no theme {unknown[0]}; there are {', '.join(list_themes())}", err=True)
        raise typer.Exit(USAGE)
    try:
        created = make_project(folder, themes)
    except ProjectError as error:
        typer.echo(f"segue init: {error}", err=True)
        raise typer.Exit(USAGE) from None
    except Conflict as conflict:
        typer.echo("segue init: these files exist already, and nothing was changed:", err=True)
        for path in conflict.paths:
            typer.echo(f"  {path}", err=True)
        typer.echo("Name another folder: segue init FOLDER", err=True)
        raise typer.Exit(WRONG) from None
    except (NotADirectoryError, FileExistsError) as error:
        typer.echo(f"segue init: {error.filename} is a file, and a folder is needed there", err=True)
        raise typer.Exit(USAGE) from None
    except OSError as error:
        typer.echo(f"segue init: {error.filename} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(WRONG) from None
    for path in created:
        typer.echo(msgspec.json.encode({"created": str(path)}).decode() if json else f"  made {path}")
    if not json:
        typer.echo(_next_steps(folder, created))


def make_project(folder: Path, themes: Sequence[str] = ()) -> tuple[Path, ...]:
    """Write the starter files below a folder, which is made where it is missing; the paths that were written. With
    ``themes``, these are its rules; a project that is there already gets them beside its own.

    Raises Conflict, before anything is written, when one of them exists; OSError when the disk refuses; ProjectError
    where the project that is there cannot be read.
    """
    starters = _starters(files("segue.cli") / "starter", Path())
    if themes:
        there = (folder / FILE).exists()
        rules = _rules_of(folder) if there else Path("rules")
        starters = [] if there else [one for one in starters if one[0].parts[0] != "rules"]
        with gallery() as themes_folder:
            for theme in themes:
                starters += _starters(themes_folder / theme, rules / theme)
    targets = [folder / path for path, _ in starters]
    if conflicts := tuple(path for path in targets if path.exists() or path.is_symlink()):
        raise Conflict(conflicts)
    for target, (_, content) in zip(targets, starters, strict=True):
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(content)
    return tuple(targets)


def _rules_of(folder: Path) -> Path:
    """Where the rules of the project in a folder lie: below that folder, where they do."""
    rules = load_project(folder).rules
    return rules.relative_to(folder.resolve()) if rules.is_relative_to(folder.resolve()) else rules


def _starters(place: Traversable, at: Path) -> list[tuple[Path, bytes]]:
    """The starter files, sorted by path, each with its content."""
    found: list[tuple[Path, bytes]] = []
    for entry in sorted(place.iterdir(), key=lambda entry: entry.name):
        path = at / _DOTTED.get(entry.name, entry.name)
        if entry.is_dir():
            found.extend(_starters(entry, path))
        else:
            found.append((path, entry.read_bytes()))
    return found


def _next_steps(folder: Path, created: Sequence[Path]) -> str:
    rule = next(path for path in created if path.suffix == ".rules")
    rule = rule.relative_to(folder) if rule.is_relative_to(folder) else rule
    enter = "" if folder.resolve() == Path.cwd() else f"  cd {shlex.quote(str(folder))}\n"
    return (
        "\nNext:\n"
        f"{enter}"
        "  segue check      what is wrong with the rules, if anything\n"
        "  segue run        start; events arrive at http://127.0.0.1:8080, messages are shown on the console\n\n"
        f"Then edit {rule}, and segue.toml to send in earnest."
    )
