# SPDX-License-Identifier: Apache-2.0
"""SIGTERM as an exception, so that `with Sandbox()` ends its sandbox when its process is told to end.

Only where nobody has decided otherwise: in the main thread, and while the signal would end the process by itself.
SIGKILL, and what else cannot be caught, the sandbox's own watch over this process is for."""

from __future__ import annotations

import signal
import threading
from types import FrameType

_inside = 0
_told = False


def _end(number: int, frame: FrameType | None) -> None:
    global _told
    if _told:
        return  # it is being ended
    _told = True
    raise SystemExit(128 + number)


def enter() -> bool:
    """Whether leave() is to be called, in the same thread."""
    global _inside, _told
    if threading.current_thread() is not threading.main_thread():
        return False
    if _inside == 0:
        if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
            return False
        _told = False
        signal.signal(signal.SIGTERM, _end)
    _inside += 1
    return True


def leave() -> None:
    global _inside
    _inside -= 1
    if _inside == 0 and signal.getsignal(signal.SIGTERM) is _end:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
