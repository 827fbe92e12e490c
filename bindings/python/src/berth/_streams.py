"""Output of commands: kept as it comes, read by as many readers as there are, each from where it stands."""

from __future__ import annotations

import asyncio
import codecs
import itertools
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from ._loop import sync
from .errors import BerthError

if TYPE_CHECKING:
    from ._loop import Runtime

STDOUT, STDERR = 1, 2

#: Of what has been iterated over, the bytes that are kept for other readers.
KEPT = 16 << 20
#: The longest line that iteration waits for the end of, in characters: a longer one comes in pieces.
LINE = 16 << 20


class Output:
    """What a command has printed so far. Belongs to its runtime's event loop."""

    def __init__(self) -> None:
        self._chunks: deque[tuple[int, bytes]] = deque()
        #: The number of the first chunk that is still there, and of the next to come.
        self.first = self.next = 0
        #: Bytes that are held.
        self.size = 0
        self.ended = False
        #: Why there will be no more of it, where the command did not end by itself: readers raise it at the end.
        self.failure: BerthError | None = None
        self._waiting: list[asyncio.Future[None]] = []

    def add(self, stream: int, data: bytes) -> None:
        self._chunks.append((stream, data))
        self.size += len(data)
        self.next += 1
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
        """Until there are more chunks than that, or the end."""
        while self.next <= position and not self.ended:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future

    def since(self, position: int) -> Iterator[tuple[int, bytes]]:
        return itertools.islice(self._chunks, max(position - self.first, 0), None)

    def bytes_of(self, streams: frozenset[int], start: int = 0) -> bytes:
        return b"".join(data for stream, data in self.since(start) if stream in streams)

    def let_go(self, position: int) -> None:
        """Forgets chunks before that one, beyond KEPT bytes: who follows a log without end fills no memory."""
        while self.first < position and self.size > KEPT:
            self.size -= len(self._chunks.popleft()[1])
            self.first += 1


class AsyncStream:
    """A command's stdout, stderr, or both as they came (logs): an async iterator of lines, and read().

    Bytes that are not UTF-8 become U+FFFD; read_bytes() has them as they are.
    """

    def __init__(self, runtime: Runtime, output: Output, streams: tuple[int, ...]) -> None:
        self._runtime = runtime
        self._output = output
        self._streams = frozenset(streams)
        self._position = 0
        self._decoders = {s: codecs.getincrementaldecoder("utf-8")("replace") for s in streams}
        # Of each stream, the beginning of a line whose end has not come yet.
        self._partial = dict.fromkeys(streams, "")

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

    async def _to_end(self) -> None:
        while not self._output.ended:
            await self._output.beyond(self._output.next)
        self._check()

    def _check(self) -> None:
        """Nothing is cut short without a word."""
        if self._output.ended and self._output.failure:
            raise self._output.failure

    def _decode(self) -> Iterator[tuple[int, str]]:
        chunks = list(self._output.since(self._position))
        self._position = self._output.next
        for stream, data in chunks:
            if stream in self._streams:
                yield stream, self._decoders[stream].decode(data)
        if self._output.ended:
            for stream, decoder in self._decoders.items():
                if rest := decoder.decode(b"", final=True):
                    yield stream, rest

    async def _read(self) -> str:
        await self._to_end()
        begun = "".join(self._partial.values())
        self._partial = dict.fromkeys(self._partial, "")
        return begun + "".join(text for _, text in self._decode())

    async def _read_bytes(self) -> bytes:
        await self._to_end()
        begun = "".join(self._partial.values()).encode()
        self._partial = dict.fromkeys(self._partial, "")
        data = self._output.bytes_of(self._streams, self._position)
        self._position = self._output.next
        return begun + data

    async def _lines(self) -> list[str]:
        found: list[str] = []
        while not found:
            await self._output.beyond(self._position)
            ended = self._output.ended
            for stream, text in self._decode():
                *whole, rest = (self._partial[stream] + text).split("\n")
                found += [line + "\n" for line in whole]
                if len(rest) > LINE:
                    found.append(rest)
                    rest = ""
                self._partial[stream] = rest
            self._output.let_go(self._position)
            if ended:
                if not found:
                    self._check()
                found += [text for text in self._partial.values() if text]
                self._partial = dict.fromkeys(self._partial, "")
                break
        return found


class Stream:
    """As AsyncStream, for code without an event loop: an iterator of lines, and read()."""

    def __init__(self, stream: AsyncStream) -> None:
        self.aio = stream

    def read(self) -> str:
        """All that was not read before, up to the command's end, for which it waits."""
        return sync(self.aio.read())

    def read_bytes(self) -> bytes:
        return sync(self.aio.read_bytes())

    def __iter__(self) -> Iterator[str]:
        while lines := sync(self.aio.lines()):
            yield from lines
