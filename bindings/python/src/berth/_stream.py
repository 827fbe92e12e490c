# SPDX-License-Identifier: Apache-2.0
"""What a command prints, for code without an event loop."""

from __future__ import annotations

from collections.abc import Iterator

from ._blocking.stream import BlockingStream
from ._loop import sync


class Stream(BlockingStream):
    """As AsyncStream, for code without an event loop: an iterator of lines, and read()."""

    def __iter__(self) -> Iterator[str]:
        while lines := sync(self.aio.lines()):
            yield from lines

    def __str__(self) -> str:
        """All that it ever held, up to the command's end, for which it waits. What read() gives stays as it is."""
        return sync(self.aio.whole())

    def __repr__(self) -> str:
        return repr(self.aio).replace("Async", "", 1)
