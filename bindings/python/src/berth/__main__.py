# SPDX-License-Identifier: Apache-2.0
"""`python -m berth …`: the berth program that this package carries."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import NoReturn

from ._load import program

#: What images from registries are made with.
_IMAGE_TOOLS = ("skopeo", "umoci")


def _doctor(path: str, arguments: list[str]) -> int:
    """The program's own, and what only this package needs."""
    code = subprocess.call([path, *arguments])
    print("\nFor images from registries:")
    for tool in _IMAGE_TOOLS:
        found = shutil.which(tool)
        print(f"{tool:26}  {'found  ' + found if found else 'missing  apt-get install ' + tool}")
        code = code or int(not found)
    return code


def main() -> NoReturn:
    try:
        path = program()
    except FileNotFoundError as e:
        sys.exit(f"berth: {e}")
    arguments = sys.argv[1:]
    if arguments[:1] == ["doctor"] and not {"--json", "-h", "--help"} & set(arguments):
        sys.exit(_doctor(path, arguments))
    os.execv(path, ["berth", *arguments])


if __name__ == "__main__":
    main()
