# SPDX-License-Identifier: Apache-2.0
"""What a sandbox is to be, checked, and as the library is told it."""

from __future__ import annotations

import datetime
import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ._arguments import PathName, Seconds, path_name, port_number
from ._options import RESTORED, SANDBOX_NAMES
from .errors import BerthError, InvalidError
from .rootfs import Buildable, Built, check_variable, default_mirror

#: Annotations of a sandbox that this package reads when it connects to it.
LABEL = "org.pyberth."


@dataclass(frozen=True)
class Wanted:
    """What create() is to make."""

    cpu: float | None = None
    memory: str | int | None = None
    image: Buildable | None = None
    rootfs: str | None = None
    snapshot: str | None = None
    docker_enabled: bool = False
    name: str | None = None
    env: Mapping[str, str] | None = None
    ports: tuple[int, ...] = ()
    network: str = "sandbox"
    timeout: float | None = None
    volumes: tuple[str, ...] = ()
    registry_mirror: str | None = None
    data_root: str | None = None
    dockerd_args: tuple[str, ...] = ()
    wait_for_docker: bool = False
    max_connections: int | None = None
    egress: tuple[str, ...] | None = None
    #: None: where it is made by `with`.
    ends_with_process: bool | None = None
    idle_timeout: float | None = None
    hibernate: bool = False
    insecure_registries: tuple[str, ...] = ()
    registry_ca: Mapping[str, str] | None = None
    registry_auth: tuple[str, ...] = ()
    registry_auth_file: str | None = None
    host_ports: tuple[str, ...] = ()


def sandbox_options(wanted: Wanted, built: Built, id: str, mark: str) -> dict[str, Any]:
    """As the library reads it. mark: what tells the sandbox that this call makes from another one of the same name.

    Until it is handed over it ends with this process, whatever ends that."""
    labels = {f"{LABEL}mark": mark, f"{LABEL}workdir": built.workdir}
    if wanted.ports:
        labels[f"{LABEL}ports"] = ",".join(map(str, wanted.ports))
    if wanted.docker_enabled:
        labels[f"{LABEL}docker"] = "1"
    options: dict[str, Any] = {"id": id, "annotations": labels, "ends_with_creator": True}
    if wanted.snapshot is not None:
        options["snapshot"] = wanted.snapshot
        if "/" in wanted.network:
            options["network"] = wanted.network
    else:
        options.update(_own_options(wanted, built))
    if wanted.egress is not None:
        options["egress"] = list(wanted.egress)
    if wanted.host_ports:
        options["host_ports"] = list(wanted.host_ports)
    if wanted.ends_with_process:
        options["ends_with_process"] = os.getpid()
    if wanted.timeout is not None:
        options["lifetime_ms"] = max(1, round(wanted.timeout * 1000))
    if wanted.idle_timeout is not None:
        options["idle_timeout_ms"] = max(1, round(wanted.idle_timeout * 1000))
    if wanted.hibernate:
        options["hibernate"] = True
    return options


def _own_options(wanted: Wanted, built: Built) -> dict[str, Any]:
    """What a snapshot would bring along."""
    options: dict[str, Any] = {
        "rootfs": built.rootfs,
        "network": wanted.network,
        "env": [f"{name}={value}" for name, value in {**built.env, **(wanted.env or {})}.items()],
        "mounts": [_mount(volume) for volume in wanted.volumes],
    }
    if wanted.cpu is not None:
        options["cpus"] = wanted.cpu
    if wanted.memory is not None:
        options["memory_bytes"] = wanted.memory
    if wanted.max_connections is not None:
        options["max_connections"] = wanted.max_connections
    if wanted.docker_enabled:
        options["docker"] = _docker_options(wanted)
    return options


def _mount(volume: str) -> dict[str, Any]:
    source, _, rest = volume.partition(":")
    destination, _, mode = rest.partition(":")
    if mode not in ("", "ro", "rw"):
        raise InvalidError(f"volumes: {volume!r} is not of the form SOURCE:DESTINATION[:ro]")
    return {"source": os.path.abspath(source), "destination": destination, "read_only": mode == "ro"}


def divided_data_root(data_root: str) -> tuple[str, str]:
    """Its directory, and ":SIZE" where it has one; no directory where it is in memory."""
    if data_root == "tmpfs" or data_root.startswith("tmpfs:"):
        return "", data_root
    found = re.search(r":[0-9][^/]*\Z", data_root)
    return (data_root[: found.start()], found.group()) if found else (data_root, "")


