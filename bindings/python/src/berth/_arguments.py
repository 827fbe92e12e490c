# SPDX-License-Identifier: Apache-2.0
"""What callers pass, taken for what they mean, or refused here, where it can be said what was wrong with it."""

from __future__ import annotations

import asyncio
import datetime
import numbers
import os
import signal as signals
import threading
from collections.abc import AsyncIterator
from typing import IO, Any

#: A command's input: all of it, or a file of this host, open or by its path, which is read to its end.
Input = str | bytes | bytearray | memoryview | os.PathLike[str] | IO[str] | IO[bytes]
#: A path in a sandbox or on this host.
PathName = str | os.PathLike[str]
#: A number of seconds, or a length of time.
Seconds = float | datetime.timedelta

#: Of a file that is a command's input, at a time.
_PIECE = 256 * 1024
#: More seconds than anybody means. Deadlines are nanoseconds in 64 bits.
_FOR_EVER = 1e9


def seconds(what: str, value: Seconds | None) -> float | None:
    """As a number; None where there is no limit."""
    if isinstance(value, datetime.timedelta):
        value = value.total_seconds()
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{what} is a number of seconds, or a datetime.timedelta, not {value!r}")
    number = float(value)
    if not number >= 0:
        raise ValueError(f"{what} is a number of seconds, not negative, not {value!r}")
    return None if number > _FOR_EVER else number


def path_name(what: str, value: Any) -> str:
    """Of a string or a path. Bytes too, as os.fsdecode has them."""
    if not isinstance(value, (str, bytes, os.PathLike)):
        raise TypeError(f"{what} is a string or a path, not {value!r}")
    return os.fsdecode(value)


def port_number(value: Any) -> int:
    """From 1 to 65535; digits too."""
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6 else value
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 65536:
        raise ValueError(f"not a port, which is a number from 1 to 65535: {value!r}")
    return number


def signal_number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"a signal is a number, as signal.SIGTERM, not {value!r}")
    if not 0 < value < signals.NSIG:
        raise ValueError(f"there is no signal {value}")
    return int(value)


def words_of(argv: tuple[Any, ...]) -> list[str]:
    """A program and its arguments. Paths are arguments too."""
    if len(argv) == 1 and isinstance(argv[0], (list, tuple)):
        raise TypeError("exec() takes the program and its arguments one by one: exec(*words)")
    if not argv or not all(isinstance(word, (str, os.PathLike)) for word in argv):
        raise TypeError("exec() takes the program and its arguments, each a string or a path of its own")
    return [os.fsdecode(word) for word in argv]


class Source:
    """Input that is read from a file while it is wanted."""

    def __init__(self, file: IO[Any], *, ours: bool) -> None:
        self._file = file
        self._ours = ours
        # What there is, of a pipe: not as much as was asked for.
        self._read = getattr(file, "read1", file.read)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await _in_thread_that_ends_with_us(self._next):
            yield piece

    def _next(self) -> bytes:
        piece = self._read(_PIECE)
        if not isinstance(piece, (str, bytes)):
            raise TypeError(f"stdin is a file whose read() gives bytes or text, not {type(piece).__name__}")
        return piece.encode() if isinstance(piece, str) else piece

    def close(self) -> None:
        if self._ours:
            self._file.close()


def input_of(stdin: Any) -> bytes | Source | None:
    if stdin is None or isinstance(stdin, bytes):
        return stdin
    if isinstance(stdin, str):
        return stdin.encode()
    if isinstance(stdin, (bytearray, memoryview)):
        return bytes(stdin)
    if isinstance(stdin, os.PathLike):
        return Source(open(stdin, "rb"), ours=True)
    if callable(getattr(stdin, "read", None)):
        return Source(stdin, ours=False)
    raise TypeError(f"stdin is a string, bytes, a path or an open file, not {stdin!r}")


async def _in_thread_that_ends_with_us(work: Any) -> bytes:
    """Not in a pool, whose threads are waited for at the interpreter's end: a terminal may never give another line."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bytes] = loop.create_future()

    def tell(result: bytes, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

    def run() -> None:
        result, error = b"", None
        try:
            result = work()
        except BaseException as e:
            error = e
        try:
            loop.call_soon_threadsafe(tell, result, error)
        except RuntimeError:
            pass  # nobody waits any more: the event loop was closed

    threading.Thread(target=run, name="berth-input", daemon=True).start()
    return await done
