# SPDX-License-Identifier: Apache-2.0
"""Files of a sandbox, by commands run inside: nothing there is trusted to be what it seems, and no shell sees a
name."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import errno
import io
import os
import re
import secrets
import tarfile
from collections.abc import Sequence
from pathlib import Path

from ._answers import FORMAT, FileInfo, info, names
from ._arguments import PathName, path_name
from ._cancel import in_thread, to_its_end
from ._loop import sync
from ._received import put_file, put_tree
from ._streams import STDERR, STDOUT
from .errors import BerthError, SandboxFileNotFound
from .place import Place
from .process import AsyncProcess

__all__ = ["AsyncFs", "FileInfo", "Fs"]

#: Names given to one command at a time.
_CHUNK = 500
#: Seconds that removing what was cut short may take.
_CLEANING = 10.0


#: Where $1 leads, or $1/$2 where $1 is a directory and $2 a name, as $to; and $beside, in the same directory.
_WHERE = r"""
to=$1
if [ -n "$2" ] && [ -d "$to" ]; then to=${to%/}/$2; fi
if [ -h "$to" ]; then
  led=$(readlink -nf -- "$to"; printf .)
  if [ "$led" != . ]; then to=${led%.}; fi
fi
case $to in */*) beside=${to%/*}/.berth-$3 ;; *) beside=./.berth-$3 ;; esac
"""

#: Its input, of $4 bytes, as that file, with the mode $5 where there is one, after making the directory $6 where there
#: is one. Written beside and renamed, so that it is there whole or as it was, mode and owner kept; in place where that
#: cannot be: in /proc, under a mount, for what is no file.
_PUT = (
    'if [ -n "$6" ] && [ ! -d "$6" ]; then mkdir -p -- "$6" || exit; fi'
    + _WHERE
    + r"""
size=$4 mode=$5
in_place() {
  cat >"$to" || exit
  if [ -n "$mode" ]; then chmod "$mode" -- "$to" || exit; fi
  exit 0
}
if [ -h "$to" ] || { [ -e "$to" ] && [ ! -f "$to" ]; }; then in_place; fi
{ printf '' >"$beside"; } 2>/dev/null || in_place
if [ -f "$to" ]; then
  set -- $(stat -c '%a %u:%g' -- "$to" "$beside")
  if [ "$2" != "$4" ] && ! chown "$2" -- "$beside" || [ "$1" != "$3" ] && ! chmod "$1" -- "$beside"; then
    rm -f -- "$beside"
    in_place
  fi
fi
cat >"$beside" && if [ -n "$mode" ]; then chmod "$mode" -- "$beside"; fi &&
  if [ "$(stat -c %s -- "$beside")" != "$size" ]; then echo 'its input was cut short' >&2; false; fi &&
  { mv -f -- "$beside" "$to" 2>/dev/null || cat "$beside" >"$to"; } && rm -f -- "$beside" ||
  { failed=$?; rm -f -- "$beside"; exit $failed; }
"""
)

#: A tar into the directory $1: as a whole where there is none yet.
_PUT_TREE = (
    _WHERE
    + r"""
if [ -e "$to" ]; then exec tar -C "$to" -xf -; fi
mkdir -p -- "${beside%/*}/" && mkdir -- "$beside" && tar -C "$beside" -xf - && mv -- "$beside" "$to" ||
  { failed=$?; rm -rf -- "$beside"; exit $failed; }
"""
)

#: Of these two, what is left when they are killed.
_FORGET = _WHERE + 'rm -rf -- "$beside"'

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


class AsyncFs:
    """Reads and writes files of a sandbox. Paths are absolute, or below the sandbox's working directory.

    It needs the usual small programs inside: sh, cat, stat, find, mkdir, mv, rm, and tar for directories.
    """

    def __init__(self, sandbox: Place) -> None:
        self._sandbox = sandbox
        #: The most bytes that one read or download takes: a sandbox may offer a file without end.
        self.limit = 1 << 30
        #: The most files, directories and links that one listing or download takes.
        self.entry_limit = 100_000

    async def read_bytes(self, path: PathName) -> bytes:
        name = _name(path)
        return await self._run(["cat", "--", _argument(name)], name)

    async def read_text(self, path: PathName, encoding: str = "utf-8") -> str:
        return (await self.read_bytes(path)).decode(encoding)

    async def write_bytes(self, path: PathName, data: bytes, *, parents: bool = True) -> None:
        """Replaces the content; one that is cut short leaves what was there. parents: makes the directories above
        first."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"write_bytes() takes bytes, not {type(data).__name__}; write_text() takes a string")
        await self._put(_name(path), "", bytes(data), "", parents)

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
            data = await asyncio.to_thread(_pack, source)
            await self._beside(_PUT_TREE, name, (name.rstrip("/") or "/", ""), (), data)
            return
        content = await asyncio.to_thread(source.read_bytes)
        await self._put(name, source.name, content, f"{source.stat().st_mode & 0o7777:o}", True)

    async def download(self, path: PathName, local: PathName) -> None:
        """Copies a file to `local` on this host, or into it where that is a directory; or the content of a directory
        into the directory `local`. Whole or not at all; a file does not replace a directory.

        Symbolic links arrive as they are and are never followed here; what is neither file, directory nor link stays
        out. What arrives is for this user alone (0600, or 0700 where its owner may run it), whatever its mode inside.
        """
        name, target = _name(path), Path(path_name("local", local))
        if (await self.stat(name, follow=True)).is_dir:
            data = await self._run(["tar", "-C", name, "-cf", "-", "."], name)
            await in_thread(lambda: put_tree(data, name, target, self.limit, self.entry_limit))
            return
        content = await self.read_bytes(name)
        await in_thread(lambda: put_file(content, os.path.basename(name), target))

    async def list(self, path: PathName = ".") -> list[FileInfo]:
        """What is in a directory, sorted by name. Each `name` is one component of a path, whatever the sandbox says."""
        base = _name(path)
        below = _argument(base.rstrip("/")) + "/"
        printed = await self._run(["find", below, "-mindepth", "1", "-maxdepth", "1", "-print0"], base)
        found: list[FileInfo] = []
        entries = names(printed, below, base, self.entry_limit)
        base = base.rstrip("/")
        for start in range(0, len(entries), _CHUNK):
            found += await self._stat_many([f"{base}/{name}" for name in entries[start : start + _CHUNK]])
        return found

    async def stat(self, path: PathName, *, follow: bool = False) -> FileInfo:
        """follow: of what a symbolic link leads to. FileNotFoundError when there is none."""
        name = _name(path)
        line = await self._run(["stat", *(["-L"] if follow else []), "-c", FORMAT, "--", name], name)
        return info(name, line.decode("utf-8", "replace"))

    async def exists(self, path: PathName) -> bool:
        """Also of a symbolic link that leads nowhere."""
        try:
            await self.stat(path)
        except BerthError as e:
            if e.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG):
                return False
            raise
        return True

    async def mkdir(self, path: PathName) -> None:
        """With its parents; one that is there already is no error."""
        name = _name(path)
        await self._run(["mkdir", "-p", "--", name], name)

    async def remove(self, path: PathName, *, recursive: bool = False) -> None:
        """recursive: a directory with all that is in it."""
        name = _name(path)
        await self.stat(name)
        await self._run(["rm", "-rf" if recursive else "-f", "--", name], name)

    async def _put(self, path: str, into: str, data: bytes, mode: str, parents: bool) -> None:
        """into: the name that it gets where `path` is a directory."""
        above = os.path.dirname(path) if parents else ""
        await self._beside(_PUT, path, (path, into), (str(len(data)), mode, above), data)

    async def _beside(self, script: str, path: str, where: tuple[str, str], rest: tuple[str, ...], data: bytes) -> None:
        """Runs a script that writes beside and renames; when that is cancelled, nothing is left of it."""
        token = secrets.token_hex(8)
        try:
            await self._run(["sh", "-c", script, "sh", *where, token, *rest], path, data)
        except asyncio.CancelledError:
            await to_its_end(self._forget(where, token))
            raise

    async def _forget(self, where: tuple[str, str], token: str) -> None:
        with contextlib.suppress(BerthError):  # the sandbox may be gone
            argv = _given(["sh", "-c", _FORGET, "sh", *where, token])
            await (await self._sandbox.start(argv, pipe=False, timeout=_CLEANING)).wait()

    async def _stat_many(self, paths: builtins.list[str]) -> builtins.list[FileInfo]:
        """Of those that are there."""
        if len(paths) == 1:
            try:
                return [await self.stat(paths[0])]
            except SandboxFileNotFound:
                return []
        # One line an entry, in order; a name never appears, so none can be mistaken for a line.
        with contextlib.suppress(BerthError):
            printed = await self._run(["stat", "-c", FORMAT, "--", *paths], paths[0])
            lines = printed.decode("utf-8", "replace").splitlines()
            if len(lines) == len(paths):
                return [info(path, line) for path, line in zip(paths, lines, strict=True)]
        # Something went away meanwhile.
        half = len(paths) // 2
        return await self._stat_many(paths[:half]) + await self._stat_many(paths[half:])

    async def _run(self, argv: builtins.list[str], path: str, data: bytes | None = None) -> bytes:
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


def _name(path: PathName) -> str:
    name = path_name("path", path)
    if not name or "\0" in name:
        raise ValueError(f"not a path: {name!r}")
    return name


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


class Fs:
    """As AsyncFs (which is its `aio`), for code without an event loop."""

    def __init__(self, fs: AsyncFs) -> None:
        self.aio = fs

    def read_bytes(self, path: PathName) -> bytes:
        return sync(self.aio.read_bytes(path))

    def read_text(self, path: PathName, encoding: str = "utf-8") -> str:
        return sync(self.aio.read_text(path, encoding))

    def write_bytes(self, path: PathName, data: bytes, *, parents: bool = True) -> None:
        """Replaces the content; one that is cut short leaves what was there. parents: makes the directories above
        first."""
        sync(self.aio.write_bytes(path, data, parents=parents))

    def write_text(self, path: PathName, text: str, *, encoding: str = "utf-8", parents: bool = True) -> None:
        sync(self.aio.write_text(path, text, encoding=encoding, parents=parents))

    def upload(self, local: PathName, path: PathName) -> None:
        """Copies a file of this host to `path`, or into it where that is a directory; or the content of a directory
        into the directory `path`. Directories above are made. One that is cut short leaves nothing, but for a directory
        that was there before."""
        sync(self.aio.upload(local, path))

    def download(self, path: PathName, local: PathName) -> None:
        """Copies a file to `local` on this host, or into it where that is a directory; or the content of a directory
        into the directory `local`. Whole or not at all; a file does not replace a directory."""
        sync(self.aio.download(path, local))

    def list(self, path: PathName = ".") -> list[FileInfo]:
        """What is in a directory, sorted by name. Each `name` is one component of a path, whatever the sandbox says."""
        return sync(self.aio.list(path))

    def stat(self, path: PathName, *, follow: bool = False) -> FileInfo:
        """follow: of what a symbolic link leads to. FileNotFoundError when there is none."""
        return sync(self.aio.stat(path, follow=follow))

    def exists(self, path: PathName) -> bool:
        return sync(self.aio.exists(path))

    def mkdir(self, path: PathName) -> None:
        """With its parents; one that is there already is no error."""
        sync(self.aio.mkdir(path))

    def remove(self, path: PathName, *, recursive: bool = False) -> None:
        """recursive: a directory with all that is in it."""
        sync(self.aio.remove(path, recursive=recursive))
