# SPDX-License-Identifier: Apache-2.0
"""A sandbox as its files and its Docker see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from . import _ffi
from ._arguments import Source
from ._loop import Runtime
from .async_process import AsyncProcess
from .status import SandboxStatus


class Place(Protocol):
    """What commands run in. `AsyncSandbox` is one; its docstrings say what these do."""

    @property
    def id(self) -> str: ...

    @property
    def address(self) -> str: ...

    @property
    def docker_enabled(self) -> bool: ...

    @property
    def record(self) -> Mapping[str, Any]: ...

    @property
    def workdir(self) -> str: ...

    async def status(self) -> SandboxStatus: ...

    async def attached(self) -> tuple[Runtime, _ffi.Handle]: ...

    async def start(
        self,
        argv: list[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        user: str | None = None,
        stdin: bytes | Source | None = None,
        pipe: bool = True,
        process: AsyncProcess | None = None,
    ) -> AsyncProcess: ...
