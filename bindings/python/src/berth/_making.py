# SPDX-License-Identifier: Apache-2.0
"""Sandboxes that the `berth` program makes for this process, and that are its own only once it has taken them over.

The program gets its words by standard input, since every user of the machine reads a command line. It gives the id, and
waits: when standard input ends without an answer, because this process was killed or gave up, it takes the sandbox down
again."""

from __future__ import annotations

import asyncio
import contextlib

from . import _ffi, _load
from ._cancel import to_its_end
from ._command import check_outcome, ends_with_us, environment, error_line, host_of, log_line
from ._loop import Runtime, current
from .errors import BerthError, InvalidError
from .process import AsyncProcess

#: Seconds for the program to take down what it made.
_PATIENCE = 90


class Making:
    """A sandbox that is there, for take() or give_back()."""

    def __init__(self, runtime: Runtime, process: AsyncProcess) -> None:
        self._runtime = runtime
        self._process = process
        self._failure: BerthError | None = None
        self._log = asyncio.ensure_future(self._read_log())

    async def _read_log(self) -> None:
        async for line in self._process.stderr:
            if log_line(line) is None and (found := error_line(line)):
                self._failure = found

    async def wait_until_made(self) -> None:
        async for _ in self._process.stdout:
            return  # the id, which we chose
        await self._to_its_end()
        raise BerthError("berth run ended without a word", layer="cli")

    async def take(self) -> None:
        """From here on it is this process's, and whoever's knows its name."""
        with contextlib.suppress(BrokenPipeError):
            await self._process.stdin.write(b"k")
        await self._to_its_end()

    async def give_back(self) -> None:
        """Has it taken down, and returns when that is done."""
        with contextlib.suppress(BerthError):
            await self._process.stdin.close()
        await asyncio.wait({self._process.operation.done}, timeout=_PATIENCE)
        await self._runtime.cancel(self._process.operation)
        await self._log

    async def _to_its_end(self) -> None:
        code = await self._process.wait()
        await self._log
        check_outcome("berth run", code, self._failure, self._process)


async def make(*arguments: str) -> Making:
    """Carries out `berth run --detach ARGUMENTS…`."""
    words = ("run", "--detach", "--json", "--log-format=json", *arguments)
    for word in words:
        if "\0" in word:
            raise InvalidError(f"a NUL in {word.partition('=')[0]}")
    given = b"".join(_ffi.encode(word) + b"\0" for word in words)
    runtime = current()
    process = AsyncProcess(runtime, [*ends_with_us(), _load.program(), "hand-over"])
    await process.begin("berth_exec_start", host_of(runtime), env=environment())
    making = Making(runtime, process)
    try:
        with contextlib.suppress(BrokenPipeError):  # it has ended; its error is to come
            await process.stdin.write(b"%d\n" % len(given) + given)
        await making.wait_until_made()
    except BaseException:
        await to_its_end(making.give_back())
        raise
    return making
