"""What stands where, and what never stands in a file."""

from __future__ import annotations

import ast
import re

from tests.shape.repository import CORE, ROOT, files, imports, plugins, rooms, shown

TOP = {"pyproject.toml", "README.md", "LICENSE", "Makefile", "src", "plugins", "rules", "tests", "docs"}
# Tests that belong to no one room: whole stories, the real counterparts, the documentation, and the repository itself.
BESIDE_THE_ROOMS = {"acceptance", "counterparts", "docs", "fuzz", "shape"}
# A module has one subject. One that is longer than 400 lines has usually two; those that don't say why here.
MOST_LINES = 400
LONG_WITH_REASON: dict[str, str] = {
    "src/segue/language/model.py": "every node of what the language means, a few lines each",
    "src/segue/language/tree.py": "every node of the language, a few lines each",
    "src/segue/runtime/turn.py": "one turn from loading to writing: its state is private to it",
    "src/segue/store/database.py": "opening, locking, writing and copying one file",
}


def test_the_top_level_holds_only_what_is_agreed() -> None:
    made_by_tools = {"build", "dist", "htmlcov"}
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - made_by_tools
    assert found - TOP == set()
    assert TOP - found == set()


def test_every_room_says_what_it_is_for() -> None:
    silent = [
        shown(room / "__init__.py")
        for room in rooms()
        if not (room / "__init__.py").exists() or not ast.get_docstring(ast.parse((room / "__init__.py").read_text()))
    ]
    assert silent == []


def test_src_segue_holds_rooms_and_little_else() -> None:
    beside = {path.name for path in CORE.iterdir() if path.is_file()}
    assert beside <= {"__init__.py", "__main__.py", "py.typed"}


def test_every_module_says_what_it_is_about() -> None:
    silent = [
        shown(path) for path in files(CORE, ".py") if _is_code(path.read_text()) and not _docstring(path.read_text())
    ]
    assert silent == []


def test_tests_mirror_the_rooms() -> None:
    tested = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
    strangers = tested - {room.name for room in rooms()} - BESIDE_THE_ROOMS
    assert strangers == set()


def test_every_room_with_code_has_tests() -> None:
    untested = [
        room.name
        for room in rooms()
        if any(path.name != "__init__.py" for path in files(room, ".py"))
        and not any((ROOT / "tests" / room.name).rglob("test_*.py"))
    ]
    assert untested == []


def test_no_module_is_long_without_a_reason() -> None:
    code = [*files(CORE, ".py"), *(path for plugin in plugins() for path in files(plugin / "src", ".py"))]
    long = {shown(path): len(path.read_text().splitlines()) for path in code}
    long = {path: lines for path, lines in long.items() if lines > MOST_LINES}
    assert {path: lines for path, lines in long.items() if path not in LONG_WITH_REASON} == {}
    assert set(LONG_WITH_REASON) <= set(long), "these are short enough by now; take them off the list"


def test_no_module_is_named_after_nothing() -> None:
    names = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert [shown(path) for path in files(ROOT, ".py") if path.stem in names] == []


def test_no_file_names_a_path_of_one_s_own_machine() -> None:
    # Put together here, so that this file does not name them either.
    own = re.compile("|".join(["/" + name + "/" for name in ("work", "root", r"home/(?!segue)\w+", "Users")]))
    found = []
    for path in files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{shown(path)}:{n}" for n, line in enumerate(text.splitlines(), 1) if own.search(line)]
    assert found == []


def test_nothing_imports_the_blocking_mail_client() -> None:
    # The client of the standard library; servers in tests are aiosmtpd's.
    blocking = "smtp" + "lib"
    found = [f"{shown(path)}:{line}" for path in files(ROOT, ".py") for line, name in imports(path) if name == blocking]
    assert found == []


def test_the_core_imports_no_plugin() -> None:
    modules = {path.name for plugin in plugins() for path in (plugin / "src").iterdir() if path.is_dir()}
    found = [
        f"{shown(path)}:{line} {name}"
        for path in files(CORE, ".py")
        if "scaffold" not in path.parts
        for line, name in imports(path)
        if name.split(".")[0] in modules
    ]
    assert found == []


def _docstring(text: str) -> str | None:
    return ast.get_docstring(ast.parse(text))


def _is_code(text: str) -> bool:
    return bool(text.strip())
