# SPDX-License-Identifier: Apache-2.0
"""Cancelling work that runs in a worker thread: what it waits for is told to end."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

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
    """Runs it in a thread of its own; when the waiter is cancelled, so is the work, and its end is awaited.

    Not in asyncio's pool: work that waits for other work, as builds of the same image do, would fill it, and neither
    anybody else's calls nor the cancelling would come to run."""
    token = _Token()

    def run() -> T:
        _current.set(token)
        return work()

    task = _threaded(run)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        both: set[asyncio.Future[Any]] = {task, _threaded(token.cancel)}
        while not all(one.done() for one in both):  # whoever cancels again waits as well
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait(both)
        task.exception()  # taken note of
        raise


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Awaits it however often the waiter is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({task})
    task.result()


def _threaded(work: Callable[[], T]) -> asyncio.Future[T]:
    done: concurrent.futures.Future[T] = concurrent.futures.Future()
    done.set_running_or_notify_cancel()  # from here on nobody cancels it
    context = contextvars.copy_context()

    def run() -> None:
        try:
            result = context.run(work)
        except BaseException as e:
            done.set_exception(e)
        else:
            done.set_result(result)

    # No daemon: at the interpreter's end it is waited for, and nothing is left half made.
    threading.Thread(target=run, name="berth-work").start()
    return asyncio.wrap_future(done)
