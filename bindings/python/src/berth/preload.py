# SPDX-License-Identifier: Apache-2.0
"""Snapshots with Docker's images in them already, made once and found again: `Image.preload`."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Iterable

from ._arguments import PathName, path_name
from .errors import BerthError, DockerCommandError
from .rootfs import Buildable, Built
from .sandbox import AsyncSandbox, Sandbox
from .snapshot import Snapshot, snapshots


async def preload(
    image: Buildable,
    names: Iterable[str],
    archives: Iterable[PathName] = (),
    *,
    cpu: float | None = None,
    memory: str | int | None = None,
) -> Snapshot:
    """As Image.preload()."""
    wanted, files = tuple(names), tuple(path_name("archives", one) for one in archives)
    if not all(isinstance(one, str) and one for one in wanted):
        raise TypeError("preload() takes names of images, as 'nginx:latest'")
    if not wanted and not files:
        raise TypeError("preload() needs an image's name, or an archive of docker save")
    built = await image.aio.build()
    content = await asyncio.to_thread(_contents, files)
    name = name_of(built, wanted, content, cpu, memory, image.mirror)
    if found := _find(name):
        return found
    sandbox = Sandbox(cpu, memory, image, docker_enabled=True, wait_for_docker=True).aio
    async with sandbox:
        for file in files:
            await _load(sandbox, file)
        for one in wanted:
            await (await sandbox.docker.pull(one)).check()
        try:
            return await sandbox.snapshot(name)
        except BerthError:
            # Another process may have been quicker.
            if found := _find(name):
                return found
            raise


def name_of(
    built: Built,
    names: tuple[str, ...],
    contents: tuple[str, ...],
    cpu: float | None,
    memory: str | int | None,
    mirror: str | None,
) -> str:
    """The same for what is the same."""
    what = [built.key or _directory(built.rootfs), built.env, built.workdir, sorted(set(names)), contents, cpu,
            str(memory), mirror]  # fmt: skip
    return "preload-" + hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:24]


def _directory(rootfs: str) -> list[object]:
    """Which it is, and whether packages were installed into it since."""
    seen: list[object] = [os.path.realpath(rootfs)]
    for below in ("", "etc", "usr/bin", "usr/lib", "var/lib/dpkg/status", "lib/apk/db/installed"):
        try:
            info = os.stat(os.path.join(rootfs, below))
        except OSError:
            continue
        seen += [info.st_ino, info.st_mtime_ns]
    return seen


def _contents(files: tuple[str, ...]) -> tuple[str, ...]:
    digests = []
    for file in files:
        with open(file, "rb") as stream:
            digests.append(hashlib.file_digest(stream, "sha256").hexdigest())
    return tuple(sorted(digests))


def _find(name: str) -> Snapshot | None:
    return next((one for one in snapshots() if one.name == name and not one.damage), None)


async def _load(sandbox: AsyncSandbox, file: str) -> None:
    words = ["docker", "load", "--quiet"]
    with open(file, "rb") as stream:
        process = await sandbox.exec(*words, stdin=stream)
        if (code := await process.wait()) != 0:
            said = await process.stderr.read()
            raise DockerCommandError(words, code, said, "")
