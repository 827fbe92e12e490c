# SPDX-License-Identifier: Apache-2.0
"""From docker-py's arguments to the words of the docker command line. Nothing here does I/O."""

from __future__ import annotations

import math
import os
import posixpath
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, get_type_hints

from .._arguments import Seconds, seconds
from . import options as o
from . import rules

#: By docker-py's name: the option, and the rule for its value.
_Table = dict[str, tuple[str, rules.Rule]]

_RUN: _Table = {
    "auto_remove": ("--rm", rules.switch),
    "blkio_weight": ("--blkio-weight", rules.text),
    "cap_add": ("--cap-add", rules.each),
    "cap_drop": ("--cap-drop", rules.each),
    "cgroup_parent": ("--cgroup-parent", rules.text),
    "cgroupns": ("--cgroupns", rules.text),
    "cpu_period": ("--cpu-period", rules.text),
    "cpu_quota": ("--cpu-quota", rules.text),
    "cpu_shares": ("--cpu-shares", rules.text),
    "cpuset_cpus": ("--cpuset-cpus", rules.text),
    "cpuset_mems": ("--cpuset-mems", rules.text),
    "detach": ("--detach", rules.switch),
    "device_cgroup_rules": ("--device-cgroup-rule", rules.each),
    "devices": ("--device", rules.each),
    "dns": ("--dns", rules.each),
    "dns_opt": ("--dns-option", rules.each),
    "dns_search": ("--dns-search", rules.each),
    "domainname": ("--domainname", rules.text),
    "entrypoint": ("--entrypoint", rules.text),
    "env": ("--env", rules.pairs("=")),
    "env_file": ("--env-file", rules.one_or_each),
    "environment": ("--env", rules.pairs("=")),
    "expose": ("--expose", rules.one_or_each),
    "extra_hosts": ("--add-host", rules.pairs(":")),
    "gpus": ("--gpus", rules.text),
    "group_add": ("--group-add", rules.each),
    "healthcheck": ("--health", rules.healthcheck),
    "hostname": ("--hostname", rules.text),
    "init": ("--init", rules.switch),
    "ip": ("--ip", rules.text),
    "ip6": ("--ip6", rules.text),
    "ipc_mode": ("--ipc", rules.text),
    "labels": ("--label", rules.pairs("=")),
    "links": ("--link", rules.pairs(":")),
    "log_config": ("--log", rules.log_config),
    "mac_address": ("--mac-address", rules.text),
    "mem_limit": ("--memory", rules.text),
    "mem_reservation": ("--memory-reservation", rules.text),
    "mem_swappiness": ("--memory-swappiness", rules.text),
    "memswap_limit": ("--memory-swap", rules.text),
    "mounts": ("--mount", rules.mounts),
    "name": ("--name", rules.text),
    "nano_cpus": ("--cpus", rules.nano_cpus),
    "network": ("--network", rules.text),
    "network_disabled": ("--network=none", rules.switch),
    "network_mode": ("--network", rules.text),
    "oom_kill_disable": ("--oom-kill-disable", rules.switch),
    "oom_score_adj": ("--oom-score-adj", rules.text),
    "pid_mode": ("--pid", rules.text),
    "pids_limit": ("--pids-limit", rules.text),
    "platform": ("--platform", rules.text),
    "ports": ("--publish", rules.ports),
    "privileged": ("--privileged", rules.switch),
    "publish_all_ports": ("--publish-all", rules.switch),
    "pull": ("--pull", rules.text),
    "read_only": ("--read-only", rules.switch),
    "remove": ("--rm", rules.switch),
    "restart_policy": ("--restart", rules.restart_policy),
    "runtime": ("--runtime", rules.text),
    "security_opt": ("--security-opt", rules.each),
    "shm_size": ("--shm-size", rules.text),
    "stdin_open": ("--interactive", rules.switch),
    "stop_signal": ("--stop-signal", rules.text),
    "stop_timeout": ("--stop-timeout", rules.text),
    "storage_opt": ("--storage-opt", rules.pairs("=")),
    "stream": ("", rules.nothing),
    "sysctls": ("--sysctl", rules.pairs("=")),
    "tmpfs": ("--tmpfs", rules.tmpfs),
    "tty": ("--tty", rules.switch),
    "ulimits": ("--ulimit", rules.ulimits),
    "user": ("--user", rules.text),
    "userns_mode": ("--userns", rules.text),
    "uts_mode": ("--uts", rules.text),
    "volume_driver": ("--volume-driver", rules.text),
    "volumes": ("--volume", rules.volumes),
    "volumes_from": ("--volumes-from", rules.each),
    "working_dir": ("--workdir", rules.text),
}
_PULL: _Table = {
    "all_tags": ("--all-tags", rules.switch),
    "platform": ("--platform", rules.text),
    "quiet": ("--quiet", rules.switch),
}
_BUILD: _Table = {
    "buildargs": ("--build-arg", rules.pairs("=")),
    "cache_from": ("--cache-from", rules.each),
    "dockerfile": ("--file", rules.text),
    "extra_hosts": ("--add-host", rules.pairs(":")),
    "forcerm": ("--force-rm", rules.switch),
    "labels": ("--label", rules.pairs("=")),
    "network_mode": ("--network", rules.text),
    "nocache": ("--no-cache", rules.switch),
    "platform": ("--platform", rules.text),
    "pull": ("--pull", rules.switch),
    "quiet": ("--quiet", rules.switch),
    "rm": ("--rm", rules.either_way),
    "shmsize": ("--shm-size", rules.text),
    "tag": ("--tag", rules.text),
    "target": ("--target", rules.text),
}
_PS: _Table = {
    "all": ("--all", rules.switch),
    "before": ("", rules.name_filter("before")),
    "filters": ("--filter", rules.filters),
    "format": ("--format", rules.output_format),
    "latest": ("--latest", rules.switch),
    "limit": ("--last", rules.text),
    "no_trunc": ("--no-trunc", rules.switch),
    "quiet": ("--quiet", rules.switch),
    "since": ("", rules.name_filter("since")),
    "size": ("--size", rules.switch),
}
_IMAGES: _Table = {
    "all": ("--all", rules.switch),
    "digests": ("--digests", rules.switch),
    "filters": ("--filter", rules.filters),
    "format": ("--format", rules.output_format),
    "no_trunc": ("--no-trunc", rules.switch),
    "quiet": ("--quiet", rules.switch),
}
_LOGS: _Table = {
    "details": ("--details", rules.switch),
    "follow": ("--follow", rules.switch),
    "since": ("--since", rules.moment),
    "stream": ("", rules.nothing),
    "tail": ("--tail", rules.text),
    "timestamps": ("--timestamps", rules.switch),
    "until": ("--until", rules.moment),
}
_EXEC: _Table = {
    "detach": ("--detach", rules.switch),
    "env": ("--env", rules.pairs("=")),
    "environment": ("--env", rules.pairs("=")),
    "privileged": ("--privileged", rules.switch),
    "stdin": ("--interactive", rules.switch),
    "stream": ("", rules.nothing),
    "tty": ("--tty", rules.switch),
    "user": ("--user", rules.text),
    "workdir": ("--workdir", rules.text),
}
_RM: _Table = {
    "force": ("--force", rules.switch),
    "link": ("--link", rules.switch),
    "v": ("--volumes", rules.switch),
}
_RMI: _Table = {"force": ("--force", rules.switch), "noprune": ("--no-prune", rules.switch)}

