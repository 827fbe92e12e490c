# SPDX-License-Identifier: Apache-2.0
"""What waits: one berth loop per asyncio event loop.

The sync interface runs the same coroutines on an event loop of its own, in one background thread (`portal`). Whoever
awaits something that lives on another event loop than its own hops there (`Runtime.on`).
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import itertools
import json
import logging
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from . import _declarations as c
from . import _ffi
from .errors import BerthError

T = TypeVar("T")

logger = logging.getLogger("berth")
_LEVELS = {
    c.BERTH_LOG_DEBUG: logging.DEBUG,
    c.BERTH_LOG_INFO: logging.INFO,
    c.BERTH_LOG_WARN: logging.WARNING,
    c.BERTH_LOG_ERROR: logging.ERROR,
}


class Operation:
    """One operation of the library. `done` gets its BERTH_EVENT_DONE."""

    def __init__(self, done: asyncio.Future[_ffi.Event], on_event: Callable[[_ffi.Event], None] | None) -> None:
        self.id = 0
        self.done = done
        self.on_event = on_event


class Runtime:
    """A berth loop whose events are taken by an asyncio event loop. Used from that event loop's thread only, but for
    on()."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._ffi_loop = _ffi.Loop(c.BERTH_LOG_DEBUG)
        self._operations: dict[int, Operation] = {}
        self._keys = itertools.count(1)
        # Weak, so that a closed event loop can go, and its berth loop with it.
        self._loop = weakref.ref(loop)
        self.pid = os.getpid()
        #: (kind, handle) of what goes with this runtime.
        self.owned: list[tuple[str, _ffi.Handle]] = []
        self._finalizer = weakref.finalize(loop, _free_in_owner, self._ffi_loop, self.owned, self.pid)
        self._finalizer.atexit = False  # the process's end ends everything of it
        loop.add_reader(self._ffi_loop.fd, _drain, weakref.ref(self))

    def close(self) -> None:
        """Ends what still runs, and waits until it has cleaned up. Call when its event loop does not run any more."""
        self._finalizer()

    @property
    def handle(self) -> _ffi.Handle:
        return self._ffi_loop.handle

    def start(
        self,
        begin: Callable[..., Any],
        *arguments: Any,
        timeout: float | None = None,
        on_event: Callable[[_ffi.Event], None] | None = None,
    ) -> tuple[Operation, Any]:
        """Starts an operation; `begin` is _ffi.start or _ffi.start_for_handle. Gives what `begin` gave besides the
        op."""
        key = next(self._keys)
        deadline = 0 if timeout is None else _ffi.now_ns() + max(1, int(timeout * 1e9))
        operation = Operation(asyncio.get_running_loop().create_future(), on_event)
        self._operations[key] = operation
        try:
            given = begin(*arguments, user_data=key, deadline_ns=deadline)
        except BaseException:
            del self._operations[key]
            raise
        if isinstance(given, tuple):
            handle, operation.id = given
            return operation, handle
        operation.id = given
        return operation, None

    async def outcome(self, operation: Operation) -> _ffi.Event:
        """Waits for its end. When the waiter is cancelled, so is the operation, and its end is awaited before going
        on."""
        try:
            await asyncio.wait({operation.done})
        except asyncio.CancelledError:
            await self.cancel(operation)
            raise
        event = operation.done.result()
        if event.error:
            raise event.error
        return event

    def ask_to_end(self, operation: Operation) -> None:
        """Cancels without waiting."""
        self._ffi_loop.cancel(operation.id)

    async def cancel(self, operation: Operation) -> None:
        """Ends an operation and waits until it has ended."""
        while not operation.done.done():
            self._ffi_loop.cancel(operation.id)
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({operation.done})

    async def run(
        self,
        begin: Callable[..., Any],
        *arguments: Any,
        timeout: float | None = None,
        on_event: Callable[[_ffi.Event], None] | None = None,
    ) -> _ffi.Event:
        operation, _ = self.start(begin, *arguments, timeout=timeout, on_event=on_event)
        return await self.outcome(operation)

    async def on(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine on this runtime's event loop, from whichever event loop the caller is on."""
        mine = self._loop()
        if mine is asyncio.get_running_loop():
            return await coroutine
        if mine is None or mine.is_closed():
            coroutine.close()
            raise RuntimeError("the event loop that this belongs to is closed")
        if self.pid != os.getpid():
            coroutine.close()
            raise RuntimeError(
                "this was started before a fork, in the parent: start it here, or use spawn or forkserver"
            )
        there = asyncio.run_coroutine_threadsafe(coroutine, mine)
        here = asyncio.wrap_future(there)
        try:
            return await asyncio.shield(here)
        except asyncio.CancelledError:
            # Truly cancelled: not before it has ended over there.
            there.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await asyncio.wait({here})
            raise

    def _take(self) -> None:
        more = True
        while more:
            try:
                events, more = self._ffi_loop.poll()
            except BerthError as e:
                if e.code != c.BERTH_E_CLOSED:
                    raise
                return
            for event in events:
                try:
                    self._dispatch(event)
                except Exception as e:
                    # A log handler's, or of what is called at a command's end: no reason to lose others' events.
                    asyncio.get_running_loop().call_exception_handler(
                        {"message": "berth: an event was not taken well", "exception": e}
                    )

    def _dispatch(self, event: _ffi.Event) -> None:
        if event.kind == c.BERTH_EVENT_LOG:
            level = _LEVELS.get(event.code, logging.INFO)
            if logger.isEnabledFor(level):
                said = json.loads(event.payload)
                fields = " ".join(f"{name}={value}" for name, value in said.get("fields", {}).items())
                logger.log(level, "%s", f"{said['message']} {fields}".rstrip())
            return
        operation = self._operations.get(event.user_data)
        if operation is None or event.op == 0:
            return
        if event.kind == c.BERTH_EVENT_DONE:
            del self._operations[event.user_data]
        try:
            if operation.on_event:
                operation.on_event(event)
        finally:
            if event.kind == c.BERTH_EVENT_DONE and not operation.done.done():
                operation.done.set_result(event)


def _drain(runtime: weakref.ref[Runtime]) -> None:
    if (r := runtime()) is not None:
        r._take()


def _free_in_owner(loop: _ffi.Loop, owned: list[tuple[str, _ffi.Handle]], pid: int) -> None:
    if os.getpid() == pid:
        for kind, handle in owned:
            _ffi.free_handle(kind, handle)
        loop.free()


_runtimes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Runtime] = weakref.WeakKeyDictionary()
_runtimes_lock = threading.Lock()


