"""One step of an image: a shell script in a sandbox, and its changes put onto a copy of the root file system."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .._cancel import ending
from ..errors import ImageError
from .layer import apply_changes
from .tools import run_tool

if TYPE_CHECKING:
    from .store import Built

#: The end of a failed step's output that goes into the error.
_TAIL = 4000


def run_step(built: Built, script: str, target: str, work: Path) -> None:
    """Runs `script` as root on `built`, with network and without Docker, and makes `target` of what came of it."""
    from .._command import run_command
    from ..sandbox import Sandbox

    sandbox = Sandbox(rootfs=built.rootfs, env=built.env).create()
    try:
        # Without input: a program that asks something is answered by the end of it, and does not wait for ever.
        process = sandbox.exec("/bin/sh", "-c", script, cwd=built.workdir, stdin=b"")
        with ending(process.kill):
            output = process.logs.read()
            code = process.wait()
        if code != 0:
            raise ImageError(f"a step of the image failed with exit code {code}:\n{output[-_TAIL:].rstrip()}")
        changes = work / "changes.tar"
        run_command("export", "--output", str(changes), sandbox.id)
    finally:
        sandbox.terminate()
    # Reflinks where the file system has them: the copy is then free.
    run_tool(
        ["cp", "-a", "--reflink=auto", "--one-file-system", built.rootfs, target], "cannot copy the root file system"
    )
    apply_changes(target, str(changes))
