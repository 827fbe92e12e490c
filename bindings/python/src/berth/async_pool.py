# SPDX-License-Identifier: Apache-2.0
"""Pools: copies of a snapshot that run and wait, to be had in the time of a message. For code on an event loop."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from . import _declarations as c
from . import _ffi, _sigterm
from ._arguments import Seconds
from ._copies import labels_of, own_options
from ._loop import current
from .async_sandbox import AsyncSandbox
from .creation import EgressRules, checked_egress, checked_lifetime
from .errors import NotFoundError
from .snapshot import snapshots


@dataclasses.dataclass(frozen=True)
class PoolStatus:
    """A pool at one moment."""

    name: str
    snapshot: str
    size: int  #: how many are kept ready
    ready: int  #: how many are
    filling: bool  #: somebody makes what is missing
    made: int
    handed_out: int  #: of those that were ready
    missed: int  #: made for who asked, since none was ready
    failed: int  #: could not be made
    lost: int  #: ended while they waited
    refill_ms: int  #: how long the last one took
    failure: str  #: why the last one could not be made
    sandboxes: tuple[str, ...]  #: the ids of those that are ready

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> Self:
        names = {one.name for one in dataclasses.fields(cls)}
        values: dict[str, Any] = {name: value for name, value in known.items() if name in names}
        return cls(**{**values, "sandboxes": tuple(values["sandboxes"])})


def pools() -> list[PoolStatus]:
    """All of this machine's berth, by name. Reads small files."""
    return [PoolStatus.of(one) for one in json.loads(_ffi.call_for_buffer("berth_pool_list", None, 0))]


class AsyncSandboxPool:
    """A pool, for code on an event loop; `SandboxPool.aio`."""

    def __init__(
        self, name: str, snapshot: str | None = None, size: int = 4, *, at_once: int = 2, per_minute: float = 0
    ) -> None:
        self.name = name
        self._snapshot = snapshot
        self._wanted = {"size": size, "at_once": at_once, "per_minute": per_minute}
        self._sigterm = False

    async def start(self, *, wait: bool = True, ends_with_process: bool = False) -> Self:
        """Makes the pool, or takes up the one of this name, and fills it. wait: returns when it is full; else it is
        filled in the background. ends_with_process: once this process is gone, `berth gc` or the next pool of this
        name removes what is left."""
        if self._snapshot is None:
            raise TypeError("a pool is made of a snapshot: SandboxPool(name, snapshot)")
        await self._run(
            "berth_pool_start", name=self.name, snapshot=self._snapshot, wait=wait, ends_with_creator=ends_with_process,
            **self._wanted,
        )  # fmt: skip
        return self

    async def take(
        self,
        *,
        timeout: Seconds | None = None,
        egress: EgressRules | None = None,
        ends_with_process: bool = False,
        idle_timeout: Seconds | None = None,
        hibernate: bool = False,
    ) -> AsyncSandbox:
        """A sandbox that nobody else gets; one is made where none is ready. The pool is filled up again in the
        background.

        timeout: seconds from now on after which it stops by itself. egress: where it may begin connections to, else as
        in the snapshot. ends_with_process: it is removed when this process ends; else it runs until terminate().
        idle_timeout, hibernate: as Sandbox has them."""
        snapshot = self.status().snapshot
        saved = next((one for one in snapshots() if one.name == snapshot), None)
        options = own_options(
            labels_of(saved.annotations, saved.docker) if saved else {},
            checked_lifetime(timeout),
            None if egress is None else checked_egress(egress),
            ends_with_process,
            checked_lifetime(idle_timeout),
            hibernate,
        )
        text = json.dumps({"name": self.name, **options}).encode()
        return await AsyncSandbox._begun("berth_pool_take", text)

    def status(self) -> PoolStatus:
        """How it is now. Reads small files. NotFoundError where there is none."""
        for one in pools():
            if one.name == self.name:
                return one
        raise NotFoundError(f"there is no pool {self.name!r}", code=c.BERTH_E_NOT_FOUND, code_name="not_found")

    async def stop(self) -> None:
        """Ends it, and the sandboxes that wait in it; those that were taken stay. NotFoundError where there is none."""
        name = _ffi.encode(self.name)
        runtime = current()
        await runtime.run(_ffi.start, "berth_pool_stop", runtime.handle, None, 0, name, len(name))

    async def _run(self, function: str, **options: Any) -> None:
        text = json.dumps(options).encode()
        runtime = current()
        await runtime.run(_ffi.start, function, runtime.handle, None, 0, text, len(text))

    async def __aenter__(self) -> Self:
        self._sigterm = _sigterm.enter()
        try:
            return await self.start(ends_with_process=True)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.stop()
        except NotFoundError:
            pass  # somebody else has stopped it
        finally:
            if self._sigterm:
                self._sigterm = False
                _sigterm.leave()
