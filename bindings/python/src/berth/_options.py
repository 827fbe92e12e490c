# SPDX-License-Identifier: Apache-2.0
"""Made by options/generate from options/*.toml: do not edit."""

from __future__ import annotations

#: Of a sandbox: the command's options and the library's, by this package's keywords.
SANDBOX_NAMES: dict[str, str] = {
    "allow-host-port": "host_ports",
    "cpus": "cpu",
    "data-root": "data_root",
    "data_root": "data_root",
    "docker": "docker_enabled",
    "dockerd-arg": "dockerd_args",
    "dockerd_args": "dockerd_args",
    "egress": "egress",
    "ends_with_creator": "ends_with_process",
    "env": "env",
    "from": "snapshot",
    "hibernate": "hibernate",
    "host_ports": "host_ports",
    "id": "name",
    "idle-timeout": "idle_timeout",
    "idle_timeout_ms": "idle_timeout",
    "insecure-registry": "insecure_registries",
    "insecure_registries": "insecure_registries",
    "lifetime": "timeout",
    "lifetime_ms": "timeout",
    "max-connections": "max_connections",
    "max_connections": "max_connections",
    "memory": "memory",
    "memory_bytes": "memory",
    "mount": "volumes",
    "mounts": "volumes",
    "name": "name",
    "network": "network",
    "registry-auth": "registry_auth",
    "registry-auth-file": "registry_auth_file",
    "registry-ca": "registry_ca",
    "registry_auth": "registry_auth",
    "registry_auth_file": "registry_auth_file",
    "registry_cas": "registry_ca",
    "rootfs": "rootfs",
    "snapshot": "snapshot",
    "volume": "volumes",
}

#: Of these, what a sandbox that is restored may have of its own.
RESTORED: tuple[str, ...] = (
    "snapshot",
    "name",
    "network",
    "egress",
    "host_ports",
    "ends_with_process",
    "timeout",
    "idle_timeout",
    "hibernate",
)

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
        "host_ports",
        "env",
        "volumes",
        "ends_with_process",
        "timeout",
        "idle_timeout",
        "hibernate",
        "docker_enabled",
        "data_root",
        "dockerd_args",
        "insecure_registries",
        "registry_ca",
        "registry_auth",
        "registry_auth_file",
    ),
    "Sandbox.terminate": (
        "force",
        "timeout",
    ),
    "Sandbox.commit": (
        "layout",
        "tag",
        "env",
        "workdir",
        "entrypoint",
        "command",
        "author",
        "message",
        "umoci",
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
    "Sandbox.start_detached": (
        "argv",
        "env",
        "cwd",
        "user",
        "log",
    ),
}

#: The library's words for what is to be done, and this package's.
HINTS: tuple[tuple[str, str], ...] = (
    (
        "remove the sandbox {}",
        'remove it: Sandbox.connect("{}").terminate()',
    ),
    (
        "remove at once the sandbox {}",
        'remove it: Sandbox.connect("{}").terminate()',
    ),
    (
        "removing the sandbox takes away what is left of it",
        "terminate() removes the sandbox by what is left of it",
    ),
    (
        "collect garbage",
        "collect garbage (python -m berth gc)",
    ),
    (
        "a list of the sandboxes shows those there are",
        "Sandbox.list() has those there are",
    ),
    (
        "a list of the snapshots shows those there are",
        "berth.snapshots() has those there are",
    ),
    (
        "remove the snapshot {}",
        'remove it: berth.remove_snapshot("{}")',
    ),
    (
        "dockerd's log tells more about the sandbox {}",
        "dockerd's last lines are in the error's log_tail",
    ),
    (
        "check this machine",
        "see what `python -m berth doctor` says",
    ),
    (
        "make it with Docker",
        "make it with docker_enabled=True",
    ),
    (
        "choose a shorter root directory",
        "choose a shorter root directory by BERTH_ROOT",
    ),
    (
        "with a data root in memory",
        'with a data root in memory (data_root="tmpfs")',
    ),
    (
        "give the data root a larger size, or use a host directory",
        'give the data root a larger size (data_root="tmpfs:SIZE"), or use a host directory (data_root="DIR:SIZE")',
    ),
    (
        "take it out of the further arguments for dockerd",
        "take it out of dockerd_args",
    ),
    (
        "add CAP_SYS_RESOURCE to the sandbox's spec",
        "add CAP_SYS_RESOURCE to the sandbox's spec (apply_docker(raise_limits=True))",
    ),
    (
        "pause the whole sandbox instead",
        "pause the whole sandbox instead (sandbox.pause())",
    ),
    (
        "take the cgroup mode `sandbox`, the default,",
        'take the cgroup mode `sandbox` (cgroup="sandbox", the default),',
    ),
    (
        "on this host where its client is used",
        "on this host where its client is used",
    ),
    (
        "a list of the pools shows those there are",
        "berth.pools() has those there are",
    ),
    (
        "stop the pool {}",
        'stop it: SandboxPool("{}").stop()',
    ),
)
