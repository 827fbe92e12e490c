# SPDX-License-Identifier: Apache-2.0
"""A class without coroutines has what the one with coroutines has, and says the same of it."""

from __future__ import annotations

import importlib
import inspect
import re
import runpy
import subprocess
import sys
import types
import typing
from pathlib import Path
from typing import Any

import pytest

GENERATOR = Path(__file__).resolve().parents[2] / "generate_blocking.py"
PAIRS = {pair.name: pair for pair in runpy.run_path(str(GENERATOR))["PAIRS"]}
MODULES = "|".join(pair.module.rpartition(".")[2] for pair in PAIRS.values())
#: What only the blocking class has. Any other is a property for an attribute that __init__ sets there.
OURS = {"aio", "from_id"}


def test_the_generated_classes_are_current() -> None:
    done = subprocess.run([sys.executable, GENERATOR, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def classes(name: str) -> tuple[type, type]:
    pair = PAIRS[name]
    blocking: type = getattr(importlib.import_module(f"berth.{pair.module}"), name)
    coroutines: type = getattr(importlib.import_module(f"berth.{pair.source}"), f"Async{name}")
    return blocking, coroutines


def public(of: type) -> dict[str, types.FunctionType]:
    found: dict[str, types.FunctionType] = {}
    for name in dir(of):
        there: Any = inspect.getattr_static(of, name)
        there = getattr(there, "fget", getattr(there, "__func__", there))
        if not name.startswith("_") and isinstance(there, types.FunctionType):
            found[name] = there
    return found


def signature(function: types.FunctionType, name: str) -> str:
    """As text, the same for both classes."""
    text = re.sub(rf"\b(?:{MODULES})\.", "", str(inspect.signature(function)))
    return re.sub(r"\bSelf\b", name, re.sub(rf"\bAsync({'|'.join(PAIRS)})\b", r"\1", text))


@pytest.mark.parametrize("name", PAIRS)
def test_both_classes_have_the_same(name: str) -> None:
    blocking, coroutines = classes(name)
    here, there = public(blocking), public(coroutines)
    above = {one.__name__.removeprefix("Async") for one in coroutines.__mro__} & PAIRS.keys()
    apart = {one for of in above for one, why in PAIRS[of].apart.items() if not why.startswith("by hand")}
    assert there.keys() - here.keys() == apart
    initial = {one for of in coroutines.__mro__[:-1] for one in of.__init__.__code__.co_names}  # type: ignore[misc]
    assert here.keys() - there.keys() - OURS <= initial
    for one in here.keys() & there.keys():
        assert signature(here[one], name) == signature(there[one], name), one
        assert inspect.getdoc(here[one]) == inspect.getdoc(there[one]), one
        if one != "client":  # docker-py is not imported before it is needed
            assert typing.get_type_hints(here[one]), one
