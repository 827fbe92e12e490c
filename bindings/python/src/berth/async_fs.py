# SPDX-License-Identifier: Apache-2.0
"""Files of a sandbox, through its guest: nothing there is trusted to be what it seems. For code on an event loop."""

from __future__ import annotations

import asyncio
import base64
import errno
import json
import os
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from . import _declarations as c
from . import _ffi
from ._answers import FileInfo, shown, too_many
from ._arguments import PathName, path_name
from ._cancel import in_thread
from ._received import put_file, put_tree
from .errors import BerthError, NotFoundError, SandboxFileNotFound, SandboxNotFound
from .place import Place

__all__ = ["AsyncFs", "FileInfo"]

#: Of what the sandbox says of a file when there is none.
_MISSING = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)


class AsyncFs:
    """Reads and writes files of a sandbox. Paths are absolute, or below the sandbox's working directory.

    The sandbox's first process, berth's guest, does it: nothing is needed of the image. Where that does not answer,
    each of these is a BerthError.
    """

    def __init__(self, sandbox: Place) -> None:
        self._sandbox = sandbox
        #: The most bytes that one read or download takes: a sandbox may offer a file without end.
        self.limit = 1 << 30
        #: The most files, directories and links that one listing or download takes.
        self.entry_limit = 100_000

    async def read_bytes(self, path: PathName, *, offset: int = 0, length: int | None = None) -> bytes:
        """The content, or `length` bytes of it from `offset` on."""
        name = _name(path)
        wanted = {"offset": offset, "most": self.limit} | ({} if length is None else {"length": length})
        return (await self._do("berth_files_read", name, *_options(wanted), -1)).payload

    async def read_text(self, path: PathName, encoding: str = "utf-8") -> str:
        return (await self.read_bytes(path)).decode(encoding)

    async def write_bytes(self, path: PathName, data: bytes, *, parents: bool = True) -> None:
        """Replaces the content; one that is cut short leaves what was there. parents: makes the directories above
        first."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"write_bytes() takes bytes, not {type(data).__name__}; write_text() takes a string")
        content = bytes(data)
        await self._do("berth_files_write", _name(path), *_options({"parents": parents}), content, len(content), -1)

    async def write_text(self, path: PathName, text: str, *, encoding: str = "utf-8", parents: bool = True) -> None:
        """Replaces the content; one that is cut short leaves what was there. parents: makes the directories above
        first."""
        if not isinstance(text, str):
            raise TypeError(f"write_text() takes a string, not {type(text).__name__}; write_bytes() takes bytes")
        await self.write_bytes(path, text.encode(encoding), parents=parents)

    async def upload(self, local: PathName, path: PathName) -> None:
        """Copies a file of this host to `path`, or into it where that is a directory; or the content of a directory
        into the directory `path`. Directories above are made. One that is cut short leaves nothing, but for a directory
        that was there before."""
        name, source = _name(path), Path(path_name("local", local))
        if source.is_dir():
            with tempfile.TemporaryFile() as packed:
                await asyncio.to_thread(_pack, source, packed)
                await self._do("berth_files_unpack", name, 1, b"", 0, packed.fileno())
            return
        with await asyncio.to_thread(source.open, "rb") as content:
            if name.endswith("/") or await self._is_directory(name):
                name = f"{name.rstrip('/')}/{source.name}"
            wanted = {"mode": os.fstat(content.fileno()).st_mode & 0o7777, "parents": True}
            await self._do("berth_files_write", name, *_options(wanted), b"", 0, content.fileno())

    async def download(self, path: PathName, local: PathName) -> None:
        """Copies a file to `local` on this host, or into it where that is a directory; or the content of a directory
        into the directory `local`. Whole or not at all; a file does not replace a directory.

        Symbolic links arrive as they are and are never followed here; what is neither file, directory nor link stays
        out. What arrives is for this user alone (0600, or 0700 where its owner may run it), whatever its mode inside.
        """
        name, target = _name(path), Path(path_name("local", local))
        with tempfile.TemporaryFile() as content:
            if await self._is_directory(name):
                wanted = {"name": ".", "follow": True, "most": self.limit + self.entry_limit * 4096}
                await self._do("berth_files_pack", name, *_options(wanted), content.fileno())
                content.seek(0)
                await in_thread(lambda: put_tree(content, name, target, self.limit, self.entry_limit))
                return
            await self._do("berth_files_read", name, *_options({"most": self.limit}), content.fileno())
            content.seek(0)
            await in_thread(lambda: put_file(content, os.path.basename(name), target))

    async def list(self, path: PathName = ".") -> list[FileInfo]:
        """What is in a directory, sorted by name. Each `name` is one component of a path, whatever the sandbox says."""
        name = _name(path)
        try:
            found = json.loads((await self._do("berth_files_list", name, self.entry_limit)).payload)
        except BerthError as e:
            raise (too_many(self.entry_limit, name) if e.code == c.BERTH_E_TOO_BIG else e) from None
        base = name.rstrip("/")
        return [_info(f"{base}/{_text(entry, 'name')}", entry) for entry in found]

    async def stat(self, path: PathName, *, follow: bool = False) -> FileInfo:
        """follow: of what a symbolic link leads to. FileNotFoundError when there is none."""
        name = _name(path)
        return _info(name, json.loads((await self._do("berth_files_stat", name, int(follow))).payload))

    async def exists(self, path: PathName) -> bool:
        """Also of a symbolic link that leads nowhere."""
        try:
            await self.stat(path)
        except BerthError as e:
            if e.layer == "files" and e.errno in _MISSING:
                return False
            raise
        return True

    async def mkdir(self, path: PathName) -> None:
        """With its parents; one that is there already is no error."""
        await self._do("berth_files_make_directory", _name(path), *_options({"parents": True}))

    async def remove(self, path: PathName, *, recursive: bool = False) -> None:
        """recursive: a directory with all that is in it."""
        await self._do("berth_files_remove", _name(path), int(recursive))

    async def rename(self, path: PathName, to: PathName) -> None:
        """In place of what is there, which is no directory with something in it."""
        other = self._at(_name(to))
        await self._do("berth_files_rename", _name(path), other, len(other))

    async def _is_directory(self, path: str) -> bool:
        try:
            return (await self.stat(path, follow=True)).is_dir
        except SandboxFileNotFound:
            return False

    def _at(self, path: str) -> bytes:
        return os.fsencode(os.path.join(self._sandbox.workdir, path))

    async def _do(self, function: str, path: str, *arguments: Any) -> _ffi.Event:
        runtime, handle = await self._sandbox.attached()
        name = self._at(path)
        # What Ctrl-C or a cancelled task cuts short has ended, and has been cleaned up, before that goes on.
        work = runtime.run(_ffi.start, function, handle, name, len(name), *arguments)
        try:
            return await work
        except BerthError as e:
            if isinstance(e, NotFoundError) and e.layer == "sandbox" and "was removed" in e.message:
                raise SandboxNotFound(
                    f"no sandbox is called '{self._sandbox.id}'", code=e.code, code_name=e.code_name
                ) from e
            if e.layer != "files":
                raise
            kind = SandboxFileNotFound if e.errno == errno.ENOENT else BerthError
            words = f"{e.message}: {os.strerror(e.errno)}" if e.errno else e.message
            raise kind(
                words,
                code=e.code, code_name=e.code_name, layer="files", path=shown(path), errno=e.errno or 0,
                hint="raise `limit` of the sandbox's aio.fs" if e.code == c.BERTH_E_TOO_BIG and not e.errno else e.hint,
            ) from None  # fmt: skip


def _name(path: PathName) -> str:
    name = path_name("path", path)
    if not name or "\0" in name:
        raise ValueError(f"not a path: {name!r}")
    return name


def _options(wanted: Mapping[str, Any]) -> tuple[bytes, int]:
    text = json.dumps(wanted).encode()
    return text, len(text)


def _text(entry: Mapping[str, Any], name: str) -> str:
    if name in entry:
        return str(entry[name])
    return os.fsdecode(base64.b64decode(entry[name + "_base64"]))


def _info(path: str, entry: Mapping[str, Any]) -> FileInfo:
    return FileInfo(path, entry["mode"], entry["size"], entry["uid"], entry["gid"], entry["mtime"])


def _pack(source: Path, to: IO[bytes]) -> None:
    with tarfile.open(fileobj=to, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.add(source, arcname=".", filter=_owned_by_root)
    to.seek(0)


def _owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
