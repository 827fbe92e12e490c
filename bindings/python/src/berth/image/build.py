# SPDX-License-Identifier: Apache-2.0
"""One step of an image: a shell script in a sandbox, and its changes put onto a copy of the root file system."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .._cancel import ending
from ..errors import ImageError
from ..rootfs import Built
from ..sandbox import Sandbox
from .layer import apply_changes
from .tools import run_tool

#: The end of a failed step's output that goes into the error.
_TAIL = 4000


def run_step(built: Built, script: str, target: str, work: Path, at: Callable[[str], None]) -> None:
    """Runs `script` as root on `built`, with network and without Docker, and makes `target` of what came of it. at:
    gets what it prints, line by line."""

    sandbox = Sandbox(rootfs=built.rootfs, env=built.env, ends_with_process=True).create()
    try:
        # Without input: a program that asks something is answered by the end of it, and does not wait for ever.
        process = sandbox.exec("/bin/sh", "-c", script, cwd=built.workdir, stdin=b"")
        tail = ""
        with ending(process.kill):
            for line in process.logs:
                tail = (tail + line)[-_TAIL:]
                at(line)
            code = process.wait()
        if code != 0:
            raise ImageError(f"a step of the image failed with exit code {code}:\n{tail.rstrip()}")
        at("keeping what it changed")
        changes = work / "changes.tar"
        sandbox.export(changes)
    finally:
        sandbox.terminate()
    # Reflinks where the file system has them: the copy is then free.
    run_tool(
        ["cp", "-a", "--reflink=auto", "--one-file-system", built.rootfs, target], "cannot copy the root file system"
    )
    apply_changes(target, str(changes))
