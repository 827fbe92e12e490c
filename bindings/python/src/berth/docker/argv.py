"""From docker-py's arguments to the words of the docker command line. Nothing here does I/O."""

from __future__ import annotations

import csv
import datetime
import io
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, get_type_hints

from . import options as o

Words = Iterator[str]
_Rule = Callable[[str, Any], Words]


def _text(flag: str, value: Any) -> Words:
    if isinstance(value, (bool, Mapping)) or not isinstance(value, (str, int, float)):
        raise TypeError(f"a string or a number is wanted for {flag}, not {value!r}")
    yield f"{flag}={value}"


def _switch(flag: str, value: Any) -> Words:
    if not isinstance(value, bool):
        raise TypeError(f"True or False is wanted for {flag}, not {value!r}")
    if value:
        yield flag


def _both(flag: str, value: Any) -> Words:
    """A switch whose default is on, or depends: said either way."""
    if not isinstance(value, bool):
        raise TypeError(f"True or False is wanted for {flag}, not {value!r}")
    yield f"{flag}={'true' if value else 'false'}"


def _each(flag: str, value: Any) -> Words:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"a list of strings is wanted for {flag}, not {value!r}")
    for item in value:
        yield from _text(flag, item)


def _pairs(joint: str) -> _Rule:
    def rule(flag: str, value: Any) -> Words:
        if isinstance(value, Mapping):
            for name, content in value.items():
                yield f"{flag}={name}" if content is None else f"{flag}={name}{joint}{content}"
        else:
            yield from _each(flag, value)

    return rule


def _ports(flag: str, value: Any) -> Words:
    """{"80/tcp": 8080}: container port to the sandbox's port."""
    if not isinstance(value, Mapping):
        raise TypeError(f"ports is a dict of container port to the sandbox's port, not {value!r}")
    for inside, outside in value.items():
        several = outside if isinstance(outside, list) else [outside]
        for one in several:
            if one is None:
                yield f"{flag}={inside}"
            elif isinstance(one, tuple):
                address, *port = one
                yield f"{flag}={address}:{port[0] if port and port[0] is not None else ''}:{inside}"
            else:
                yield f"{flag}={one}:{inside}"


def _volumes(flag: str, value: Any) -> Words:
    """{"/here": {"bind": "/there", "mode": "ro"}} or ["/here:/there:ro"]."""
    if not isinstance(value, Mapping):
        yield from _each(flag, value)
        return
    for source, target in value.items():
        if not isinstance(target, Mapping) or set(target) - {"bind", "mode"} or "bind" not in target:
            raise TypeError(f"a volume is {{'bind': path, 'mode': 'rw' or 'ro'}}, not {target!r}")
        yield f"{flag}={source}:{target['bind']}:{target.get('mode', 'rw')}"


def _restart(flag: str, value: Any) -> Words:
    """{"Name": "on-failure", "MaximumRetryCount": 5}"""
    if not isinstance(value, Mapping) or set(value) - {"Name", "MaximumRetryCount"} or "Name" not in value:
        raise TypeError(f"restart_policy is {{'Name': …, 'MaximumRetryCount': …}}, not {value!r}")
    count = value.get("MaximumRetryCount")
    yield f"{flag}={value['Name']}" + (f":{count}" if count else "")


def _nano_cpus(_: str, value: Any) -> Words:
    yield f"--cpus={value / 1e9:g}"


def _filters(flag: str, value: Any) -> Words:
    if not isinstance(value, Mapping):
        raise TypeError(f"filters is a dict, not {value!r}")
    for name, content in value.items():
        for one in content if isinstance(content, (list, tuple)) else [content]:
            yield f"{flag}={name}={str(one).lower() if isinstance(one, bool) else one}"


def _tmpfs(flag: str, value: Any) -> Words:
    for path, content in value.items():
        yield f"{flag}={path}:{content}" if content else f"{flag}={path}"


