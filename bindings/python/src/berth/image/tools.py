# SPDX-License-Identifier: Apache-2.0
"""The programs that images are made with."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import threading
import time
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
    growing: str | os.PathLike[str] | None = None,
    patience: float | None = None,
) -> str:
    """Its standard output. Where it fails, `explain` makes of the tool's words the cause, with which the error begins,
    and what to do about it; `what` is what could not be done. at: gets its lines as they come; nothing is returned.
    patience: it is ended where nothing has come into the directory `growing` for so many seconds."""
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace",
            stderr=subprocess.STDOUT if at else subprocess.PIPE,
        )  # fmt: skip
    except FileNotFoundError as e:
        raise ImageError(f"{argv[0]} is not installed", hint=f"apt-get install {argv[0]}") from e
    stalled = _Stall(process, growing, patience) if patience is not None else None
    with process:
        try:
            with ending(process.kill), stalled or contextlib.nullcontext():
                out, err = (_follow(process, at), "") if at else process.communicate()
        except BaseException:
            process.kill()
            raise
    if process.returncode == 0:
        return out
    if stalled and stalled.seen:
        err = f"nothing came for {patience:g} s"
    words = plain_words((err.strip() or out.strip())[-_TAIL:])
    kind = ImageNotFound if any(w in words.lower() for w in _NOT_FOUND) else ImageError
    cause, hint = explain(words)
    said = f"{argv[0]} exited with {process.returncode}: {words}"
    if cause:
        raise kind(f"{cause}: {what}", hint=hint, detail=said)
    raise kind(f"{what}: {said}", hint=hint)


class _Stall:
    """skopeo waits for a registry without end: a thread that ends it."""

    def __init__(self, process: subprocess.Popen[str], growing: str | os.PathLike[str] | None, patience: float) -> None:
        self.seen = False
        self._process, self._growing, self._patience = process, growing, patience
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="berth-registry", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        size, since = self._size(), time.monotonic()
        while not self._over.wait(min(1.0, self._patience / 4)):
            now = self._size()
            if now != size:
                size, since = now, time.monotonic()
            if time.monotonic() - since >= self._patience:
                self.seen = True
                self._process.kill()
                return

    def _size(self) -> int:
        return bytes_in(self._growing) if self._growing else 0


def bytes_in(directory: str | os.PathLike[str]) -> int:
    """What all files in there have together."""
    total = 0
    for where, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(where, name)).st_size
    return total


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
