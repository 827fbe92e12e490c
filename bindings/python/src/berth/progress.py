# SPDX-License-Identifier: Apache-2.0
"""Progress on a terminal, and the ``berth`` logger otherwise."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator

logger = logging.getLogger("berth")
logger.addHandler(logging.NullHandler())

#: Seconds between two lines of what goes on, on a terminal and in the log.
_OFTEN, _SELDOM = 0.1, 10.0
#: Of a line that goes by, the characters that are looked at.
_LONGEST = 400

_lock = threading.Lock()
#: Whether the terminal's last line is one that the next takes the place of.
_passing = False
_shown: bool | None = None


def show_progress(on: bool | None = True) -> None:
    """True: always print progress to stderr; False: never; None: where stderr is a terminal (the default)."""
    global _shown
    _shown = on


def _visible() -> bool:
    if _shown is not None:
        return _shown
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # closed, or replaced by something that is no stream
        return False


def _rewritable() -> bool:
    """Whether a line can be written over: on a terminal that knows how, whatever show_progress() said."""
    try:
        return _visible() and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    except (AttributeError, ValueError):
        return False


def _write(text: str) -> None:
    """A terminal that is gone stops nothing."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()


def _clear() -> None:
    """Takes the line away that is written over and over. Call with the lock held."""
    global _passing
    if _passing:
        _write("\r\x1b[2K")
        _passing = False


def say(text: str) -> None:
    """One line for the user: printed, or else logged."""
    if not _visible():
        logger.info("%s", text)
        return
    with _lock:
        _clear()
        _write(f"{text}\n")


class Passing:
    """What a long work is at, as it prints it: a line on the terminal that the next one takes the place of, and that is
    gone at the end; elsewhere a line of the log every 10 s."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._began = time.monotonic()
        self._told = 0.0

    def __call__(self, line: str) -> None:
        global _passing
        # It comes out of a sandbox or from a registry: nothing that moves a cursor.
        text = "".join(c for c in line.strip()[:_LONGEST] if c.isprintable())
        after = time.monotonic() - self._began
        seen = _rewritable()
        if not text or after - self._told < (_OFTEN if seen else _SELDOM):
            return
        self._told = after
        if not seen:
            logger.info("%s (%d s) %s", self._title, after, text)
            return
        shown = f"  {after:.0f} s  {text}"[: max(shutil.get_terminal_size().columns - 1, 10)]
        with _lock:
            _clear()
            _write(shown)
            _passing = True


@contextlib.contextmanager
def progress(title: str, done: str) -> Iterator[Passing]:
    """`title` before, ``✓ done`` after; nothing after when it failed, since the exception says it. Gives what takes
    lines of what goes on meanwhile."""
    say(title)
    try:
        yield Passing(title)
    finally:
        with _lock:
            _clear()
    say(f"✓ {done}")
