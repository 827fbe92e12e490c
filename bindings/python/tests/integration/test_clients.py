# SPDX-License-Identifier: Apache-2.0
"""What users already have, pointed at a sandbox: docker-py, the docker command, docker compose, testcontainers."""

from __future__ import annotations

import os
import subprocess
import urllib.request
import warnings
from pathlib import Path

import berth
import pytest

IMAGE = "busybox:latest"

COMPOSE = f"""
services:
  server:
    image: {IMAGE}
    command: ["sh", "-c", "echo served by name >/index.html && httpd -f -p 8000 -h /"]
    ports: ["8099:8000"]
  client:
    image: {IMAGE}
    depends_on: [server]
    command: ["sh", "-c", "until wget -q -O - http://server:8000/index.html; do sleep 0.2; done"]
"""


def environment(box: berth.Sandbox, clients: Path) -> dict[str, str]:
    """Nothing else of this machine's docker set-up."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("DOCKER_")}
    path = f"{clients}/bin:{os.environ['PATH']}"
    return {**own, **box.docker.environment, "DOCKER_CONFIG": f"{clients}/config", "PATH": path}


def docker(box: berth.Sandbox, clients: Path, *arguments: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [f"{clients}/bin/docker", *arguments], env=environment(box, clients), cwd=cwd, capture_output=True, text=True,
        timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_docker_py(docker_box: berth.Sandbox) -> None:
    client = docker_box.docker.client()
    try:
        assert client.ping()
        assert client.containers.run(IMAGE, "echo by docker-py", remove=True) == b"by docker-py\n"
        container = client.containers.run(IMAGE, "sleep 1000", detach=True, ports={"80": 8077})
        assert container.exec_run("echo inside").output == b"inside\n"
        assert container.id in [c.id for c in client.containers.list()]
        container.remove(force=True)
    finally:
        client.close()


def test_docker_py_is_told_of_paths_that_are_only_this_hosts(docker_box: berth.Sandbox, tmp_path: Path) -> None:
    client = docker_box.docker.client()
    mine = tmp_path / "mine"
    mine.mkdir()
    words = "this path is the host's, and not in the sandbox: Docker binds an empty directory in its place"
    try:
        with pytest.warns(berth.BerthWarning, match=words):
            client.containers.run(IMAGE, "true", remove=True, volumes={str(mine): {"bind": "/w", "mode": "rw"}})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert client.containers.run(IMAGE, "ls /w", remove=True, volumes=["/etc/apt:/w:ro", "named:/v"])
    finally:
        client.close()


def test_the_docker_command(docker_box: berth.Sandbox, clients: Path) -> None:
    assert docker(docker_box, clients, "run", "--rm", IMAGE, "echo", "by the command") == "by the command\n"
    inside = docker_box.docker.run(IMAGE, "hostname", remove=True, hostname="nested").output()
    assert inside == "nested"


def test_docker_compose_of_the_host(docker_box: berth.Sandbox, clients: Path, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    docker(docker_box, clients, "compose", "-p", "host", "up", "-d", cwd=tmp_path)
    try:
        docker(docker_box, clients, "wait", "host-client-1")
        assert "served by name" in docker(docker_box, clients, "compose", "-p", "host", "logs", "client", cwd=tmp_path)
        with urllib.request.urlopen(docker_box.url(8099) + "/index.html", timeout=20) as answer:
            assert answer.read() == b"served by name\n"
    finally:
        docker(docker_box, clients, "compose", "-p", "host", "down", cwd=tmp_path)


def test_testcontainers(docker_box: berth.Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in docker_box.docker.environment.items():
        monkeypatch.setenv(variable, value)
    # Its reaper is an image of its own, which no registry here has.
    monkeypatch.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)
    command = "sh -c 'echo contained >/index.html && httpd -f -p 8000 -h /'"
    with DockerContainer(IMAGE, command=command).with_exposed_ports(8000) as container:
        url = f"http://{container.get_container_host_ip()}:{container.get_exposed_port(8000)}/index.html"
        assert container.get_container_host_ip() == docker_box.address
        body = b""
        for _ in range(100):
            try:
                with urllib.request.urlopen(url, timeout=10) as answer:
                    body = answer.read()
                break
            except OSError:
                import time

                time.sleep(0.1)
        assert body == b"contained\n"


def test_compose_inside(user_environment: None, busybox: Path) -> None:
    """The compose and buildx that with_docker() installs: a file in today's format, a Dockerfile for BuildKit."""
    image = berth.Image.from_registry("ubuntu:22.04").with_docker()
    with berth.Sandbox(image=image, docker_enabled=True) as sandbox:
        sandbox.docker.wait_until_ready()
        assert sandbox.exec("docker", "load", stdin=busybox.read_bytes()).wait() == 0
        sandbox.fs.write_text("/app/docker-compose.yml", COMPOSE.replace("services:", "name: today\nservices:", 1))
        d = sandbox.docker
        d.compose_up(cwd="/app").check()
        assert "server" in d.compose_ps(cwd="/app").output()
        logs = ""
        for _ in range(100):
            logs = d.compose_logs(cwd="/app", services=["client"]).output()
            if "served by name" in logs:
                break
        assert "served by name" in logs
        assert "today-client-1" in d.ps(all=True, format="{{.Names}}").output()
        d.compose_down(cwd="/app", volumes=True).check()
        assert "buildx" in sandbox.exec("docker", "buildx", "version").stdout.read()
        sandbox.fs.write_text("/kit/Dockerfile", f"FROM {IMAGE}\nRUN --mount=type=cache,target=/c echo kit >/kit\n")
        assert sandbox.exec("docker", "buildx", "build", "-t", "kit", "/kit").wait() == 0
        assert d.run("kit", "cat /kit", remove=True).output() == "kit"
        assert d.ps(all=True, quiet=True).output() == ""
