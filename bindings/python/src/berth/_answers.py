# SPDX-License-Identifier: Apache-2.0
"""What a sandbox says of its files: somebody else's claim."""

from __future__ import annotations

import os
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
