"""What a plugin may import: every name is documented, frozen where it is a value, and pulls in nothing of the core."""

from __future__ import annotations

import inspect
import subprocess
import sys
import types
import typing

import msgspec
import pytest

import segue.api

NAMES = segue.api.__all__


def test_all_is_what_the_package_exports() -> None:
    public = {
        name
        for name, value in vars(segue.api).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert public == set(NAMES)
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize("name", NAMES)
def test_every_public_class_and_function_says_what_it_is(name: str) -> None:
    value = getattr(segue.api, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        doc = inspect.getdoc(value) or ""
        assert len(doc) > 20
        # msgspec and NewType give a signature, or nothing, where no docstring was written
        assert not doc.startswith(name + "(")


@pytest.mark.parametrize("name", [name for name in NAMES if inspect.isclass(getattr(segue.api, name))])
def test_every_value_is_frozen(name: str) -> None:
    kind = getattr(segue.api, name)
    if issubclass(kind, msgspec.Struct):
        assert kind.__struct_config__.frozen


@pytest.mark.parametrize("name", NAMES)
def test_every_public_signature_is_typed(name: str) -> None:
    value = getattr(segue.api, name)
    if inspect.isfunction(value):
        assert "return" in typing.get_type_hints(value)


def test_an_answer_is_told_by_its_type_and_goes_through_json_and_back() -> None:
    answers = (
        segue.api.Sent("r1"),
        segue.api.Retry("busy", 3.5),
        segue.api.Rejected("no", address_gone=True),
        segue.api.Unknown("?"),
    )
    for answer in answers:
        encoded = msgspec.json.encode(answer)
        assert msgspec.json.decode(encoded, type=segue.api.Answer) == answer
    assert {msgspec.json.decode(msgspec.json.encode(answer))["type"] for answer in answers} == {
        "sent",
        "retry",
        "rejected",
        "unknown",
    }


_LOADED = """
import sys
import segue.api
print(*sorted({name.split(".")[1] for name in sys.modules if name.startswith("segue.")}))
for name in ("lark", "apscheduler", "apsw", "sqlite3", "starlette", "aiohttp", "structlog", "asyncio"):
    assert name not in sys.modules, name
"""


def test_importing_it_loads_nothing_of_the_core_and_no_driver() -> None:
    said = subprocess.run(
        [sys.executable, "-c", _LOADED], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert said.split() == ["api"]
