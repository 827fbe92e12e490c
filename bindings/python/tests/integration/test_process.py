"""Commands in a sandbox."""

from __future__ import annotations

import asyncio
import threading
import time

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
    process = box.exec("sh", "-c", "echo begun; sleep 1000", timeout=0.5)
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


def test_cancelling_what_has_no_handle_ends_the_command(box: berth.Sandbox) -> None:
    async def main() -> None:
        box_fifo = "/tmp/a-fifo"
        await (await box.aio.exec("mkfifo", box_fifo)).wait()
        reading = asyncio.ensure_future(box.aio.fs.read_bytes(box_fifo))
        await asyncio.sleep(0.3)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(main())
    assert not running(box, "cat -- /tmp/a-fifo")


def test_pid_is_that_inside(box: berth.Sandbox) -> None:
    process = box.exec("sleep", "1000")
    assert box.fs.read_text(f"/proc/{process.pid}/comm") == "sleep\n"
    process.kill()
    assert process.wait() == 137
    assert box.exec("/no/such/program").pid == 0
