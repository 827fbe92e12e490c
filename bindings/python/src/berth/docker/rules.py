# SPDX-License-Identifier: Apache-2.0
"""How each kind of docker-py's values is said on docker's command line: a rule takes an option and a value, and gives
words. What is no such value is a TypeError."""

from __future__ import annotations

import csv
import datetime
import io
import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

Words = Iterator[str]
Rule = Callable[[str, Any], Words]


def text(flag: str, value: Any) -> Words:
    value = os.fspath(value) if isinstance(value, os.PathLike) else value
    if isinstance(value, (bool, Mapping)) or not isinstance(value, (str, int, float)):
        raise TypeError(f"a string or a number is wanted for {flag}, not {value!r}")
    yield f"{flag}={value}"


def switch(flag: str, value: Any) -> Words:
    if not isinstance(value, bool):
        raise TypeError(f"True or False is wanted for {flag}, not {value!r}")
    if value:
        yield flag


def either_way(flag: str, value: Any) -> Words:
    """A switch whose default is on, or depends: said either way."""
    if not isinstance(value, bool):
        raise TypeError(f"True or False is wanted for {flag}, not {value!r}")
    yield f"{flag}={'true' if value else 'false'}"


def each(flag: str, value: Any) -> Words:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"a list of strings is wanted for {flag}, not {value!r}")
    for item in value:
        yield from text(flag, item)


def one_or_each(flag: str, value: Any) -> Words:
    """A path, say, or a list of them."""
    yield from (each if isinstance(value, Sequence) and not isinstance(value, str) else text)(flag, value)


def pairs(joint: str) -> Rule:
    def rule(flag: str, value: Any) -> Words:
        if isinstance(value, Mapping):
            for name, content in value.items():
                yield f"{flag}={name}" if content is None else f"{flag}={name}{joint}{content}"
        else:
            yield from each(flag, value)

    return rule


def ports(flag: str, value: Any) -> Words:
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


def volumes(flag: str, value: Any) -> Words:
    """{"/here": {"bind": "/there", "mode": "ro"}} or ["/here:/there:ro"]."""
    if not isinstance(value, Mapping):
        yield from each(flag, value)
        return
    for source, target in value.items():
        source = os.fspath(source) if isinstance(source, os.PathLike) else source
        if not isinstance(target, Mapping) or set(target) - {"bind", "mode"} or "bind" not in target:
            raise TypeError(f"a volume is {{'bind': path, 'mode': 'rw' or 'ro'}}, not {target!r}")
        yield f"{flag}={source}:{target['bind']}:{target.get('mode', 'rw')}"


def restart_policy(flag: str, value: Any) -> Words:
    """{"Name": "on-failure", "MaximumRetryCount": 5}"""
    if not isinstance(value, Mapping) or set(value) - {"Name", "MaximumRetryCount"} or "Name" not in value:
        raise TypeError(f"restart_policy is {{'Name': …, 'MaximumRetryCount': …}}, not {value!r}")
    count = value.get("MaximumRetryCount")
    yield f"{flag}={value['Name']}" + (f":{count}" if count else "")


def nano_cpus(_: str, value: Any) -> Words:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"nano_cpus is a number of billionths of a CPU, not {value!r}")
    yield f"--cpus={value / 1e9:g}"


def filters(flag: str, value: Any) -> Words:
    if not isinstance(value, Mapping):
        raise TypeError(f"filters is a dict, not {value!r}")
    for name, content in value.items():
        for one in content if isinstance(content, (list, tuple)) else [content]:
            yield f"{flag}={name}={str(one).lower() if isinstance(one, bool) else one}"


def tmpfs(flag: str, value: Any) -> Words:
    """{"/run": "size=1m"}: path to options."""
    if not isinstance(value, Mapping):
        raise TypeError(f"tmpfs is a dict of path to options, not {value!r}")
    for path, content in value.items():
        yield f"{flag}={path}:{content}" if content else f"{flag}={path}"


def _fields(value: Any, *known: str) -> dict[str, Any] | None:
    """A dict of docker.types with names in small letters, without None; None when it is something else. docker-py takes
    its own types, whose names are Docker's ("StartPeriod"), and plain dicts with its arguments' ("start_period")."""
    if not isinstance(value, Mapping):
        return None
    fields = {str(k).lower().replace("_", ""): v for k, v in value.items() if v is not None}
    return fields if set(fields) <= set(known) else None


def mounts(flag: str, value: Any) -> Words:
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


def healthcheck(flag: str, value: Any) -> Words:
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


def log_config(flag: str, value: Any) -> Words:
    """docker.types.LogConfig, or {"type": "json-file", "config": {"max-size": "1m"}}."""
    fields = _fields(value, "type", "config")
    if fields is None:
        raise TypeError(f"a log_config is {{'type': …, 'config': {{…}}}}, not {value!r}")
    if "type" in fields:
        yield f"{flag}-driver={fields['type']}"
    yield from pairs("=")(f"{flag}-opt", fields.get("config") or {})


def ulimits(flag: str, value: Any) -> Words:
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


def moment(flag: str, value: Any) -> Words:
    """A datetime (UTC where it says no zone, as for docker-py), seconds since the epoch, or docker's own "10m"."""
    if isinstance(value, datetime.datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        yield f"{flag}={zoned.timestamp():.6f}"
    else:
        yield from text(flag, value)


def name_filter(name: str) -> Rule:
    def rule(_: str, value: Any) -> Words:
        yield f"--filter={name}={value}"

    return rule


def output_format(flag: str, value: Any) -> Words:
    """The format "json" has that name from Docker 23 on; spelled out, it means the same to older ones."""
    yield from text(flag, "{{json .}}" if value == "json" else value)


def nothing(_: str, value: Any) -> Words:
    """Results stream anyway."""
    if not isinstance(value, bool):
        raise TypeError(f"True or False is wanted for stream, not {value!r}")
    yield from ()
