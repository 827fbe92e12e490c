# SPDX-License-Identifier: Apache-2.0
"""Sandboxes that are saved and restored."""

from __future__ import annotations

from pathlib import Path

import berth
import pytest


def test_docker_goes_on_in_every_copy(machine: Path, rootfs: str, busybox: Path) -> None:
    with berth.Sandbox(rootfs=rootfs, docker_enabled=True, ports=[8080], wait_for_docker=True) as sandbox:
        assert sandbox.exec("docker", "load", stdin=busybox, timeout=120).wait() == 0
        sandbox.fs.write_text("/root/file", "kept")
        saved = sandbox.snapshot("warm")
        try:
            assert (saved.name, saved.sandbox, saved.docker) == ("warm", sandbox.id, True)
            assert saved.bytes > 1_000_000 and saved.took_ms > 0
            assert sandbox.docker.images(quiet=True).output() != "", "it goes on"
            with berth.Sandbox(snapshot="warm", name="again") as again, berth.Sandbox(snapshot="warm") as third:
                for copy in (again, third):
                    assert copy.docker_enabled
                    assert copy.fs.read_text("/root/file") == "kept"
                    assert copy.docker.run("busybox:latest", ["echo", "runs"], remove=True).output() == "runs"
                    assert copy.url(8080) == copy.ports[8080] != sandbox.ports[8080]
                assert again.exec("hostname").stdout.read() == "again\n"
            assert "warm" in [one.name for one in berth.snapshots()]
        finally:
            berth.remove_snapshot("warm")
    assert "warm" not in [one.name for one in berth.snapshots()]


def test_what_cannot_be(machine: Path, rootfs: str) -> None:
    with pytest.raises(berth.NotFoundError, match="no snapshot 'none'"):
        berth.Sandbox(snapshot="none").create()
    with pytest.raises(berth.NotFoundError):
        berth.remove_snapshot("none")
    with pytest.raises(berth.InvalidError, match="memory: a sandbox that is restored"):
        berth.Sandbox(snapshot="warm", memory="1Gi")
    with berth.Sandbox(rootfs=rootfs, network="none") as sandbox:
        with pytest.raises(berth.InvalidError, match="snapshot's name"):
            sandbox.snapshot("a/b")
        process = sandbox.exec("sleep", "1000")
        with pytest.raises(berth.BerthError, match="would be cut off"):
            sandbox.snapshot("warm")
        process.kill()
