# SPDX-License-Identifier: Apache-2.0
"""Where the shared library and the `berth` program are: beside this file in a wheel, or where the environment says."""

from __future__ import annotations

import ctypes.util
import os
import shutil
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def library_paths() -> list[str]:
    """Where libberth.so.0 may be, best first: $BERTH_LIBRARY alone when it is set."""
    if given := os.environ.get("BERTH_LIBRARY"):
        return [given]
    paths = [str(_PACKAGE / "_lib" / "libberth.so.0")]
    if found := ctypes.util.find_library("berth"):
        paths.append(found)
    return paths


def program() -> str:
    """The `berth` program: $BERTH_PROGRAM, the wheel's, or the first on PATH."""
    if given := os.environ.get("BERTH_PROGRAM"):
        return given
    packaged = _PACKAGE / "_program" / "bin" / "berth"
    if packaged.is_file():
        return str(packaged)
    # Not a script that leads here again.
    directories = os.environ.get("PATH", os.defpath).split(os.pathsep)
    for directory in directories:
        found = shutil.which("berth", path=directory)
        if found and not _is_script(found):
            return found
    raise FileNotFoundError("the berth program was not found: this installation lacks it; set BERTH_PROGRAM to one")


def _is_script(path: str) -> bool:
    with open(path, "rb") as f:
        return f.read(2) == b"#!"
