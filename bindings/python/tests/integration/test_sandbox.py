# SPDX-License-Identifier: Apache-2.0
"""Sandboxes: made, found again from other processes, used, removed without a trace."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import berth
import pytest
from berth import _ffi, _loop
from berth import sandbox as sandbox_module


def census() -> tuple[str, str, str, list[str]]:
    def words(*argv: str) -> str:
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    links = "\n".join(line.split(":")[1] for line in words("ip", "-o", "link").splitlines())
    root = os.environ["BERTH_ROOT"]
    mounts = "\n".join(line for line in Path("/proc/self/mounts").read_text().splitlines() if root in line)
    return words("nft", "list", "tables"), links, mounts, sorted(os.listdir(root))


def traces(id: str) -> list[str]:
    """What is there of a sandbox, in this machine shared with others."""
    record = berth.Sandbox.connect(id).status()
    token = record["container_id"]
    return [token]


def test_nothing_is_left_of_a_terminated_sandbox(machine: Path, rootfs: str, name: str) -> None:
    sandbox = berth.Sandbox(rootfs=rootfs, name=name).create()
    (token,) = traces(name)
    tables, links, mounts, _ = census()
    assert token in tables and token in links and name in mounts
    sandbox.terminate()
    sandbox.terminate()
    tables, links, mounts, entries = census()
    assert token not in tables and token not in links and name not in mounts and name not in entries
    assert name not in [s.id for s in berth.Sandbox.list()]
    calls: list[Callable[[], object]] = [
        lambda: berth.Sandbox.connect(name),
        lambda: sandbox.exec("true"),
        sandbox.state,
        sandbox.status,
        lambda: sandbox.fs.read_text("/etc/hostname"),
    ]
    for call in calls:
        with pytest.raises(berth.SandboxNotFound, match=name):
            call()


def test_it_outlives_its_maker_and_is_found_by_others(machine: Path, rootfs: str, name: str) -> None:
    script = (
        "import berth\n"
        f"s = berth.Sandbox(rootfs={rootfs!r}, name={name!r}, env={{'A': 'b c'}}, ports=[99]).create()\n"
        "s.fs.write_text('/root/here', 'by another')\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
    sandbox = berth.Sandbox.connect(name)
    try:
        assert sandbox.state() == "running"
        assert sandbox.fs.read_text("/root/here") == "by another"
        assert sandbox.exec("sh", "-c", "echo $A").stdout.read() == "b c\n"
        assert sandbox.ports == {99: f"http://{sandbox.address}:99"}
        assert not sandbox.docker_enabled
        found = {s.id: s for s in berth.Sandbox.list()}
        assert found[name].address == sandbox.address
    finally:
        sandbox.terminate()


def test_a_server_that_is_started_apart_stays(box: berth.Sandbox) -> None:
    script = (
        "import berth\n"
        f"s = berth.Sandbox.connect({box.id!r})\n"
        "s.exec('sh', '-c', 'setsid nohup sleep 1077 >/tmp/log 2>&1 </dev/null &').wait()\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
    running = box.exec("ps", "-A", "-o", "args").stdout.read()
    assert "sleep 1077" in running
    assert box.exec("pkill", "-f", "sleep 1077").wait() == 0


def test_connect_and_docker_errors(box: berth.Sandbox) -> None:
    with pytest.raises(berth.SandboxNotFound):
        berth.Sandbox.connect("there-is-none")
    with pytest.raises(berth.InvalidError):
        berth.Sandbox.connect("../etc")
    with pytest.raises(berth.DockerError, match="docker_enabled=True"):
        box.docker.ps()
    assert box.docker.status().state == "disabled"


def test_wrong_arguments(machine: Path, rootfs: str) -> None:
    with pytest.raises(berth.InvalidError):
        berth.Sandbox().create()
    with pytest.raises(TypeError):
        berth.Sandbox(rootfs=rootfs, image=berth.Image.from_rootfs(rootfs))
    for wrong in (
        {"memory": "much"},
        {"network": "bridge"},
        {"name": "../x"},
        {"cpu": -1},
        {"env": {"": "x"}},
        {"volumes": ["nowhere"]},
    ):
        with pytest.raises((berth.BerthError, ValueError)):
            berth.Sandbox(rootfs=rootfs, **wrong).create()
    with pytest.raises(berth.SandboxError, match="not created"):
        _ = berth.Sandbox(rootfs=rootfs).id
    with pytest.raises(berth.BerthError):
        berth.Sandbox(rootfs="/nowhere/at/all").create()


def test_a_name_is_taken_once(box: berth.Sandbox, rootfs: str) -> None:
    with pytest.raises(berth.BerthError) as e:
        berth.Sandbox(rootfs=rootfs, name=box.id).create()
    assert e.value.code_name == "exists"
    assert box.exec("true").wait() == 0


def test_create_twice(box: berth.Sandbox) -> None:
    with pytest.raises(berth.SandboxError):
        box.create()


def test_limits_are_in_force(machine: Path, rootfs: str) -> None:
    with berth.Sandbox(rootfs=rootfs, cpu=1, memory="512Mi") as sandbox:
        status = sandbox.status()
        assert status["cpus"] == 1 and status["memory_bytes"] == 512 << 20
        meminfo = sandbox.fs.read_text("/proc/meminfo")
        assert int(meminfo.split("MemTotal:")[1].split()[0]) <= 512 << 10


def test_without_network(machine: Path, rootfs: str) -> None:
    with berth.Sandbox(rootfs=rootfs, network="none") as sandbox:
        assert sandbox.address == ""
        with pytest.raises(berth.SandboxError):
            sandbox.url(80)
        assert "eth0" not in sandbox.fs.read_text("/proc/net/dev")


def test_its_ports_are_reached_from_the_host(box: berth.Sandbox) -> None:
    import urllib.request

    server = box.exec("busybox", "nc", "-l", "-p", "8123", "-w", "30", stdin="HTTP/1.0 200 OK\r\n\r\nhello")
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(box.url(8123), timeout=5) as answer:
                assert answer.read() == b"hello"
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    server.kill()


def test_it_ends_by_itself_after_its_timeout(machine: Path, tmp_path: Path) -> None:
    # Nothing of the image is needed for it. Its making counts, which takes a second and more on a busy machine.
    with berth.Sandbox(rootfs=str(tmp_path), timeout=5) as sandbox:
        assert sandbox.status()["command"] == {"argv": [], "state": "none", "exit_code": None}
        deadline = time.monotonic() + 60
        while sandbox.state() != "stopped":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        with pytest.raises(berth.BerthError):
            sandbox.exec("true").wait()


def test_a_volume_of_the_host(machine: Path, rootfs: str, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("from the host")
    with berth.Sandbox(rootfs=rootfs, volumes=[f"{tmp_path}:/data:ro"]) as sandbox:
        assert sandbox.fs.read_text("/data/there") == "from the host"
        with pytest.raises(berth.BerthError):
            sandbox.fs.write_text("/data/here", "x")


def test_the_image_is_never_written_to(box: berth.Sandbox, rootfs: str) -> None:
    box.fs.write_text("/written-inside", "x")
    assert not Path(rootfs, "written-inside").exists()


def test_logs_and_annotations(box: berth.Sandbox) -> None:
    box.annotate("task", "seven")
    assert box.status()["annotations"]["task"] == "seven"
    box.annotate("task", "")
    assert "task" not in box.status().get("annotations", {})
    assert box.exec("sh", "-c", "echo said > /run/berth/command.log").wait() == 0
    assert box.logs() == "said\n" and box.logs(limit=2) == "d\n" and box.logs("daemon") == ""
    with pytest.raises(berth.InvalidError, match="which log"):
        box.logs("other")  # type: ignore[arg-type]


def test_the_end_is_waited_for(rootfs: str, machine: Path) -> None:
    with berth.Sandbox(rootfs=rootfs, network="none") as sandbox:
        with pytest.raises(berth.WaitTimeoutError):
            sandbox.wait_stopped(timeout=0.2)
        os.kill(sandbox.status()["pid"], signal.SIGKILL)
        sandbox.wait_stopped(timeout=60)
        assert sandbox.status()["state"] == "stopped"


def test_cancelled_creation_leaves_nothing(machine: Path, rootfs: str) -> None:
    async def main(delay: float, name: str) -> None:
        sandbox = berth.AsyncSandbox(berth.Sandbox(rootfs=rootfs, name=name, docker_enabled=True).aio._wanted)
        task = asyncio.ensure_future(sandbox.create())
        await asyncio.sleep(delay)
        if task.done():
            await sandbox.terminate()
            return
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    for i, delay in enumerate((0.0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2)):
        asyncio.run(main(delay, f"pytest-cancelled-{i}"))
    deadline = time.monotonic() + 60
    while left := [s.id for s in berth.Sandbox.list() if s.id.startswith("pytest-cancelled-")]:
        assert time.monotonic() < deadline, left  # what watches it takes it down by itself
        time.sleep(0.1)


@pytest.mark.parametrize("named", [True, False])
def test_cancelled_when_it_has_just_been_made(
    machine: Path, rootfs: str, name: str, named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, before = berth.AsyncSandbox._begun, {s.id for s in berth.Sandbox.list()}

    async def cancelled_after(function: str, options: bytes) -> berth.AsyncSandbox:
        made = await real(function, options)
        assert {s.id for s in await berth.AsyncSandbox.list()} - before
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return made

    async def main(sandbox: berth.AsyncSandbox) -> None:
        task = asyncio.ensure_future(sandbox.create())
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not sandbox.created

    monkeypatch.setattr(berth.AsyncSandbox, "_begun", cancelled_after)
    asyncio.run(main(berth.Sandbox(rootfs=rootfs, name=name if named else None).aio))
    assert {s.id for s in berth.Sandbox.list()} == before


def test_ctrl_c_when_it_has_just_been_made(
    machine: Path, rootfs: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = _loop.sync, 0

    def interrupted(coroutine: Coroutine[Any, Any, Any]) -> Any:
        nonlocal seen
        answer, seen = real(coroutine), seen + 1
        if seen == 1:
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(sandbox_module, "sync", interrupted)
    with pytest.raises(KeyboardInterrupt), berth.Sandbox(rootfs=rootfs, name=name):
        pytest.fail("not reached")
    monkeypatch.undo()
    assert name not in [s.id for s in berth.Sandbox.list()]


def test_another_sandbox_of_the_same_name_is_left_alone(machine: Path, rootfs: str, name: str) -> None:
    with berth.Sandbox(rootfs=rootfs, name=name) as first:
        found = berth.Sandbox.connect(name)
        first.terminate()
        second = berth.Sandbox(rootfs=rootfs, name=name).create()
        try:
            found.terminate()
            with pytest.raises(berth.SandboxNotFound, match=name):
                found.exec("true")

            async def elsewhere() -> None:
                with pytest.raises(berth.SandboxNotFound, match=name):
                    await first.aio.exec("true")

            asyncio.run(elsewhere())
            first.__exit__(None, None, None)
            assert second.exec("true").wait() == 0
        finally:
            second.terminate()
    assert name not in [s.id for s in berth.Sandbox.list()]


def test_handles_go_with_their_event_loops(box: berth.Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    gc.collect()
    freed = []
    real = _ffi.free_handle

    def counted(kind: str, handle: _ffi.Handle) -> None:
        freed.append(kind)
        real(kind, handle)

    monkeypatch.setattr(_ffi, "free_handle", counted)

    async def main() -> None:
        assert await box.aio.state() == "running"

    for _ in range(5):
        asyncio.run(main())
    gc.collect()
    assert freed.count("berth_sandbox") == 5 and box.state() == "running"


def test_async_with(machine: Path, rootfs: str) -> None:
    async def main() -> str:
        async with berth.Sandbox(rootfs=rootfs) as sandbox:
            process = await sandbox.exec("sh", "-c", "echo one; echo two >&2; exit 5")
            lines = [line async for line in process.logs]
            assert sorted(lines) == ["one\n", "two\n"]
            assert await process.wait() == 5
            await sandbox.fs.write_text("/tmp/x", "async")
            assert await sandbox.fs.read_text("/tmp/x") == "async"
            return sandbox.id

    id = asyncio.run(main())
    with pytest.raises(berth.SandboxNotFound):
        berth.Sandbox.connect(id)


def test_sync_objects_on_another_event_loop(box: berth.Sandbox) -> None:
    process = box.exec("sh", "-c", "read x; echo got $x")

    async def main() -> None:
        await process.aio.stdin.write("this\n")
        assert await process.aio.stdout.read() == "got this\n"
        assert await process.aio.wait() == 0
        assert await (await box.aio.exec("true")).wait() == 0

    asyncio.run(main())


def test_a_sandbox_is_used_in_a_forked_child(box: berth.Sandbox) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if box.exec("echo", "child").stdout.read() == "child\n" else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert box.exec("echo", "parent").stdout.read() == "parent\n"


def test_the_command_is_the_same_world(box: berth.Sandbox) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "berth", "status", "--json", box.id], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["network"]["address"] == box.address


def test_doctor_says_what_is_missing(machine: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "berth", "doctor"]
    whole = subprocess.run(words, capture_output=True, text=True)
    assert whole.returncode == 0, whole.stdout + whole.stderr
    for what in ("runsc", "nft", "skopeo", "umoci"):
        assert re.search(rf"(?m)^{what} +found ", whole.stdout), whole.stdout
    # A machine without them: nothing on PATH, no runsc named.
    bare = {k: v for k, v in os.environ.items() if k != "BERTH_RUNSC"} | {"PATH": str(tmp_path)}
    lacking = subprocess.run(words, capture_output=True, text=True, env=bare)
    assert lacking.returncode != 0
    for what in ("runsc", "skopeo", "umoci"):
        assert re.search(rf"(?m)^{what} +missing ", lacking.stdout), lacking.stdout


def test_a_maker_that_is_killed_leaves_nothing_half_made(machine: Path, rootfs: str, name: str) -> None:
    for i, delay in enumerate((0.0, 0.03, 0.08, 0.15, 0.25)):
        id = f"{name}-{i}"
        script = (
            "import berth\nfrom berth import _loop, _ffi\n_ffi.lib()\n"
            f"s = berth.Sandbox(rootfs={rootfs!r}, name={id!r})\nprint('go', flush=True)\ns.create()\nprint('made')"
        )
        maker = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
        assert maker.stdout and maker.stdout.readline() == b"go\n"
        time.sleep(delay)
        maker.kill()
        maker.wait()
        maker.stdout.close()
        # Either it became known and runs, or the process that was making it takes it down. Its record may yet come.
        quiet_since = time.monotonic()
        deadline = quiet_since + 60
        while time.monotonic() - quiet_since < 2:
            assert time.monotonic() < deadline
            for sandbox in berth.Sandbox.list():
                if sandbox.id == id:
                    quiet_since = time.monotonic()
                    if settled(sandbox):
                        sandbox.terminate()
            time.sleep(0.1)


def settled(sandbox: berth.Sandbox) -> bool:
    try:
        before = sandbox.state()
        time.sleep(1)
        return before == "running" and sandbox.state() == "running"
    except berth.SandboxNotFound:
        return False


def ids() -> list[str]:
    return [s.id for s in berth.Sandbox.list()]


def goes(name: str) -> bool:
    deadline = time.monotonic() + 60
    while name in ids():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def started(script: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout and process.stderr
    line = process.stdout.readline()
    assert line == b"up\n", process.stderr.read()
    return process


@pytest.mark.parametrize("asynchronous", [False, True])
def test_sigterm_ends_a_with_block(machine: Path, rootfs: str, name: str, asynchronous: bool) -> None:
    made = f"berth.Sandbox(rootfs={rootfs!r}, name={name!r})"
    script = f"import berth, time\nwith {made}:\n  print('up', flush=True)\n  time.sleep(1000)"
    if asynchronous:
        script = (
            f"import asyncio, berth\nasync def main():\n  async with {made}:\n    print('up', flush=True)\n"
            "    await asyncio.sleep(1000)\nasyncio.run(main())"
        )
    process = started(script)
    assert name in ids()
    process.terminate()
    process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert name not in ids()  # by the block itself, before the process ended


@pytest.mark.parametrize("how", ["with", "option"])
def test_a_sandbox_ends_with_its_process_that_is_killed(machine: Path, rootfs: str, name: str, how: str) -> None:
    making = {
        "with": f"with berth.Sandbox(rootfs={rootfs!r}, name={name!r}):",
        "option": f"s = berth.Sandbox(rootfs={rootfs!r}, name={name!r}, ends_with_process=True).create()\nif s:",
    }[how]
    process = started(f"import berth, time\n{making}\n  print('up', flush=True)\n  time.sleep(1000)")
    assert name in ids()
    process.kill()
    process.communicate()
    assert goes(name)


def test_one_that_its_killed_maker_never_had_is_removed(machine: Path, rootfs: str, name: str) -> None:
    # It is there, and its maker has not let go of it yet.
    process = started(
        "import berth, asyncio\nreal = berth.AsyncSandbox._begun\n"
        "async def begun(*arguments):\n  await real(*arguments)\n"
        "  print('up', flush=True)\n  await asyncio.sleep(1000)\n"
        f"berth.AsyncSandbox._begun = begun\nberth.Sandbox(rootfs={rootfs!r}, name={name!r}).create()"
    )
    assert name in ids()
    process.kill()
    process.communicate()
    assert goes(name)


def seen_by_others(secret: str) -> list[str]:
    """Command lines that hold it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if secret.encode() in (line := path.read_bytes()):
                found.append(line.replace(b"\0", b" ").decode(errors="replace"))
    return found


