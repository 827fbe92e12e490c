# SPDX-License-Identifier: Apache-2.0
"""Of sandbox. Made by generate_blocking.py of the classes with coroutines; do not edit."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Self

from .._arguments import Input, PathName, Seconds
from .._loop import sync
from ..async_sandbox import AsyncSandbox
from ..creation import EgressRules
from ..docker.diagnosis import Finding
from ..facts import CommittedImage, ContainerStats, Egress, LogName, PublishedPorts, SandboxEvent
from ..process import Process
from ..snapshot import Snapshot
from ..status import SandboxStatus


class BlockingSandbox:
    """What Sandbox has of AsyncSandbox."""

    _aio: AsyncSandbox

    def _use(self, aio: AsyncSandbox) -> None:
        self._aio = aio

    @classmethod
    def _of(cls, aio: AsyncSandbox) -> Self:
        made = cls.__new__(cls)
        made._use(aio)
        return made

    @property
    def aio(self) -> AsyncSandbox:
        """The same with coroutines."""
        return self._aio

    @property
    def id(self) -> str:
        """Its id; SandboxError before create()."""
        return self._aio.id

    @property
    def address(self) -> str:
        """Its IP address, reachable from this host; empty without a network."""
        return self._aio.address

    @property
    def docker_enabled(self) -> bool:
        return self._aio.docker_enabled

    @property
    def ports(self) -> dict[int, str]:
        """The ports that were asked for, each with the URL under which this host reaches it."""
        return self._aio.ports

    def url(self, port: int | str) -> str:
        """http://ADDRESS:PORT of the sandbox, for this host. Any port that something listens on inside works."""
        return self._aio.url(port)

    def create(self) -> Self:
        """Builds the image if need be, and starts the sandbox. It runs until terminate(), beyond the end of this
        process.

        Docker comes up meanwhile: `sandbox.docker` waits for it by itself, but `exec("docker", …)` does not, unless the
        sandbox was made with wait_for_docker=True."""
        sync(self._aio.create())
        return self

    def exec(
        self,
        *argv: PathName,
        cwd: PathName | None = None,
        env: Mapping[str, str] | None = None,
        timeout: Seconds | None = None,
        user: str | int | None = None,
        stdin: Input | None = None,
    ) -> Process:
        """Starts a command inside; no shell is involved. Returns as soon as it runs, or has taken its `stdin`.

        timeout: seconds until it is killed. user: "uid[:gid]" or a name. stdin: all of its input, in place of a stream;
        a path or an open file is this host's, and read to its end. `docker` waits here for no daemon, which comes up
        after create(): use `sandbox.docker`, or Sandbox(wait_for_docker=True).
        """
        return Process(sync(self._aio.exec(*argv, cwd=cwd, env=env, timeout=timeout, user=user, stdin=stdin)))

    def start_detached(
        self,
        *argv: PathName,
        log: PathName,
        cwd: PathName | None = None,
        env: Mapping[str, str] | None = None,
        user: str | int | None = None,
    ) -> int:
        """Starts a command that goes on by itself, whatever becomes of this process, until it or the sandbox ends; its
        pid inside. What it prints is appended to `log`, a file of this host that is made (0600) where it is not there,
        without a limit. BerthError with the end of the log as `detail` where it ended at once."""
        return sync(self._aio.start_detached(*argv, log=log, cwd=cwd, env=env, user=user))

    def state(self) -> str:
        """One of "running", "paused", "asleep", "hibernated", "unresponsive", "stopped", "creating" and "lost"."""
        return sync(self._aio.state())

    def exit_reason(self) -> str | None:
        """Why it runs no more: "out_of_memory", when it was killed at its memory limit, else "ended". None while it
        runs."""
        return sync(self._aio.exit_reason())

    def memory_kills(self) -> int:
        """How many programs the kernel has killed at the sandbox's memory limit, also while it goes on. Where it grew
        while a command ran that ended with 137, that is why."""
        return sync(self._aio.memory_kills())

    def status(self) -> SandboxStatus:
        """All that is known of it, as `berth status --json` has it (docs/reference/managed.md), but for whether its
        firewall rules are there."""
        return sync(self._aio.status())

    def pause(self) -> None:
        """Stops everything inside where it is, until resume(), by whatever process: nothing runs there or takes CPU
        time, its memory stays, and what is connected to it waits. Commands are refused meanwhile. One that is paused
        stays so."""
        sync(self._aio.pause())

    def hibernate(self) -> None:
        """Saves all that runs inside to the disk and ends it there: it takes no memory until its next use, of whatever
        process, or resume(), goes on from there."""
        sync(self._aio.hibernate())

    def resume(self) -> None:
        """Everything inside goes on, also of one that is hibernated; another runs on."""
        sync(self._aio.resume())

    def snapshot(self, name: str, *, stop: bool = False) -> Snapshot:
        """Saves it as it runs, memory and file systems, Docker and its containers, under a name:
        Sandbox(snapshot=name) goes on from there, as often as wanted. Everything inside stands still meanwhile;
        connections to Docker are cut. While a command runs in it nothing is saved: BerthError. stop: it ends when it
        is saved."""
        return sync(self._aio.snapshot(name, stop=stop))

    def clone(
        self,
        count: int = 1,
        *,
        timeout: Seconds | None = None,
        egress: EgressRules | None = None,
        ends_with_process: bool = False,
        idle_timeout: Seconds | None = None,
        hibernate: bool = False,
    ) -> builtins.list[Self]:
        """Copies of it that go on from where it is now, each under an id and address of its own, by one snapshot that
        is removed again. It goes on too; while a command runs in it, there is none: BerthError. All or none.

        timeout, egress, ends_with_process, idle_timeout, hibernate: of the copies, as Sandbox has them."""
        made = sync(
            self._aio.clone(
                count,
                timeout=timeout,
                egress=egress,
                ends_with_process=ends_with_process,
                idle_timeout=idle_timeout,
                hibernate=hibernate,
            )
        )
        return [self._of(one) for one in made]

    def events(self) -> builtins.list[SandboxEvent]:
        """What happened in it so far, at most the last 64: containers killed over their memory limit, dockerd ready,
        ended and started again, failed, stopped. A sandbox without Docker has none; AsyncSandbox.watch_events() goes on
        with what comes."""
        return sync(self._aio.events())

    def published_ports(self) -> PublishedPorts:
        """By which ports it is reached: those of this host that lead to it, and those of its own that its containers
        publish."""
        return sync(self._aio.published_ports())

    def container_stats(self) -> tuple[ContainerStats, ...]:
        """What each of its containers that run takes; ``docker stats`` has zeros in a sandbox."""
        return sync(self._aio.container_stats())

    def egress(self) -> Egress:
        """Where it may begin connections to, and what was refused for it."""
        return sync(self._aio.egress())

    def diagnose(self) -> builtins.list[Finding]:
        """What is wrong with it, by its status, logs, cgroup and the versions of runsc and Docker: the most telling
        first, nothing where nothing is known."""
        return sync(self._aio.diagnose())

    def set_egress(self, rules: EgressRules) -> None:
        """Changes that, at once and wholly: "none", "all", or a list as Sandbox(egress=…) takes. What is open and not
        allowed any more is refused from its next packet on; answers to who reaches the sandbox are not held to it."""
        sync(self._aio.set_egress(rules))

    def logs(self, which: LogName = "command", *, limit: int = 65536) -> str:
        """The end of what was printed, at most `limit` bytes: by the command that it keeps, by dockerd ("daemon"), or
        by its first process and runsc ("init"). It is the sandbox's text; what is no UTF-8 in it is U+FFFD."""
        return sync(self._aio.logs(which, limit=limit))

    def annotate(self, key: str, value: str) -> None:
        """Sets an annotation, which `berth ls` and others can ask for; an empty value takes it away."""
        sync(self._aio.annotate(key, value))

    def wait_stopped(self, timeout: Seconds | None = None) -> None:
        """Waits until it runs no more: its command has ended, it was stopped or killed. What is left of it stays until
        terminate(). timeout: seconds, after which it is a WaitTimeoutError."""
        sync(self._aio.wait_stopped(timeout))

    def export(self, file: PathName) -> None:
        """Writes what it changed in its root file system to a new file of this host, as a tar in the terms of
        overlayfs's upper directories: a layer for an image. What is in it is the sandbox's: unpack it with care. A
        failure leaves no file."""
        sync(self._aio.export(file))

    def commit(
        self,
        layout: PathName,
        tag: str,
        *,
        env: Mapping[str, str] | None = None,
        workdir: str | None = None,
        entrypoint: Sequence[str] = (),
        command: Sequence[str] = (),
        author: str = "",
        message: str = "",
        umoci: str = "umoci",
    ) -> CommittedImage:
        """Makes an image of it, its root file system and what it changed there, in an OCI image layout of this host:
        `layout`, a directory that is made if it is not there. It goes on. `skopeo copy oci:LAYOUT:TAG docker://…`
        brings it to a registry. env, workdir, entrypoint and command are what the image says of its containers; nothing
        of the sandbox's own goes there by itself. A failure leaves the layout as it was. umoci packs it."""
        return sync(
            self._aio.commit(
                layout,
                tag,
                env=env,
                workdir=workdir,
                entrypoint=entrypoint,
                command=command,
                author=author,
                message=message,
                umoci=umoci,
            )
        )

    def terminate(self, *, force: bool = False, timeout: Seconds | None = None) -> None:
        """Stops what runs inside, Docker's containers and dockerd in order, and removes all of it from this machine.
        Again: does nothing, whoever has its name by now. force: at once, without stopping them first. timeout: how long
        they may take to stop before they are killed, 45 seconds if not given."""
        sync(self._aio.terminate(force=force, timeout=timeout))
