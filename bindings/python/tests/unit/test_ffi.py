# SPDX-License-Identifier: Apache-2.0
"""The C ABI as ctypes sees it: current with the headers, of the right sizes, and safe to misuse."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import berth
import pytest
from berth import _declarations as c
from berth import _ffi, _loop
from host import host_of

SOURCE = Path(__file__).resolve().parents[4]
#: What the scripts of these tests may import.
HELPERS = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}


def test_the_declarations_are_what_the_headers_say() -> None:
    done = subprocess.run([sys.executable, SOURCE / "bindings/python/generate_ffi.py", "--check"], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_every_promised_symbol_is_declared() -> None:
    symbols = (SOURCE / "capi/berth.symbols").read_text().split()
    promised = {s for s in symbols if s.startswith("berth_") and "unstable" not in s}
    assert {s.partition("@")[0] for s in promised} == set(c.FUNCTIONS)


def test_structures_are_laid_out_as_in_c(tmp_path: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler, "a C compiler is needed: run scripts/setup packages"
    lines = ['#include "berth.h"', "#include <stdio.h>", "int main(void) {"]
    for name, fields in c.STRUCTURES.items():
        lines.append(f'  printf("{name} %zu", sizeof({name}));')
        lines += [f'  printf(" %zu", offsetof({name}, {field}));' for field, _, _ in fields]
        lines.append('  printf("\\n");')
    (tmp_path / "sizes.c").write_text("\n".join([*lines, "  return 0;", "}"]))
    subprocess.run(
        [compiler, "-std=c11", f"-I{SOURCE}/capi/include", tmp_path / "sizes.c", "-o", tmp_path / "sizes"], check=True
    )
    printed = subprocess.run([tmp_path / "sizes"], capture_output=True, text=True, check=True).stdout
    ours = ""
    for name, fields in c.STRUCTURES.items():
        kind = _ffi.STRUCTURES[name]
        offsets = [str(getattr(kind, field).offset) for field, _, _ in fields]
        ours += " ".join([name, str(ctypes.sizeof(kind)), *offsets]) + "\n"
    assert ours == printed


def test_a_handle_of_another_kind_is_refused_by_ctypes() -> None:
    loop = _ffi.Loop(0)
    try:
        with pytest.raises(ctypes.ArgumentError):
            _ffi.lib().berth_spec_free(loop.handle)
    finally:
        loop.free()


def test_freed_twice_and_used_after() -> None:
    loop = _ffi.Loop(0)
    loop.free()
    loop.free()
    with pytest.raises(berth.BerthError) as e:
        loop.poll()
    assert e.value.code_name in ("closed", "invalid")
    with pytest.raises(berth.BerthError):
        loop.cancel(12345)


def test_null_and_wrong_arguments_are_errors() -> None:
    with pytest.raises(berth.InvalidError):
        _ffi.call_for_buffer("berth_spec_to_json", None)
    with pytest.raises(berth.BerthError):
        _ffi.make_handle("berth_spec", "berth_spec_parse", b"{", 1)


def test_an_error_carries_all_that_the_library_says() -> None:
    with pytest.raises(berth.SpecError) as e:
        _ffi.make_handle("berth_spec", "berth_spec_parse", b'{"a":1,"a":2}', 13)
    assert e.value.code == c.BERTH_E_SPEC_DUPLICATE_KEY
    assert e.value.code_name == "spec_duplicate_key"
    assert e.value.layer == "spec"
    assert e.value.path


def test_a_code_newer_than_this_package_falls_to_its_range() -> None:
    from berth.errors import BerthError, DockerError, SpecError, error_class

    assert error_class(-39, "spec_something_new") is SpecError
    assert error_class(-98, "docker_something_new") is DockerError
    assert error_class(-5000, "from_the_future") is BerthError


async def host_command(*argv: str, timeout: float | None = None) -> berth.AsyncProcess:
    runtime = _loop.current()
    process = berth.AsyncProcess(runtime, list(argv), timeout)
    await process.begin("berth_exec_start", host_of(runtime), pipe=False)
    return process


def test_two_hundred_waits_on_one_event_loop_take_no_threads() -> None:
    async def main() -> tuple[list[int], int]:
        before = threading.active_count()
        processes = await asyncio.gather(*(host_command("/bin/sh", "-c", f"exit {i}") for i in range(200)))
        waits = [asyncio.ensure_future(p.wait()) for p in processes]
        threads = threading.active_count() - before
        return await asyncio.gather(*waits), threads

    codes, threads = asyncio.run(main())
    assert codes == list(range(200))
    assert threads == 0


def test_cancelling_waits_for_the_end_of_what_is_cancelled() -> None:
    async def main() -> int:
        process = await host_command("/bin/sleep", "1000")
        task = asyncio.ensure_future(process.runtime.outcome(process.operation))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert process.operation.done.done()
        return process.pid

    pid = asyncio.run(main())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_output_that_nobody_takes_ends_the_command_and_is_told() -> None:
    async def main() -> None:
        process = await host_command("/bin/sh", "-c", "echo $$; exec cat /dev/zero")
        process.output_limit = 1 << 20
        with pytest.raises(berth.BerthError, match="more than 1048576 bytes") as told:
            await process.wait()
        assert told.value.code_name == "too_big" and process.overflowed and process.returncode == 137
        printed = process.bytes_of(1)
        assert 0 < len(printed) <= 1 << 20
        with pytest.raises(ProcessLookupError):
            os.kill(int(printed.split(b"\n")[0]), 0)
        with pytest.raises(berth.BerthError, match="nobody took"):
            await process.stdout.read()
        # Who iterates lets go of what was read.
        followed = await host_command("/bin/sh", "-c", "yes 0123456789 | head -n 8000000")
        followed.output_limit = 32 << 20
        assert sum([len(line) async for line in followed.stdout]) == 88_000_000

    asyncio.run(main())


def test_a_deadline_kills_the_command() -> None:
    async def main() -> None:
        process = await host_command("/bin/sleep", "1000", timeout=0.05)
        with pytest.raises(berth.WaitTimeoutError):
            await process.wait()
        assert process.returncode == 137

    asyncio.run(main())


def test_cancelled_twice_and_after_the_end() -> None:
    async def main() -> None:
        process = await host_command("/bin/true")
        assert await process.wait() == 0
        runtime = process.runtime
        await runtime.cancel(process.operation)
        runtime._ffi_loop.cancel(process.operation.id)
        runtime._ffi_loop.cancel(process.operation.id)

    asyncio.run(main())


def test_a_closed_event_loop_takes_its_berth_loop_with_it() -> None:
    async def main() -> None:
        assert await (await host_command("/bin/true")).wait() == 0

    def descriptors() -> int:
        gc.collect()
        return len(list(Path("/proc/self/fd").iterdir()))

    asyncio.run(main())
    before = descriptors()
    for _ in range(20):
        asyncio.run(main())
    assert descriptors() <= before + 2


def test_many_threads_share_the_sync_interface() -> None:
    from berth._loop import sync

    codes: list[int] = []

    async def run(i: int) -> int:
        return await (await host_command("/bin/sh", "-c", f"exit {i}")).wait()

    threads = [threading.Thread(target=lambda i=i: codes.append(sync(run(i)))) for i in range(30)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(codes) == list(range(30))


def test_output_larger_than_every_limit_arrives_whole() -> None:
    async def main() -> int:
        process = await host_command("/bin/sh", "-c", "head -c 20000000 /dev/zero")
        data = await process.stdout.read_bytes()
        assert data == bytes(20_000_000)
        return await process.wait()

    assert asyncio.run(main()) == 0


def test_after_fork_the_child_makes_its_own() -> None:
    script = """
