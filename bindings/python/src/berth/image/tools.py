# SPDX-License-Identifier: Apache-2.0
"""The programs that images are made with."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Callable, Sequence

from .._cancel import ending
from ..errors import ImageError, ImageNotFound

_NOT_FOUND = ("manifest unknown", "name unknown", "not found", "repository does not exist")
#: Of what a tool printed, the end that is kept for an error.
_TAIL = 2000
#: skopeo and umoci log in fields; this is the one that says why.
_FATAL = re.compile(r'level=fatal msg=("(?:[^"\\]|\\.)*")')


def run_tool(
    argv: Sequence[str],
    what: str,
    explain: Callable[[str], tuple[str, str]] = lambda _: ("", ""),
    at: Callable[[str], None] | None = None,
) -> str:
    """Its standard output. Where it fails, `explain` makes of the tool's words the cause, with which the error begins,
    and what to do about it; `what` is what could not be done. at: gets its lines as they come; nothing is returned."""
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace",
            stderr=subprocess.STDOUT if at else subprocess.PIPE,
        )  # fmt: skip
    except FileNotFoundError as e:
        raise ImageError(f"{argv[0]} is not installed", hint=f"apt-get install {argv[0]}") from e
    with process:
        try:
            with ending(process.kill):
                out, err = (_follow(process, at), "") if at else process.communicate()
        except BaseException:
            process.kill()
            raise
    if process.returncode == 0:
        return out
    words = plain_words((err.strip() or out.strip())[-_TAIL:])
    kind = ImageNotFound if any(w in words.lower() for w in _NOT_FOUND) else ImageError
    cause, hint = explain(words)
    said = f"{argv[0]} exited with {process.returncode}: {words}"
    if cause:
        raise kind(f"{cause}: {what}", hint=hint, detail=said)
    raise kind(f"{what}: {said}", hint=hint)


def _follow(process: subprocess.Popen[str], at: Callable[[str], None]) -> str:
    tail = ""
    assert process.stdout is not None
    for line in process.stdout:
        tail = (tail + line)[-_TAIL:]
        at(line)
    process.wait()
    return tail


def plain_words(printed: str) -> str:
    """Why a tool gave up, where it says so in a field of its own."""
    if found := _FATAL.search(printed):
        with contextlib.suppress(ValueError):  # Go's quoting knows more than JSON's
            return str(json.loads(found[1]))
        return found[1].strip('"')
    return printed
