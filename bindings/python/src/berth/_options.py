# SPDX-License-Identifier: Apache-2.0
"""Made by options/generate from options/*.toml: do not edit."""

from __future__ import annotations

#: Of a sandbox: the command's options and the library's, by this package's keywords.
SANDBOX_NAMES: dict[str, str] = {
    "cpus": "cpu",
    "data-root": "data_root",
    "docker": "docker_enabled",
    "dockerd-arg": "dockerd_args",
    "egress": "egress",
    "env": "env",
    "from": "snapshot",
    "id": "name",
    "lifetime": "timeout",
    "max-connections": "max_connections",
    "memory": "memory",
    "mount": "volumes",
    "name": "name",
    "network": "network",
    "rootfs": "rootfs",
    "volume": "volumes",
}

#: Keywords that options of the library have, by what takes them.
KEYWORDS: dict[str, tuple[str, ...]] = {
    "Sandbox": (
        "rootfs",
        "snapshot",
        "name",
        "cpu",
        "memory",
        "network",
        "max_connections",
        "egress",
        "env",
        "volumes",
        "ends_with_process",
        "timeout",
        "docker_enabled",
        "data_root",
        "dockerd_args",
    ),
    "Sandbox.snapshot": (
        "name",
        "stop",
    ),
    "Spec.apply_docker": (
        "cgroup",
        "data_root",
        "data_root_path",
        "raise_limits",
        "guest",
    ),
    "Sandbox.exec": (
        "argv",
        "env",
        "cwd",
        "user",
        "stdin",
    ),
}
