# SPDX-License-Identifier: Apache-2.0
"""Of _stream. Made by generate_blocking.py of the classes with coroutines; do not edit."""

from __future__ import annotations

from .._loop import sync
from .._streams import AsyncStream


class BlockingStream:
    """What Stream has of AsyncStream."""

    _aio: AsyncStream

    def __init__(self, aio: AsyncStream) -> None:
        self._aio = aio

    @property
    def aio(self) -> AsyncStream:
        """The same with coroutines."""
        return self._aio

    def read(self) -> str:
        """All that was not read before, up to the command's end, for which it waits."""
        return sync(self._aio.read())

    def read_bytes(self) -> bytes:
        return sync(self._aio.read_bytes())