def _fields(value: Any, *known: str) -> dict[str, Any] | None:
    """A dict of docker.types with names in small letters, without None; None when it is something else. docker-py takes
    its own types, whose names are Docker's ("StartPeriod"), and plain dicts with its arguments' ("start_period")."""
    if not isinstance(value, Mapping):
        return None
    fields = {str(k).lower().replace("_", ""): v for k, v in value.items() if v is not None}
    return fields if set(fields) <= set(known) else None


def _mounts(flag: str, value: Any) -> Words:
    """docker.types.Mount, or {"Type": "bind", "Source": "/here", "Target": "/there", "ReadOnly": True}; or the string
    that docker's own --mount takes."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise TypeError(f"a list is wanted for mounts, not {value!r}")
    for one in value:
        if isinstance(one, str):
            yield f"{flag}={one}"
            continue
        names = ("type", "source", "target", "readonly", "consistency", "bindoptions", "volumeoptions", "tmpfsoptions")
        fields = _fields(one, *names)
        if not fields or not fields.get("target"):
            raise TypeError(f"a mount is {{'Type': …, 'Source': …, 'Target': …}}, not {one!r}")
        yield f"{flag}={_comma_separated(_mount_words(fields, one))}"


def _mount_words(fields: Mapping[str, Any], whole: Any) -> Words:
    yield f"type={fields.get('type', 'volume')}"
    if source := fields.get("source"):
        yield f"source={source}"
    yield f"target={fields['target']}"
    if fields.get("readonly"):
        yield "readonly"
    if consistency := fields.get("consistency"):
        yield f"consistency={consistency}"
    bind = _fields(fields.get("bindoptions", {}), "propagation")
    volume = _fields(fields.get("volumeoptions", {}), "nocopy", "labels", "driverconfig")
    tmpfs = _fields(fields.get("tmpfsoptions", {}), "sizebytes", "mode")
    if bind is None or volume is None or tmpfs is None:
        raise TypeError(f"a mount's options are not as in docker.types.Mount: {whole!r}")
    if "propagation" in bind:
        yield f"bind-propagation={bind['propagation']}"
    if volume.get("nocopy"):
        yield "volume-nocopy"
    for name, content in (volume.get("labels") or {}).items():
        yield f"volume-label={name}={content}"
    driver = _fields(volume.get("driverconfig") or {}, "name", "options") or {}
    if driver.get("name"):
        yield f"volume-driver={driver['name']}"
    for name, content in (driver.get("options") or {}).items():
        yield f"volume-opt={name}={content}"
    if "sizebytes" in tmpfs:
        yield f"tmpfs-size={tmpfs['sizebytes']}"
    if "mode" in tmpfs:
        yield f"tmpfs-mode={tmpfs['mode']:o}"


def _comma_separated(words: Iterable[str]) -> str:
    """As docker's --mount reads it: CSV, so that a comma or a quote in a path stays one."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(list(words))
    return line.getvalue()


def _healthcheck(flag: str, value: Any) -> Words:
    """docker.types.Healthcheck, or {"test": …, "interval": …}: times are nanoseconds."""
    fields = _fields(value, "test", "interval", "timeout", "retries", "startperiod")
    if fields is None:
        raise TypeError(f"a healthcheck is {{'test': …, 'interval': nanoseconds, …}}, not {value!r}")
    test = fields.get("test")
    if isinstance(test, str):
        yield f"{flag}-cmd={test}"
    elif test:
        kind, *words = test
        if kind == "NONE":
            yield "--no-healthcheck"
            return
        # docker's client takes a shell's line only.
        yield f"{flag}-cmd={' '.join(words) if kind == 'CMD-SHELL' else shlex.join(words if kind == 'CMD' else test)}"
    for name, option in (("interval", "interval"), ("timeout", "timeout"), ("startperiod", "start-period")):
        if name in fields:
            yield f"{flag}-{option}={int(fields[name])}ns"
    if "retries" in fields:
        yield f"{flag}-retries={int(fields['retries'])}"


