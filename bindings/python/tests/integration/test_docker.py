# SPDX-License-Identifier: Apache-2.0
"""Docker in a sandbox by the package's own methods."""

from __future__ import annotations

import asyncio
import datetime
import io
import json
import re
import subprocess
import sys
import time
import typing
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import berth
import docker
import pytest

IMAGE = "busybox:latest"


def test_run_prints_and_exits(docker_box: berth.Sandbox) -> None:
    result = docker_box.docker.run(IMAGE, ["sh", "-c", "echo out; echo err >&2; exit 7"], remove=True)
    assert result.wait() == 7
    assert (result.stdout.read(), result.stderr.read(), result.exit_code, result.success) == (
        "out\n",
        "err\n",
        7,
        False,
    )
    with pytest.raises(berth.DockerCommandError) as e:
        result.check()
    assert e.value.exit_code == 7 and e.value.stderr == "err\n" and e.value.command[:2] == ["docker", "run"]


def test_a_container_through_its_life(docker_box: berth.Sandbox) -> None:
    d = docker_box.docker
    id = d.run(IMAGE, "sleep 1000", detach=True, name="life", labels={"a": "b"}, environment={"X": "1 2"}).output()
    assert re.fullmatch("[0-9a-f]{64}", id)
    listed = json.loads(d.ps(filters={"name": "life"}, format="{{json .}}", no_trunc=True).output())
    assert listed["ID"] == id and "a=b" in listed["Labels"]
    # By the name that docker itself knows from release 23 on.
    assert json.loads(d.ps(filters={"name": "life"}, format="json", no_trunc=True).output())["ID"] == id
    assert d.exec("life", ["sh", "-c", "echo $X"]).output() == "1 2"
    piped = d.exec("life", "cat", stdin=True)
    piped.stdin.write("through")
    piped.stdin.close()
    assert piped.output() == "through"
    assert d.stop("life", timeout=1).success
    assert "life" not in d.ps(format="{{.Names}}").output()
    assert "life" in d.ps(all=True, format="{{.Names}}").output()
    assert d.rm("life").output() == "life"


def test_published_ports_are_told(docker_box: berth.Sandbox) -> None:
    id = docker_box.docker.run(IMAGE, "sleep 1000", detach=True, name="web", ports={"80/tcp": 8099}).output()
    try:
        told = docker_box.published_ports()
        (found,) = (one for one in told.containers if one.container == id)
        assert found.name == "web" and "0.0.0.0:8099:80/tcp" in found.ports
        assert told.ports == tuple(docker_box.status()["network"]["ports"])
        (taken,) = (one for one in docker_box.container_stats() if one.container == id)
        assert taken.name == "web" and taken.memory_limit_bytes is None
        assert taken.memory_bytes and taken.cpu_ns and taken.processes
    finally:
        docker_box.docker.rm("web", force=True).check()


@pytest.mark.parametrize("force", [False, True])
def test_containers_are_stopped_in_order_by_this_process(
    machine: Path, rootfs: str, busybox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, force: bool
) -> None:
    monkeypatch.setenv("BERTH_PROGRAM", "/none")
    sandbox = berth.Sandbox(
        rootfs=rootfs,
        docker_enabled=True,
        wait_for_docker=True,
        volumes=[f"{tmp_path}:/out", f"{busybox}:/image.tar:ro"],
    ).create()
    assert sandbox.exec("docker", "load", "-q", "-i", "/image.tar").wait() == 0
    trap = "trap 'echo told >> /out/words; exit 0' TERM; echo up > /out/up; while :; do sleep 0.1; done"
    sandbox.docker.run(IMAGE, ["sh", "-c", trap], detach=True, volumes=["/out:/out"]).check()
    assert sandbox.exec("sh", "-c", "until [ -e /out/up ]; do sleep 0.1; done").wait() == 0
    sandbox.terminate(force=force)
    assert (tmp_path / "words").exists() != force
    assert sandbox.id not in [s.id for s in berth.Sandbox.list()]


