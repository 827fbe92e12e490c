# SPDX-License-Identifier: Apache-2.0
"""Commands in a sandbox."""

from __future__ import annotations

import asyncio
import datetime
import io
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import berth
import pytest


def test_streams_apart_and_together(box: berth.Sandbox) -> None:
    process = box.exec("sh", "-c", "echo out; echo err >&2; exit 3")
    assert process.wait() == 3
    assert process.returncode == 3 and process.poll() == 3
    assert process.stdout.read() == "out\n"
    assert process.stderr.read() == "err\n"
    assert sorted(process.logs.read().splitlines()) == ["err", "out"]
    assert process.stdout.read() == ""


def test_also_as_process_exec(box: berth.Sandbox) -> None:
    process = box.process.exec("echo", "hello")
    assert process.logs.read() == "hello\n"


def test_lines_come_as_they_are_printed(box: berth.Sandbox) -> None:
    process = box.exec("sh", "-c", "echo one; read x; echo two $x; printf three")
    lines = iter(process.stdout)
    assert next(lines) == "one\n"
    assert process.poll() is None
    process.stdin.write("and a half\n")
    assert list(lines) == ["two and a half\n", "three"]
    assert process.wait() == 0


def test_no_shell_sees_the_arguments(box: berth.Sandbox) -> None:
    words = ["$HOME", "a b", "*", "'", '"', "\n", "é", "-n", "; exit 1"]
    assert box.exec("printf", "%s\\0", *words).stdout.read() == "".join(w + "\0" for w in words)


def test_environment_and_directory(box: berth.Sandbox) -> None:
    process = box.exec("sh", "-c", 'echo "$A|$FROM_SANDBOX|$PWD"', cwd="/etc", env={"A": "x\ny"})
    assert process.stdout.read() == "x\ny|a b|/etc\n"


def test_user(box: berth.Sandbox) -> None:
    assert box.exec("id", "-u", user="1234").stdout.read() == "1234\n"
    assert box.exec("id", "-un", user="nobody").stdout.read() == "nobody\n"


def test_stdin_whole_and_streamed(box: berth.Sandbox) -> None:
    data = bytes(range(256)) * 4000
    whole = box.exec("cat", stdin=data)
    assert whole.stdout.read_bytes() == data
    streamed = box.exec("sha256sum")
    for start in range(0, len(data), 100_000):
        streamed.stdin.write(data[start : start + 100_000])
    streamed.stdin.close()
    import hashlib

    assert streamed.stdout.read().split()[0] == hashlib.sha256(data).hexdigest()
    with pytest.raises(ValueError):
        streamed.stdin.write("more")


def test_stdin_from_a_file_of_this_host(box: berth.Sandbox, tmp_path: Path) -> None:
    data = bytes(range(256)) * 4000
    path = tmp_path / "input"
    path.write_bytes(data)
    assert box.exec("cat", stdin=path).stdout.read_bytes() == data
    with open(path, "rb") as f:
        f.seek(len(data) - 10)
        assert box.exec("cat", stdin=f).stdout.read_bytes() == data[-10:]
        assert not f.closed
    path.write_text("é" * 300_000)
    with open(path, encoding="utf-8") as text:
        assert box.exec("cat", stdin=text).stdout.read() == "é" * 300_000
    assert box.exec("cat", stdin=bytearray(b"b")).stdout.read() == "b"
    with pytest.raises(FileNotFoundError):
        box.exec("cat", stdin=tmp_path / "none")
    with pytest.raises(TypeError, match="an open file"):
        box.exec("cat", stdin=5)  # type: ignore[arg-type]


