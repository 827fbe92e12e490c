# SPDX-License-Identifier: Apache-2.0
"""The arguments of docker commands, by docker-py's names."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from .._arguments import PathName

Environment = Mapping[str, str] | Sequence[str]
#: {container port: port of the sandbox | (address, port) | [several] | None for a free one}
Ports = Mapping[str | int, "str | int | tuple[str, int] | Sequence[int] | None"]
Volumes = Mapping[str, "Mapping[str, str]"] | Mapping[Path, "Mapping[str, str]"] | Sequence[str]


class RunOptions(TypedDict, total=False):
    auto_remove: bool
    blkio_weight: int
    cap_add: Sequence[str]
    cap_drop: Sequence[str]
    cgroup_parent: str
    cgroupns: str
    cpu_period: int
    cpu_quota: int
    cpu_shares: int
    cpuset_cpus: str
    cpuset_mems: str
    detach: bool
    device_cgroup_rules: Sequence[str]
    devices: Sequence[str]
    dns: Sequence[str]
    dns_opt: Sequence[str]
    dns_search: Sequence[str]
    domainname: str
    entrypoint: str | Sequence[str]
    env: Environment
    #: A file of the sandbox, as all paths here.
    env_file: PathName | Sequence[PathName]
    environment: Environment
    expose: str | int | Sequence[str | int]
    extra_hosts: Mapping[str, str]
    gpus: str | int
    group_add: Sequence[str]
    healthcheck: Mapping[str, Any]
    hostname: str
    init: bool
    ip: str
    ip6: str
    ipc_mode: str
    labels: Mapping[str, str] | Sequence[str]
    links: Mapping[str, str]
    log_config: Mapping[str, Any]
    mac_address: str
    mem_limit: str | int
    mem_reservation: str | int
    mem_swappiness: int
    memswap_limit: str | int
    mounts: Sequence[Mapping[str, Any]]
    name: str
    nano_cpus: int
    network: str
    network_disabled: bool
    network_mode: str
    oom_kill_disable: bool
    oom_score_adj: int
    pid_mode: str
    pids_limit: int
    platform: str
    ports: Ports
    privileged: bool
    publish_all_ports: bool
    pull: str
    read_only: bool
    remove: bool
    restart_policy: Mapping[str, Any]
    runtime: str
    security_opt: Sequence[str]
    shm_size: str | int
    stdin_open: bool
    stop_signal: str
    stop_timeout: int
    storage_opt: Mapping[str, str]
    stream: bool
    sysctls: Mapping[str, str]
    tmpfs: Mapping[str, str]
    tty: bool
    ulimits: Sequence[Mapping[str, Any]]
    user: str | int
    userns_mode: str
    uts_mode: str
    volume_driver: str
    volumes: Volumes
    volumes_from: Sequence[str]
    working_dir: PathName


class PullOptions(TypedDict, total=False):
    all_tags: bool
    platform: str
    quiet: bool


class BuildOptions(TypedDict, total=False):
    buildargs: Mapping[str, str]
    cache_from: Sequence[str]
    dockerfile: PathName
    extra_hosts: Mapping[str, str]
    forcerm: bool
    labels: Mapping[str, str]
    network_mode: str
    nocache: bool
    platform: str
    pull: bool
    quiet: bool
    rm: bool
    shmsize: int
    tag: str
    target: str


class PsOptions(TypedDict, total=False):
    all: bool
    before: str
    filters: Mapping[str, Any]
    format: str
    latest: bool
    limit: int
    no_trunc: bool
    quiet: bool
    since: str
    size: bool


class ImagesOptions(TypedDict, total=False):
    all: bool
    digests: bool
    filters: Mapping[str, Any]
    format: str
    no_trunc: bool
    quiet: bool


class LogsOptions(TypedDict, total=False):
    details: bool
    follow: bool
    since: str | float | datetime.datetime
    stream: bool
    tail: str | int
    timestamps: bool
    until: str | float | datetime.datetime


class ExecOptions(TypedDict, total=False):
    detach: bool
    env: Environment
    environment: Environment
    privileged: bool
    stdin: bool
    stream: bool
    tty: bool
    user: str | int
    workdir: PathName


class RmOptions(TypedDict, total=False):
    force: bool
    link: bool
    v: bool


class RmiOptions(TypedDict, total=False):
    force: bool
    noprune: bool


class ComposeOptions(TypedDict, total=False):
    """Of every compose command. cwd and file are in the sandbox."""

    cwd: PathName
    env: Mapping[str, str]
    file: PathName | Sequence[PathName]
    profiles: Sequence[str]
    project: str


class ComposeUpOptions(ComposeOptions, total=False):
    build: bool
    detach: bool
    force_recreate: bool
    no_deps: bool
    remove_orphans: bool
    scale: Mapping[str, int]
    services: Sequence[str]
    wait: bool
    wait_timeout: int


class ComposeDownOptions(ComposeOptions, total=False):
    remove_orphans: bool
    rmi: str
    timeout: int
    volumes: bool


class ComposePsOptions(ComposeOptions, total=False):
    all: bool
    quiet: bool
    services: Sequence[str]


class ComposeLogsOptions(ComposeOptions, total=False):
    follow: bool
    services: Sequence[str]
    tail: str | int
    timestamps: bool
