# SPDX-License-Identifier: Apache-2.0
"""Errors, progress and streams."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import io
import logging
import pickle
import sys
from typing import Any

import berth
import pytest
from berth import errors, progress
from berth._cancel import Cancelled, check, ending, in_thread
from berth.creation import in_our_words
from berth.sandbox import AsyncSandbox
from berth._streams import KEPT, LINE, AsyncStream, Output


def test_errors_survive_pickling() -> None:
    for error in (
        errors.DockerCommandError(["docker", "run"], 3, "words", hint_id="i", hint="h"),
        errors.DockerNotReadyError("m", state="failed", reason="r", log_tail="t", hint_id="h"),
        errors.SandboxFileNotFound("m", path="/x", code=-12),
    ):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error) and str(again) == str(error) and again.__dict__ == error.__dict__


def test_a_failed_docker_command_tells_its_words_and_no_secret() -> None:
    error = errors.DockerCommandError(["docker", "run", "--env=TOKEN=secret", "img"], 1, "words\n", "not these")
    assert str(error) == "docker: `docker run` exited with 1: words" and error.command[2] == "--env=TOKEN=secret"
    # docker exec says on stdout why the command could not be started.
    assert str(errors.DockerCommandError(["docker", "exec", "c", "x"], 126, "", "cannot\n")).endswith("126: cannot")
    assert str(errors.DockerCommandError(["docker", "rmi", "a"], 1, "")) == "docker: `docker rmi a` exited with 1"
    known = errors.DockerCommandError(
        ["docker", "pause", "a"], 1, "words", hint_id="BERTH-FREEZER", hint="cause: remedy"
    )
    assert str(known) == "docker: `docker pause a` exited with 1: words; cause: remedy"


@pytest.mark.parametrize(
    ("given", "kind", "said"),
    [
        ({"image": "ubuntu:22.04"}, TypeError, "Image.from_registry"),
        ({"cpu": "1"}, TypeError, "cpu is a number"),
        ({"timeout": "60"}, TypeError, "timeout is a number"),
        ({"ports": "8080"}, TypeError, r"as \[8080\]"),
        ({"ports": 8080}, TypeError, r"as \[8080\]"),
        ({"ports": {"80": 8080}}, TypeError, r"as \[8080\]"),
        ({"ports": ["http"]}, ValueError, "not a port"),
        ({"ports": [65536]}, ValueError, "not a port"),
        ({"volumes": "/a:/b"}, TypeError, "volumes is a list of strings"),
        ({"volumes": ["/a:/b", 1]}, TypeError, "volumes is a list of strings"),
        ({"volumes": {"/a": "/b"}}, TypeError, "a volume is {'bind': path"),
        ({"volumes": {"/a": {"bind": "/b", "propagation": "x"}}}, TypeError, "a volume is {'bind': path"),
        ({"volumes": {"/a": {"bind": "/b", "mode": "z"}}}, ValueError, "'rw' or 'ro', not 'z'"),
        ({"volumes": {"/a:b": {"bind": "/b"}}}, ValueError, "with a colon"),
        ({"volumes": {"data": {"bind": "/b"}}}, ValueError, "of this host, by its path"),
        ({"wait_for_docker": True}, berth.InvalidError, "add docker_enabled=True"),
        ({"docker_enabled": True, "wait_for_docker": 30}, TypeError, "wait_for_docker is True or False"),
        ({"rootfs": 5}, TypeError, "rootfs is a string or a path"),
        ({"dockerd_args": ["--mtu", 1400]}, TypeError, "dockerd_args is a list of strings"),
        ({"cpu": -1}, ValueError, "cpu is a number, not negative"),
        ({"timeout": float("nan")}, ValueError, "timeout is a number, not negative"),
        ({"env": {"A=B": "1"}}, ValueError, "not a name of a variable: 'A=B'"),
        ({"memory": 1.5}, TypeError, "memory is a size"),
        ({"docker_enabled": "no"}, TypeError, "docker_enabled is True or False"),
        ({"env": ["A=1"]}, TypeError, "env is a dict of strings"),
        ({"env": {"A": 1}}, TypeError, "the value of 'A' is of type int"),
        ({"data_root": "tmpfs"}, berth.InvalidError, "add docker_enabled=True"),
        ({"image": berth.Image.from_registry("a"), "rootfs": "/"}, TypeError, "exclude each other"),
    ],
)
def test_a_sandbox_that_cannot_be_meant(given: dict[str, Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        berth.Sandbox(**given)


def test_errors_have_the_names_of_arguments() -> None:
    error = in_our_words(
        berth.InvalidError(
            "--cpus=0.001 is too little beside --memory",
            path="--data-root",
            hint="write --memory-mib or --id; see berth run --help",
        )
    )
    assert str(error) == "cpu=0.001 is too little beside memory (data_root); write --memory-mib or name"
    assert error.args == (error.message,)


def test_a_url_before_there_is_a_sandbox() -> None:
    with pytest.raises(berth.SandboxError, match="not created yet"):
        berth.Sandbox(rootfs="/", ports=[80]).url(80)


@pytest.mark.parametrize("port", [99999, 0, -1, "99999", "8080x", "", True, 80.0, None])
def test_a_url_of_what_is_no_port(port: Any) -> None:
    box = AsyncSandbox(None, "id", {"network": {"address": "10.0.0.2"}})
    assert box.url(8080) == box.url("8080") == "http://10.0.0.2:8080"
    with pytest.raises(ValueError, match="not a port"):
        box.url(port)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_for_terminals(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "berth")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    progress.say("shown")
    with progress.progress("Doing...", "done"):
        pass
    with contextlib.suppress(RuntimeError), progress.progress("Failing...", "never said"):
        raise RuntimeError
    assert terminal.getvalue() == "shown\nDoing...\n✓ done\nFailing...\n"
    assert not caplog.records
    berth.show_progress(False)
    progress.say("logged")
    berth.show_progress(None)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    progress.say("logged too")
    assert [r.getMessage() for r in caplog.records] == ["logged", "logged too"]


def test_what_goes_on_is_a_line_that_is_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "berth")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setattr(progress, "_OFTEN", -1)
    with progress.progress("Doing...", "done") as at:
        at("one \x1b[31m\r\u202e\n")
        progress.say("between")
        at("\n")
        at("long" * 100)
    shown = terminal.getvalue()
    clear = "\r\x1b[2K"
    assert shown == f"Doing...\n  0 s  one [31m{clear}between\n{('  0 s  ' + 'long' * 10)[:29]}{clear}✓ done\n"
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(progress, "_SELDOM", -1)
    with contextlib.suppress(RuntimeError), progress.progress("Failing...", "never said") as at:
        at("two")
        raise RuntimeError
    assert [r.getMessage() for r in caplog.records] == ["Failing...", "Failing... (0 s) two"]


class Gone(Terminal):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_terminal_that_is_gone_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Gone())
    with progress.progress("Doing...", "done"):
        pass


class Here:
    """A runtime of which only on() is wanted."""

    async def on(self, coroutine):  # type: ignore[no-untyped-def]
        return await coroutine


def test_streams() -> None:
    async def main() -> None:
        output = Output()
        out = AsyncStream(Here(), output, (1,))  # type: ignore[arg-type]
        both = AsyncStream(Here(), output, (1, 2))  # type: ignore[arg-type]
        late = AsyncStream(Here(), output, (1,))  # type: ignore[arg-type]
        reading = asyncio.ensure_future(out.lines())
        await asyncio.sleep(0)
        output.add(1, b"par")
        output.add(2, b"err\n")
        await asyncio.sleep(0)
        assert not reading.done()
        output.add(1, b"t\ntwo\nth\xc3")
        assert await reading == ["part\n", "two\n"]
        assert await both.lines() == ["err\n", "part\n", "two\n"]
        output.add(1, b"\xa9")
        output.end()
        assert await out.lines() == ["thé"]
        assert await out.lines() == [] and await out.read() == ""
        assert await late.read() == "part\ntwo\nthé"
        assert [line async for line in both] == ["thé"]

    asyncio.run(main())


def test_following_without_end_fills_no_memory() -> None:
    async def main() -> None:
        output = Output()
        follower = AsyncStream(Here(), output, (1,))  # type: ignore[arg-type]
        late = AsyncStream(Here(), output, (1,))  # type: ignore[arg-type]
        line = b"x" * 1_000_000 + b"\n"
        for i in range(100):
            output.add(1, line)
            assert await follower.lines() == [line.decode()]
            assert output.next == (i + 1) * len(line)
        assert output.size == KEPT // len(line) * len(line)
        output.end()
        assert await follower.lines() == []
        # Who comes late is told once that the beginning is missing, and has the rest.
        with pytest.raises(berth.BerthError, match="the last 16 MiB are kept"):
            await late.read_bytes()
        assert len(await late.read_bytes()) == KEPT // len(line) * len(line)
        # Who only reads at the end has all of it.
        unread = Output()
        reader = AsyncStream(Here(), unread, (1,))  # type: ignore[arg-type]
        for _ in range(100):
            unread.add(1, line)
        unread.end()
        assert len(await reader.read_bytes()) == 100 * len(line)

    asyncio.run(main())


def test_following_one_stream_keeps_the_other() -> None:
    async def main() -> None:
        output = Output()
        out = AsyncStream(Here(), output, (1,))  # type: ignore[arg-type]
        err = AsyncStream(Here(), output, (2,))  # type: ignore[arg-type]
        slow = AsyncStream(Here(), output, (1, 2))  # type: ignore[arg-type]
        output.add(1, b"one\nbeg")
        output.add(2, b"why it failed\n")
        assert await slow.lines() == ["one\n", "why it failed\n"]
        for _ in range(20):
            output.add(1, b"x" * 1_000_000 + b"\n")
            await out.lines()
        with pytest.raises(berth.BerthError) as e:
            await slow.lines()
        assert e.value.code_name == "too_big"
        assert set(await slow.lines()) == {"x" * 1_000_000 + "\n"}
        output.end()
        assert await err.read() == "why it failed\n"
        assert output.bytes_of((2,)) == b"why it failed\n"

    asyncio.run(main())


def test_bytes_come_as_they_were_after_a_line_was_taken() -> None:
    async def main() -> None:
        output = Output()
        out = AsyncStream(Here(), output, (1,))  # type: ignore[arg-type]
        output.add(1, b"line\n\xff\xc3")
        assert await out.lines() == ["line\n"]
        output.add(1, b"\x28")
        output.end()
        assert await out.read_bytes() == b"\xff\xc3\x28" and await out.read() == ""

    asyncio.run(main())


def test_output_byte_by_byte_takes_no_more_memory_than_is_counted() -> None:
    output, whole = Output(), Output()
    for _ in range(10_000):
        whole.add(1, b"x")
        output.add(1, b"x")
        output.add(2, b"y")
    assert whole.size == 10_000
    assert output.size > 20_000 * 200
    assert output.bytes_of((1, 2)) == b"xy" * 10_000 and output.bytes_of((2,), 19_998) == b"y"


def test_a_line_without_end_comes_in_pieces() -> None:
    async def main() -> None:
        output = Output()
        reader = AsyncStream(Here(), output, (1,))  # type: ignore[arg-type]
        output.add(1, b"x" * LINE)
        output.add(1, b"y\xc3")
        assert [len(line) for line in await reader.lines()] == [LINE + 1]
        output.add(1, b"\xa9\n")
        output.end()
        assert await reader.lines() == ["é\n"] and await reader.lines() == []

    asyncio.run(main())


def test_what_was_cut_short_is_not_read_as_a_whole() -> None:
    async def main() -> None:
        output = Output()
        readers = [AsyncStream(Here(), output, (1,)) for _ in range(3)]  # type: ignore[arg-type]
        output.add(1, b"one\ntw")
        output.failure = berth.BerthError("too much")
        output.end()
        with pytest.raises(berth.BerthError, match="too much"):
            await readers[0].read()
        with pytest.raises(berth.BerthError, match="too much"):
            await readers[1].read_bytes()
        seen = []
        with pytest.raises(berth.BerthError, match="too much"):
            async for line in readers[2]:
                seen.append(line)
        assert seen == ["one\n", "tw"]

    asyncio.run(main())


def test_more_work_than_the_pool_has_threads_is_cancelled_too() -> None:
    import threading

    begun, ended = threading.Semaphore(0), threading.Event()

    def work() -> None:
        with ending(ended.set):
            begun.release()
            ended.wait(60)

    async def main() -> None:
        asyncio.get_running_loop().set_default_executor(concurrent.futures.ThreadPoolExecutor(1))
        tasks = [asyncio.ensure_future(in_thread(work)) for _ in range(6)]
        for _ in tasks:
            assert await asyncio.to_thread(begun.acquire, timeout=30)
        for task in tasks:
            task.cancel()
        for task in tasks:
            with pytest.raises(asyncio.CancelledError):
                await task
        assert ended.is_set()

    asyncio.run(main())


def test_cancelling_reaches_a_worker_thread() -> None:
    import threading

    ended, seen = threading.Event(), []

    def work() -> None:
        with ending(ended.set):
            ended.wait(30)
        seen.append("not reached")

    def quick() -> int:
        check()
        return 3

    async def main() -> None:
        assert await in_thread(quick) == 3
        task = asyncio.ensure_future(in_thread(work))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert ended.is_set() and seen == []
    with ending(ended.clear):
        pass
    assert issubclass(Cancelled, Exception)