import os, asyncio, sys
import berth
from berth import _loop
from host import host_of
async def run(code):
    r = _loop.current()
    p = berth.AsyncProcess(r, ["/bin/sh", "-c", f"exit {code}"])
    await p.begin("berth_exec_start", host_of(r), pipe=False)
    return await p.wait(), p
code, old = _loop.sync(run(3))
assert code == 3
pid = os.fork()
if pid == 0:
    try:
        assert _loop.sync(run(4))[0] == 4
        try:
            _loop.sync(old.wait())
        except RuntimeError as e:
            assert "fork" in str(e), e
        else:
            raise AssertionError("a process of the parent was waited for in the child")
        os._exit(0)
    except BaseException as e:
        print(repr(e), file=sys.stderr, flush=True)
        os._exit(1)
_, status = os.waitpid(pid, 0)
assert os.waitstatus_to_exitcode(status) == 0
assert _loop.sync(run(5))[0] == 5
"""
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", script], capture_output=True, timeout=120, env=HELPERS
    )
    assert done.returncode == 0, done.stderr.decode()


def test_ctrl_c_ends_what_is_waited_for() -> None:
    # A shell's background jobs ignore SIGINT, and so may we.
    script = """
import signal
import berth
from berth import _loop
from host import host_of
signal.signal(signal.SIGINT, signal.default_int_handler)
async def run():
    r = _loop.current()
    p = berth.AsyncProcess(r, ["/bin/sleep", "1000"])
    await p.begin("berth_exec_start", host_of(r), pipe=False)
    print(p.pid, flush=True)
    await r.outcome(p.operation)
try:
    _loop.sync(run())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=HELPERS)
    assert process.stdout
    pid = int(process.stdout.readline())
    process.send_signal(2)
    assert process.stdout.readline() == "interrupted\n"
    assert not Path(f"/proc/{pid}").exists()
    assert process.wait(60) == 0
    process.stdout.close()


def test_the_library_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from berth import _ffi; _ffi.lib()"],
        env={**os.environ, "BERTH_LIBRARY": str(tmp_path / "none.so")},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert str(tmp_path / "none.so") in done.stderr


def test_import_brings_no_docker_py_and_no_library() -> None:
    script = (
        "import sys, berth; assert 'docker' not in sys.modules; from berth import _ffi; assert _ffi._opened is None"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_time_is_the_librarys() -> None:
    assert abs(_ffi.now_ns() - time.monotonic_ns()) < 60 * 10**9
