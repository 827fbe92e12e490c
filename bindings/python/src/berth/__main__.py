"""`python -m berth …`: the berth program that this package carries."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from ._load import program


def main() -> NoReturn:
    try:
        path = program()
    except FileNotFoundError as e:
        sys.exit(f"berth: {e}")
    os.execv(path, ["berth", *sys.argv[1:]])


if __name__ == "__main__":
    main()
