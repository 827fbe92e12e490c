# SPDX-License-Identifier: Apache-2.0
"""Of process. Made by generate_blocking.py of the classes with coroutines; do not edit."""

from __future__ import annotations

import signal as signals

from .._arguments import Seconds
from .._loop import sync
from .._stdin import Stdin
from ..async_process import AsyncProcess


class BlockingProcess:
    """What Process has of AsyncProcess."""

    _aio: AsyncProcess

    def __init__(self, aio: AsyncProcess) -> None:
        self._aio = aio

    @property
    def aio(self) -> AsyncProcess:
        """The same with coroutines."""
        return self._aio

    @property
    def stdin(self) -> Stdin:
        return Stdin(self._aio.stdin)

    def wait(self, timeout: Seconds | None = None) -> int:
        """Its exit code, once it has ended. TimeoutError, with the command still running, after `timeout` seconds.

        WaitTimeoutError (a TimeoutError too) when the command was killed because its own timeout passed. Ctrl-C, or
        cancelling, ends the wait, not the command: kill() does that.
        """
        return sync(self._aio.wait(timeout))

    def poll(self) -> int | None:
        """The exit code, or None while it runs: it waits for nothing."""
        return self._aio.poll()

    def kill(self, signal: int = signals.SIGKILL) -> None:
        """Sends a signal; nothing happens when the command has ended."""
        sync(self._aio.kill(signal))
