"""Whether the Docker of a sandbox is ready, and waiting until it is."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from dataclasses import dataclass
from typing import Any

from .. import _ffi
from .._command import berth, log_line
from ..errors import BerthError, DockerError, DockerNotReadyError, SandboxNotFound
from ..place import Place
from ..progress import say


DEFAULT_TIMEOUT = 30.0


@dataclass(frozen=True)
class DockerStatus:
    """state: "disabled", "not_present", "starting", "ready", "failed" or "stopped"."""

    state: str
    #: Why, where it failed.
    reason: str = ""
    hint: str = ""
    hint_id: str = ""
    #: dockerd's last lines, where it failed.
    log_tail: str = ""
    #: Seconds from its start.
    ready_after: float = 0.0
    restarts: int = 0
    #: dockerd's, inside.
    pid: int = 0

    @property
    def ready(self) -> bool:
        return self.state == "ready"


class Readiness:
    """Of one sandbox. Ready once is remembered, but asked for again (a millisecond) before each command."""

    def __init__(self, sandbox: Place) -> None:
        self._sandbox = sandbox
        self._was_ready = False
        self._wanted = False
        self._log_position = 0
        self._heard = False

    @property
    def _log_path(self) -> str:
        return os.path.join(str(self._sandbox.record.get("logs", "")), "monitor.log")

    async def status(self) -> DockerStatus:
        docker: dict[str, Any] = (await self._sandbox.status()).get("docker") or {}
        state = str(docker.get("state", "disabled"))
        failure = docker.get("failure") or {}
        return DockerStatus(
            state=state,
            reason=str(failure.get("message") or ""),
            hint=str(failure.get("hint") or ""),
            hint_id=str(failure.get("hint_id") or ""),
            log_tail=str(failure.get("output") or ""),
            ready_after=float(docker.get("ready_after_ms") or 0) / 1000,
            restarts=int(docker.get("restarts") or 0),
            pid=int(docker.get("pid") or 0),
        )

    async def wait(self, timeout: float) -> None:
        """Until dockerd answers; DockerNotReadyError when it does not in time, or will not."""
        await self.check_wanted()
        if self._was_ready and await self._answers():
            return
        self._was_ready = False
        say(f"Waiting for Docker daemon to be ready (timeout: {timeout:g}s)...")
        began = time.monotonic()
        followed = asyncio.ensure_future(self._follow_log())
        try:
            await berth("wait", self._sandbox.id, f"--timeout={timeout:g}")
        except SandboxNotFound:
            raise
        except BerthError as e:
            raise await self._not_ready(e, timeout) from e
        finally:
            followed.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await followed
            self._pass_on_log()
        await self._hear_of_it()
        self._was_ready = True
        say(f"Docker daemon is ready (took {time.monotonic() - began:.1f}s)")

    async def check_wanted(self) -> None:
        """DockerError where the sandbox was made without Docker."""
        if self._wanted or self._sandbox.docker_enabled:
            return
        # Of a sandbox that this package did not make, its monitor knows.
        self._wanted = bool(((await self._sandbox.status()).get("docker") or {}).get("wanted"))
        if not self._wanted:
            raise DockerError("this sandbox has no Docker", layer="docker", hint="create it with docker_enabled=True")

    async def _answers(self) -> bool:
        """Whether dockerd answers now. A daemon that has just ended gets its monitor's moment to take note of it."""
        runtime, handle = await self._sandbox.attached()
        event = await runtime.run(_ffi.start, "berth_sandbox_docker_status", handle)
        return bool(json.loads(event.payload).get("state") == "ready")

    async def _not_ready(self, e: BerthError, timeout: float) -> DockerNotReadyError:
        try:
            status = await self.status()
        except BerthError:
            status = DockerStatus("stopped")
        return DockerNotReadyError(
            e.message,
            state=status.state,
            reason=status.reason or e.message,
            log_tail=status.log_tail or e.detail,
            hint_id=status.hint_id,
            hint=e.hint or status.hint,
            code=e.code,
            code_name=e.code_name,
        )

    async def _hear_of_it(self) -> None:
        """dockerd may answer us a moment before its supervisor has said that it does."""
        deadline = time.monotonic() + 1
        while not self._heard and os.path.exists(self._log_path) and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
            self._pass_on_log()

    async def _follow_log(self) -> None:
        while True:
            self._pass_on_log()
            await asyncio.sleep(0.1)

    def _pass_on_log(self) -> None:
        """What the sandbox's monitor has logged since, to the `berth` logger."""
        try:
            with open(self._log_path, "rb") as f:
                f.seek(self._log_position)
                *lines, _ = f.read().split(b"\n")
        except OSError:
            return  # not begun yet, or the sandbox is gone
        for line in lines:
            self._log_position += len(line) + 1
            said = log_line(line.decode("utf-8", "replace"))
            self._heard = self._heard or bool(said and str(said["message"]).startswith("docker daemon is ready"))
