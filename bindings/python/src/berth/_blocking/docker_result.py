# SPDX-License-Identifier: Apache-2.0
"""Of docker.result. Made by generate_blocking.py of the classes with coroutines; do not edit."""

from __future__ import annotations

from typing import Self

from .._loop import sync
from ..docker.async_result import AsyncDockerResult
from ..process import Process


class BlockingDockerResult(Process):
    """What DockerResult has of AsyncDockerResult."""

    _aio: AsyncDockerResult

    def __init__(self, aio: AsyncDockerResult) -> None:
        super().__init__(aio)

    @property
    def aio(self) -> AsyncDockerResult:
        """The same with coroutines."""
        return self._aio

    @property
    def exit_code(self) -> int | None:
        """As returncode: None while it runs."""
        return self._aio.exit_code

    @property
    def success(self) -> bool:
        """Whether it ended well; waits for its end."""
        return sync(self._aio.success())

    def check(self) -> Self:
        """Waits for its end; DockerCommandError, or DockerImageNotFound, when it failed; its hint tells what
        is known of the failure."""
        sync(self._aio.check())
        return self

    def output(self) -> str:
        """What it printed to stdout, without the last newline; raises as check() does."""
        return sync(self._aio.output())
