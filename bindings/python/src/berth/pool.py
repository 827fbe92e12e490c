# SPDX-License-Identifier: Apache-2.0
"""Pools of sandboxes, for code without an event loop."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from ._blocking.pool import BlockingSandboxPool
from ._loop import sync
from .async_pool import AsyncSandboxPool, PoolStatus, pools

__all__ = ["AsyncSandboxPool", "PoolStatus", "SandboxPool", "pools"]


class SandboxPool(BlockingSandboxPool):
    """Keeps `size` copies of a snapshot ready, running: `take()` hands one out in the time of a message.

    A pool is on disk: any process may take from it by its name, several at once, and each sandbox goes to one of
    them. It outlives this process unless `with` makes it, which stops it at the end. at_once: how many are made side
    by side. per_minute: how many are begun within a minute at most; 0: no limit. snapshot: None for a pool that is
    there already.
    """

    def __init__(
        self, name: str, snapshot: str | None = None, size: int = 4, *, at_once: int = 2, per_minute: float = 0
    ) -> None:
        super().__init__(AsyncSandboxPool(name, snapshot, size, at_once=at_once, per_minute=per_minute))

    @property
    def name(self) -> str:
        return self._aio.name

    def __enter__(self) -> Self:
        sync(self._aio.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sync(self._aio.__aexit__(kind, error, trace))

    async def __aenter__(self) -> AsyncSandboxPool:
        return await self._aio.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._aio.__aexit__(kind, error, trace)