def test_no_secret_is_in_the_list_of_processes(machine: Path, rootfs: str) -> None:
    secret, seen, done = f"secret-{os.getpid()}", set[str](), threading.Event()

    def look() -> None:
        while not done.is_set():
            seen.update(seen_by_others(secret))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        with berth.Sandbox(rootfs=rootfs, env={"TOKEN": secret, "KEY": f"{secret}\nof two lines"}) as sandbox:
            process = sandbox.exec("sh", "-c", "echo $TOKEN $MINE; sleep 1", secret, env={"MINE": secret})
            assert process.stdout.read() == f"{secret} {secret}\n"
            assert sandbox.exec("printenv", "KEY").stdout.read() == f"{secret}\nof two lines\n"
    finally:
        done.set()
        watcher.join()
    assert seen == set()


def test_a_paused_sandbox_says_so_and_goes_on(machine: Path, rootfs: str) -> None:
    with berth.Sandbox(rootfs=rootfs, network="none") as sandbox:
        sandbox.pause()
        assert sandbox.state() == "paused"
        with pytest.raises(berth.SandboxError, match="is paused"):
            sandbox.exec("true")
        sandbox.resume()
        assert sandbox.exec("echo", "on").stdout.read() == "on\n"
        sandbox.pause()


def test_an_idle_sandbox_falls_asleep_and_its_next_use_wakes_it(machine: Path, rootfs: str) -> None:
    with berth.Sandbox(rootfs=rootfs, docker_enabled=True, wait_for_docker=True, idle_timeout=1) as sandbox:
        client = sandbox.docker.client()  # whose connection stays
        assert client.ping()
        for use in (client.ping, lambda: sandbox.exec("true").wait() == 0, lambda: sandbox.fs.exists("/etc")):
            deadline = time.monotonic() + 60
            while sandbox.state() != "asleep":
                assert time.monotonic() < deadline
                time.sleep(0.1)
            assert use()


