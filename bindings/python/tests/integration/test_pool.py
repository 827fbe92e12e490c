# SPDX-License-Identifier: Apache-2.0
"""Pools of sandboxes, and copies of one that runs."""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from pathlib import Path

import berth
import pytest


def until(condition) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def test_a_pool_hands_each_out_once(machine: Path, rootfs: str, busybox: Path) -> None:
    with berth.Sandbox(rootfs=rootfs, docker_enabled=True, ports=[8080], wait_for_docker=True) as seed:
        assert seed.exec("docker", "load", stdin=busybox, timeout=120).wait() == 0
        seed.snapshot("warm")
    try:
        with berth.SandboxPool("web", "warm", size=2) as pool:
            assert (pool.status().ready, pool.status().made) == (2, 2)
            with concurrent.futures.ThreadPoolExecutor(3) as threads:
                taken = list(threads.map(lambda _: pool.take(), range(3)))
            try:
                assert len({one.id for one in taken}) == 3
                for one in taken:
                    assert one.docker_enabled
                    assert one.docker.run("busybox:latest", ["echo", "runs"], remove=True).output() == "runs"
                    assert list(one.ports) == [8080]
                until(lambda: pool.status().ready == 2 and not pool.status().filling)
                with berth.SandboxPool("web").take(egress="none", timeout=600) as other:
                    assert other.egress().rules == ("none",)
                    assert other.state() == "running"
                assert pool.status().handed_out + pool.status().missed == 4
                assert [one.name for one in berth.pools()] == ["web"]
            finally:
                for one in taken:
                    one.terminate()
        assert berth.pools() == []
        assert berth.Sandbox.list() == []
    finally:
        berth.remove_snapshot("warm")


def test_a_pool_on_an_event_loop(machine: Path, rootfs: str) -> None:
    async def use() -> None:
        async with berth.AsyncSandboxPool("web", "warm", size=1) as pool:
            async with await pool.take() as one:
                process = await one.exec("hostname")
                assert await process.wait() == 0
            one = await pool.take(ends_with_process=True)
            await one.terminate()

    with berth.Sandbox(rootfs=rootfs, network="none") as seed:
        seed.snapshot("warm")
    try:
        asyncio.run(use())
        assert berth.pools() == [] and berth.Sandbox.list() == []
    finally:
        berth.remove_snapshot("warm")


def test_copies_of_a_sandbox_that_runs(machine: Path, rootfs: str) -> None:
    with berth.Sandbox(rootfs=rootfs, network="none") as sandbox:
        sandbox.fs.write_text("/root/file", "kept")
        copies = sandbox.clone(3)
        try:
            assert len({one.id for one in [sandbox, *copies]}) == 4
            for number, one in enumerate(copies):
                assert one.fs.read_text("/root/file") == "kept"
                one.fs.write_text("/root/file", str(number))
            assert sandbox.fs.read_text("/root/file") == "kept"
            assert berth.snapshots() == []
            again = copies[1].clone(idle_timeout=1)[0]
            copies.append(again)
            until(lambda: again.state() == "asleep")
            assert again.fs.read_text("/root/file") == "1"
            saved = copies[1].clone(idle_timeout=1, hibernate=True)[0]
            copies.append(saved)
            until(lambda: saved.state() == "hibernated")
            assert saved.fs.read_text("/root/file") == "1"
            process = sandbox.exec("sleep", "1000")
            with pytest.raises(berth.BerthError, match="would be cut off"):
                sandbox.clone(2)
            process.kill()
        finally:
            for one in copies:
                one.terminate()
        with pytest.raises(berth.InvalidError):
            sandbox.clone(0)
        with pytest.raises(berth.InvalidError, match="idle timeout"):
            sandbox.clone(hibernate=True)
    assert berth.Sandbox.list() == []


def test_what_cannot_be(machine: Path) -> None:
    with pytest.raises(berth.NotFoundError, match="no snapshot"):
        berth.SandboxPool("web", "none").start()
    with pytest.raises(berth.NotFoundError):
        berth.SandboxPool("web").take()
    with pytest.raises(berth.NotFoundError):
        berth.SandboxPool("web").stop()
    with pytest.raises(TypeError, match="made of a snapshot"):
        berth.SandboxPool("web").start()
    with pytest.raises(berth.InvalidError):
        berth.SandboxPool("web", "warm", size=0).start()


def test_images_that_are_there_beforehand(user_environment: None, rootfs: str, busybox: Path) -> None:
    image = berth.Image.from_rootfs(rootfs)
    first = image.preload("nginx:latest", archives=[busybox])
    try:
        assert image.preload("nginx:latest", archives=[str(busybox)]) == first, "made once"
        with berth.Sandbox(snapshot=first.name) as sandbox:
            names = sandbox.docker.images(format="{{.Repository}}:{{.Tag}}").output()
            assert "nginx:latest" in names and "busybox:latest" in names
    finally:
        # Of a second name, too, where the root file system was changed meanwhile.
        for one in berth.snapshots():
            if one.name.startswith("preload-"):
                berth.remove_snapshot(one.name)
    with pytest.raises(TypeError, match="needs an image's name"):
        image.preload()
    with pytest.raises(FileNotFoundError):
        image.preload(archives=["/none"])
    assert berth.Sandbox.list() == []
