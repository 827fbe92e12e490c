# SPDX-License-Identifier: Apache-2.0
"""A working Docker inside gVisor sandboxes."""

from __future__ import annotations

from .docker import AsyncDockerResult, Diagnosis, DockerResult, DockerStatus, Finding, diagnose_docker
from .errors import (
    AccessError,
    BerthError,
    BerthWarning,
    DockerCommandError,
    DockerError,
    DockerImageNotFound,
    DockerNotReadyError,
    ImageError,
    ImageNotFound,
    InvalidError,
    NotFoundError,
    RunscError,
    SandboxError,
    SandboxFileNotFound,
    SandboxNotFound,
    SpecError,
    WaitTimeoutError,
)
from .facts import (
    CommittedImage,
    ContainerPorts,
    ContainerStats,
    Egress,
    NamedAddress,
    PublishedPorts,
    RefusedName,
    RefusedPlace,
    SandboxEvent,
)
from .fs import FileInfo
from .image import Image
from .machine import Machine, MachineCheck, check_machine
from .pool import AsyncSandboxPool, PoolStatus, SandboxPool, pools
from .process import AsyncProcess, Process
from .progress import show_progress
from .sandbox import AsyncSandbox, Sandbox
from .snapshot import Snapshot, remove_snapshot, snapshots
from .spec import Spec, find_init
from .status import SandboxStatus

__version__ = "0.1.0"

__all__ = [
    "AccessError",
    "AsyncDockerResult",
    "AsyncProcess",
    "AsyncSandbox",
    "AsyncSandboxPool",
    "BerthError",
    "BerthWarning",
    "CommittedImage",
    "ContainerPorts",
    "ContainerStats",
    "Diagnosis",
    "DockerCommandError",
    "DockerError",
    "DockerImageNotFound",
    "DockerNotReadyError",
    "DockerResult",
    "DockerStatus",
    "Egress",
    "NamedAddress",
    "SandboxEvent",
    "SandboxStatus",
    "FileInfo",
    "Finding",
    "Image",
    "ImageError",
    "ImageNotFound",
    "Machine",
    "MachineCheck",
    "InvalidError",
    "NotFoundError",
    "PoolStatus",
    "Process",
    "PublishedPorts",
    "RefusedName",
    "RefusedPlace",
    "RunscError",
    "Sandbox",
    "SandboxError",
    "SandboxFileNotFound",
    "SandboxNotFound",
    "SandboxPool",
    "Snapshot",
    "Spec",
    "SpecError",
    "WaitTimeoutError",
    "diagnose_docker",
    "check_machine",
    "find_init",
    "pools",
    "remove_snapshot",
    "show_progress",
    "snapshots",
]
