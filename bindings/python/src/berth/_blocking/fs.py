# SPDX-License-Identifier: Apache-2.0
"""Of fs. Made by generate_blocking.py of the classes with coroutines; do not edit."""

from __future__ import annotations

from .._answers import FileInfo
from .._arguments import PathName
from .._loop import sync
from ..async_fs import AsyncFs


class BlockingFs:
    """What Fs has of AsyncFs."""

    _aio: AsyncFs

    def __init__(self, aio: AsyncFs) -> None:
        self._aio = aio

    @property
    def aio(self) -> AsyncFs:
        """The same with coroutines."""
        return self._aio

    def read_bytes(self, path: PathName, *, offset: int = 0, length: int | None = None) -> bytes:
        """The content, or `length` bytes of it from `offset` on."""
        return sync(self._aio.read_bytes(path, offset=offset, length=length))

    def read_text(self, path: PathName, encoding: str = "utf-8") -> str:
        return sync(self._aio.read_text(path, encoding))

    def write_bytes(self, path: PathName, data: bytes, *, parents: bool = True) -> None:
        """Replaces the content; one that is cut short leaves what was there. parents: makes the directories above
        first."""
        sync(self._aio.write_bytes(path, data, parents=parents))

    def write_text(self, path: PathName, text: str, *, encoding: str = "utf-8", parents: bool = True) -> None:
        """Replaces the content; one that is cut short leaves what was there. parents: makes the directories above
        first."""
        sync(self._aio.write_text(path, text, encoding=encoding, parents=parents))

    def upload(self, local: PathName, path: PathName) -> None:
        """Copies a file of this host to `path`, or into it where that is a directory; or the content of a directory
        into the directory `path`. Directories above are made. One that is cut short leaves nothing, but for a directory
        that was there before."""
        sync(self._aio.upload(local, path))

    def download(self, path: PathName, local: PathName) -> None:
        """Copies a file to `local` on this host, or into it where that is a directory; or the content of a directory
        into the directory `local`. Whole or not at all; a file does not replace a directory.

        Symbolic links arrive as they are and are never followed here; what is neither file, directory nor link stays
        out. What arrives is for this user alone (0600, or 0700 where its owner may run it), whatever its mode inside.
        """
        sync(self._aio.download(path, local))

    def list(self, path: PathName = ".") -> list[FileInfo]:
        """What is in a directory, sorted by name. Each `name` is one component of a path, whatever the sandbox says."""
        return sync(self._aio.list(path))

    def stat(self, path: PathName, *, follow: bool = False) -> FileInfo:
        """follow: of what a symbolic link leads to. FileNotFoundError when there is none."""
        return sync(self._aio.stat(path, follow=follow))

    def exists(self, path: PathName) -> bool:
        """Also of a symbolic link that leads nowhere."""
        return sync(self._aio.exists(path))

    def mkdir(self, path: PathName) -> None:
        """With its parents; one that is there already is no error."""
        sync(self._aio.mkdir(path))

    def remove(self, path: PathName, *, recursive: bool = False) -> None:
        """recursive: a directory with all that is in it."""
        sync(self._aio.remove(path, recursive=recursive))

    def rename(self, path: PathName, to: PathName) -> None:
        """In place of what is there, which is no directory with something in it."""
        sync(self._aio.rename(path, to))
