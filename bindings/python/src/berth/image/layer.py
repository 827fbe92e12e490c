# SPDX-License-Identifier: Apache-2.0
"""What a sandbox changed in its root file system, put onto a copy of it.

``runsc tar rootfs-upper`` writes the overlay's upper directory: a deleted entry is a character device 0:0 (or a hard
link to one), a directory that hides what was below carries the attribute ``trusted.overlay.opaque``. Seen with release
20260701.0.
"""

from __future__ import annotations

import os
import tarfile

from ..archive import Tree, parts_of, put, remove, set_attributes

#: Runtime state of the sandbox it was made in, no part of an image.
_NOT_KEPT = ("dev", "proc", "sys", "run/berth", ".berth")


def apply_changes(rootfs: str, changes: str) -> None:
    """Puts the changes of a ``rootfs-upper`` tar onto a root file system."""
    tree = Tree(rootfs)
    directories: list[tuple[tarfile.TarInfo, list[str]]] = []
    whiteouts: set[str] = set()
    try:
        with tarfile.open(changes, "r:") as tar:
            for member in tar:
                parts = parts_of(member.name)
                path = "/".join(parts)
                if not parts or any(path == skip or path.startswith(skip + "/") for skip in _NOT_KEPT):
                    continue
                whiteout = member.ischr() and member.devmajor == 0 and member.devminor == 0
                whiteout = whiteout or (member.islnk() and "/".join(parts_of(member.linkname)) in whiteouts)
                at = tree.parent(parts)
                try:
                    if whiteout:
                        whiteouts.add(path)
                        remove(parts[-1], at)
                    else:
                        put(tar, member, parts[-1], at, tree)
                        if member.isdir():
                            directories.append((member, parts))
                finally:
                    os.close(at)
        # Last, since what was put into a directory changed its times.
        for member, parts in reversed(directories):
            at = tree.parent(parts)
            try:
                set_attributes(member, parts[-1], at)
            finally:
                os.close(at)
    finally:
        tree.close()
