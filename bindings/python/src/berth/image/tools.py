"""The programs that images are made with."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence

from .._cancel import ending
from ..errors import ImageError, ImageNotFound

_NOT_FOUND = ("manifest unknown", "name unknown", "not found", "repository does not exist")


def run_tool(argv: Sequence[str], what: str, hint: Callable[[str], str] = lambda _: "") -> str:
    """Its standard output; `what` begins the error when it fails, and `hint` makes what to do of the tool's words."""
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
        )
    except FileNotFoundError as e:
        raise ImageError(f"{argv[0]} is not installed", hint=f"apt-get install {argv[0]}") from e
    with process:
        try:
            with ending(process.kill):
                out, err = process.communicate()
        except BaseException:
            process.kill()
            raise
    if process.returncode == 0:
        return out
    words = (err.strip() or out.strip())[-2000:]
    kind = ImageNotFound if any(w in words.lower() for w in _NOT_FOUND) else ImageError
    raise kind(f"{what}: {argv[0]} exited with {process.returncode}: {words}", hint=hint(words))
