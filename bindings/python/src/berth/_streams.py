# SPDX-License-Identifier: Apache-2.0
"""Output of commands: kept as it comes, read by as many readers as there are, each from where it stands."""

from __future__ import annotations

import asyncio
import codecs
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from . import _declarations as c
from .errors import BerthError

if TYPE_CHECKING:
    from ._loop import Runtime

STDOUT, STDERR = 1, 2

#: Of what has been iterated over, the bytes of each stream that are kept for other readers.
KEPT = 16 << 20
#: The longest line that iteration waits for the end of, in bytes: a longer one comes in pieces.
LINE = 16 << 20
#: What comes in smaller pieces than that is put together.
_BLOCK = 64 << 10
#: What a block takes besides its bytes. Counted where the streams take turns, which a program may do at every byte.
_BLOCK_COST = 256


class _Block:
    """What one stream printed without the other's coming in between."""

    __slots__ = ("start", "data", "cost")

    def __init__(self, start: int, data: bytes, cost: int) -> None:
        self.start = start
        self.data: bytes | bytearray = data
        self.cost = cost

    @property
    def end(self) -> int:
        return self.start + len(self.data)


class Output:
    """What a command has printed so far. Belongs to its runtime's event loop.

    A position is the number of bytes that were printed before it, on any stream."""

    def __init__(self) -> None:
        self._blocks: dict[int, deque[_Block]] = {STDOUT: deque(), STDERR: deque()}
        #: The position of what comes next.
        self.next = 0
        #: Of each stream, the position before which it was let go of.
        self.gone = dict.fromkeys(self._blocks, 0)
        self._held = dict.fromkeys(self._blocks, 0)
        self.ended = False
        #: Why there will be no more of it, where the command did not end by itself: readers raise it at the end.
        self.failure: BerthError | None = None
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def size(self) -> int:
        """Bytes that are held."""
        return sum(self._held.values())

    def add(self, stream: int, data: bytes) -> None:
        blocks = self._blocks[stream]
        last = blocks[-1] if blocks else None
        goes_on = last is not None and last.end == self.next
        if last is not None and goes_on and len(last.data) + len(data) <= _BLOCK:
            if not isinstance(last.data, bytearray):
                last.data = bytearray(last.data)
            last.data += data
            self._held[stream] += len(data)
        else:
            block = _Block(self.next, data, 0 if goes_on or not self.next else _BLOCK_COST)
            blocks.append(block)
            self._held[stream] += len(data) + block.cost
        self.next += len(data)
        self._wake()

    def end(self) -> None:
        self.ended = True
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def beyond(self, position: int) -> None:
        """Until more than that was printed, or the end."""
        while self.next <= position and not self.ended:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future

    def since(self, position: int, streams: Iterable[int]) -> list[tuple[int, bytes | bytearray]]:
        """What these streams printed from there on and is held, in order. To be used at once: it may grow."""
        found: list[tuple[int, int, bytes | bytearray]] = []
        for stream in streams:
            for block in reversed(self._blocks[stream]):
                if block.end <= position:
                    break
                skipped = max(position - block.start, 0)
                found.append((block.start, stream, block.data[skipped:] if skipped else block.data))
        found.sort(key=lambda piece: piece[0])
        return [(stream, data) for _, stream, data in found]

    def bytes_of(self, streams: Iterable[int], start: int = 0) -> bytes:
        return b"".join(data for _, data in self.since(start, streams))

    def let_go(self, position: int, streams: Iterable[int]) -> None:
        """Forgets what these streams printed before that, beyond KEPT bytes of each: who follows a log without end
        fills no memory."""
        for stream in streams:
            blocks = self._blocks[stream]
            while blocks and blocks[0].end <= position and self._held[stream] > KEPT:
                block = blocks.popleft()
                self._held[stream] -= len(block.data) + block.cost
                self.gone[stream] = block.end


