# SPDX-License-Identifier: Apache-2.0
"""Whether the Docker of a sandbox is ready, and waiting until it is."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from .. import _ffi
from ..errors import BerthError, DockerError, DockerNotReadyError, SandboxNotFound, in_own_words
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

    async def status(self) -> DockerStatus:
        docker = (await self._sandbox.status())["docker"]
        failure = docker["failure"]
        return DockerStatus(
            state=docker["state"],
            reason=failure["message"] if failure else "",
            hint=in_own_words(failure["hint"]) if failure else "",
            hint_id=failure["hint_id"] if failure else "",
            log_tail=failure["output"] if failure else "",
            ready_after=docker["ready_after_ms"] / 1000,
            restarts=docker["restarts"],
            pid=docker["pid"],
        )

    async def wait(self, timeout: float) -> None:
        """Until dockerd answers; DockerNotReadyError when it does not in time, or will not."""
        await self.check_wanted()
        if self._was_ready and await self._answers():
            return
        self._was_ready = False
        say(f"Waiting for Docker daemon to be ready (timeout: {timeout:g}s)...")
        began = time.monotonic()
        try:
            # What the sandbox's guest has logged of it goes to the `berth` logger.
            runtime, handle = await self._sandbox.attached()
            await runtime.run(_ffi.start, "berth_sandbox_wait_docker", handle, timeout=max(timeout, 0.001))
        except SandboxNotFound:
            raise
        except BerthError as e:
            raise await self._not_ready(e, timeout) from e
        self._was_ready = True
        say(f"Docker daemon is ready (took {time.monotonic() - began:.1f}s)")

    async def check_wanted(self) -> None:
        """DockerError where the sandbox was made without Docker."""
        if self._wanted or self._sandbox.docker_enabled:
            return
        # Of a sandbox that this package did not make, its guest knows.
        self._wanted = bool(((await self._sandbox.status()).get("docker") or {}).get("wanted"))
        if not self._wanted:
            raise DockerError("this sandbox has no Docker", layer="docker", hint="create it with docker_enabled=True")

    async def _answers(self) -> bool:
        """Whether dockerd answers now. A daemon that has just ended gets a moment for that to be noted."""
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