def _docker_options(wanted: Wanted) -> dict[str, Any]:
    options: dict[str, Any] = {"dockerd_args": list(wanted.dockerd_args)}
    mirror = wanted.registry_mirror or (wanted.image.mirror if wanted.image else None) or default_mirror()
    if mirror:
        options["registry_mirrors"] = [mirror if "://" in mirror else f"https://{mirror}"]
    if wanted.insecure_registries:
        options["insecure_registries"] = list(wanted.insecure_registries)
    if wanted.registry_ca:
        options["registry_cas"] = {name: os.path.abspath(file) for name, file in wanted.registry_ca.items()}
    if wanted.registry_auth:
        options["registry_auth"] = list(wanted.registry_auth)
    if wanted.registry_auth_file:
        options["registry_auth_file"] = os.path.abspath(wanted.registry_auth_file)
    if wanted.data_root:
        directory, size = divided_data_root(wanted.data_root)
        options["data_root"] = os.path.abspath(directory) + "/" * (not size) + size if directory else size
    return options


def lacks_workdir(wanted: Wanted, built: Built) -> bool:
    """Whether the directory may be missing inside. Links are not followed: there they lead elsewhere than here."""
    parts = [part for part in built.workdir.split("/") if part]
    if not parts:
        return False
    if ".." in parts or any(_lies_below(parts, volume) for volume in wanted.volumes):
        return True
    where = os.path.realpath(built.rootfs)
    for part in parts:
        where = os.path.join(where, part)
        try:
            if not stat.S_ISDIR(os.lstat(where).st_mode):
                return True
        except OSError:
            return True
    return False


def _lies_below(parts: list[str], volume: str) -> bool:
    """Whether a volume, "SOURCE:DESTINATION[:ro]", is mounted there or above."""
    _, _, rest = volume.partition(":")
    above = [part for part in rest.partition(":")[0].split("/") if part]
    return parts[: len(above)] == above


def checked(wanted: Wanted) -> Wanted:
    """It, when it is something that can be meant; what the program knows better is left to it."""
    if wanted.image is not None and wanted.rootfs is not None:
        raise TypeError("image and rootfs exclude each other")
    if wanted.snapshot is not None:
        _check_beside_snapshot(wanted)
    if wanted.image is not None and not isinstance(wanted.image, Buildable):
        raise TypeError(f"image is an Image, as Image.from_registry(…) makes it, not {wanted.image!r}")
    for what, number in (("cpu", wanted.cpu), ("timeout", wanted.timeout), ("idle_timeout", wanted.idle_timeout)):
        if number is not None and (isinstance(number, bool) or not isinstance(number, (int, float))):
            raise TypeError(f"{what} is a number, not {number!r}")
        if number is not None and not 0 <= number < float("inf"):
            raise ValueError(f"{what} is a number, not negative, not {number!r}")
    most = wanted.max_connections
    if most is not None and (isinstance(most, bool) or not isinstance(most, int)):
        raise TypeError(f"max_connections is a number, 0 for no limit, not {most!r}")
    if wanted.timeout == 0:
        raise ValueError("timeout is a number of seconds, more than 0, or None for a sandbox without end")
    if wanted.idle_timeout is not None and wanted.idle_timeout < 1:
        raise ValueError("idle_timeout is a number of seconds, 1 at the least, or None for a sandbox that stays awake")
    if not isinstance(wanted.hibernate, bool):
        raise TypeError(f"hibernate is True or False, not {wanted.hibernate!r}")
    if wanted.hibernate and wanted.idle_timeout is None:
        raise ValueError("hibernate says where it sleeps once it falls asleep, which takes an idle_timeout")
    if isinstance(wanted.memory, bool) or not isinstance(wanted.memory, (str, int, type(None))):
        raise TypeError(f'memory is a size as "2Gi", or a number of bytes, not {wanted.memory!r}')
    if not isinstance(wanted.docker_enabled, bool):
        raise TypeError(f"docker_enabled is True or False, not {wanted.docker_enabled!r}")
    if not isinstance(wanted.wait_for_docker, bool):
        raise TypeError(f"wait_for_docker is True or False, not {wanted.wait_for_docker!r}")
    if wanted.env is not None:
        if not isinstance(wanted.env, Mapping):
            raise TypeError(f"env is a dict of strings, not {wanted.env!r}")
        for name, value in wanted.env.items():
            # The value may be a secret.
            if not isinstance(name, str) or not isinstance(value, str):
                raise TypeError(f"env is a dict of strings; the value of {name!r} is of type {type(value).__name__}")
            check_variable(name)
    if not wanted.docker_enabled and wanted.snapshot is None:
        for what, given in (
            ("registry_mirror", wanted.registry_mirror),
            ("data_root", wanted.data_root),
            ("dockerd_args", wanted.dockerd_args),
            ("insecure_registries", wanted.insecure_registries),
            ("registry_ca", wanted.registry_ca),
            ("registry_auth", wanted.registry_auth),
            ("registry_auth_file", wanted.registry_auth_file),
            ("wait_for_docker", wanted.wait_for_docker),
        ):
            if given:
                raise InvalidError(f"{what} is for Docker, which this sandbox has not", hint="add docker_enabled=True")
    return wanted


