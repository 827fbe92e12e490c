"""Files of a sandbox, by commands run inside: nothing there is trusted to be what it seems, and no shell sees a
name."""

from __future__ import annotations

import asyncio
import builtins
import errno
import io
import os
import re
import stat as modes
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ._loop import sync
from ._streams import STDERR, STDOUT
from .archive import unpack_tree
from .errors import BerthError, SandboxFileNotFound
from .place import Place
from .process import AsyncProcess


#: Names given to one command at a time.
_CHUNK = 500


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


#: Its input into the file $1, or into $1/$2 where $1 is a directory, with the mode $3.
_PUT = 'if [ -d "$1" ]; then to="$1/$2"; else to="$1"; fi; cat >"$to" && chmod "$3" -- "$to"'

#: Runs its arguments after decoding them: what a command is given is UTF-8, and a name may be any bytes.
_DECODED = r"""
for a do
shift
case $a in *\\*) a=$(printf '%b.' "$a"); a=${a%.};; esac
set -- "$@" "$a"
done
exec "$@"
"""

#: Of the programs: numbers and errors as they are read here, bytes taken as they are.
_WORDS = {"LC_ALL": "C"}

_FORMAT = "%f %s %u %g %Y"

#: How the programs' words end, in the language of LC_ALL=C; the shells have some of their own.
_ERRORS = (
    ("No such file or directory", errno.ENOENT),
    ("No such file", errno.ENOENT),
    ("nonexistent", errno.ENOENT),
    ("nonexistent directory", errno.ENOENT),
    ("Not a directory", errno.ENOTDIR),
    ("Is a directory", errno.EISDIR),
    ("Permission denied", errno.EACCES),
    ("No space left on device", errno.ENOSPC),
    ("File name too long", errno.ENAMETOOLONG),
    ("Too many levels of symbolic links", errno.ELOOP),
)


def _info(path: str, line: str) -> FileInfo:
    mode, size, uid, gid, mtime = line.split()
    return FileInfo(path, int(mode, 16), int(size), int(uid), int(gid), int(mtime))


