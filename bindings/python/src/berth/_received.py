# SPDX-License-Identifier: Apache-2.0
"""What came out of a sandbox, put onto this host: whole or not at all, nowhere else, and for this user alone."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ._answers import is_name, shown, too_many
from .archive import Tree, parts_of, put
from .errors import BerthError

#: What is not complete yet has a name that begins so.
_PREFIX = ".berth-"
#: Directories in directories: what removes them again has a descriptor open for each.
_DEPTH = 200
_PIECE = 1 << 20


class _Member(tarfile.TarInfo):
    """Python's own takes a negative size, and then reads the same for ever (CVE-2025-8194)."""

    def _block(self, count: int) -> int:
        if count < 0:
            raise BerthError("the archive holds a file of a negative size", layer="fs")
        return super()._block(count)  # type: ignore[misc, no-any-return]


def put_file(content: IO[bytes], name: str, target: Path) -> None:
    """In place of the file `target`, or as `name` into it where it is a directory."""
    if target.is_dir():
        if not is_name(name):
            raise BerthError("it is said to be a file, but this is no file's name", layer="fs", path=shown(name))
        target = target / name
        if target.is_dir():
            raise _a_directory(str(target))
    handle, beside = tempfile.mkstemp(prefix=_PREFIX, dir=target.parent)
    try:
        with open(handle, "wb") as f:
            shutil.copyfileobj(content, f, _PIECE)
        os.replace(beside, target)
    except BaseException:
        os.unlink(beside)
        raise


def put_tree(data: IO[bytes], path: str, target: Path, limit: int, entries: int) -> None:
    """The content of a tar into the directory `target`, which is made where it is missing. Files, directories and links
    only; no link is followed, and owners and modes for others stay out. A directory that is there keeps its mode.
    `path`: what it is of."""
    above = target
    while not above.is_dir():
        if above.exists() or above.is_symlink():
            raise NotADirectoryError(errno.ENOTDIR, "not a directory", str(above))
        above = above.parent
    # On the same file system, where nobody else looks.
    beside = tempfile.mkdtemp(prefix=_PREFIX, dir=above)
    try:
        tree = os.path.join(beside, "tree")
        os.mkdir(tree, 0o700)
        try:
            _unpack(data, tree, limit, entries)
        except BerthError:
            raise
        except Exception as e:  # tarfile has one for every kind of nonsense, and so have the calls that it is handed to
            raise BerthError(
                f"what the sandbox sent cannot be unpacked: {type(e).__name__}: {e}",
                layer="fs",
                path=shown(path),
                errno=(e.errno or 0) if isinstance(e, OSError) else 0,
            ) from e
        if above != target:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(tree, target)
            return
        at, into = _open(tree), _open(str(target))
        try:
            _check(at, into, os.fstat(at).st_dev, "")
            _move(at, into)
        finally:
            os.close(at)
            os.close(into)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _unpack(data: IO[bytes], target: str, limit: int, entries: int) -> None:
    tree = Tree(target)
    left = limit
    try:
        with tarfile.open(fileobj=data, mode="r:", tarinfo=_Member) as tar:
            for count, member in enumerate(tar, 1):
                if count > entries:
                    raise too_many(entries, member.name)
                parts = parts_of(member.name)
                if len(parts) > _DEPTH:
                    raise BerthError(f"more than {_DEPTH} directories in one another", layer="fs")
                if member.issparse():
                    # A few bytes of it would fill a disk.
                    raise BerthError("the archive holds a file with holes", layer="fs", path=shown(member.name))
                left -= member.size if member.isreg() else 0
                if member.size < 0 or left < 0:
                    raise BerthError(f"the archive holds more than {limit} bytes", layer="fs", path=shown(member.name))
                if parts and (member.isreg() or member.isdir() or member.issym() or member.islnk()):
                    _put(tar, member, parts, tree)
    finally:
        tree.close()


def _put(tar: tarfile.TarFile, member: tarfile.TarInfo, parts: list[str], tree: Tree) -> None:
    member.uid, member.gid = os.getuid(), os.getgid()
    member.mode &= 0o700
    member.pax_headers = {}
    at = tree.parent(parts)
    try:
        put(tar, member, parts[-1], at, tree)
        if member.isdir():
            os.chmod(parts[-1], member.mode | 0o700, dir_fd=at)
    finally:
        os.close(at)


def _a_directory(path: str) -> BerthError:
    return BerthError(
        "a file does not replace a directory",
        layer="fs",
        path=shown(path),
        hint="remove it first, or download to elsewhere",
        errno=errno.EISDIR,
    )


def _open(name: str, at: int | None = None) -> int:
    # `target` itself may be a link of the user's; what is in it is not to lead elsewhere.
    links = 0 if at is None else os.O_NOFOLLOW
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | links, dir_fd=at)


def _mode(name: str, at: int) -> int | None:
    try:
        return os.lstat(name, dir_fd=at).st_mode
    except FileNotFoundError:
        return None


def _both(at: int, into: int) -> Iterator[tuple[str, bool, int | None]]:
    """Of each name in `at`: whether it is a directory there, and the mode of what `into` has by that name."""
    for name in sorted(os.listdir(at)):
        yield name, stat.S_ISDIR(os.lstat(name, dir_fd=at).st_mode), _mode(name, into)


def _check(at: int, into: int, device: int, below: str) -> None:
    """Before anything is moved: whether all of it can be."""
    if os.fstat(into).st_dev != device:
        raise BerthError(
            "another file system is mounted there",
            layer="fs",
            path=shown(below),
            hint="download into it by itself",
            errno=errno.EXDEV,
        )
    for name, is_dir, there in _both(at, into):
        path = os.path.join(below, name)
        if there is None or not stat.S_ISDIR(there):
            continue
        if not is_dir:
            raise _a_directory(path)
        lower, lower_into = _open(name, at), _open(name, into)
        try:
            _check(lower, lower_into, device, path)
        finally:
            os.close(lower)
            os.close(lower_into)


def _move(at: int, into: int) -> None:
    for name, is_dir, there in _both(at, into):
        if not is_dir or there is None or not stat.S_ISDIR(there):
            if is_dir and there is not None:
                os.unlink(name, dir_fd=into)  # a directory takes the place of nothing else
            os.rename(name, name, src_dir_fd=at, dst_dir_fd=into)
            continue
        lower, lower_into = _open(name, at), _open(name, into)
        try:
            _move(lower, lower_into)
            seen = os.fstat(lower)
            os.utime(lower_into, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        finally:
            os.close(lower)
            os.close(lower_into)