def _check_beside_snapshot(wanted: Wanted) -> None:
    if not isinstance(wanted.snapshot, str) or not wanted.snapshot:
        raise TypeError(f"snapshot is the name of one, not {wanted.snapshot!r}")
    untouched = Wanted()
    for what in (field.name for field in fields(wanted)):
        if what not in (*RESTORED, "ports", "wait_for_docker") and getattr(wanted, what) != getattr(untouched, what):
            raise InvalidError(f"{what}: a sandbox that is restored has what its snapshot has", hint="leave it out")
    if "/" not in wanted.network and wanted.network != untouched.network:
        raise InvalidError("network: a sandbox that is restored has what its snapshot has", hint="leave it out")


def checked_ports(given: Iterable[int]) -> tuple[int, ...]:
    """Of a string, each character would be one."""
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise TypeError(f"ports is a list of the sandbox's ports, as [8080], not {given!r}")
    return tuple(port_number(port) for port in given)


def checked_lifetime(given: Seconds | None) -> float | None:
    return given.total_seconds() if isinstance(given, datetime.timedelta) else given


def checked_path(what: str, given: PathName | None) -> str | None:
    return None if given is None else path_name(what, given)


def checked_strings(what: str, given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise TypeError(f"{what} is a list of strings, not {given!r}")
    strings = tuple(given)
    if not all(isinstance(one, str) for one in strings):
        raise TypeError(f"{what} is a list of strings, not {strings!r}")
    return strings


def checked_certificates(given: Mapping[str, PathName] | None) -> dict[str, str] | None:
    """The file for each registry."""
    if given is None:
        return None
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise TypeError(f"registry_ca is a dict of registries and files, not {given!r}")
    return {name: path_name("registry_ca", file) for name, file in given.items()}


#: One rule, or a list of them.
EgressRules = str | Iterable[str]


def checked_egress(given: EgressRules) -> tuple[str, ...]:
    """As a list; what the rules say is the library's to judge."""
    rules = (given,) if isinstance(given, str) else checked_strings("egress", given)
    if not rules:
        raise InvalidError("egress has no rule", hint='write "none" for no connection out, "all" for any')
    return rules


#: docker-py's, or "SOURCE:DESTINATION[:ro]" one by one; a path alone is the same inside.
Volumes = Mapping[str, Mapping[str, str]] | Mapping[Path, Mapping[str, str]] | Iterable[PathName]


def checked_volumes(given: Volumes) -> tuple[str, ...]:
    """As "SOURCE:DESTINATION[:ro]", one by one."""
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise TypeError(f"volumes is a list of strings, or a dict of docker-py's form, not {given!r}")
    if isinstance(given, Mapping):
        return tuple(_volume(source, target) for source, target in given.items())
    volumes = []
    for one in given:
        if not isinstance(one, (str, os.PathLike)):
            raise TypeError(f"volumes is a list of strings, not {one!r}")
        volume = os.fspath(one)
        if ":" not in volume:
            # The same path inside, so that what names it here names it there.
            volume = os.path.abspath(volume)
            volume = f"{volume}:{volume}"
        volumes.append(volume)
    return tuple(volumes)


def _volume(source: PathName, target: Any) -> str:
    if not isinstance(target, Mapping) or set(target) - {"bind", "mode"} or "bind" not in target:
        raise TypeError(f"a volume is {{'bind': path, 'mode': 'rw' or 'ro'}}, not {target!r}")
    here, there, mode = os.fspath(source), os.fspath(target["bind"]), target.get("mode", "rw")
    if mode not in ("rw", "ro"):
        raise ValueError(f"the mode of a volume is 'rw' or 'ro', not {mode!r}")
    for path in (here, there):
        if ":" in path:
            raise ValueError(f"a path with a colon cannot be a volume: {path!r}")
    if os.sep not in here:
        raise ValueError(f"a volume of a sandbox is a directory or file of this host, by its path, not {here!r}")
    return f"{here}:{there}" + (":ro" if mode == "ro" else "")


_FLAG = re.compile(r"--(" + "|".join(SANDBOX_NAMES) + r")(?![\w-])")
_NAME = re.compile(r"\b(" + "|".join(name for name in SANDBOX_NAMES if "_" in name) + r")\b")
_HELP = re.compile(r"(; )?see berth run --help")


def in_our_words(e: BerthError) -> BerthError:
    """The same error, with this package's names of what was wrong with it in place of others'."""
    for field in ("message", "path", "hint"):
        text = _HELP.sub("", getattr(e, field))
        text = _FLAG.sub(lambda found: SANDBOX_NAMES[found[1]], text)
        setattr(e, field, _NAME.sub(lambda found: SANDBOX_NAMES[found[1]], text))
    if e.path.startswith("/") and (name := e.path.rpartition("/")[2]) in {*SANDBOX_NAMES, *SANDBOX_NAMES.values()}:
        e.path = SANDBOX_NAMES.get(name, name)
    e.args = (e.message,)
    return e