_COMPOSE_ABOVE: _Table = {"profiles": ("--profile", rules.each), "project": ("--project-name", rules.text)}
_COMPOSE_UP: _Table = {
    "build": ("--build", rules.switch),
    "detach": ("--detach", rules.switch),
    "force_recreate": ("--force-recreate", rules.switch),
    "no_deps": ("--no-deps", rules.switch),
    "remove_orphans": ("--remove-orphans", rules.switch),
    "scale": ("--scale", rules.pairs("=")),
    "wait": ("--wait", rules.switch),
    "wait_timeout": ("--wait-timeout", rules.text),
}
_COMPOSE_DOWN: _Table = {
    "remove_orphans": ("--remove-orphans", rules.switch),
    "rmi": ("--rmi", rules.text),
    "timeout": ("--timeout", rules.text),
    "volumes": ("--volumes", rules.switch),
}
_COMPOSE_PS: _Table = {"all": ("--all", rules.switch), "quiet": ("--quiet", rules.switch)}
_COMPOSE_LOGS: _Table = {
    "follow": ("--follow", rules.switch),
    "tail": ("--tail", rules.text),
    "timestamps": ("--timestamps", rules.switch),
}

#: For the test that the tables and the types say the same.
TABLES: tuple[tuple[Any, _Table, frozenset[str]], ...] = (
    (o.RunOptions, _RUN, frozenset()),
    (o.PullOptions, _PULL, frozenset()),
    (o.BuildOptions, _BUILD, frozenset()),
    (o.PsOptions, _PS, frozenset()),
    (o.ImagesOptions, _IMAGES, frozenset()),
    (o.LogsOptions, _LOGS, frozenset()),
    (o.ExecOptions, _EXEC, frozenset()),
    (o.RmOptions, _RM, frozenset()),
    (o.RmiOptions, _RMI, frozenset()),
    (o.ComposeUpOptions, _COMPOSE_UP, frozenset({"cwd", "env", "file", "profiles", "project", "services"})),
    (o.ComposeDownOptions, _COMPOSE_DOWN, frozenset({"cwd", "env", "file", "profiles", "project"})),
    (o.ComposePsOptions, _COMPOSE_PS, frozenset({"cwd", "env", "file", "profiles", "project", "services"})),
    (o.ComposeLogsOptions, _COMPOSE_LOGS, frozenset({"cwd", "env", "file", "profiles", "project", "services"})),
)


