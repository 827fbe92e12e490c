# SPDX-License-Identifier: Apache-2.0
"""What the small programs of a sandbox print, read as what it is: somebody else's claim."""

from __future__ import annotations

import os
import re
import stat as modes
from dataclasses import dataclass

from .errors import BerthError


@dataclass(frozen=True)
class FileInfo:
    """What stat() says. `path` as it was asked for; of list(), the entry's full path, in which bytes that are not UTF-8
    are as os.fsdecode() has them. `mode` holds the kind too."""

    path: str
    mode: int
    size: int
    uid: int
    gid: int
    #: Seconds since the epoch.
    mtime: int

    @property
    def name(self) -> str:
        return os.path.basename(self.path)

    @property
    def is_dir(self) -> bool:
        return modes.S_ISDIR(self.mode)

    @property
    def is_file(self) -> bool:
        return modes.S_ISREG(self.mode)

    @property
    def is_symlink(self) -> bool:
        return modes.S_ISLNK(self.mode)


#: For stat -c.
FORMAT = "%f %s %u %g %Y"
#: What that can come to: modes and owners of 32 bits, sizes and times of 64.
_INFO = re.compile(r"([0-9a-f]{1,8}) (\d{1,19}) (\d{1,10}) (\d{1,10}) (-?\d{1,19})(?:\.\d*)?", re.ASCII)


def info(path: str, line: str) -> FileInfo:
    """Of one line in FORMAT."""
    found = _INFO.fullmatch(line.strip())
    if found is None:
        raise BerthError(
            f"the sandbox's stat gave an answer that is none: {line[:200]!r}", layer="fs", path=shown(path)
        )
    mode, size, uid, gid, mtime = found.groups()
    return FileInfo(path, int(mode, 16), int(size), int(uid), int(gid), int(mtime))


def names(printed: bytes, below: str, path: str, limit: int) -> list[str]:
    """Of what find printed, each ended by a zero byte: the names of what is in the directory `below`, sorted. Each is
    one component of a path and leads nowhere else."""
    found = set()
    if printed.count(b"\0") > limit:
        raise too_many(limit, path)
    for entry in printed.split(b"\0"):
        if not entry:
            continue
        name = os.fsdecode(entry).removeprefix(below)
        if not is_name(name):
            raise BerthError(
                f"the sandbox's find gave a name that is none: {os.fsdecode(entry[-200:])!r}",
                layer="fs",
                path=shown(path),
            )
        found.add(name)
    return sorted(found)


def is_name(name: str) -> bool:
    """Whether it names an entry of a directory and nothing besides."""
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name


def too_many(limit: int, path: str) -> BerthError:
    return BerthError(
        f"more than {limit} files, directories and links",
        layer="fs",
        path=shown(path),
        hint="raise `entry_limit` of the sandbox's aio.fs",
    )


def shown(path: str) -> str:
    """As text, whatever its bytes are."""
    return os.fsencode(path).decode("utf-8", "replace")
