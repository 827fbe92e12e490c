# SPDX-License-Identifier: Apache-2.0
"""Commands in a sandbox."""

from __future__ import annotations

import asyncio
import json
import signal as signals
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from . import _declarations as c
from . import _ffi
from ._arguments import Seconds, Source, seconds, signal_number
from ._loop import Operation, Runtime
from ._streams import STDERR, STDOUT, AsyncStream, Output
from .errors import BerthError, WaitTimeoutError

__all__ = ["AsyncProcess", "AsyncStdin", "AsyncStream"]

#: Bytes of output that a command may leave unread: what runs in a sandbox does not fill this machine's memory.
OUTPUT_LIMIT = 1 << 30
#: Of one write, so that a slow command holds the writer back.
_WRITE = 256 * 1024


class AsyncStdin:
    """A command's standard input."""

    def __init__(self, process: AsyncProcess) -> None:
        self._process = process
        self.touched = False
        self._closed = False
        self._unasked = False

    async def write(self, data: str | bytes) -> None:
        """Waits until the command can be given more. BrokenPipeError once it takes no more."""
        self.touched = True
        if not isinstance(data, (str, bytes, bytearray, memoryview)):
            raise TypeError(f"write() takes a string or bytes, not {type(data).__name__}")
        await self._process.runtime.on(self._write(data.encode() if isinstance(data, str) else bytes(data)))

    async def close(self) -> None:
        """The end of its input."""
        self.touched = True
        await self._process.runtime.on(self._close())

    async def close_unasked(self) -> None:
        """close(), where nobody asked for it and so nobody will write."""
        if not self.touched:
            self._unasked = True
            await self.close()

    async def _write(self, data: bytes) -> None:
        if self._closed:
            raise ValueError(
                "stdin was closed, since the command was waited for; ask for its stdin first"
                if self._unasked
                else "stdin was closed"
            )
        runtime, op = self._process.runtime, self._process.operation
        for start in range(0, len(data), _WRITE):
            if op.done.done():
                raise BrokenPipeError("the command has ended")
            piece = data[start : start + _WRITE]
            try:
                await runtime.run(_ffi.start, "berth_exec_write", runtime.handle, op.id, piece, len(piece))
            except BerthError as e:
                if op.done.done() or e.code in (c.BERTH_E_CLOSED, c.BERTH_E_NOT_FOUND, c.BERTH_E_IO):
                    raise BrokenPipeError(f"the command takes no more input: {e}") from e
                raise

    async def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if not self._process.operation.done.done():
            try:
                _ffi.call("berth_exec_close_stdin", self._process.runtime.handle, self._process.operation.id)
            except BerthError as e:
                if e.code not in (c.BERTH_E_NOT_FOUND, c.BERTH_E_CLOSED, c.BERTH_E_STATE):
                    raise


def command_options(
    argv: Sequence[str], cwd: str | None, env: Mapping[str, str] | Sequence[str] | None, user: str | None
) -> dict[str, object]:
    """What the ABI wants to know of a command itself."""
    options: dict[str, object] = {"argv": list(argv)}
    if cwd:
        options["cwd"] = cwd
    if env:
        options["env"] = [f"{k}={v}" for k, v in env.items()] if isinstance(env, Mapping) else list(env)
    if user:
        options["user"] = user
    return options