def current() -> Runtime:
    """The runtime of the running event loop, made at the first use."""
    loop = asyncio.get_running_loop()
    with _runtimes_lock:
        found = _runtimes.get(loop)
        if found is None or found.pid != os.getpid():
            _free_closed()
            found = _runtimes[loop] = Runtime(loop)
        return found


def _free_closed() -> None:
    """Frees the runtimes of event loops that were closed while something of theirs ran: its future keeps such an event
    loop, and so the runtime, alive."""
    for loop, runtime in list(_runtimes.items()):
        if loop.is_closed():
            del _runtimes[loop]
            # It may take as long as what still runs takes to end.
            threading.Thread(target=runtime.close, name="berth-close", daemon=True).start()


def _without_our_frames(e: BerthError) -> BerthError:
    """It, for who is shown it: where in berth it was raised says nothing to a user, and hides his own line."""
    logger.debug("raised by berth", exc_info=e)
    seen: set[int] = set()
    link: BaseException | None = e
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return e


class Portal:
    """The background thread that runs coroutines for the sync interface."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="berth", daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Waits for it. Ctrl-C, or any other exception raised in the waiting thread, cancels it and awaits its end."""
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("the sync interface was called on berth's own event loop")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise
        except BerthError as e:
            raise _without_our_frames(e) from e.__cause__
        except BaseException:
            if not future.done():
                future.cancel()
                concurrent.futures.wait([future], timeout=30)
            raise

    def close(self) -> None:
        """At the process's end: no Python code runs on the thread any more. Commands that run in sandboxes go on, as
        children of subprocess do."""
        if self.pid != os.getpid() or not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)


_portal: Portal | None = None
_portal_lock = threading.Lock()


def portal() -> Portal:
    """This process's portal; a child after fork makes its own."""
    global _portal
    with _portal_lock:
        if _portal is None or _portal.pid != os.getpid():
            if _portal is None:
                atexit.register(_close_portal)
            _portal = Portal()
        return _portal


def _close_portal() -> None:
    if _portal is not None:
        _portal.close()


def _after_fork() -> None:
    # Another thread may have held them when the process forked.
    global _portal_lock, _runtimes_lock
    _portal_lock = threading.Lock()
    _runtimes_lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)


def sync(coroutine: Coroutine[Any, Any, T]) -> T:
    return portal().run(coroutine)
