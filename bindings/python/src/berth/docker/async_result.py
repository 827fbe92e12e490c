# SPDX-License-Identifier: Apache-2.0
"""What a docker command comes to."""

from __future__ import annotations

import asyncio
from typing import Self

from .._streams import STDERR, STDOUT
from ..errors import DockerCommandError, DockerImageNotFound
from ..async_process import AsyncProcess
from .diagnosis import diagnose_docker

_NO_IMAGE = ("no such image", "manifest unknown", "manifest for ", "pull access denied", "repository does not exist")


class LineStarts:
    """Compose 2 begins each line of logs by clearing it, also where no terminal shows it (2.26), and no option keeps it
    from that: this takes it out again. What a container prints stays as it is."""

    _CLEAR = b"\x1b[2K"

    def __init__(self) -> None:
        self._begins = True
        self._held = b""

    def __call__(self, data: bytes, last: bool) -> bytes:
        begins, clear = self._begins, self._CLEAR
        text = (b"\n" if begins else b"") + self._held + data
        text = text.replace(b"\n" + clear, b"\n")
        # It may come in pieces.
        parts = () if last else (clear[:3], clear[:2], clear[:1])
        self._held = next((part for part in parts if text.endswith(b"\n" + part)), b"")
        text = text[: len(text) - len(self._held)]
        self._begins = text.endswith(b"\n")
        return text[1:] if begins else text


class AsyncDockerResult(AsyncProcess):
    """A docker command that runs: a process whose end can be checked."""

    #: The binary that the sandbox runs on, where it is known: what its release mends is no cause of a failure.
    runsc = ""

    @property
    def exit_code(self) -> int | None:
        """As returncode: None while it runs."""
        return self.returncode

    async def success(self) -> bool:
        """Whether it ended well; waits for its end."""
        return await self.wait() == 0

    async def check(self) -> Self:
        """Waits for its end; DockerCommandError, or DockerImageNotFound, when it failed; its hint tells what
        is known of the failure."""
        if (code := await self.wait()) != 0:
            words = self.text_of(STDERR)
            missing = any(w in words.lower() for w in _NO_IMAGE)
            kind = DockerImageNotFound if missing else DockerCommandError
            # In a thread: runsc may have to be asked for its release.
            known = await asyncio.to_thread(diagnose_docker, words, runsc=self.runsc)
            hint_id, hint = (known[0].id, f"{known[0].cause}: {known[0].remedy}") if known else ("", "")
            raise kind(self.argv, code, words, self.text_of(STDOUT), hint_id=hint_id, hint=hint)
        return self

    async def output(self) -> str:
        """What it printed to stdout, without the last newline; raises as check() does."""
        await self.check()
        return self.text_of(STDOUT).rstrip("\n")


async def completed(result: AsyncDockerResult) -> str:
    """Its output; when the waiter is cancelled, so is the command."""
    try:
        return await result.output()
    except asyncio.CancelledError:
        await result.runtime.cancel(result.operation)
        raise
