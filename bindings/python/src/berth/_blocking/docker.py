# SPDX-License-Identifier: Apache-2.0
"""Of docker. Made by generate_blocking.py of the classes with coroutines; do not edit."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import IO, Unpack

from .._arguments import Seconds
from .._loop import sync
from ..docker import options as o
from ..docker.async_docker import AsyncDocker
from ..docker.readiness import DockerStatus
from ..docker.result import DockerResult


class BlockingDocker:
    """What Docker has of AsyncDocker."""

    _aio: AsyncDocker

    def __init__(self, aio: AsyncDocker) -> None:
        self._aio = aio

    @property
    def aio(self) -> AsyncDocker:
        """The same with coroutines."""
        return self._aio

    def status(self) -> DockerStatus:
        """Of dockerd, as its supervisor has it."""
        return sync(self._aio.status())

    def wait_until_ready(self, timeout: Seconds | None = None) -> None:
        """DockerNotReadyError when dockerd does not answer in time, or ended; it carries dockerd's last lines."""
        sync(self._aio.wait_until_ready(timeout))

    @property
    def host(self) -> str:
        """For DOCKER_HOST: "unix:///…/docker.sock". The daemon behind it is the sandbox's: do not trust what it
        says."""
        return sync(self._aio.host())

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point docker, docker compose, docker-py's from_env() and testcontainers at this daemon."""
        return sync(self._aio.environment())

    def run(
        self, image: str, command: str | Sequence[str] | None = None, **options: Unpack[o.RunOptions]
    ) -> DockerResult:
        """docker run. ports={"80": "8080"}: the container's port 80 is the sandbox's 8080.

        With remove=True and in the foreground, `docker logs` has nothing of it, unless log_config says so: Docker's log
        holds the output up and may drop its end. BerthWarning: a path of this host that the sandbox does not have."""
        return DockerResult(sync(self._aio.run(image, command, **options)))

    def pull(self, repository: str, tag: str | None = None, **options: Unpack[o.PullOptions]) -> DockerResult:
        """docker pull, with progress."""
        return DockerResult(sync(self._aio.pull(repository, tag, **options)))

    def build(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        fileobj: IO[bytes] | None = None,
        sandbox_path: str | os.PathLike[str] | None = None,
        **options: Unpack[o.BuildOptions],
    ) -> DockerResult:
        """docker build, by BuildKit unless the sandbox's environment has DOCKER_BUILDKIT=0, or its Docker (23 or later)
        lacks buildx. path: a directory of this host, sent as docker-py would, .dockerignore heeded; or fileobj: a
        Dockerfile without a context; or sandbox_path: a directory in the sandbox."""
        return DockerResult(sync(self._aio.build(path, fileobj=fileobj, sandbox_path=sandbox_path, **options)))

    def ps(self, **options: Unpack[o.PsOptions]) -> DockerResult:
        return DockerResult(sync(self._aio.ps(**options)))

    def images(self, name: str | None = None, **options: Unpack[o.ImagesOptions]) -> DockerResult:
        return DockerResult(sync(self._aio.images(name, **options)))

    def logs(self, container: str, **options: Unpack[o.LogsOptions]) -> DockerResult:
        """With follow=True the result streams until the container ends, or it is killed."""
        return DockerResult(sync(self._aio.logs(container, **options)))

    def exec(self, container: str, cmd: str | Sequence[str], **options: Unpack[o.ExecOptions]) -> DockerResult:
        """docker exec. With stdin=True the result's stdin is the command's."""
        return DockerResult(sync(self._aio.exec(container, cmd, **options)))

    def stop(self, container: str | Sequence[str], timeout: Seconds | None = None) -> DockerResult:
        """timeout: seconds until a container is killed."""
        return DockerResult(sync(self._aio.stop(container, timeout)))

    def rm(self, container: str | Sequence[str], **options: Unpack[o.RmOptions]) -> DockerResult:
        return DockerResult(sync(self._aio.rm(container, **options)))

    def rmi(self, image: str | Sequence[str], **options: Unpack[o.RmiOptions]) -> DockerResult:
        return DockerResult(sync(self._aio.rmi(image, **options)))

    def push(self, repository: str, tag: str | None = None) -> DockerResult:
        return DockerResult(sync(self._aio.push(repository, tag)))

    def tag(self, image: str, repository: str, tag: str | None = None) -> DockerResult:
        return DockerResult(sync(self._aio.tag(image, repository, tag)))

    def login(self, username: str, password: str, registry: str | None = None) -> DockerResult:
        """Inside the sandbox; the password goes over stdin."""
        return DockerResult(sync(self._aio.login(username, password, registry)))

    def compose_up(self, **options: Unpack[o.ComposeUpOptions]) -> DockerResult:
        """docker compose up, detached unless detach=False. file and cwd are paths in the sandbox. wait=True: ends when
        the services run, or are healthy where they say how to tell."""
        return DockerResult(sync(self._aio.compose_up(**options)))

    def compose_down(self, **options: Unpack[o.ComposeDownOptions]) -> DockerResult:
        return DockerResult(sync(self._aio.compose_down(**options)))

    def compose_ps(self, **options: Unpack[o.ComposePsOptions]) -> DockerResult:
        return DockerResult(sync(self._aio.compose_ps(**options)))

    def compose_logs(self, **options: Unpack[o.ComposeLogsOptions]) -> DockerResult:
        return DockerResult(sync(self._aio.compose_logs(**options)))