def known_names(kind: Any) -> set[str]:
    return set(get_type_hints(kind))


def _flags(verb: str, table: Mapping[str, tuple[str, rules.Rule]], given: Mapping[str, Any]) -> list[str]:
    words: list[str] = []
    for name, value in given.items():
        if name not in table:
            raise TypeError(f"{verb}() got an unexpected keyword argument {name!r}")
        if value is None:
            continue
        flag, rule = table[name]
        words += rule(flag, value)
    return words


def _operand(what: str, value: str) -> str:
    """A name that cannot be taken for an option, and that no part of is lost."""
    if not isinstance(value, str) or not value or value.startswith("-") or "\0" in value:
        raise ValueError(f"not {what}: {value!r}")
    return value


def _command(command: str | Sequence[str] | None, what: str = "a command") -> list[str]:
    """A string is split as a shell would, as docker-py does."""
    if command is None:
        return []
    if isinstance(command, str):
        return shlex.split(command)
    if not isinstance(command, Sequence) or not all(isinstance(w, str) for w in command):
        raise TypeError(f"{what} is a string, or a list of strings, not {command!r}")
    return list(command)


def _several(what: str, value: str | Sequence[str]) -> list[str]:
    return [_operand(what, v) for v in ([value] if isinstance(value, str) else value)]


def tagged(repository: str, tag: str | None) -> str:
    # By digest, as docker-py has it.
    return f"{repository}{'@' if tag.startswith('sha256:') else ':'}{tag}" if tag else repository


def run(image: str, command: str | Sequence[str] | None, given: Mapping[str, Any]) -> list[str]:
    pairs = (("env", "environment"), ("network", "network_mode"))
    networks = (("network", "network_disabled"), ("network_mode", "network_disabled"))
    for one, other in (*pairs, *(networks if given.get("network_disabled") else ())):
        if given.get(one) is not None and given.get(other) is not None:
            raise TypeError(f"run() takes {one} or {other}, not both")
    if given.get("remove") and given.get("auto_remove"):
        given = {k: v for k, v in given.items() if k != "auto_remove"}
    # Docker writes down what it passes on, some 22 µs a line here, and drops what it has not written 2 s after the end.
    # Nobody reads it where the container goes with its end.
    removed = given.get("remove") or given.get("auto_remove")
    unlogged = ["--log-driver=none"] if removed and not given.get("detach") and given.get("log_config") is None else []
    # docker's client takes one word as --entrypoint, docker-py several: the rest go before the command, as there.
    program, *first = _command(given.get("entrypoint"), "an entrypoint") or [""]
    if given.get("entrypoint") is not None:
        given = {**given, "entrypoint": program}
    return ["run", *_flags("run", _RUN, given), *unlogged, _operand("an image", image), *first, *_command(command)]