class AsyncFs:
    """Reads and writes files of a sandbox. Paths are absolute, or below the sandbox's working directory.

    It needs the usual small programs inside: cat, tee, stat, find, mkdir, rm, and tar for directories.
    """

    def __init__(self, sandbox: Place) -> None:
        self._sandbox = sandbox
        #: The most bytes that one read or download takes: a sandbox may offer a file without end.
        self.limit = 1 << 30

    async def read_bytes(self, path: str) -> bytes:
        return await self._run(["cat", "--", _argument(path)], path)

    async def read_text(self, path: str, encoding: str = "utf-8") -> str:
        return (await self.read_bytes(path)).decode(encoding)

    async def write_bytes(self, path: str, data: bytes, *, parents: bool = True) -> None:
        """Replaces the content. parents: makes the directories above first."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"write_bytes() takes bytes, not {type(data).__name__}; write_text() takes a string")
        if parents:
            await self._make_above(path)
        # tee prints what it was given, which is not wanted back: a shell sends that away, and sees the name as "$1"
        # only.
        await self._run(["sh", "-c", 'exec cat >"$1"', "sh", path], path, bytes(data))

    async def write_text(self, path: str, text: str, *, encoding: str = "utf-8", parents: bool = True) -> None:
        """Replaces the content. parents: makes the directories above first."""
        if not isinstance(text, str):
            raise TypeError(f"write_text() takes a string, not {type(text).__name__}; write_bytes() takes bytes")
        await self.write_bytes(path, text.encode(encoding), parents=parents)

    async def upload(self, local: str | os.PathLike[str], path: str) -> None:
        """Copies a file of this host to `path`, or into it where that is a directory; or the content of a directory
        into the directory `path`. Directories above are made."""
        source = Path(local)
        if source.is_dir():
            await self._run(["mkdir", "-p", "--", path], path)
            data = await asyncio.to_thread(_pack, source)
            await self._run(["tar", "-C", path, "-xf", "-"], path, data)
            return
        content = await asyncio.to_thread(source.read_bytes)
        await self._make_above(path)
        mode = f"{source.stat().st_mode & 0o7777:o}"
        await self._run(["sh", "-c", _PUT, "sh", path, source.name, mode], path, content)

    async def download(self, path: str, local: str | os.PathLike[str]) -> None:
        """Copies a file to `local` on this host, or into it where that is a directory; or the content of a directory
        into the directory `local`.

        Symbolic links arrive as they are and are never followed here; what is neither file, directory nor link stays
        out.
        """
        target = Path(local)
        if (await self.stat(path, follow=True)).is_dir:
            data = await self._run(["tar", "-C", path, "-cf", "-", "."], path)
            await asyncio.to_thread(_unpack, data, target, self.limit)
            return
        content = await self.read_bytes(path)
        await asyncio.to_thread(_write, target / os.path.basename(path) if target.is_dir() else target, content)

    async def list(self, path: str = ".") -> list[FileInfo]:
        """What is in a directory, sorted by name."""
        printed = await self._run(
            ["find", _argument(path.rstrip("/")) + "/", "-mindepth", "1", "-maxdepth", "1", "-print0"], path
        )
        names = sorted(os.path.basename(n) for n in printed.decode("utf-8", "surrogateescape").split("\0") if n)
        found: list[FileInfo] = []
        base = path.rstrip("/")
        for start in range(0, len(names), _CHUNK):
            paths = [f"{base}/{name}" for name in names[start : start + _CHUNK]]
            found += await self._stat_many(paths)
        return found

    async def stat(self, path: str, *, follow: bool = False) -> FileInfo:
        """follow: of what a symbolic link leads to. FileNotFoundError when there is none."""
        line = await self._run(["stat", *(["-L"] if follow else []), "-c", _FORMAT, "--", path], path)
        return _info(path, line.decode())

    async def exists(self, path: str) -> bool:
        """Also of a symbolic link that leads nowhere."""
        try:
            await self.stat(path)
        except BerthError as e:
            if e.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG):
                return False
            raise
        return True

    async def mkdir(self, path: str) -> None:
        """With its parents; one that is there already is no error."""
        await self._run(["mkdir", "-p", "--", path], path)

    async def remove(self, path: str, *, recursive: bool = False) -> None:
        """recursive: a directory with all that is in it."""
        await self.stat(path)
        await self._run(["rm", "-rf" if recursive else "-f", "--", path], path)

    async def _make_above(self, path: str) -> None:
        if (above := os.path.dirname(path)) not in ("", "/"):
            await self._run(["mkdir", "-p", "--", above], above)

    async def _stat_many(self, paths: Sequence[str]) -> builtins.list[FileInfo]:
        # One line an entry, in order; a name never appears, so none can be mistaken for a line.
        process = await self._sandbox.start(_given(["stat", "-c", _FORMAT, "--", *paths]), env=_WORDS, pipe=False)
        await process.wait()
        lines = process.text_of(STDOUT).splitlines()
        if process.returncode == 0 and len(lines) == len(paths):
            return [_info(path, line) for path, line in zip(paths, lines, strict=True)]
        # Something went away meanwhile.
        found = []
        for path in paths:
            try:
                found.append(await self.stat(path))
            except SandboxFileNotFound:
                continue
        return found

    async def _run(self, argv: builtins.list[str], path: str, data: bytes | None = None) -> bytes:
        if "\0" in path or not path:
            raise ValueError(f"not a path: {path!r}")
        runtime, _ = await self._sandbox.attached()
        process = AsyncProcess(runtime, _given(argv))
        process.output_limit = self.limit
        await self._sandbox.start(process.argv, env=_WORDS, stdin=data, pipe=False, process=process)
        try:
            code = await process.wait()
        except BerthError:
            if process.overflowed:
                raise BerthError(
                    f"more than {self.limit} bytes",
                    layer="fs",
                    path=os.fsencode(path).decode("utf-8", "replace"),
                    hint="raise `limit` of the sandbox's aio.fs",
                ) from None
            raise
        except asyncio.CancelledError:
            await process.runtime.on(process.runtime.cancel(process.operation))
            raise
        if code == 0:
            return process.bytes_of(STDOUT)
        words = process.text_of(STDERR).strip()
        number = next((number for said, number in _ERRORS if words.endswith(said)), 0)
        kind = SandboxFileNotFound if number == errno.ENOENT else BerthError
        text = f"{argv[0]} in the sandbox exited with {code}: {words[-500:]}"
        raise kind(text, layer="fs", path=os.fsencode(path).decode("utf-8", "replace"), errno=number)


def _argument(path: str) -> str:
    """As find, which takes no "--", and cat, to which "-" is its input, can be given it."""
    return "./" + path if path.startswith("-") else path


def _given(argv: Sequence[str]) -> list[str]:
    """argv, or where it holds what is not UTF-8, a shell that makes it of text."""
    if all(_is_text(argument) for argument in argv):
        return list(argv)
    return ["sh", "-c", _DECODED, "sh", *map(_encoded, argv)]


def _is_text(argument: str) -> bool:
    return not any("\udc80" <= character <= "\udcff" for character in argument)


def _encoded(argument: str) -> str:
    """As printf's %b reads it, where it has to be."""
    if _is_text(argument) and "\\" not in argument:
        return argument
    return re.sub(rb"[^A-Za-z0-9/._-]", lambda m: b"\\0%03o" % m[0][0], os.fsencode(argument)).decode()


