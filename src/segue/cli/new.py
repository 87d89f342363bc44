"""``segue new``: a plugin's distribution, ready to install, test and change."""

from __future__ import annotations

import json as json_
import sys
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from segue import __version__
from segue.host.declarations import is_plugin_name
from segue.host.plugins import Kind, discover

new = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Begin a plugin: a distribution that installs, passes its tests and works.",
)

Name = Annotated[str, typer.Argument(help="Lower-case letters, digits and dashes, such as carrier-pigeon.")]
Folder = Annotated[Path, typer.Option("--in", help="Where the folder segue-NAME is made.", file_okay=False)]
Json = Annotated[bool, typer.Option("--json", help="Say what was made as JSON lines.")]

_SUFFIX: Final = ".tmpl"


@new.command()
def channel(name: Name, folder: Folder = Path(), json: Json = False) -> None:
    """Begin a channel: what carries messages to customers."""
    _make("channel", name, folder, json)


@new.command()
def source(name: Name, folder: Folder = Path(), json: Json = False) -> None:
    """Begin a source: where events come from."""
    _make("source", name, folder, json)


@new.command()
def attribution(name: Name, folder: Folder = Path(), json: Json = False) -> None:
    """Begin an attribution model: who gets the credit for a conversion."""
    _make("attribution", name, folder, json)


def _make(kind: Kind, name: str, folder: Path, json: bool) -> None:
    if not is_plugin_name(name):
        raise typer.BadParameter(
            f"{name!r} is no name for a plugin: write lower-case letters, digits and dashes, such as carrier-pigeon",
            param_hint="NAME",
        )
    target = folder / f"segue-{name}"
    if target.exists() or target.is_symlink():
        _refuse(f"{target} is there already, and nothing is overwritten; choose another name, or move it away")
    owner = discover().offered_by(kind, name)
    if owner is not None:
        what = "attribution model" if kind == "attribution" else kind
        _refuse(
            f"{owner} offers the {what} {name} already, and two of one name are both set aside; choose another name"
        )
    try:
        made = list(_write(kind, name, target))
    except OSError as error:
        _refuse(f"{error.filename or target} cannot be written: {error.strerror}")
    for path in made:
        if json:
            print(json_.dumps({"created": str(path)}))
        else:
            print(f"  {path}")
    if not json:
        print(f"\nNext:  cd {target} && pip install -e '.[test]' && pytest")


def _refuse(text: str) -> NoReturn:
    print(text, file=sys.stderr)
    raise typer.Exit(1)


def _write(kind: Kind, name: str, target: Path) -> Iterator[Path]:
    words = {
        "@NAME@": name,
        "@MODULE@": f"segue_{name.replace('-', '_')}",
        "@CHANNEL@": name.replace("-", "_"),
        "@VARIABLE@": name.replace("-", "_").upper(),
        "@VERSION@": __version__,
    }
    for parts, template in _templates(resources.files("segue.cli") / "scaffold" / kind):
        text = template.read_text(encoding="utf-8")
        for word, value in words.items():
            text = text.replace(word, value)
        path = target.joinpath(
            *(words["@MODULE@"] if part == "MODULE" else part.removesuffix(_SUFFIX) for part in parts)
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
        yield path


def _templates(folder: Traversable, parts: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, (*parts, entry.name))
        elif entry.name.endswith(_SUFFIX):
            yield (*parts, entry.name), entry