def pull(repository: str, tag: str | None, given: Mapping[str, Any]) -> list[str]:
    return ["pull", *_flags("pull", _PULL, given), _operand("an image", tagged(repository, tag))]


def build(context: str | os.PathLike[str], given: Mapping[str, Any]) -> list[str]:
    """context: a directory in the sandbox, or "-" for a tar on stdin."""
    where, dockerfile = os.fspath(context), given.get("dockerfile")
    if where != "-" and isinstance(dockerfile, (str, os.PathLike)):
        # docker's client takes it from where it runs, docker-py from the context.
        given = {**given, "dockerfile": posixpath.join(where, os.fspath(dockerfile))}
    return ["build", *_flags("build", _BUILD, given), where if where == "-" else _operand("a directory", where)]


def ps(given: Mapping[str, Any]) -> list[str]:
    return ["ps", *_flags("ps", _PS, given)]


def images(name: str | None, given: Mapping[str, Any]) -> list[str]:
    return ["images", *_flags("images", _IMAGES, given), *([_operand("an image", name)] if name else [])]


def logs(container: str, given: Mapping[str, Any]) -> list[str]:
    return ["logs", *_flags("logs", _LOGS, given), _operand("a container", container)]


def exec_(container: str, command: str | Sequence[str], given: Mapping[str, Any]) -> list[str]:
    if given.get("env") is not None and given.get("environment") is not None:
        raise TypeError("exec() takes env or environment, not both")
    words = _command(command)
    if not words:
        raise ValueError("exec() needs a command")
    return ["exec", *_flags("exec", _EXEC, given), _operand("a container", container), *words]


def stop(container: str | Sequence[str], timeout: Seconds | None) -> list[str]:
    limit = seconds("timeout", timeout)
    # By its short name: Docker 28 calls --time deprecated, older ones know no --timeout.
    words = [] if limit is None else ["-t", str(math.ceil(limit))]
    return ["stop", *words, *_several("a container", container)]


def rm(container: str | Sequence[str], given: Mapping[str, Any]) -> list[str]:
    return ["rm", *_flags("rm", _RM, given), *_several("a container", container)]


def rmi(image: str | Sequence[str], given: Mapping[str, Any]) -> list[str]:
    return ["rmi", *_flags("rmi", _RMI, given), *_several("an image", image)]


def push(repository: str, tag: str | None) -> list[str]:
    return ["push", _operand("an image", tagged(repository, tag))]


def tag(image: str, repository: str, tag: str | None) -> list[str]:
    return ["tag", _operand("an image", image), _operand("an image", tagged(repository, tag))]


def login(username: str, registry: str | None) -> list[str]:
    """The password goes over stdin, where no list of processes shows it."""
    return [
        "login",
        f"--username={username}",
        "--password-stdin",
        *([_operand("a registry", registry)] if registry else []),
    ]


def compose(verb: str, given: Mapping[str, Any]) -> list[str]:
    """Behind `docker compose` or `docker-compose`."""
    tables = {"up": _COMPOSE_UP, "down": _COMPOSE_DOWN, "ps": _COMPOSE_PS, "logs": _COMPOSE_LOGS}
    rest = {k: v for k, v in given.items() if k not in ("cwd", "env", "file", "services") and k not in _COMPOSE_ABOVE}
    flags = _flags(f"compose_{verb}", tables[verb], rest)
    if verb in ("up", "logs"):
        # It colours its lines also where no terminal shows them.
        flags = ["--no-color", *flags]
    if verb == "down" and "services" in given:
        raise TypeError("compose_down() got an unexpected keyword argument 'services'")
    services = _several("a service", given.get("services") or [])
    return [*_compose_above(given), verb, *flags, *services]


def compose_config(given: Mapping[str, Any], *, old: bool) -> list[str]:
    """What compose would do with the same files, told and not done. docker-compose 1 (`old`) tells it as YAML only."""
    return [*_compose_above(given), "config", *([] if old else ["--format=json"])]


def _compose_above(given: Mapping[str, Any]) -> list[str]:
    files = given.get("file")
    named = list(rules.one_or_each("--file", files)) if files else []
    return [*named, *_flags("compose", _COMPOSE_ABOVE, {k: v for k, v in given.items() if k in _COMPOSE_ABOVE})]