def test_a_hibernated_sandbox_goes_on_by_its_next_use(machine: Path, rootfs: str) -> None:
    with berth.Sandbox(
        rootfs=rootfs, docker_enabled=True, wait_for_docker=True, idle_timeout=1, hibernate=True
    ) as sandbox:
        client = sandbox.docker.client()
        for use in (client.ping, lambda: sandbox.exec("true").wait() == 0, lambda: sandbox.fs.exists("/etc")):
            deadline = time.monotonic() + 60
            while sandbox.state() != "hibernated":
                assert time.monotonic() < deadline
                time.sleep(0.1)
            client.close()  # what it had open was cut
            assert use()
        sandbox.hibernate()
        assert sandbox.state() == "hibernated"
        sandbox.resume()
        assert sandbox.state() == "running"


def test_egress_is_refused_at_once_and_changed_while_it_runs(machine: Path, rootfs: str) -> None:
    with pytest.raises(berth.InvalidError, match="egress .* has no dot"):
        berth.Sandbox(rootfs=rootfs, egress="localhost").create()
    with berth.Sandbox(rootfs=rootfs, egress="none") as sandbox:
        # The host, which no policy opens: under one it answers, and is counted.
        gateway = sandbox.status()["network"]["gateway"]
        knocked = sandbox.exec("bash", "-c", f"exec 3<>/dev/tcp/{gateway}/9")
        assert "refused" in knocked.stderr.read()
        now = sandbox.egress()
        assert now.rules == ("none",)
        assert now.refused > 0
        sandbox.set_egress(["192.0.2.0/24:443", "dns"])
        assert sandbox.egress().rules == ("192.0.2.0/24:443/tcp", "dns")
        assert sandbox.status()["network"]["egress"] == ["192.0.2.0/24:443/tcp", "dns"]
        with pytest.raises(berth.InvalidError, match="'none' stands with others"):
            sandbox.set_egress(["none", "dns"])
        asyncio.run(sandbox.aio.set_egress("all"))
        assert sandbox.egress().rules == ("all",)


