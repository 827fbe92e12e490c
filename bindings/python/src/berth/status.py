# SPDX-License-Identifier: Apache-2.0
"""The form of what `Sandbox.status()` gives. What each member means: docs/reference/managed.md#the-status."""

from __future__ import annotations

from typing import Literal, TypedDict

__all__ = ["CommandStatus", "CreatorStatus", "DaemonFailure", "DaemonStatus", "NetworkStatus", "SandboxStatus"]


class NetworkStatus(TypedDict):
    mode: Literal["sandbox", "none", "path"]
    path: str
    address: str
    gateway: str
    mtu: int
    max_connections: int
    refused_connections: int | None
    egress: list[str]
    refused_egress: int | None
    ports: list[str]
    host_ports: list[str]
    #: Whether the host's rules are there: `berth status` looks at them only.
    rules: bool | None


class CreatorStatus(TypedDict):
    pid: int
    alive: bool


class DaemonFailure(TypedDict):
    code: int
    phase: str
    message: str
    reason: str
    elapsed_ms: float
    attempts: int
    exit_code: int | None
    signal: int | None
    last_probe: str
    output: str
    hint_id: str
    hint: str


class DaemonStatus(TypedDict):
    wanted: bool
    state: Literal["disabled", "not_present", "starting", "ready", "failed", "stopped"]
    pid: int
    ready_after_ms: float
    restarts: int
    failure: DaemonFailure | None


class CommandStatus(TypedDict):
    argv: list[str]
    state: str
    exit_code: int | None


class SandboxStatus(TypedDict):
    id: str
    state: Literal[
        "creating", "running", "paused", "asleep", "hibernated", "unresponsive", "stopped", "lost", "damaged", "unknown"
    ]
    exit_reason: Literal["", "ended", "out_of_memory"]
    memory_kills: int
    damage: str
    created: str
    phase: str
    rootfs: str
    hostname: str
    network: NetworkStatus
    cpus: float
    memory_bytes: int
    pid: int
    creator: CreatorStatus
    runsc: str
    container_id: str
    directory: str
    shared: str
    logs: str
    annotations: dict[str, str]
    detached: bool
    docker: DaemonStatus
    command: CommandStatus