def test_an_entrypoint_of_several_words(docker_box: berth.Sandbox) -> None:
    d = docker_box.docker
    for entrypoint in (["sh", "-c"], "sh -c"):
        words = ["echo $0 $(ulimit -n)", "a"]
        limits = [{"Name": "nofile", "Soft": 64, "Hard": 64}]
        assert d.run(IMAGE, words, entrypoint=entrypoint, ulimits=limits, remove=True).output() == "a 64"


def test_mounts_health_and_logs_as_docker_py_has_them(docker_box: berth.Sandbox) -> None:
    d = docker_box.docker
    docker_box.fs.write_text("/srv/a,b/f", "from outside")
    d.run(
        IMAGE, "sleep 1000", detach=True, name="typed",
        mounts=[
            docker.types.Mount("/bound", "/srv/a,b", type="bind", read_only=True),
            docker.types.Mount("/memory", None, type="tmpfs", tmpfs_size=1 << 20),
        ],
        healthcheck=docker.types.Healthcheck(test=["CMD", "test", "-e", "/bound/f"], interval=200_000_000),
        log_config={"type": "json-file", "config": {"max-size": "1m"}},
    ).check()  # fmt: skip
    try:
        assert d.exec("typed", "sh -c 'cat /bound/f; touch /bound/g 2>/dev/null || echo -n , read only'").output() == (
            "from outside, read only"
        )
        assert "/memory" in d.exec("typed", "mount -t tmpfs").output()
        client = d.client()
        container = client.containers.get("typed")
        deadline = time.monotonic() + 30
        while container.attrs["State"]["Health"]["Status"] != "healthy":
            assert time.monotonic() < deadline, container.attrs["State"]
            time.sleep(0.1)
            container.reload()
        assert container.attrs["HostConfig"]["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "1m"}}
        client.close()
    finally:
        d.rm("typed", force=True).check()


def test_logs_follow(docker_box: berth.Sandbox) -> None:
    d = docker_box.docker
    d.run(
        IMAGE, ["sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.2; done; sleep 1000"], detach=True, name="talks"
    ).check()
    following = d.logs("talks", follow=True)
    lines = iter(following.stdout)
    assert [next(lines) for _ in range(3)] == ["1\n", "2\n", "3\n"]
    assert following.poll() is None
    following.kill()
    following.wait()
    assert d.logs("talks", tail=1).output() == "3"
    d.rm("talks", force=True).check()


def test_images_and_tags(docker_box: berth.Sandbox) -> None:
    d = docker_box.docker
    assert IMAGE in d.images(format="{{.Repository}}:{{.Tag}}").output()
    d.tag(IMAGE, "other", "1").check()
    assert "other:1" in d.images("other", format="{{.Repository}}:{{.Tag}}").output()
    d.rmi("other:1").check()
    assert d.images("other", quiet=True).output() == ""


def test_an_image_that_is_nowhere(docker_box: berth.Sandbox) -> None:
    with pytest.raises(berth.DockerImageNotFound) as e:
        docker_box.docker.rmi("there/is:none").check()
    assert isinstance(e.value, berth.ImageNotFound) and isinstance(e.value, berth.DockerCommandError)


def test_a_known_failure_is_told_with_its_cause_and_remedy(docker_box: berth.Sandbox) -> None:
    d = docker_box.docker
    d.run(IMAGE, "sleep 1000", detach=True, name="unpausable").check()
    try:
        pause = docker_box.exec("docker", "pause", "unpausable")
        assert pause.wait() != 0
        (known,) = berth.diagnose_docker(pause.stderr.read())
        assert known.id == "BERTH-FREEZER" and "freezer" in known.evidence and known.remedy
    finally:
        d.rm("unpausable", force=True).check()
    docker_box.fs.write_text(
        "/six/compose.yaml",
        f"services: {{a: {{image: {IMAGE}, networks: [six]}}}}\n"
        "networks: {six: {enable_ipv6: true, ipam: {config: [{subnet: 'fd00:77::/64'}]}}}\n",
    )
    with pytest.raises(berth.DockerCommandError) as e:
        d.compose_up(cwd="/six").check()
    assert e.value.hint_id == "BERTH-IPV6-NETWORK" and "without --ipv6" in str(e.value)
    assert berth.diagnose_docker(b"\xff nothing known\n") == []


def test_a_file_that_only_this_host_has_is_refused_in_words(docker_box: berth.Sandbox, tmp_path: Path) -> None:
    mine = tmp_path / "env"
    mine.write_text("A=b\n")
    with pytest.raises(
        berth.SandboxFileNotFound, match="env_file: the sandbox has no such file, though this host"
    ) as e:
        docker_box.docker.run(IMAGE, "true", remove=True, env_file=[mine])
    assert e.value.path == str(mine) and "fs.upload" in e.value.hint


def test_building(docker_box: berth.Sandbox, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        f"FROM {IMAGE}\nARG WHO\nCOPY . /ctx/\nRUN echo hello $WHO >/greeting\nCMD cat /greeting\n"
    )
    (tmp_path / "kept").write_text("x")
    (tmp_path / "secret.key").write_text("x")
    (tmp_path / ".dockerignore").write_text("# not these\n*.key\n")
    d = docker_box.docker
    d.build(tmp_path, tag="greeter", buildargs={"WHO": "you"}).check()
    assert d.run("greeter", remove=True).output() == "hello you"
    assert d.run("greeter", "ls /ctx", remove=True).output().split() == ["Dockerfile", "kept"]
    d.build(fileobj=io.BytesIO(f"FROM {IMAGE}\nCMD echo bare\n".encode()), tag="bare").check()
    assert d.run("bare", remove=True).output() == "bare"
    docker_box.fs.write_text("/root/b/Dockerfile", f"FROM {IMAGE}\nCMD echo inside\n")
    d.build(sandbox_path="/root/b", tag="inside").check()
    assert d.run("inside", remove=True).output() == "inside"
    docker_box.fs.write_text("/root/b/sub/Other", f"FROM {IMAGE}\nCOPY sub/Other /\nCMD echo other\n")
    d.build(sandbox_path="/root/b", dockerfile="sub/Other", tag="other").check()
    assert d.run("other", remove=True).output() == "other"
    # What only BuildKit can.
    kit = f"FROM {IMAGE}\nRUN --mount=type=cache,target=/c echo kit >/kit\nCMD cat /kit\n".encode()
    d.build(fileobj=io.BytesIO(kit), tag="kit").check()
    assert d.run("kit", remove=True).output() == "kit"
    with pytest.raises(TypeError):
        d.build()
    with pytest.raises(FileNotFoundError):
        d.build(tmp_path, dockerfile="None")


def test_unknown_arguments_raise_before_anything_runs(docker_box: berth.Sandbox) -> None:
    with pytest.raises(TypeError):
        docker_box.docker.run(IMAGE, gpu="all")  # type: ignore[call-arg]
    with pytest.raises(ValueError):
        docker_box.docker.run("--privileged")


def test_how_long_to_wait_is_what_people_pass(docker_box: berth.Sandbox) -> None:
    for limit in (5, datetime.timedelta(seconds=5), float("inf")):
        # Found again, so that it is not known to be ready.
        berth.Sandbox.connect(docker_box.id).docker.wait_until_ready(limit)
    with pytest.raises(TypeError, match="timeout is a number of seconds"):
        docker_box.docker.wait_until_ready("5")  # type: ignore[arg-type]


def members(form: type) -> dict[str, type | None]:
    """Each member of a TypedDict, and which one its value is, if any."""
    kinds = typing.get_type_hints(form).items()
    return {
        name: next((one for one in (kind, *typing.get_args(kind)) if typing.is_typeddict(one)), None)
        for name, kind in kinds
    }


def test_its_status_has_the_form_of_its_type(docker_box: berth.Sandbox) -> None:
    def check(value: Any, form: type) -> None:
        assert set(value) == set(members(form))
        for name, inner in members(form).items():
            if inner is not None and value[name] is not None:
                check(value[name], inner)

    check(docker_box.status(), berth.SandboxStatus)


def test_status(docker_box: berth.Sandbox) -> None:
    status = docker_box.docker.status()
    assert status.ready and status.state == "ready" and status.ready_after > 0 and status.pid > 0


def test_aio(docker_box: berth.Sandbox) -> None:
    async def main() -> None:
        d = docker_box.docker.aio
        results = await asyncio.gather(*(d.run(IMAGE, ["echo", str(i)], remove=True) for i in range(4)))
        assert await asyncio.gather(*(r.output() for r in results)) == ["0", "1", "2", "3"]
        assert await (await d.ps()).success()
        following = await d.run(IMAGE, ["sh", "-c", "echo a; sleep 0.1; echo b"], remove=True)
        assert [line async for line in following.logs] == ["a\n", "b\n"]
        host = await d.host()
        assert host == docker_box.docker.host and (await d.environment()) == docker_box.docker.environment
        client = await d.client()
        assert await asyncio.to_thread(client.ping)
        await asyncio.to_thread(client.close)

    asyncio.run(main())


def test_a_daemon_that_died_is_noticed_and_comes_back(machine: Path, rootfs: str) -> None:
    with berth.Sandbox(rootfs=rootfs, docker_enabled=True) as sandbox:
        sandbox.docker.ps().check()
        before = sandbox.docker.status()
        sandbox.exec("sh", "-c", "kill -9 $(pidof dockerd)").wait()
        sandbox.docker.ps().check()  # waited until its supervisor had it up again
        deadline = time.monotonic() + 30
        while (after := sandbox.docker.status()).restarts == 0:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert after.pid != before.pid


def test_a_daemon_that_will_not_start_is_told_with_its_words(machine: Path, rootfs: str) -> None:
    with berth.Sandbox(rootfs=rootfs, docker_enabled=True, dockerd_args=["--no-such-flag"]) as sandbox:
        with pytest.raises(berth.DockerNotReadyError) as e:
            sandbox.docker.ps()
        assert isinstance(e.value, TimeoutError) and isinstance(e.value, berth.DockerError)
        assert e.value.state == "failed"
        assert "no-such-flag" in e.value.log_tail and "no-such-flag" in str(e.value)
        assert "exit code 1" in e.value.reason
        assert not sandbox.docker.status().ready
        with pytest.raises(berth.DockerNotReadyError):
            sandbox.docker.wait_until_ready(timeout=1)
        assert sandbox.exec("echo", "others work").stdout.read() == "others work\n"


def test_an_image_without_docker(machine: Path, registry: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BERTH_REGISTRY_MIRROR", registry)
    monkeypatch.setenv("BERTH_IMAGE_CACHE", str(tmp_path))
    with pytest.raises(berth.DockerError, match="no dockerd") as e:
        berth.Sandbox(image=berth.Image.from_registry("ubuntu:22.04"), docker_enabled=True).create()
    assert e.value.code_name == "daemon_not_present"


def test_pull_push_and_login(machine: Path, rootfs: str, registry: str) -> None:
    address = registry.removeprefix("http://")
    with berth.Sandbox(rootfs=rootfs, docker_enabled=True, registry_mirror=registry) as sandbox:
        d = sandbox.docker
        d.pull("nginx", tag="latest").check()
        d.tag("nginx:latest", f"{address}/mine/nginx", "2").check()
        d.push(f"{address}/mine/nginx", "2").check()
        d.rmi([f"{address}/mine/nginx:2", "nginx:latest"]).check()
        d.pull(f"{address}/mine/nginx:2").check()
        assert not d.pull(f"{address}/mine/none:1").success
        with pytest.raises(berth.DockerImageNotFound):
            d.pull(f"{address}/mine/none:1").check()
        # This registry asks for no password and so takes any.
        assert "Login Succeeded" in d.login("me", "p$'\"w", registry=address).output()
        assert "p$'" not in sandbox.exec("ps", "-eo", "args").stdout.read()


def test_data_root_of_the_host_keeps_images(machine: Path, rootfs: str, busybox: Path, tmp_path: Path) -> None:
    for first in (True, False):
        with berth.Sandbox(rootfs=rootfs, docker_enabled=True, data_root=str(tmp_path / "images")) as sandbox:
            sandbox.docker.wait_until_ready()
            if first:
                assert sandbox.exec("docker", "load", stdin=busybox.read_bytes()).wait() == 0
            assert IMAGE in sandbox.docker.images(format="{{.Repository}}:{{.Tag}}").output()


def test_a_sandbox_that_the_command_made(machine: Path, rootfs: str, name: str) -> None:
    words = [sys.executable, "-m", "berth", "run", "-d", "--docker", "--id", name, "--rootfs", rootfs]
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    with berth.Sandbox.connect(name) as sandbox:
        assert sandbox.docker.ps().success


def test_a_sandbox_without_docker_says_so(box: berth.Sandbox) -> None:
    for call in (box.docker.ps, lambda: box.docker.host, lambda: box.docker.environment, box.docker.client):
        with pytest.raises(berth.DockerError, match="docker_enabled=True"):
            call()
    assert box.docker.status().state == "disabled"


@pytest.fixture(scope="module")
def compose_box(machine: Path, rootfs: str, busybox: Path, clients: Path) -> Iterator[berth.Sandbox]:
    """With compose 2, as a plugin of the client inside."""
    plugins = {clients / "config/cli-plugins": {"bind": "/usr/libexec/docker/cli-plugins", "mode": "ro"}}
    with berth.Sandbox(rootfs=rootfs, docker_enabled=True, volumes=plugins, wait_for_docker=True) as sandbox:
        # At once: create() has waited.
        loaded = sandbox.exec("docker", "load", stdin=busybox, timeout=120)
        assert loaded.wait() == 0, loaded.logs.read()
        yield sandbox


def test_waiting_for_a_docker_that_does_not_come_leaves_nothing(machine: Path, rootfs: str, name: str) -> None:
    sandbox = berth.Sandbox(
        rootfs=rootfs, name=name, docker_enabled=True, wait_for_docker=True, dockerd_args=["--no-such-flag"]
    )
    with pytest.raises(berth.DockerNotReadyError) as e:
        sandbox.create()
    assert "no-such-flag" in e.value.log_tail
    assert name not in [s.id for s in berth.Sandbox.list()] and not sandbox.aio.created


COMPOSE = f"""
services:
  web:
    image: {IMAGE}
    command: ["sh", "-c", "echo to be coloured; touch /up; sleep 1000"]
    healthcheck: {{test: ["CMD", "test", "-e", "/up"], interval: 1s}}
    init: true
  debug:
    image: {IMAGE}
    profiles: [debug]
    command: ["echo", "debugging"]
"""


def test_compose_up_waits_scales_and_takes_profiles(compose_box: berth.Sandbox) -> None:
    d, app = compose_box.docker, Path("/app")
    compose_box.fs.write_text(app / "compose.yaml", COMPOSE)
    d.compose_up(cwd=app, wait=True, scale={"web": 2}).check()
    try:
        healthy = d.ps(filters={"health": "healthy"}, format="{{.Names}}").output().split()
        assert sorted(healthy) == ["app-web-1", "app-web-2"]
        logs = d.compose_logs(cwd=app).output()
        assert logs.count("to be coloured") == 2 and "\x1b" not in logs, repr(logs)
        shown = d.compose_up(
            file=[app / "compose.yaml"], profiles=["debug"], detach=False, services=["debug"]
        ).logs.read()
        assert "debugging" in shown and "\x1b" not in shown, repr(shown)
    finally:
        d.compose_down(cwd=app, timeout=1).check()


def test_a_path_of_this_host_is_told_of_before_docker_makes_it(compose_box: berth.Sandbox, tmp_path: Path) -> None:
    d = compose_box.docker
    compose_box.fs.mkdir("/srv/there")
    mine = tmp_path / "mine"
    mine.mkdir()
    words = "this path is the host's, and not in the sandbox: Docker binds an empty directory in its place"
    with pytest.warns(berth.BerthWarning, match=words) as told:
        d.run(IMAGE, "true", remove=True, volumes={mine: {"bind": "/w"}}).check()
    assert f"volumes=['{mine}']" in str(told[0].message)
    compose_box.fs.write_text(
        "/told/compose.yaml",
        f"services:\n  a:\n    image: {IMAGE}\n    command: 'true'\n    secrets: [s]\n"
        f"    volumes: ['{mine}:/w', './data:/data']\nsecrets: {{s: {{file: ./secret}}}}\n",
    )
    compose_box.fs.remove(str(mine), recursive=True)
    with pytest.warns(berth.BerthWarning) as told:
        d.compose_up(cwd="/told", wait=False).wait()
    said = sorted(str(w.message).partition(": Docker")[0] + str(w.message).partition("place ")[2] for w in told)
    assert [s.partition(";")[0] for s in said] == [
        "this path is not in the sandbox(/told/secret)",
        f"this path is the host's, and not in the sandbox({mine})",
    ]
    d.compose_down(cwd="/told", timeout=1).check()
    with pytest.raises(berth.SandboxFileNotFound, match="file: the sandbox has no such file"):
        d.compose_ps(cwd="/told", file=["compose.yaml", "other.yaml"])
    # What is there, and what Docker is to make, is nothing to tell of.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        d.run(IMAGE, "true", remove=True, volumes=["/srv/there:/w", "/srv/to/be/made:/v", "named:/n"]).check()


def test_a_directory_of_this_host_at_the_same_path(machine: Path, rootfs: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("from outside")
    with berth.Sandbox(rootfs=rootfs, volumes=[tmp_path]) as sandbox:
        assert sandbox.fs.read_text(tmp_path / "f") == "from outside"


def test_nothing_of_what_a_container_prints_is_lost(docker_box: berth.Sandbox) -> None:
    result = docker_box.docker.run(IMAGE, ["sh", "-c", "yes | head -n 1000000; echo end"], remove=True)
    assert result.stdout.read_bytes() == b"y\n" * 1_000_000 + b"end\n" and result.success


def test_more_of_docker_run(docker_box: berth.Sandbox) -> None:
    d = docker_box.docker
    docker_box.fs.write_text("/root/env", "FROM_FILE=a b\n")
    assert d.run(IMAGE, ["sh", "-c", "echo $FROM_FILE"], env_file=Path("/root/env"), remove=True).output() == "a b"
    docker_box.exec("docker", "network", "create", "--subnet=10.77.0.0/24", "with-ip").wait()
    d.run(
        IMAGE, "sleep 1000", detach=True, name="more", network="with-ip", ip="10.77.0.7", expose=[81], stop_timeout=1
    ).check()  # fmt: skip
    try:
        wanted = (
            "{{.Config.ExposedPorts}} {{.Config.StopTimeout}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        )
        shown = docker_box.exec("docker", "inspect", "--format", wanted, "more").stdout.read()
        assert shown == "map[81/tcp:{}] 1 10.77.0.7\n"
    finally:
        d.rm("more", force=True).check()
        docker_box.exec("docker", "network", "rm", "with-ip").wait()
