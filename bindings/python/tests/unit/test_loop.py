# SPDX-License-Identifier: Apache-2.0
"""Event loops and what runs on them: commands of this host stand for those of a sandbox."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import time
import weakref
from collections.abc import Callable

import berth
import pytest
from berth import _loop
from berth._loop import current
from berth.process import AsyncProcess
from host import host_of


async def started(*argv: str, on_end: Callable[[], None] | None = None) -> AsyncProcess:
    runtime = current()
    process = AsyncProcess(runtime, argv)
    process.on_end = on_end
    await process.begin("berth_exec_start", host_of(runtime), env={"PATH": os.environ["PATH"]})
    return process


def within(seconds: float, true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("stream", ["stdout", "stderr", "logs"])
def test_reading_to_the_end_is_the_end_of_input_nobody_asked_for(stream: str) -> None:
    async def main() -> None:
        for read in ("read", "read_bytes"):
            process = await started("cat")
            assert not await asyncio.wait_for(getattr(getattr(process, stream), read)(), 60)
            assert await process.wait() == 0
            with pytest.raises(ValueError, match="ask for its stdin first"):
                await process.stdin.write("late")
        asked = await started("cat")
        stdin = asked.stdin
        reading = asyncio.ensure_future(asked.stdout.read())
        await stdin.write("x")
        await stdin.close()
        assert await asyncio.wait_for(reading, 60) == "x"

    asyncio.run(main())


def test_an_error_at_the_end_of_a_command_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    def fails() -> None:
        raise BrokenPipeError("nobody listens")

    async def main() -> None:
        processes = [await started("sh", "-c", "echo x; cat", on_end=fails) for _ in range(10)]
        for process in processes:
            assert await asyncio.wait_for(process.stdout.read(), 60) == "x\n"
            assert await asyncio.wait_for(process.wait(), 60) == 0

    asyncio.run(main())
    assert [r.exc_info[1].args for r in caplog.records if r.exc_info and r.exc_info[1]] == [("nobody listens",)] * 10


def test_a_log_handler_that_fails_loses_no_events() -> None:
    class Fails(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("no disk")

    async def main() -> None:
        runtime, seen, level = current(), [], berth._declarations.BERTH_LOG_ERROR
        asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context["exception"]))
        log = berth._ffi.Event(berth._declarations.BERTH_EVENT_LOG, 0, 0, 0, level, None, b'{"message": "m"}')
        polled = runtime._ffi_loop.poll

        def poll() -> tuple[list[berth._ffi.Event], bool]:
            events, more = polled()
            return [log, *events], more

        runtime._ffi_loop.poll = poll  # type: ignore[method-assign]
        assert await asyncio.wait_for((await started("true")).wait(), 60) == 0
        assert seen and all(isinstance(e, OSError) for e in seen)

    handler = Fails()
    logging.getLogger("berth").addHandler(handler)
    try:
        asyncio.run(main())
    finally:
        logging.getLogger("berth").removeHandler(handler)


def test_an_event_loop_that_closed_over_a_command_is_freed() -> None:
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def leave() -> int:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        return (await started("sleep", "1000")).pid

    pids = [asyncio.run(leave()) for _ in range(3)]

    async def look() -> None:
        current()

    asyncio.run(look())
    assert within(60, lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids))
    # The thread that frees holds them a moment longer.
    assert within(60, lambda: gc.collect() >= 0 and [loop() for loop in loops] == [None] * 3)
    assert not any(loop.is_closed() for loop in _loop._runtimes if loop in [ref() for ref in loops])
