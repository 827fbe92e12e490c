# SPDX-License-Identifier: Apache-2.0
"""What a sandbox tells of itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal


#: A log of a sandbox's.
LogName = Literal["command", "daemon", "init"]


@dataclasses.dataclass(frozen=True)
class RefusedPlace:
    """An address and a port that a sandbox was refused."""

    to: str  #: the rule that would allow it: "192.0.2.7:443/tcp"
    packets: int
    seconds_ago: int  #: since the last of them


@dataclasses.dataclass(frozen=True)
class NamedAddress:
    """An address that a sandbox may begin connections to, since a name has it."""

    name: str  #: that was asked for
    address: str
    rule: str  #: that allows it
    seconds_left: int  #: until it does no more, where the name is not asked for again


@dataclasses.dataclass(frozen=True)
class RefusedName:
    """A name that a sandbox asked for and that no rule allows."""

    name: str
    questions: int
    seconds_ago: int  #: since the last of them


@dataclasses.dataclass(frozen=True)
class Egress:
    """Where a sandbox may begin connections to, and what was refused."""

    rules: tuple[str, ...]  #: ("all",), ("none",), or what is allowed
    refused: int  #: packets of the sandbox's so far
    #: Where those of the last hour were to go, by TCP or UDP, the latest first; 1024 at most.
    refused_places: tuple[RefusedPlace, ...] = ()
    #: The addresses that the names in the rules have, as far as the sandbox asked for them.
    addresses: tuple[NamedAddress, ...] = ()
    #: With names in the rules: those that were asked for and are in none, the latest first; 256 at most.
    refused_names: tuple[RefusedName, ...] = ()

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Egress:
        places = (RefusedPlace(**one) for one in said["refused_places"])
        addresses = (NamedAddress(**one) for one in said["addresses"])
        names = (RefusedName(**one) for one in said["refused_names"])
        return cls(tuple(said["egress"]), said["refused"], tuple(places), tuple(addresses), tuple(names))


@dataclasses.dataclass(frozen=True)
class ContainerPorts:
    """A container in a sandbox, and the ports of the sandbox that lead to it."""

    container: str  #: its id in Docker
    name: str
    ports: tuple[str, ...]  #: "0.0.0.0:80:8000/tcp": address and port of the sandbox, port inside


@dataclasses.dataclass(frozen=True)
class PublishedPorts:
    """Those that a sandbox is reached by."""

    ports: tuple[str, ...]  #: of this host, that lead to it: "127.0.0.1:8080:80/tcp", as in its status
    containers: tuple[ContainerPorts, ...]  #: those that publish any, as far as its Docker is ready

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> PublishedPorts:
        containers = (ContainerPorts(one["container"], one["name"], tuple(one["ports"])) for one in said["containers"])
        return cls(tuple(said["ports"]), tuple(containers))


@dataclasses.dataclass(frozen=True)
class ContainerStats:
    """What a container in a sandbox takes: the sandbox's word. None: not known, or no limit."""

    container: str  #: its id in Docker
    name: str
    memory_bytes: int | None  #: of its processes, and of what they have written to a tmpfs
    memory_limit_bytes: int | None
    cpu_ns: int | None  #: processor time since it began, in nanoseconds
    processes: int | None


@dataclasses.dataclass(frozen=True)
class CommittedImage:
    """An image that was made of a sandbox."""

    digest: str  #: of its manifest: "sha256:…"
    size: int  #: of its manifest, configuration and compressed layers, in bytes


@dataclasses.dataclass(frozen=True)
class SandboxEvent:
    """What happened in a sandbox, as its guest saw it: "container_out_of_memory" (over its memory limit, killed),
    "docker_ready", "docker_ended" (by itself; it is started again), "docker_failed", "docker_stopped"."""

    event: str
    #: Seconds since the epoch, by the sandbox's clock.
    time: float
    #: The container's id in Docker, where it is about one.
    container: str
    message: str

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> SandboxEvent:
        return cls(said["event"], said["at_ms"] / 1000, said["container"], said["message"])