def _pack(source: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.add(source, arcname=".", filter=_owned_by_root)
    return buffer.getvalue()


def _owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _unpack(data: bytes, target: Path, limit: int) -> None:
    target.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
        unpack_tree(str(target), tar, limit)


def _write(target: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with open(handle, "wb") as f:
            f.write(content)
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


class Fs:
    """As AsyncFs (which is its `aio`), for code without an event loop."""

    def __init__(self, fs: AsyncFs) -> None:
        self.aio = fs

    def read_bytes(self, path: str) -> bytes:
        return sync(self.aio.read_bytes(path))

    def read_text(self, path: str, encoding: str = "utf-8") -> str:
        return sync(self.aio.read_text(path, encoding))

    def write_bytes(self, path: str, data: bytes, *, parents: bool = True) -> None:
        """Replaces the content. parents: makes the directories above first."""
        sync(self.aio.write_bytes(path, data, parents=parents))

    def write_text(self, path: str, text: str, *, encoding: str = "utf-8", parents: bool = True) -> None:
        sync(self.aio.write_text(path, text, encoding=encoding, parents=parents))

    def upload(self, local: str | os.PathLike[str], path: str) -> None:
        """Copies a file of this host to `path`, or into it where that is a directory; or the content of a directory
        into the directory `path`. Directories above are made."""
        sync(self.aio.upload(local, path))

    def download(self, path: str, local: str | os.PathLike[str]) -> None:
        """Copies a file to `local` on this host, or into it where that is a directory; or the content of a directory
        into the directory `local`."""
        sync(self.aio.download(path, local))

    def list(self, path: str = ".") -> list[FileInfo]:
        """What is in a directory, sorted by name."""
        return sync(self.aio.list(path))

    def stat(self, path: str, *, follow: bool = False) -> FileInfo:
        """follow: of what a symbolic link leads to. FileNotFoundError when there is none."""
        return sync(self.aio.stat(path, follow=follow))

    def exists(self, path: str) -> bool:
        return sync(self.aio.exists(path))

    def mkdir(self, path: str) -> None:
        """With its parents; one that is there already is no error."""
        sync(self.aio.mkdir(path))

    def remove(self, path: str, *, recursive: bool = False) -> None:
        """recursive: a directory with all that is in it."""
        sync(self.aio.remove(path, recursive=recursive))
