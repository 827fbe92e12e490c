# SPDX-License-Identifier: Apache-2.0
"""Paths that a container is to see and that the sandbox may not have. Docker makes an empty directory of such a one,
and says nothing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import SandboxFileNotFound

#: Prints the number of each argument that is not there.
LOOK = 'i=0; for p; do [ -e "$p" ] || [ -L "$p" ] || echo $i; i=$((i+1)); done'


@dataclass
class Sources:
    """Absolute paths in the sandbox."""

    #: Docker makes them where they are missing, which may be meant.
    binds: set[str] = field(default_factory=set)
    #: They are read, so that they have to be there.
    files: set[str] = field(default_factory=set)

    def worth_a_look(self) -> list[str]:
        """Files, and what this host has: a bind of such a path was most likely meant to be that."""
        return sorted(self.files | {path for path in self.binds if os.path.lexists(path)})


def of_run(given: Mapping[str, Any]) -> Sources:
    """From the arguments of `run`, which have been checked."""
    found = Sources()
    volumes = given.get("volumes") or ()
    for volume in volumes:
        # Of a dict, its keys; of a list, "SOURCE:DESTINATION[:mode]".
        source, colon, _ = os.fspath(volume).partition(":")
        _add(found.binds, source if colon or isinstance(volumes, Mapping) else "")
    for mount in given.get("mounts") or ():
        if isinstance(mount, Mapping):
            fields = {str(name).lower(): value for name, value in mount.items()}
            if fields.get("type") == "bind":
                _add(found.binds, fields.get("source"))
    return found


def of_config(config: Mapping[str, Any]) -> Sources:
    """From what docker-py sends to make a container."""
    host = config.get("HostConfig") or {}
    return of_run({"volumes": host.get("Binds") or (), "mounts": host.get("Mounts") or ()})


def of_compose(printed: str) -> Sources:
    """From what `compose config` printed: JSON, or the YAML of docker-compose 1. It is the sandbox's word: what cannot
    be read is passed over."""
    found = Sources()
    try:
        model = json.loads(printed)
    except (ValueError, RecursionError):
        _of_yaml(printed, found)
        return found
    for service in _values(model, "services"):
        for volume in _list(service.get("volumes")):
            if isinstance(volume, Mapping) and volume.get("type") == "bind":
                _add(found.binds, volume.get("source"))
    for kind in ("secrets", "configs"):
        for one in _values(model, kind):
            _add(found.files, one.get("file"))
    return found


#: As docker-compose 1 prints them, each in a line of its own and absolute.
_FILE = re.compile(r"^ +file: ['\"]?(/[^'\"\n]+)", re.MULTILINE)
_BIND = re.compile(r"^ +(?:- ['\"]?(/[^:'\"\n]+):/|source: ['\"]?(/[^'\"\n]+))", re.MULTILINE)


def _of_yaml(printed: str, found: Sources) -> None:
    for file in _FILE.findall(printed):
        _add(found.files, file)
    for short, long in _BIND.findall(printed):
        _add(found.binds, short or long)


def read(value: Any) -> list[str]:
    """Of a path or several that a command reads inside, those that are files: "-" is its standard input."""
    several = [value] if isinstance(value, (str, os.PathLike)) else value or []
    return [path for path in map(os.fspath, several) if path != "-"]


def not_there(option: str, path: str) -> SandboxFileNotFound:
    here = ", though this host has it" if os.path.exists(path) else ""
    return SandboxFileNotFound(
        f"{option}: the sandbox has no such file{here}",
        layer="docker",
        path=path,
        hint="paths are the sandbox's: put it there by sandbox.fs.upload, or have volumes=[its directory]",
    )


def missing(printed: str, looked_at: Sequence[str]) -> list[str]:
    """From what LOOK printed about them."""
    numbers = {int(line) for line in printed.split() if line.isascii() and line.isdigit() and len(line) < 6}
    return [path for number, path in enumerate(looked_at) if number in numbers]


def warning(path: str) -> str:
    """The same words as the command's."""
    there = (
        "this path is the host's, and not in the sandbox"
        if os.path.lexists(path)
        else "this path is not in the sandbox"
    )
    return (
        f"{there}: Docker binds an empty directory in its place ({path}); make the sandbox with volumes=[{path!r}], "
        f"which puts it there under the same name, or put it there by sandbox.fs.upload"
    )


def _add(paths: set[str], path: Any) -> None:
    if isinstance(path, (str, os.PathLike)) and os.fspath(path).startswith("/"):
        paths.add(os.fspath(path))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _values(model: Any, name: str) -> Iterator[Mapping[str, Any]]:
    found = model.get(name) if isinstance(model, Mapping) else None
    for value in found.values() if isinstance(found, Mapping) else ():
        if isinstance(value, Mapping):
            yield value
