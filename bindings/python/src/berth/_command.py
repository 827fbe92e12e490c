# SPDX-License-Identifier: Apache-2.0
"""The `berth` program, run through the ABI's host executor: streamed, cancelled and awaited as any other command."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import weakref
from collections.abc import Callable
from typing import Any

from . import _declarations as c
from . import _ffi, _load
from ._loop import Runtime, current, logger, sync
from ._streams import STDERR, STDOUT
from .errors import BerthError, SandboxNotFound, error_class
from .process import AsyncProcess

_LEVELS = {"debug": 10, "info": 20, "warn": 30, "warning": 30, "error": 40}
_CODES = {
    name.removeprefix("BERTH_E_").lower(): value for name, value in vars(c).items() if name.startswith("BERTH_E_")
}

_hosts: weakref.WeakKeyDictionary[Runtime, _ffi.Handle] = weakref.WeakKeyDictionary()


def host_of(runtime: Runtime) -> _ffi.Handle:
    found = _hosts.get(runtime)
    if found is None:
        found = _hosts[runtime] = _ffi.make_handle("berth_executor", "berth_executor_create_host", runtime.handle)
        runtime.owned.append(("berth_executor", found))
    return found


def error_from(data: dict[str, Any]) -> BerthError:
    """The exception for an error as the program prints it with --json."""
    name = str(data.get("code", ""))
    code = _CODES.get(name, 0)
    kind = error_class(code, name)
    if code == c.BERTH_E_NOT_FOUND and str(data.get("message", "")).startswith("no sandbox"):
        kind = SandboxNotFound
    return kind(
        str(data.get("message", "")),
        code=code,
        code_name=name,
        layer=str(data.get("layer", "")),
        path=str(data.get("path", "")),
        hint=str(data.get("hint", "")),
        detail=str(data.get("detail", "")),
        errno=int(data.get("errno", 0)),
    )


def log_line(line: str) -> dict[str, Any] | None:
    """A line of the program's JSON log, passed on to the `berth` logger; None when it is something else."""
    try:
        said = json.loads(line)
    except ValueError:
        return None
    if not isinstance(said, dict) or "message" not in said:
        return None
    fields = " ".join(f"{k}={v}" for k, v in said.items() if k not in ("time", "level", "message"))
    # A handler that raises is no reason to give up what is being made.
    with contextlib.suppress(Exception):
        logger.log(_LEVELS.get(str(said.get("level")), 20), "%s", f"{said['message']} {fields}".rstrip())
    return said


@functools.cache
def ends_with_us() -> tuple[str, ...]:
    """Words in front of a program that is not to outlive this process: a sandbox whose id nobody got is taken down."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "TERM") if setpriv else ()


def environment() -> dict[str, str]:
    """This process's, but for what is not UTF-8, which the library does not take: no variable of berth's is that."""
    return {name: value for name, value in os.environ.items() if _is_text(name) and _is_text(value)}


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


async def berth(*arguments: str, on_log: Callable[[dict[str, Any]], None] | None = None) -> Any:
    """Runs `berth ARGUMENTS… --json` and gives what it printed, from JSON; raises what it failed with.

    Cancelling kills the program and waits for its end; what it was making is taken down again by its own doing."""
    runtime = current()
    verb, *rest = arguments
    argv = [*ends_with_us(), _load.program(), verb, "--json", "--log-format=json", *rest]
    process = AsyncProcess(runtime, argv)
    await process.begin("berth_exec_start", host_of(runtime), env=environment(), pipe=False)
    failure: BerthError | None = None
    try:
        async for line in process.stderr:
            said = log_line(line)
            if said is not None and on_log:
                on_log(said)
            if said is None and (found := error_line(line)):
                failure = found
        code = await process.wait()
    except BaseException:
        if process.returncode is None:
            await runtime.cancel(process.operation)
        raise
    if code != 0 and failure:
        raise failure
    if code != 0:
        raise BerthError(f"berth {verb} exited with {code}: {process.text_of(STDERR).strip()[-2000:]}", layer="cli")
    printed = process.text_of(STDOUT)
    return json.loads(printed) if printed.strip() else None


def error_line(line: str) -> BerthError | None:
    try:
        data = json.loads(line)
    except ValueError:
        return None
    error = data.get("error") if isinstance(data, dict) else None
    return error_from(error) if isinstance(error, dict) else None


def run_command(*arguments: str) -> Any:
    return sync(berth(*arguments))