def test_it_says_that_it_was_killed_at_its_memory_limit(machine: Path, rootfs: str) -> None:
    with berth.Sandbox(rootfs=rootfs, memory="192Mi", network="none") as sandbox:
        assert sandbox.exit_reason() is None
        assert sandbox.diagnose() == []
        with pytest.raises(berth.SandboxError, match="killed at its memory limit of 192 MiB"):
            sandbox.exec("tail", "/dev/zero").wait()
        assert sandbox.exit_reason() == "out_of_memory"
        (found,) = sandbox.diagnose()
        assert (found.id, found.source) == ("BERTH-MEMORY", "cgroup")
        assert asyncio.run(sandbox.aio.diagnose()) == [found]
        assert sandbox.state() == "stopped"


def test_what_the_kernel_killed_at_the_limit_is_counted(machine: Path, rootfs: str) -> None:
    with berth.Sandbox(rootfs=rootfs, memory="192Mi", network="none") as sandbox:
        assert sandbox.memory_kills() == 0
        # Its memory is that of a process of its own on the host, so that the sandbox itself may go on.
        with contextlib.suppress(berth.SandboxError):
            assert sandbox.exec("perl", "-e", "push @a, 'x' x (10 << 20) while 1").wait() == 137
        assert sandbox.memory_kills() > 0
        assert sandbox.status()["memory_kills"] == sandbox.memory_kills()


def test_arguments_are_long_and_not_endless(box: berth.Sandbox) -> None:
    assert len(box.exec("echo", "x" * 300000).stdout.read()) == 300001
    with pytest.raises(berth.BerthError, match="8388608 are the most") as caught:
        box.exec("echo", "x" * 9000000)
    assert caught.value.code_name == "too_big"