class AsyncProcess:
    """A command that runs. Its output is kept in memory until the object goes; of what was iterated over, the last 16
    MiB of stdout and of stderr. One that prints more than `output_limit` bytes which nobody iterates over is killed,
    and readers and wait() say so.

    A command whose stdin was never asked for gets the end of its input as soon as somebody waits for it or reads its
    output to the end.
    """

    runtime: Runtime
    operation: Operation

    def __init__(self, runtime: Runtime, argv: Sequence[str], timeout: float | None = None) -> None:
        self.runtime = runtime
        self.argv = list(argv)
        #: What runs `argv`, where it does not run by itself.
        self.by: Sequence[str] = ()
        #: As seen inside; 0 where it is not known.
        self.pid = 0
        #: None while it runs; then the exit code, or 128 + the signal that ended it.
        self.returncode: int | None = None
        self._timeout = timeout
        self._error: BerthError | None = None
        self._output = Output()
        self._started = asyncio.Event()
        self._stdin = AsyncStdin(self)
        end = self._stdin.close_unasked
        self.stdout = AsyncStream(runtime, self._output, (STDOUT,), end)
        self.stderr = AsyncStream(runtime, self._output, (STDERR,), end)
        self.logs = AsyncStream(runtime, self._output, (STDOUT, STDERR), end)
        #: The most bytes of output that are held; past it the command is killed, and `overflowed`.
        self.output_limit = OUTPUT_LIMIT
        self.overflowed = False
        #: What becomes of a piece of stdout, and whether that was the last one.
        self.clean: Callable[[bytes, bool], bytes] | None = None
        #: Called once, on the runtime's event loop, before anybody who waits hears of the end.
        self.on_end: Callable[[], None] | None = None

    @property
    def stdin(self) -> AsyncStdin:
        self._stdin.touched = True
        return self._stdin

    async def begin(
        self,
        start: str,
        where: _ffi.Handle,
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | Sequence[str] | None = None,
        user: str | None = None,
        stdin: bytes | Source | None = None,
        pipe: bool = True,
    ) -> None:
        """Starts it; returns when it runs. `start`: the ABI's function; `where`: its handle."""
        options = command_options([*self.by, *self.argv], cwd, env, user)
        options["stdin"] = "pipe" if pipe or stdin is not None else "null"
        text = _ffi.encode(json.dumps(options, ensure_ascii=False))
        self.operation, _ = self.runtime.start(
            _ffi.start, start, where, text, len(text), timeout=self._timeout, on_event=self._event
        )
        try:
            await self._started.wait()
            if self._error and self.pid == 0 and not isinstance(self._error, WaitTimeoutError):
                raise self._error
            if stdin is not None:
                self._stdin.touched = True
                try:
                    if isinstance(stdin, Source):
                        async for piece in stdin:
                            await self._stdin.write(piece)
                    else:
                        await self._stdin.write(stdin)
                    await self._stdin.close()
                except BrokenPipeError:
                    pass  # it did not want to read it all; its exit code tells what it made of that
        except BaseException:
            # Cancelled, or its input cannot be read.
            await self.runtime.cancel(self.operation)
            raise

    def _event(self, event: _ffi.Event) -> None:
        if event.kind == c.BERTH_EVENT_OUTPUT:
            if self._output.size + len(event.payload) > self.output_limit:
                if not self.overflowed:
                    self.overflowed = True
                    self.runtime.ask_to_end(self.operation)
                return
            self._take(event.code, event.payload)
        elif event.kind == c.BERTH_EVENT_STARTED:
            self.pid = event.code
            self._started.set()
        elif event.kind == c.BERTH_EVENT_DONE:
            self._error = event.error
            if self.overflowed:
                self._error = self._output.failure = BerthError(
                    f"{self.argv[0]} printed more than {self.output_limit} bytes that nobody took, and was killed",
                    code=c.BERTH_E_TOO_BIG,
                    code_name="too_big",
                    layer="process",
                    hint="iterate over stdout, stderr or logs, which lets go of what was read; or raise output_limit",
                )
            self.returncode = event.code if self._error is None else 128 + signals.SIGKILL
            if self.clean:
                self._take(STDOUT, b"", last=True)
            try:
                if self.on_end:
                    self.on_end()
            finally:
                self._output.end()
                self._started.set()

    def _take(self, stream: int, piece: bytes, *, last: bool = False) -> None:
        if self.clean and stream == STDOUT:
            piece = self.clean(piece, last)
        if piece:
            self._output.add(stream, piece)

    async def wait(self, timeout: Seconds | None = None) -> int:
        """Its exit code, once it has ended. TimeoutError, with the command still running, after `timeout` seconds.

        WaitTimeoutError (a TimeoutError too) when the command was killed because its own timeout passed. Ctrl-C, or
        cancelling, ends the wait, not the command: kill() does that.
        """
        return await self.runtime.on(self._wait(seconds("timeout", timeout)))

    def poll(self) -> int | None:
        """The exit code, or None while it runs: it waits for nothing."""
        return self.returncode

    async def kill(self, signal: int = signals.SIGKILL) -> None:
        """Sends a signal; nothing happens when the command has ended."""
        await self.runtime.on(self._kill(signal_number(signal)))

    async def __aiter__(self) -> AsyncIterator[str]:
        """The lines of `logs`, as they come."""
        async for line in self.logs:
            yield line

    def __repr__(self) -> str:
        # No arguments: they may be secrets.
        what = "running" if self.returncode is None else f"exit code {self.returncode}"
        return f"<{type(self).__name__} {self.argv[0]}: {what}>"

    async def _wait(self, timeout: float | None) -> int:
        await self._stdin.close_unasked()
        if not self.operation.done.done():
            await asyncio.wait({self.operation.done}, timeout=timeout)
        if not self.operation.done.done():
            raise WaitTimeoutError(f"{self.argv[0]} did not end within {timeout} s", layer="process")
        if self._error:
            if self._error.code == c.BERTH_E_TIMEOUT:
                raise WaitTimeoutError(
                    f"{self.argv[0]} did not end within its {self._timeout} s and was killed",
                    layer="process",
                    code=self._error.code,
                    code_name=self._error.code_name,
                )
            raise self._error
        assert self.returncode is not None
        return self.returncode

    async def _kill(self, signal: int) -> None:
        if self.operation.done.done():
            return
        try:
            await self.runtime.run(_ffi.start, "berth_exec_signal", self.runtime.handle, self.operation.id, int(signal))
        except BerthError as e:
            if not self.operation.done.done() and e.code not in (c.BERTH_E_NOT_FOUND, c.BERTH_E_CLOSED):
                raise

    def text_of(self, *streams: int) -> str:
        """What has been printed so far, whoever read it."""
        return self._output.bytes_of(streams).decode("utf-8", "replace")

    def bytes_of(self, *streams: int) -> bytes:
        return self._output.bytes_of(streams)
