# SPDX-License-Identifier: Apache-2.0
"""Of _stdin. Made by generate_blocking.py of the classes with coroutines; do not edit."""

from __future__ import annotations

from .._loop import sync
from ..async_process import AsyncStdin


class BlockingStdin:
    """What Stdin has of AsyncStdin."""

    _aio: AsyncStdin

    def __init__(self, aio: AsyncStdin) -> None:
        self._aio = aio

    @property
    def aio(self) -> AsyncStdin:
        """The same with coroutines."""
        return self._aio

    def write(self, data: str | bytes) -> None:
        """Waits until the command can be given more. BrokenPipeError once it takes no more."""
        sync(self._aio.write(data))

    def close(self) -> None:
        """The end of its input."""
        sync(self._aio.close())
