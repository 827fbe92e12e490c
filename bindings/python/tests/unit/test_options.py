# SPDX-License-Identifier: Apache-2.0
"""What this package's functions take is what options/*.toml says, and what the library has."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from typing import Any

import berth
import pytest
from berth import _ffi
from berth._options import HINTS, KEYWORDS, SANDBOX_NAMES
from berth.creation import in_our_words

#: What is this package's alone.
OURS = {
    "Sandbox.commit": set(),
    "Sandbox": {"image", "ports", "registry_mirror", "wait_for_docker"},
    "Sandbox.exec": {"timeout"},
    "Sandbox.snapshot": set(),
    "Sandbox.start_detached": set(),
    "Sandbox.terminate": set(),
    "Spec.apply_docker": set(),
}
TAKES: dict[str, list[Callable[..., Any]]] = {
    "Sandbox": [berth.Sandbox],
    "Sandbox.commit": [berth.Sandbox.commit, berth.AsyncSandbox.commit],
    "Sandbox.exec": [berth.Sandbox.exec, berth.AsyncSandbox.exec],
    "Sandbox.snapshot": [berth.Sandbox.snapshot, berth.AsyncSandbox.snapshot],
    "Sandbox.start_detached": [berth.Sandbox.start_detached, berth.AsyncSandbox.start_detached],
    "Sandbox.terminate": [berth.Sandbox.terminate, berth.AsyncSandbox.terminate],
    "Spec.apply_docker": [berth.Spec.apply_docker],
}


def test_each_option_is_a_keyword_and_each_keyword_is_said() -> None:
    assert set(KEYWORDS) == set(TAKES)
    for name, functions in TAKES.items():
        for function in functions:
            taken = set(inspect.signature(function).parameters) - {"self"}
            assert taken == set(KEYWORDS[name]) | OURS[name], name
    for keyword in KEYWORDS["Sandbox"]:
        assert f"{keyword}:" in (berth.Sandbox.__doc__ or ""), keyword


def _options(name: str) -> dict[str, dict[str, Any]]:
    text = name.encode()
    told = json.loads(_ffi.call_for_buffer("berth_options_json", text, len(text)))
    return {option["name"]: option for option in told["options"]}


def test_defaults_are_those_of_the_library() -> None:
    taken = inspect.signature(berth.Sandbox).parameters
    library = _options("sandbox")
    assert taken["network"].default == library["network"]["default"]
    # None and an empty list are left out, so that the library's own holds.
    for keyword in KEYWORDS["Sandbox"]:
        assert taken[keyword].default in (None, (), False, library["network"]["default"]), keyword
    assert inspect.signature(berth.Sandbox.snapshot).parameters["stop"].default is not _options("snapshot")[
        "leave_running"]["default"]  # fmt: skip


@pytest.mark.parametrize(("flag", "keyword"), sorted(SANDBOX_NAMES.items()))
def test_an_error_of_the_program_has_our_words(flag: str, keyword: str) -> None:
    said = in_our_words(berth.BerthError(f"--{flag}: wrong", path=f"--{flag}", hint=f"leave --{flag} out"))
    assert (said.message, said.path, said.hint) == (f"{keyword}: wrong", keyword, f"leave {keyword} out")


@pytest.mark.parametrize(("says", "here"), HINTS)
def test_a_hint_has_our_words(says: str, here: str) -> None:
    assert not re.search(r"--\w|(?<!-m )berth (run|rm|gc|ls|logs|doctor|docker|spec|snapshot)", says + here)
    said = berth.BerthError("x", hint=f"either {says.replace('{}', 'web-1.2')}, or not").hint
    assert said == f"either {here.replace('{}', 'web-1.2')}, or not"


def test_hints_of_the_library_are_ours() -> None:
    known = berth.diagnose_docker("Error: no space left on device")
    assert "data_root=" in known[0].remedy
