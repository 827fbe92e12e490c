# SPDX-License-Identifier: Apache-2.0
"""Images: fetched, built once, shared by processes, and what a step does arrives whole."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import multiprocessing
import os
import pty
import re
import socket
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import berth
import pytest
import registry as registry_module
from berth import Image
from berth.image import Store
from berth.image.tools import run_tool
from workers import build_and_report


@pytest.fixture
def store(tmp_path: Path, registry: str, machine: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("BERTH_REGISTRY_MIRROR", registry)
    monkeypatch.setenv("BERTH_IMAGE_CACHE", str(tmp_path / "images"))
    return Store()


def test_steps_change_what_they_change_and_nothing_else(store: Store) -> None:
    base = Image.from_registry("ubuntu:22.04")
    image = (
        base.run_commands(
            "cd /root && echo new >new && chmod 640 new && chown 12:34 new",
            "ln -s new link && ln new hard && mkfifo fifo && mkdir -p dir/deep",
            "rm /etc/motd && rm -rf /usr/share/doc && mkdir /usr/share/doc && echo only >/usr/share/doc/only",
            "rm -rf /var/log/apt && touch /var/log/apt",
        )
        .env(GREETING="hello there")
        .workdir("/root")
    )
    built = image.build()
    root = Path(built.rootfs)
    before = Path(base.build().rootfs)
    assert (root / "root/new").read_text() == "new\n"
    seen = (root / "root/new").stat()
    assert (seen.st_uid, seen.st_gid, seen.st_mode & 0o777, seen.st_nlink) == (12, 34, 0o640, 2)
    assert os.readlink(root / "root/link") == "new"
    assert (root / "root/fifo").is_fifo() and (root / "root/dir/deep").is_dir()
    assert not (root / "etc/motd").exists() and (before / "etc/motd").exists()
    assert os.listdir(root / "usr/share/doc") == ["only"] and len(os.listdir(before / "usr/share/doc")) > 10
    assert (root / "var/log/apt").is_file()
    assert sum(len(f) for _, _, f in os.walk(root / "usr/bin")) == sum(
        len(f) for _, _, f in os.walk(before / "usr/bin")
    )
    with berth.Sandbox(image=image) as sandbox:
        assert sandbox.exec("sh", "-c", "pwd; echo $GREETING; cat hard").stdout.read() == "/root\nhello there\nnew\n"
        connected = berth.Sandbox.connect(sandbox.id)
        assert connected.exec("pwd").stdout.read() == "/root\n"


def test_a_workdir_is_made_where_it_is_missing(store: Store) -> None:
    base = Image.from_registry("ubuntu:22.04")
    plain = base.workdir("/srv/a b/c")
    with berth.Sandbox(image=plain) as sandbox:
        assert sandbox.exec("pwd").stdout.read() == "/srv/a b/c\n"
        sandbox.fs.write_text("here", "relative")
        assert sandbox.fs.read_text("/srv/a b/c/here") == "relative"
    assert not Path(plain.build().rootfs, "srv/a b").exists()
    # A step has it made for good; one before knows nothing of it, nor of later variables.
    image = base.run_commands("pwd; echo ${A-none} >/seen").workdir("/srv/x").env(A="1").run_commands("pwd >>/seen")
    built = image.build()
    assert Path(built.rootfs, "seen").read_text() == "none\n/srv/x\n" and Path(built.rootfs, "srv/x").is_dir()
    assert built.workdir == "/srv/x" and built.env["A"] == "1"
    # Directories of the user's are not written to.
    below = Image.from_rootfs(built.rootfs).workdir("/srv/y")
    with berth.Sandbox(image=below) as sandbox:
        assert sandbox.exec("pwd").stdout.read() == "/srv/y\n"
    assert not Path(built.rootfs, "srv/y").exists()
    with pytest.raises(berth.ImageError, match="cannot be made"):
        berth.Sandbox(image=base.workdir("/etc/passwd/x")).create()
    assert berth.Sandbox.list() == []


def test_a_step_that_fails_says_what_it_printed_and_leaves_nothing(store: Store) -> None:
    image = Image.from_registry("ubuntu:22.04").run_commands("echo the reason >&2; exit 9")
    image_base = Image.from_registry("ubuntu:22.04").build()
    with pytest.raises(berth.ImageError, match="exit code 9") as e:
        image.build()
    assert "the reason" in str(e.value)
    assert os.listdir(store.root / "rootfs") == [image_base.key]


def test_a_step_that_asks_gets_no_answer_and_ends(store: Store) -> None:
    with pytest.raises(berth.ImageError, match=r"exit code 1:\nReally\?$"):
        Image.from_registry("ubuntu:22.04").run_commands("printf 'Really? '; read answer").build(store)


def test_built_once(store: Store, tmp_path: Path) -> None:
    image = Image.from_registry("ubuntu:22.04").run_commands("date +%N >/stamp")
    first = image.build()
    assert image.build() == first
    assert Image.from_registry("ubuntu:22.04").run_commands("date +%N >/stamp").build() == first
    assert Image.from_registry("ubuntu:22.04").run_commands("date +%N >/stamp", "true").build() != first


def test_steps_on_a_directory_are_kept_by_its_content(store: Store, tmp_path: Path) -> None:
    base = Image.from_registry("ubuntu:22.04").build().rootfs
    roots = [str(tmp_path / name) for name in ("one", "another")]
    for root in roots:
        subprocess.run(["cp", "-a", base, root], check=True)
    commands = "cat /opt/deep/in/it >/seen 2>&1 || true"
    first = Image.from_rootfs(roots[0]).run_commands(commands).build()
    assert Image.from_rootfs(roots[1]).run_commands(commands).build() == first
    inside = Path(roots[0], "opt/deep/in/it")
    inside.parent.mkdir(parents=True)
    inside.write_text("changed")
    second = Image.from_rootfs(roots[0]).run_commands(commands).build()
    assert second.key != first.key and Path(second.rootfs, "seen").read_text() == "changed"
    inside.write_text("CHANGED")
    third = Image.from_rootfs(roots[0]).run_commands(commands).build()
    assert Path(third.rootfs, "seen").read_text() == "CHANGED"
    assert not Path(roots[0], "seen").exists()


def test_processes_that_build_at_once_share_one_result(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    queue: multiprocessing.Queue[str] = context.Queue()
    processes = [context.Process(target=build_and_report, args=(queue,)) for _ in range(3)]
    for p in processes:
        p.start()
    for p in processes:
        p.join(timeout=180)
        assert p.exitcode == 0
    found = {queue.get(timeout=10) for _ in processes}
    assert len(found) == 1
    assert (Path(found.pop()) / "stamp").exists()
    assert not list((store.root / "rootfs").glob("*.building.*"))


def test_threads_too(store: Store) -> None:
    found: set[str] = set()
    image = Image.from_registry("ubuntu:22.04").run_commands("head -c8 /dev/urandom | od -x >/stamp")
    threads = [threading.Thread(target=lambda: found.add(image.build().rootfs)) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == 1


def test_cancelled_while_it_builds(store: Store) -> None:
    image = Image.from_registry("ubuntu:22.04").run_commands("sleep 1000")
    base = Image.from_registry("ubuntu:22.04").build()

    async def main() -> None:
        task = asyncio.ensure_future(image.aio.build())
        await asyncio.sleep(1.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert os.listdir(store.root / "rootfs") == [base.key]
    assert berth.Sandbox.list() == []


def test_what_a_step_is_at_is_shown(store: Store) -> None:
    script = r"""