def test_input_that_cannot_be_read_ends_the_command(box: berth.Sandbox, tmp_path: Path) -> None:
    class Broken(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        box.exec("sh", "-c", "sleep 1004; cat", stdin=Broken())  # type: ignore[arg-type]
    assert not running(box, "sleep 1004")


def test_a_pipe_that_gives_nothing_more_holds_no_process_up(box: berth.Sandbox) -> None:
    reading, writing = os.pipe()
    script = f"""
import berth, asyncio
async def main():
    box = await berth.AsyncSandbox.connect({box.id!r})
    try:
        await asyncio.wait_for(box.exec("cat", stdin=open({reading}, "rb")), 2)
    except TimeoutError:
        print("given up")
asyncio.run(main())
"""
    try:
        done = subprocess.run(
            [sys.executable, "-c", script], pass_fds=[reading], capture_output=True, text=True, timeout=120
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert done.stdout == "given up\n" and done.returncode == 0, done.stderr


def test_paths_and_lengths_of_time_are_what_people_pass(box: berth.Sandbox) -> None:
    assert box.exec("ls", Path("/etc/passwd"), cwd=Path("/tmp")).stdout.read() == "/etc/passwd\n"
    assert box.exec("id", "-u", user=1234).stdout.read() == "1234\n"
    process = box.exec("sleep", "1000", timeout=datetime.timedelta(seconds=0.2))
    with pytest.raises(berth.WaitTimeoutError):
        process.wait(float("inf"))
    wrong: Any = "5"
    for call in (
        lambda: box.exec("true", timeout=wrong),
        lambda: box.exec("true").wait(wrong),
        lambda: box.exec(["ls", "-l"]),  # type: ignore[arg-type]
        lambda: box.exec("true", cwd=5),  # type: ignore[arg-type]
        lambda: box.exec("true").stdin.write(5),  # type: ignore[arg-type]
        lambda: box.exec("true").kill("TERM"),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError, match="is a number|one by one|is a string or a path|takes a string"):
            call()
    for number in (-1, float("nan")):
        with pytest.raises(ValueError, match="not negative"):
            box.exec("true", timeout=number)


def test_printing_a_stream_prints_what_it_holds(box: berth.Sandbox) -> None:
    process = box.exec("sh", "-c", "echo out; echo err >&2; sleep 0.3; echo more")
    assert f"{process.stdout}" == "out\nmore\n" and str(process.stderr) == "err\n"
    assert process.stdout.read() == "out\nmore\n", "what was printed was not read"
    assert str(process.stdout) == "out\nmore\n"
    assert repr(process.stdout) == "<Stream stdout: ended>" and repr(process.aio.logs) == "<AsyncStream logs: ended>"
    assert repr(process) == "<Process sh: exit code 0>"


def test_iterating_over_a_process_gives_its_lines(box: berth.Sandbox) -> None:
    process = box.exec("sh", "-c", "echo out; sleep 0.2; echo err >&2")
    assert list(process) == ["out\n", "err\n"]

    async def main() -> None:
        process = await box.aio.exec("sh", "-c", "echo out; sleep 0.2; echo err >&2; cat >/dev/null")
        assert process.poll() is None
        seen = []
        async for line in process:
            seen.append(line)
            if len(seen) == 2:
                await process.stdin.close()
        assert seen == ["out\n", "err\n"] and str(process.logs) == "out\nerr\n"
        assert await process.wait() == 0 and process.poll() == 0

    asyncio.run(main())


def test_a_command_whose_stdin_nobody_asked_for_gets_its_end(box: berth.Sandbox) -> None:
    assert box.exec("cat").wait(60) == 0


def test_reading_to_the_end_is_waiting_for_it(box: berth.Sandbox) -> None:
    assert box.exec("cat", timeout=120).stdout.read() == ""
    assert box.exec("sh", "-c", "cat; echo done >&2", timeout=120).stderr.read_bytes() == b"done\n"


def test_writing_to_one_that_has_ended(box: berth.Sandbox) -> None:
    process = box.exec("true")
    stdin = process.stdin
    process.wait()
    with pytest.raises(BrokenPipeError):
        stdin.write("x")


def test_timeout_kills(box: berth.Sandbox) -> None:
    process = box.exec("sh", "-c", "echo begun; sleep 1000", timeout=3)
    with pytest.raises(berth.WaitTimeoutError):
        process.wait()
    assert process.returncode == 137
    assert process.stdout.read() == "begun\n"
    assert not running(box, "sleep 1000")


def test_wait_with_a_timeout_lets_it_run(box: berth.Sandbox) -> None:
    process = box.exec("sleep", "1001")
    with pytest.raises(TimeoutError):
        process.wait(0.1)
    assert process.poll() is None
    process.kill()
    assert process.wait() == 137
    process.kill()
    assert not running(box, "sleep 1001")


def running(box: berth.Sandbox, what: str) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if what not in box.exec("ps", "-eo", "args").stdout.read():
            return False
        time.sleep(0.1)
    return True


def test_signals(box: berth.Sandbox) -> None:
    process = box.exec("sh", "-c", "trap 'echo caught; exit 9' TERM; echo ready; while :; do sleep 0.05; done")
    lines = iter(process.stdout)
    assert next(lines) == "ready\n"
    process.kill(15)
    assert next(lines) == "caught\n"
    assert process.wait() == 9
    assert box.exec("sh", "-c", "kill -TERM $$").wait() == 128 + 15


def test_no_such_program(box: berth.Sandbox) -> None:
    assert box.exec("there-is-no-such-program").wait() == 127
    with pytest.raises(TypeError):
        box.exec()
    with pytest.raises(TypeError):
        box.exec("echo", 1)  # type: ignore[arg-type]


def test_bytes_that_are_not_text(box: berth.Sandbox) -> None:
    process = box.exec("printf", "\\303\\050\\377")
    assert process.stdout.read() == "�(�"
    assert process.logs.read_bytes() == b"\xc3\x28\xff"
    split = box.exec("sh", "-c", "printf '\\303'; sleep 0.1; printf '\\251\\n'")
    assert list(split.stdout) == ["é\n"]


def test_much_output(box: berth.Sandbox) -> None:
    process = box.exec("sh", "-c", "head -c 30000000 /dev/zero | tr '\\0' x")
    assert process.stdout.read() == "x" * 30_000_000
    assert process.wait() == 0


def test_twenty_at_once_from_threads(box: berth.Sandbox) -> None:
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda i=i: codes.append(box.exec("sh", "-c", f"exit {i}").wait())) for i in range(20)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(codes) == list(range(20))


def test_cancelling_a_read_leaves_the_command_and_its_output(box: berth.Sandbox) -> None:
    async def main() -> None:
        process = await box.aio.exec("sh", "-c", "read x; echo $x")
        stdin = process.stdin  # asked for: reading does not end it
        reading = asyncio.ensure_future(process.stdout.read())
        await asyncio.sleep(0.05)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await stdin.write("still here\n")
        assert await process.stdout.read() == "still here\n"

    asyncio.run(main())


def test_what_nobody_writes_to_is_not_read_as_a_file(box: berth.Sandbox) -> None:
    box.exec("mkfifo", "/tmp/a-fifo").wait()
    with pytest.raises(berth.BerthError, match="a FIFO is read by a command"):
        box.fs.read_bytes("/tmp/a-fifo")


def test_pid_is_that_inside(box: berth.Sandbox) -> None:
    process = box.exec("sleep", "1000")
    assert box.fs.read_text(f"/proc/{process.pid}/comm") == "sleep\n"
    process.kill()
    assert process.wait() == 137
    assert box.exec("/no/such/program").pid == 0
