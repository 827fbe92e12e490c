# SPDX-License-Identifier: Apache-2.0
"""Of pool. Made by generate_blocking.py of the classes with coroutines; do not edit."""

from __future__ import annotations

from typing import Self

from .._arguments import Seconds
from .._loop import sync
from ..async_pool import AsyncSandboxPool, PoolStatus
from ..creation import EgressRules
from ..sandbox import Sandbox


class BlockingSandboxPool:
    """What SandboxPool has of AsyncSandboxPool."""

    _aio: AsyncSandboxPool

    def __init__(self, aio: AsyncSandboxPool) -> None:
        self._aio = aio

    @property
    def aio(self) -> AsyncSandboxPool:
        """The same with coroutines."""
        return self._aio

    def start(self, *, wait: bool = True, ends_with_process: bool = False) -> Self:
        """Makes the pool, or takes up the one of this name, and fills it. wait: returns when it is full; else it is
        filled in the background. ends_with_process: once this process is gone, `berth gc` or the next pool of this
        name removes what is left."""
        sync(self._aio.start(wait=wait, ends_with_process=ends_with_process))
        return self

    def take(
        self,
        *,
        timeout: Seconds | None = None,
        egress: EgressRules | None = None,
        ends_with_process: bool = False,
        idle_timeout: Seconds | None = None,
        hibernate: bool = False,
    ) -> Sandbox:
        """A sandbox that nobody else gets; one is made where none is ready. The pool is filled up again in the
        background.

        timeout: seconds from now on after which it stops by itself. egress: where it may begin connections to, else as
        in the snapshot. ends_with_process: it is removed when this process ends; else it runs until terminate().
        idle_timeout, hibernate: as Sandbox has them."""
        return Sandbox._of(
            sync(
                self._aio.take(
                    timeout=timeout,
                    egress=egress,
                    ends_with_process=ends_with_process,
                    idle_timeout=idle_timeout,
                    hibernate=hibernate,
                )
            )
        )

    def status(self) -> PoolStatus:
        """How it is now. Reads small files. NotFoundError where there is none."""
        return self._aio.status()

    def stop(self) -> None:
        """Ends it, and the sandboxes that wait in it; those that were taken stay. NotFoundError where there is none."""
        sync(self._aio.stop())
