# SPDX-License-Identifier: Apache-2.0
"""What identifies the content of a directory that somebody else keeps: all of its names, attributes and bytes.

Times are no part of it, so that a copy is the same content. Bytes are read again only where something changed: as for
git's index, the inode, size, mode, owner and times of every entry stand for what was read from it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass

from .._cancel import check
from ..errors import ImageError
from .store import Store, content_key

#: runsc keeps the changes of a sandbox there when it is run with --overlay2=root:self, its default (20260701.0).
_FILESTORE = b".gvisor.filestore."
#: A change within a tick of the file system's clock shows in no time; whatever is younger is not relied on.
_SETTLED_NS = 2_000_000_000


@dataclass(frozen=True)
class _Entry:
    #: Below the directory, "" being itself.
    path: bytes
    seen: os.stat_result


def tree_key(directory: str, store: Store) -> str:
    """The key of the directory's content. Blocks: the first time for as long as reading all of it takes.

    ImageError when it changes meanwhile."""
    root = os.fsencode(directory)
    try:
        before, newest = _fingerprint(root)
        if known := store.known_tree(directory, before):
            return known
        key = _content(root)
        after, _ = _fingerprint(root)
    except OSError as e:
        if e.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ENODATA):
            raise ImageError(f"the root file system cannot be read: {e.strerror}", path=_name(e, directory)) from e
        raise _changed(directory) from e
    if after != before:
        raise _changed(directory)
    if newest < time.time_ns() - _SETTLED_NS:
        store.remember_tree(directory, before, key)
    return key


def _changed(directory: str) -> ImageError:
    return ImageError(
        f"the root file system changed while it was read: {directory}", hint="end what writes to it, or copy it first"
    )


def _name(e: OSError, directory: str) -> str:
    return os.fsdecode(e.filename) if isinstance(e.filename, (str, bytes)) else directory


def _entries(root: bytes) -> Iterator[_Entry]:
    """All of a directory in a fixed order, without following links or crossing into another file system."""
    seen = os.lstat(root)
    device = seen.st_dev
    yield _Entry(b"", seen)
    pending = [b""]
    while pending:
        check()
        directory = pending.pop()
        with os.scandir(os.path.join(root, directory)) as found:
            listed = sorted(found, key=lambda entry: entry.name)
        for entry in listed:
            if not directory and entry.name.startswith(_FILESTORE):
                continue
            path = os.path.join(directory, entry.name)
            seen = entry.stat(follow_symlinks=False)
            yield _Entry(path, seen)
            if stat.S_ISDIR(seen.st_mode) and seen.st_dev == device:
                pending.append(path)


def _fingerprint(root: bytes) -> tuple[str, int]:
    """What stands for the content while nothing is written, and the youngest change in it, in ns since the epoch."""
    digest, newest = hashlib.sha256(), 0
    for entry in _entries(root):
        s = entry.seen
        fields = (s.st_dev, s.st_ino, s.st_mode, s.st_uid, s.st_gid, s.st_size, s.st_mtime_ns, s.st_ctime_ns)
        digest.update(b"%d:%b" % (len(entry.path), entry.path) + repr(fields).encode())
        newest = max(newest, s.st_ctime_ns)
    return digest.hexdigest(), newest


def _content(root: bytes) -> str:
    digest = hashlib.sha256()
    for entry in _entries(root):
        path, s = os.path.join(root, entry.path), entry.seen
        kept: bytes = b""
        if stat.S_ISREG(s.st_mode):
            check()
            with open(path, "rb") as f:
                kept = hashlib.file_digest(f, "sha256").digest()
        elif stat.S_ISLNK(s.st_mode):
            kept = os.readlink(path)
        elif stat.S_ISCHR(s.st_mode) or stat.S_ISBLK(s.st_mode):
            kept = b"%d" % s.st_rdev
        for part in (entry.path, repr((s.st_mode, s.st_uid, s.st_gid)).encode(), kept, *_attributes(path)):
            digest.update(b"%d:%b" % (len(part), part))
    return content_key("tree", digest.hexdigest())


def _attributes(path: bytes) -> Iterator[bytes]:
    """Extended attributes, file capabilities among them; empty where the file system has none."""
    try:
        names = sorted(os.listxattr(path, follow_symlinks=False))
    except OSError:
        return
    for name in names:
        yield os.fsencode(name)
        yield os.getxattr(path, name, follow_symlinks=False)
