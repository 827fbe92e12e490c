# SPDX-License-Identifier: Apache-2.0
"""Docker in a sandbox: its commands with docker-py's arguments, docker-py itself, and the address for any other
client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._arguments import Seconds
from .._blocking.docker import BlockingDocker
from .async_docker import AsyncDocker
from .client import make_client
from .diagnosis import Diagnosis, Finding, diagnose_docker
from .readiness import DockerStatus
from .result import AsyncDockerResult, DockerResult

if TYPE_CHECKING:
    import docker as docker_py


__all__ = [
    "AsyncDocker",
    "AsyncDockerResult",
    "Diagnosis",
    "Docker",
    "DockerResult",
    "DockerStatus",
    "Finding",
    "diagnose_docker",
]


class Docker(BlockingDocker):
    """Docker in a sandbox.

    Each command waits by itself until dockerd is ready (30 s), starts, and gives a result that streams; arguments are
    those of docker-py, and one that is not known is a TypeError. Paths and ports are the sandbox's.
    """

    @property
    def ready_timeout(self) -> Seconds:
        """Seconds that the first command waits for dockerd."""
        return self.aio.ready_timeout

    @ready_timeout.setter
    def ready_timeout(self, timeout: Seconds) -> None:
        self.aio.ready_timeout = timeout

    def client(self, **options: Any) -> docker_py.DockerClient:
        """docker-py's client of this daemon, once it is ready. options: docker.DockerClient's. Paths of volumes are the
        sandbox's: BerthWarning for one of this host that the sandbox does not have."""
        self.wait_until_ready()
        return make_client(self.host, self.aio._look_now, options)
