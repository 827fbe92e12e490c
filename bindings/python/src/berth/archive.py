# SPDX-License-Identifier: Apache-2.0
"""Archives put into directories without ever leaving them: no symbolic link is followed, wherever one is from."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
from io import FileIO
from typing import IO

from .errors import BerthError

_XATTR = "SCHILY.xattr."
_OPAQUE = _XATTR + "trusted.overlay.opaque"
_BLOCK = 1 << 17


def parts_of(name: str) -> list[str]:
    parts = [p for p in name.split("/") if p not in ("", ".")]
    if ".." in parts:
        raise BerthError(f"an archive names a path outside of itself: {name!r}", layer="fs")
    return parts


class Tree:
    """A directory tree that is written to without ever following a symbolic link."""

    def __init__(self, root: str) -> None:
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def close(self) -> None:
        os.close(self._root)

    def parent(self, parts: list[str]) -> int:
        """A descriptor of the directory that holds the entry; the caller closes it."""
        fd = os.dup(self._root)
        try:
            for part in parts[:-1]:
                below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
                os.close(fd)
                fd = below
        except BaseException:
            os.close(fd)
            raise
        return fd


def _kind(name: str, at: int) -> int | None:
    try:
        return stat.S_IFMT(os.lstat(name, dir_fd=at).st_mode)
    except FileNotFoundError:
        return None


def remove(name: str, at: int) -> None:
    kind = _kind(name, at)
    if kind == stat.S_IFDIR:
        shutil.rmtree(name, dir_fd=at)
    elif kind is not None:
        os.unlink(name, dir_fd=at)


def _clear(name: str, at: int) -> None:
    fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
    try:
        for entry in os.listdir(fd):
            remove(entry, fd)
    finally:
        os.close(fd)


def set_attributes(member: tarfile.TarInfo, name: str, at: int) -> None:
    os.chown(name, member.uid, member.gid, dir_fd=at, follow_symlinks=False)
    if member.issym():
        os.utime(name, (member.mtime, member.mtime), dir_fd=at, follow_symlinks=False)
        return
    os.chmod(name, member.mode, dir_fd=at)  # the entry was just made here, and is no link
    path = f"/proc/self/fd/{at}/{name}"
    for key, value in member.pax_headers.items():
        if key.startswith(_XATTR) and not key.startswith(_XATTR + "trusted."):
            os.setxattr(path, key.removeprefix(_XATTR), value.encode("utf-8", "surrogateescape"), follow_symlinks=False)
    os.utime(name, (member.mtime, member.mtime), dir_fd=at, follow_symlinks=False)


def put(tar: tarfile.TarFile, member: tarfile.TarInfo, name: str, at: int, tree: Tree) -> None:
    """One entry, in place of what has its name; of a directory the attributes are yet to be set."""
    if member.isdir():
        if _kind(name, at) != stat.S_IFDIR:
            remove(name, at)
            os.mkdir(name, 0o700, dir_fd=at)
        elif _OPAQUE in member.pax_headers:
            _clear(name, at)
        return
    remove(name, at)
    if member.isreg():
        source = tar.extractfile(member)
        assert source is not None
        fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=at)
        with open(fd, "wb", buffering=0) as out:
            _copy(source, out)
    elif member.issym():
        os.symlink(member.linkname, name, dir_fd=at)
    elif member.islnk():
        target = parts_of(member.linkname)
        target_at = tree.parent(target)
        try:
            os.link(target[-1], name, src_dir_fd=target_at, dst_dir_fd=at, follow_symlinks=False)
        finally:
            os.close(target_at)
        return
    elif member.isfifo():
        os.mkfifo(name, 0o600, dir_fd=at)
    elif member.ischr() or member.isblk():
        kind = stat.S_IFCHR if member.ischr() else stat.S_IFBLK
        os.mknod(name, kind | 0o600, os.makedev(member.devmajor, member.devminor), dir_fd=at)
    else:
        raise BerthError("an archive holds an entry of a kind that files do not have", layer="fs", path=member.name)
    set_attributes(member, name, at)


def _copy(source: IO[bytes], out: FileIO) -> None:
    """Zeros become holes, as they most likely were: a tar of runsc's has none."""
    size = 0
    while block := source.read(_BLOCK):
        size += len(block)
        if block.count(0) == len(block):
            os.lseek(out.fileno(), size, os.SEEK_SET)
            continue
        view = memoryview(block)
        while view:
            view = view[out.write(view) :]
    os.ftruncate(out.fileno(), size)
