"""Cancelling work that runs in a worker thread: what it waits for is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Cancelled(Exception):
    """Raised in the worker; never seen outside, where it is asyncio.CancelledError."""


class _Token:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._enders: list[Callable[[], None]] = []
        self.cancelled = False

    def cancel(self) -> None:
        with self._lock:
            self.cancelled = True
            enders = list(self._enders)
        for end in enders:
            with contextlib.suppress(Exception):
                end()

    @contextlib.contextmanager
    def ending(self, end: Callable[[], None]) -> Iterator[None]:
        with self._lock:
            if self.cancelled:
                raise Cancelled
            self._enders.append(end)
        try:
            yield
        finally:
            with self._lock:
                self._enders.remove(end)


_current: contextvars.ContextVar[_Token | None] = contextvars.ContextVar("berth_cancel", default=None)


@contextlib.contextmanager
def ending(end: Callable[[], None]) -> Iterator[None]:
    """While in here, cancelling calls `end`, from another thread."""
    token = _current.get()
    if token is None:
        yield
        return
    with token.ending(end):
        yield
    check()


def check() -> None:
    """Raises where the work was cancelled."""
    token = _current.get()
    if token is not None and token.cancelled:
        raise Cancelled


async def in_thread(work: Callable[[], T]) -> T:
    """Runs it in a worker thread; when the waiter is cancelled, so is the work, and its end is awaited."""
    token = _Token()

    def run() -> T:
        _current.set(token)
        return work()

    task = asyncio.ensure_future(asyncio.to_thread(run))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.get_running_loop().run_in_executor(None, token.cancel)
        with contextlib.suppress(Exception):
            await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # taken note of
        raise