import berth
berth.Image.from_registry("ubuntu:22.04").run_commands(
    "for i in 1 2 3; do printf 'at work \033[2J%s\n' $i; sleep 0.5; done"
).build()
"""
    shown = on_a_terminal(script)
    assert "Running 1 command(s)..." in shown and "✓ Commands ran" in shown
    for i in (1, 2, 3):
        assert re.search(rf"\x1b\[2K  \d+ s  at work \[2J{i}\r\x1b\[2K|\n  \d+ s  at work \[2J{i}\r", shown), repr(
            shown
        )


def on_a_terminal(script: str) -> str:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen([sys.executable, "-c", script], stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError), open(ours, "rb", buffering=0) as terminal:
            while piece := terminal.read(65536):
                shown += piece
        assert process.wait(60) == 0, shown
    return shown.decode()


def test_what_is_not_there(store: Store) -> None:
    with pytest.raises(berth.ImageNotFound):
        Image.from_registry("ubuntu:99.99").build()
    for wrong in ("", "UPPER", "a b", "-x", "a:b:c", "a@sha256:12"):
        with pytest.raises(berth.ImageError):
            Image.from_registry(wrong)
    with pytest.raises(berth.ImageError):
        Image.from_rootfs("/nowhere/at/all")


def test_a_registry_that_is_down_is_an_error_with_its_words(store: Store) -> None:
    image = Image.from_registry("ubuntu:20.04", mirror="http://127.0.0.1:1")
    words = r"^the registry cannot be reached from here \(dial tcp .*connection refused\)[\s\S]*BERTH_REGISTRY_MIRROR"
    with pytest.raises(berth.ImageError, match=words + r"[\s\S]*skopeo"):
        image.build()
    with pytest.raises(berth.ImageError, match=words) as e:
        berth.Sandbox(image=image).create()
    frames = [frame.filename for frame in traceback.extract_tb(e.value.__traceback__)]
    assert frames[0] == __file__ and len(frames) <= 4, frames


def test_a_registry_that_never_answers_is_left_in_the_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        image = Image.from_registry("ubuntu:20.04", mirror=f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("BERTH_REGISTRY_TIMEOUT", "1")
        with pytest.raises(berth.ImageError, match=r"^the registry does not answer \(nothing came for 1 s\)") as e:
            image.build()
        assert "$BERTH_REGISTRY_TIMEOUT" in e.value.hint
        monkeypatch.setenv("BERTH_REGISTRY_TIMEOUT", "soon")
        with pytest.raises(berth.InvalidError, match="number of seconds"):
            image.build()


def test_a_tool_goes_on_while_something_comes(tmp_path: Path) -> None:
    steps = f"for i in 1 2 3 4 5 6; do sleep 1; echo $i >> {tmp_path}/part; done; echo whole"
    assert run_tool(["sh", "-c", steps], "", growing=tmp_path, patience=4) == "whole\n"
    with pytest.raises(berth.ImageError, match="nothing came for 1 s"):
        run_tool(["sh", "-c", "exec sleep 1000"], "cannot", growing=tmp_path, patience=1)


def test_credentials_from_what_docker_login_writes(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERTH_IMAGE_CACHE", str(tmp_path / "images"))
    auth = tmp_path / "config.json"
    with registry_module.serving(Path(os.environ["BERTH_TEST_REGISTRY_IMAGES"]), closed=True) as mirror:
        image = Image.from_registry("ubuntu:22.04", mirror=mirror)
        with pytest.raises(berth.ImageError, match="(?i)unauthorized|authentication required"):
            image.build()
        words = f"{registry_module.USER}:{registry_module.PASSWORD}".encode()
        entry = {"auth": base64.b64encode(words).decode()}
        auth.write_text(json.dumps({"auths": {mirror.removeprefix("http://"): entry}}))
        given = Image.from_registry("ubuntu:22.04", mirror=mirror, auth_file=str(auth)).build()
        assert os.path.isdir(given.rootfs)
        monkeypatch.setenv("REGISTRY_AUTH_FILE", str(auth))
        assert Image.from_registry("ubuntu:22.04", mirror=mirror, pull="always").build() == given


def test_pull_always_asks_again(store: Store) -> None:
    first = Image.from_registry("ubuntu:22.04").build()
    assert Image.from_registry("ubuntu:22.04", pull="always").build() == first
    # By digest, the name is not asked for.
    digest = store.known_digest(f"docker.io/library/ubuntu:22.04|{os.environ['BERTH_REGISTRY_MIRROR']}")
    assert Image.from_registry(f"ubuntu@{digest}").build().rootfs == first.rootfs


def test_an_image_that_docker_cannot_come_into(machine: Path, tmp_path: Path, store: Store) -> None:
    strange = tmp_path / "strange"
    (strange / "etc").mkdir(parents=True)
    (strange / "etc/os-release").write_text('ID=plan9\nPRETTY_NAME="Plan 9"\n')
    with pytest.raises(berth.ImageError, match="Plan 9"):
        Image.from_rootfs(strange).with_docker().build()


def test_docker_that_is_there_is_left_alone(machine: Path, rootfs: str, store: Store) -> None:
    assert Image.from_rootfs(rootfs).with_docker().build().rootfs == os.path.realpath(rootfs)
