# SPDX-License-Identifier: Apache-2.0
"""Commands in a sandbox, for code without an event loop."""

from __future__ import annotations

from collections.abc import Iterator

from ._blocking.process import BlockingProcess
from ._stdin import Stdin
from ._stream import Stream
from .async_process import AsyncProcess, AsyncStdin, AsyncStream

__all__ = ["AsyncProcess", "AsyncStdin", "AsyncStream", "Process", "Stdin", "Stream"]


class Process(BlockingProcess):
    """As AsyncProcess (which is its `aio`), for code without an event loop."""

    def __init__(self, process: AsyncProcess) -> None:
        super().__init__(process)
        self.stdout = Stream(process.stdout)
        self.stderr = Stream(process.stderr)
        self.logs = Stream(process.logs)

    @property
    def argv(self) -> list[str]:
        return self._aio.argv

    @property
    def pid(self) -> int:
        """As seen inside; 0 where it is not known."""
        return self._aio.pid

    @property
    def output_limit(self) -> int:
        """The most bytes of output that are held for readers; past it the command is killed. 1 GiB."""
        return self._aio.output_limit

    @output_limit.setter
    def output_limit(self, size: int) -> None:
        self._aio.output_limit = size

    @property
    def returncode(self) -> int | None:
        """None while it runs; then the exit code, or 128 + the signal that ended it."""
        return self._aio.returncode

    def __iter__(self) -> Iterator[str]:
        """The lines of `logs`, as they come."""
        return iter(self.logs)

    def __repr__(self) -> str:
        return repr(self._aio).replace("Async", "", 1)
