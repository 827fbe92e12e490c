"""Progress on a terminal, and the ``berth`` logger otherwise."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Iterator

logger = logging.getLogger("berth")
logger.addHandler(logging.NullHandler())

_lock = threading.Lock()
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


def say(text: str) -> None:
    """One line for the user: printed, or else logged. A terminal that is gone stops nothing."""
    if not _visible():
        logger.info("%s", text)
        return
    with _lock, contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def progress(title: str, done: str) -> Iterator[None]:
    """`title` before, ``✓ done`` after; nothing after when it failed, since the exception says it."""
    say(title)
    yield
    say(f"✓ {done}")