def _log_config(flag: str, value: Any) -> Words:
    """docker.types.LogConfig, or {"type": "json-file", "config": {"max-size": "1m"}}."""
    fields = _fields(value, "type", "config")
    if fields is None:
        raise TypeError(f"a log_config is {{'type': …, 'config': {{…}}}}, not {value!r}")
    if "type" in fields:
        yield f"{flag}-driver={fields['type']}"
    yield from _pairs("=")(f"{flag}-opt", fields.get("config") or {})


def _ulimits(flag: str, value: Any) -> Words:
    """docker.types.Ulimit, or {"Name": "nofile", "Soft": 1024, "Hard": 2048}."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise TypeError(f"a list is wanted for ulimits, not {value!r}")
    for one in value:
        fields = _fields(one, "name", "soft", "hard")
        if not fields or not fields.get("name"):
            raise TypeError(f"an ulimit is {{'Name': …, 'Soft': …, 'Hard': …}}, not {one!r}")
        ends = [str(fields[end]) for end in ("soft", "hard") if fields.get(end) is not None]
        if not ends:
            raise TypeError(f"an ulimit needs 'Soft', 'Hard' or both: {one!r}")
        yield f"{flag}={fields['name']}={':'.join(ends)}"


def _moment(flag: str, value: Any) -> Words:
    """A datetime (UTC where it says no zone, as for docker-py), seconds since the epoch, or docker's own "10m"."""
    if isinstance(value, datetime.datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        yield f"{flag}={zoned.timestamp():.6f}"
    else:
        yield from _text(flag, value)


def _name_filter(name: str) -> _Rule:
    def rule(_: str, value: Any) -> Words:
        yield f"--filter={name}={value}"

    return rule


def _format(flag: str, value: Any) -> Words:
    """The format "json" has that name from Docker 23 on; spelled out, it means the same to older ones."""
    yield from _text(flag, "{{json .}}" if value == "json" else value)


def _nothing(_: str, value: Any) -> Words:
    """Results stream anyway."""
    if not isinstance(value, bool):
        raise TypeError(f"True or False is wanted for stream, not {value!r}")
    yield from ()


_RUN: dict[str, tuple[str, _Rule]] = {
    "auto_remove": ("--rm", _switch),
    "blkio_weight": ("--blkio-weight", _text),
    "cap_add": ("--cap-add", _each),
    "cap_drop": ("--cap-drop", _each),
    "cgroup_parent": ("--cgroup-parent", _text),
    "cgroupns": ("--cgroupns", _text),
    "cpu_period": ("--cpu-period", _text),
    "cpu_quota": ("--cpu-quota", _text),
    "cpu_shares": ("--cpu-shares", _text),
    "cpuset_cpus": ("--cpuset-cpus", _text),
    "cpuset_mems": ("--cpuset-mems", _text),
    "detach": ("--detach", _switch),
    "device_cgroup_rules": ("--device-cgroup-rule", _each),
    "devices": ("--device", _each),
    "dns": ("--dns", _each),
    "dns_opt": ("--dns-option", _each),
    "dns_search": ("--dns-search", _each),
    "domainname": ("--domainname", _text),
    "entrypoint": ("--entrypoint", _text),
    "env": ("--env", _pairs("=")),
    "environment": ("--env", _pairs("=")),
    "extra_hosts": ("--add-host", _pairs(":")),
    "group_add": ("--group-add", _each),
    "healthcheck": ("--health", _healthcheck),
    "hostname": ("--hostname", _text),
    "init": ("--init", _switch),
    "ipc_mode": ("--ipc", _text),
    "labels": ("--label", _pairs("=")),
    "links": ("--link", _pairs(":")),
    "log_config": ("--log", _log_config),
    "mac_address": ("--mac-address", _text),
    "mem_limit": ("--memory", _text),
    "mem_reservation": ("--memory-reservation", _text),
    "mem_swappiness": ("--memory-swappiness", _text),
    "memswap_limit": ("--memory-swap", _text),
    "mounts": ("--mount", _mounts),
    "name": ("--name", _text),
    "nano_cpus": ("--cpus", _nano_cpus),
    "network": ("--network", _text),
    "network_disabled": ("--network=none", _switch),
    "network_mode": ("--network", _text),
    "oom_kill_disable": ("--oom-kill-disable", _switch),
    "oom_score_adj": ("--oom-score-adj", _text),
    "pid_mode": ("--pid", _text),
    "pids_limit": ("--pids-limit", _text),
    "platform": ("--platform", _text),
    "ports": ("--publish", _ports),
    "privileged": ("--privileged", _switch),
    "publish_all_ports": ("--publish-all", _switch),
    "pull": ("--pull", _text),
    "read_only": ("--read-only", _switch),
    "remove": ("--rm", _switch),
    "restart_policy": ("--restart", _restart),
    "runtime": ("--runtime", _text),
    "security_opt": ("--security-opt", _each),
    "shm_size": ("--shm-size", _text),
    "stdin_open": ("--interactive", _switch),
    "stop_signal": ("--stop-signal", _text),
    "storage_opt": ("--storage-opt", _pairs("=")),
    "stream": ("", _nothing),
    "sysctls": ("--sysctl", _pairs("=")),
    "tmpfs": ("--tmpfs", _tmpfs),
    "tty": ("--tty", _switch),
    "ulimits": ("--ulimit", _ulimits),
    "user": ("--user", _text),
    "userns_mode": ("--userns", _text),
    "uts_mode": ("--uts", _text),
    "volume_driver": ("--volume-driver", _text),
    "volumes": ("--volume", _volumes),
    "volumes_from": ("--volumes-from", _each),
    "working_dir": ("--workdir", _text),
}
_PULL: dict[str, tuple[str, _Rule]] = {
    "all_tags": ("--all-tags", _switch),
    "platform": ("--platform", _text),
    "quiet": ("--quiet", _switch),
}
_BUILD: dict[str, tuple[str, _Rule]] = {
    "buildargs": ("--build-arg", _pairs("=")),
    "cache_from": ("--cache-from", _each),
    "dockerfile": ("--file", _text),
    "extra_hosts": ("--add-host", _pairs(":")),
    "forcerm": ("--force-rm", _switch),
    "labels": ("--label", _pairs("=")),
    "network_mode": ("--network", _text),
    "nocache": ("--no-cache", _switch),
    "platform": ("--platform", _text),
    "pull": ("--pull", _switch),
    "quiet": ("--quiet", _switch),
    "rm": ("--rm", _both),
    "shmsize": ("--shm-size", _text),
    "tag": ("--tag", _text),
    "target": ("--target", _text),
}
_PS: dict[str, tuple[str, _Rule]] = {
    "all": ("--all", _switch),
    "before": ("", _name_filter("before")),
    "filters": ("--filter", _filters),
    "format": ("--format", _format),
    "latest": ("--latest", _switch),
    "limit": ("--last", _text),
    "no_trunc": ("--no-trunc", _switch),
    "quiet": ("--quiet", _switch),
    "since": ("", _name_filter("since")),
    "size": ("--size", _switch),
}
_IMAGES: dict[str, tuple[str, _Rule]] = {
    "all": ("--all", _switch),
    "digests": ("--digests", _switch),
    "filters": ("--filter", _filters),
    "format": ("--format", _format),
    "no_trunc": ("--no-trunc", _switch),
    "quiet": ("--quiet", _switch),
}
_LOGS: dict[str, tuple[str, _Rule]] = {
    "details": ("--details", _switch),
    "follow": ("--follow", _switch),
    "since": ("--since", _moment),
    "stream": ("", _nothing),
    "tail": ("--tail", _text),
    "timestamps": ("--timestamps", _switch),
    "until": ("--until", _moment),
}
_EXEC: dict[str, tuple[str, _Rule]] = {
    "detach": ("--detach", _switch),
    "env": ("--env", _pairs("=")),
    "environment": ("--env", _pairs("=")),
    "privileged": ("--privileged", _switch),
    "stdin": ("--interactive", _switch),
    "stream": ("", _nothing),
    "tty": ("--tty", _switch),
    "user": ("--user", _text),
    "workdir": ("--workdir", _text),
}
_RM: dict[str, tuple[str, _Rule]] = {
    "force": ("--force", _switch),
    "link": ("--link", _switch),
    "v": ("--volumes", _switch),
}
_RMI: dict[str, tuple[str, _Rule]] = {"force": ("--force", _switch), "noprune": ("--no-prune", _switch)}

_COMPOSE_ABOVE: dict[str, tuple[str, _Rule]] = {"profiles": ("--profile", _each), "project": ("--project-name", _text)}
_COMPOSE_UP: dict[str, tuple[str, _Rule]] = {
    "build": ("--build", _switch),
    "detach": ("--detach", _switch),
    "force_recreate": ("--force-recreate", _switch),
    "no_deps": ("--no-deps", _switch),
    "remove_orphans": ("--remove-orphans", _switch),
    "scale": ("--scale", _pairs("=")),
}
_COMPOSE_DOWN: dict[str, tuple[str, _Rule]] = {
    "remove_orphans": ("--remove-orphans", _switch),
    "rmi": ("--rmi", _text),
    "timeout": ("--timeout", _text),
    "volumes": ("--volumes", _switch),
}
_COMPOSE_PS: dict[str, tuple[str, _Rule]] = {"all": ("--all", _switch), "quiet": ("--quiet", _switch)}
_COMPOSE_LOGS: dict[str, tuple[str, _Rule]] = {
    "follow": ("--follow", _switch),
    "tail": ("--tail", _text),
    "timestamps": ("--timestamps", _switch),
}

#: For the test that the tables and the types say the same.
TABLES: tuple[tuple[Any, dict[str, tuple[str, _Rule]], frozenset[str]], ...] = (
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


def _flags(verb: str, table: Mapping[str, tuple[str, _Rule]], given: Mapping[str, Any]) -> list[str]:
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
    return f"{repository}:{tag}" if tag else repository


def run(image: str, command: str | Sequence[str] | None, given: Mapping[str, Any]) -> list[str]:
    for one, other in (("env", "environment"), ("network", "network_mode"), ("network", "network_disabled")):
        if given.get(one) is not None and given.get(other) is not None:
            raise TypeError(f"run() takes {one} or {other}, not both")
    if given.get("remove") and given.get("auto_remove"):
        given = {k: v for k, v in given.items() if k != "auto_remove"}
    # docker's client takes one word as --entrypoint, docker-py several: the rest go before the command, as there.
    program, *first = _command(given.get("entrypoint"), "an entrypoint") or [""]
    if given.get("entrypoint") is not None:
        given = {**given, "entrypoint": program}
    return ["run", *_flags("run", _RUN, given), _operand("an image", image), *first, *_command(command)]


def pull(repository: str, tag: str | None, given: Mapping[str, Any]) -> list[str]:
    return ["pull", *_flags("pull", _PULL, given), _operand("an image", tagged(repository, tag))]


def build(context: str, given: Mapping[str, Any]) -> list[str]:
    """context: a directory in the sandbox, or "-" for a tar on stdin."""
    return ["build", *_flags("build", _BUILD, given), context if context == "-" else _operand("a directory", context)]


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


def stop(container: str | Sequence[str], timeout: int | None) -> list[str]:
    # By its short name: Docker 28 calls --time deprecated, older ones know no --timeout.
    seconds = [] if timeout is None else ["-t", str(int(timeout))]
    return ["stop", *seconds, *_several("a container", container)]


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
    above = _flags("compose", _COMPOSE_ABOVE, {k: v for k, v in given.items() if k in _COMPOSE_ABOVE})
    files = given.get("file")
    if verb == "down" and "services" in given:
        raise TypeError("compose_down() got an unexpected keyword argument 'services'")
    named = [f"--file={f}" for f in ([files] if isinstance(files, str) else files or [])]
    services = _several("a service", given.get("services") or [])
    return [*named, *above, verb, *flags, *services]
