# SPDX-License-Identifier: Apache-2.0
"""Sandboxes: made, found again, used and removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

from . import _sigterm
from ._arguments import PathName, Seconds, path_name
from ._blocking.sandbox import BlockingSandbox
from ._loop import sync
from .async_sandbox import AsyncSandbox
from .creation import (
    EgressRules,
    Volumes,
    Wanted,
    checked,
    checked_certificates,
    checked_egress,
    checked_lifetime,
    checked_path,
    checked_ports,
    checked_strings,
    checked_volumes,
)
from .docker import Docker
from .facts import (
    ContainerPorts,
    Egress,
    PublishedPorts,
    SandboxEvent,
)
from .fs import Fs
from .rootfs import Buildable

__all__ = [
    "AsyncSandbox",
    "ContainerPorts",
    "Egress",
    "PublishedPorts",
    "Sandbox",
    "SandboxEvent",
]


class _ProcessNamespace:
    """`sandbox.process.exec(…)`, as some know it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.exec = sandbox.exec


class Sandbox(BlockingSandbox):
    """A gVisor sandbox of its own root file system, network and, if asked for, Docker.

    cpu: how many CPUs it may use. memory: as "2Gi", or bytes. image: an Image. docker_enabled: starts dockerd inside.
    name: its id, else one is made up. env: for all that runs inside. ports: those that `ports` lists. network:
    "sandbox", "none", or the path of a network namespace. timeout: seconds from its creation after which it stops by
    itself; terminate() still removes it. volumes: of the host, "SOURCE:DESTINATION[:ro]", a path that is the same
    inside, or docker-py's {"/here": {"bind": "/there", "mode": "ro"}}. registry_mirror: for the Docker inside, else the
    image's. data_root: where Docker keeps its images: "tmpfs[:SIZE]", or a directory of the host, where they outlive
    the sandbox, and "DIRECTORY:SIZE" bounds them. dockerd_args: further ones. rootfs: a directory in place of an image.
    snapshot: the name of a saved sandbox to go on from, in place of an image: then only name, ports, network where it
    is a path, egress, host_ports, timeout, idle_timeout, hibernate, wait_for_docker and ends_with_process may be
    given. wait_for_docker:
    create() returns when Docker is ready, or fails. max_connections: how many flows it may hold in the host's
    connection tracking; 0: no limit. egress: where it may begin connections to: "all", "none", or a list of
    "ADDRESS[/PREFIX][:PORT[-PORT]][/tcp|/udp]", where a port alone is one of TCP, the same with "example.com" or
    "*.example.com" in place of an address, and "dns" for its name servers; set_egress() changes it.
    host_ports: TCP ports of this host that it may reach, "[ADDRESS:]PORT", whatever its egress is.
    insecure_registries: for the Docker inside, without TLS or with a certificate that nobody signed:
    "HOST[:PORT]". registry_ca: a dict of "HOST[:PORT]" and the file of this host with the certificates (PEM) by which
    the registry's is signed. registry_auth: registries whose credentials go in, and no others, "HOST[:PORT]" or
    "docker.io"; everything inside can read them. registry_auth_file: where they are, else ~/.docker/config.json.
    ends_with_process: it is removed when this process ends, whatever ends that; by default so where `with` makes it.
    idle_timeout: seconds without use after which it falls asleep; its next use wakes it. hibernate: it sleeps on the
    disk then, and takes no memory.

    Nothing happens before create(), or `with`, which removes it at the end.
    """

    def __init__(
        self,
        cpu: float | None = None,
        memory: str | int | None = None,
        image: Buildable | None = None,
        docker_enabled: bool = False,
        name: str | None = None,
        env: Mapping[str, str] | None = None,
        ports: Iterable[int] = (),
        network: PathName = "sandbox",
        timeout: Seconds | None = None,
        *,
        volumes: Volumes = (),
        registry_mirror: str | None = None,
        data_root: PathName | None = None,
        dockerd_args: Iterable[str] = (),
        rootfs: PathName | None = None,
        snapshot: str | None = None,
        wait_for_docker: bool = False,
        max_connections: int | None = None,
        egress: EgressRules | None = None,
        ends_with_process: bool | None = None,
        idle_timeout: Seconds | None = None,
        hibernate: bool = False,
        host_ports: Iterable[str] = (),
        insecure_registries: Iterable[str] = (),
        registry_ca: Mapping[str, PathName] | None = None,
        registry_auth: Iterable[str] = (),
        registry_auth_file: PathName | None = None,
    ) -> None:
        wanted = Wanted(
            cpu, memory, image, checked_path("rootfs", rootfs), snapshot, docker_enabled, name, env,
            checked_ports(ports), path_name("network", network), checked_lifetime(timeout), checked_volumes(volumes),
            registry_mirror, checked_path("data_root", data_root), checked_strings("dockerd_args", dockerd_args),
            wait_for_docker, max_connections, None if egress is None else checked_egress(egress), ends_with_process,
            checked_lifetime(idle_timeout), hibernate,
            checked_strings("insecure_registries", insecure_registries), checked_certificates(registry_ca),
            checked_strings("registry_auth", registry_auth), checked_path("registry_auth_file", registry_auth_file),
            checked_strings("host_ports", host_ports),
        )  # fmt: skip
        self._use(AsyncSandbox(checked(wanted)))

    def _use(self, aio: AsyncSandbox) -> None:
        super()._use(aio)
        self.fs = Fs(aio.fs)
        self.docker = Docker(aio.docker)
        self.process = _ProcessNamespace(self)

    @classmethod
    def connect(cls, id: str) -> Self:
        """A sandbox that runs already, made by whichever process. SandboxNotFound when there is none of this id."""
        return cls._of(sync(AsyncSandbox.connect(id)))

    from_id = connect

    @classmethod
    def list(cls) -> list[Self]:
        """All sandboxes of this machine's berth, in order of creation."""
        return [cls._of(found) for found in sync(AsyncSandbox.list())]

    def create(self) -> Self:
        made_before = self._aio.created
        try:
            sync(self._aio.create())  # not super(), whose frame would be one more in the traceback of an error
        except BaseException:
            # Ctrl-C may come when it has just been made, and who called would not know of it.
            if not made_before:
                self.terminate()
            raise
        return self

    def __enter__(self) -> Self:
        self._aio._sigterm = _sigterm.enter()
        try:
            if not self._aio.created:
                self._aio._within()
                self.create()
        except BaseException:
            self._aio._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.terminate()
        finally:
            self._aio._leave()

    async def __aenter__(self) -> AsyncSandbox:
        return await self._aio.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._aio.__aexit__(kind, error, trace)

    def __repr__(self) -> str:
        return f"<Sandbox {self._aio.id if self._aio.created else 'not created'}>"