class AsyncStream:
    """A command's stdout, stderr, or both as they came (logs): an async iterator of lines, and read().

    Bytes that are not UTF-8 become U+FFFD; read_bytes() has them as they are.

    Of what was iterated over, the last 16 MiB of stdout and of stderr are kept. A reader that comes later, or is
    slower, and misses some of it raises BerthError ("too_big") once, and then goes on with what there is.
    """

    def __init__(
        self,
        runtime: Runtime,
        output: Output,
        streams: tuple[int, ...],
        before_end: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """before_end: awaited before the command's end is waited for."""
        self._runtime = runtime
        self._output = output
        self._streams = streams
        self._before_end = before_end
        self._position = 0
        # Of each stream, the beginning of a line whose end has not come yet, and the gap that was told of.
        self._partial = {stream: bytearray() for stream in streams}
        self._told = dict.fromkeys(streams, 0)

    async def read(self) -> str:
        """All that was not read before, up to the command's end, for which it waits."""
        return await self._runtime.on(self._read())

    async def read_bytes(self) -> bytes:
        return await self._runtime.on(self._read_bytes())

    async def lines(self) -> list[str]:
        """The lines that have come, waiting for the first; empty at the end."""
        return await self._runtime.on(self._lines())

    async def __aiter__(self) -> AsyncIterator[str]:
        while lines := await self.lines():
            for line in lines:
                yield line

    def __str__(self) -> str:
        """What has come so far, whoever read it: nothing is waited for here."""
        return _text(self._output.since(0, self._streams))

    def __repr__(self) -> str:
        names: dict[tuple[int, ...], str] = {(STDOUT,): "stdout", (STDERR,): "stderr"}
        return (
            f"<{type(self).__name__} {names.get(self._streams, 'logs')}: {'ended' if self._output.ended else 'open'}>"
        )

    async def whole(self) -> str:
        """All that it ever held, up to the command's end, for which it waits; whoever read it, and nothing is read by
        this."""
        return await self._runtime.on(self._whole())

    async def _to_end(self) -> None:
        if self._before_end:
            await self._before_end()
        while not self._output.ended:
            await self._output.beyond(self._output.next)
        self._check()

    async def _whole(self) -> str:
        await self._to_end()
        if any(self._output.gone[stream] for stream in self._streams):
            raise _too_late()
        return str(self)

    def _check(self) -> None:
        """Nothing is cut short without a word."""
        if self._output.ended and self._output.failure:
            raise self._output.failure

    def _check_gap(self) -> None:
        """Nor is anything left out."""
        missed = [s for s in self._streams if self._output.gone[s] > max(self._position, self._told[s])]
        for stream in missed:
            self._told[stream] = self._output.gone[stream]
            self._partial[stream].clear()
        if missed:
            raise _too_late()

    def _take(self) -> list[tuple[int, bytes | bytearray]]:
        """What was not read before."""
        begun: list[tuple[int, bytes | bytearray]] = [(s, data) for s, data in self._partial.items() if data]
        self._partial = {stream: bytearray() for stream in self._streams}
        found = self._output.since(self._position, self._streams)
        self._position = self._output.next
        return begun + found

    async def _read(self) -> str:
        await self._to_end()
        self._check_gap()
        return _text(self._take())

    async def _read_bytes(self) -> bytes:
        await self._to_end()
        self._check_gap()
        return b"".join(data for _, data in self._take())

    async def _lines(self) -> list[str]:
        found: list[str] = []
        while not found:
            await self._output.beyond(self._position)
            self._check_gap()
            ended = self._output.ended
            for stream, data in self._output.since(self._position, self._streams):
                first, *more = data.split(b"\n")
                line = self._partial[stream]
                line += first
                for begun in more:
                    found.append(line.decode("utf-8", "replace") + "\n")
                    line = bytearray(begun)
                if len(line) > LINE:
                    found.append(_without_end(line))
                self._partial[stream] = line
            self._position = self._output.next
            self._output.let_go(self._position, self._streams)
            if ended:
                found += [line.decode("utf-8", "replace") for line in self._partial.values() if line]
                self._partial = {stream: bytearray() for stream in self._streams}
                if not found:
                    self._check()
                break
        return found


def _text(pieces: Iterable[tuple[int, bytes | bytearray]]) -> str:
    """A character's bytes come one after the other on its own stream, whatever the other printed between them."""
    decoders = {stream: codecs.getincrementaldecoder("utf-8")("replace") for stream in (STDOUT, STDERR)}
    text = [decoders[stream].decode(data) for stream, data in pieces]
    return "".join(text + [decoder.decode(b"", final=True) for decoder in decoders.values()])


def _too_late() -> BerthError:
    return BerthError(
        f"some of the output was let go of before this reader came to it: of what was iterated over, only the last "
        f"{KEPT >> 20} MiB are kept",
        code=c.BERTH_E_TOO_BIG,
        code_name="too_big",
        layer="process",
        hint="iterate over one of stdout and logs only; reading on gives what is still there",
    )


def _without_end(line: bytearray) -> str:
    """The text of a line so far, taken from it but for the beginning of a character."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(line)
    line[:] = decoder.getstate()[0]
    return text
