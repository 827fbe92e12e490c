# SPDX-License-Identifier: Apache-2.0
"""Sandboxes for code on an event loop."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import dataclasses
import json
import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from . import _declarations as c
from . import _ffi, _sigterm
from ._arguments import Input, PathName, Seconds, Source, input_of, path_name, port_number, seconds, words_of
from ._attachment import Attached, Attachment
from ._cancel import to_its_end
from ._copies import labels_of, own_options
from ._loop import current, logger
from ._rootfs_of import with_rootfs
from ._streams import STDERR
from .creation import (
    LABEL,
    EgressRules,
    Wanted,
    checked_egress,
    checked_lifetime,
    divided_data_root,
    in_our_words,
    lacks_workdir,
    sandbox_options,
)
from .docker.async_docker import AsyncDocker
from .docker.diagnosis import Finding
from .errors import BerthError, ImageError, InvalidError, SandboxError, SandboxNotFound, in_own_words
from .facts import CommittedImage, ContainerStats, Egress, LogName, PublishedPorts, SandboxEvent
from .async_fs import AsyncFs
from .async_process import AsyncProcess, command_options
from .snapshot import Snapshot
from .status import SandboxStatus


class AsyncSandbox(Attachment):
    """A sandbox, for code on an event loop; `Sandbox.aio`. Usable from several event loops."""

    def __init__(self, wanted: Wanted | None, id: str = "", record: Mapping[str, Any] | None = None) -> None:
        super().__init__(id, record)
        self._wanted = wanted
        self._removed = False
        self._sigterm = False
        self._workdir = "/"
        self._ports: tuple[int, ...] = wanted.ports if wanted else ()
        self.fs = AsyncFs(self)
        self.docker = AsyncDocker(self)

    @classmethod
    async def connect(cls, id: str) -> AsyncSandbox:
        """A sandbox that runs already, made by whichever process. SandboxNotFound when there is none of this id."""
        found = cls(None, id)
        await found.attached()
        return found

    @classmethod
    async def list(cls) -> list[AsyncSandbox]:
        """All sandboxes of this machine's berth, in order of creation."""
        runtime = current()
        event = await runtime.run(_ffi.start, "berth_sandbox_list", runtime.handle, None, 0)
        return [cls(None, record["id"], record)._read_labels() for record in json.loads(event.payload)]

    @property
    def workdir(self) -> str:
        return self._workdir

    @property
    def docker_enabled(self) -> bool:
        if self._wanted is not None:
            return self._wanted.docker_enabled
        return self._label("docker") == "1"

    @property
    def ports(self) -> dict[int, str]:
        """The ports that were asked for, each with the URL under which this host reaches it."""
        return {port: self.url(port) for port in self._ports}

    def url(self, port: int | str) -> str:
        """http://ADDRESS:PORT of the sandbox, for this host. Any port that something listens on inside works."""
        if self.id and not self.address:
            raise SandboxError("the sandbox has no network of its own", hint="create it with network='sandbox'")
        return f"http://{self.address}:{port_number(port)}"

    async def create(self) -> Self:
        """Builds the image if need be, and starts the sandbox. It runs until terminate(), beyond the end of this
        process.

        Docker comes up meanwhile: `sandbox.docker` waits for it by itself, but `exec("docker", …)` does not, unless the
        sandbox was made with wait_for_docker=True."""
        if self._id:
            raise SandboxError(f"the sandbox was created already: {self._id}", code=c.BERTH_E_STATE)
        wanted = self._wanted
        if wanted is None:
            raise InvalidError("this sandbox was not made by Sandbox(…)")
        wanted, built = await with_rootfs(wanted)
        self._wanted = wanted  # a snapshot tells whether it has Docker
        if wanted.data_root and (directory := divided_data_root(wanted.data_root)[0]):
            os.makedirs(directory, mode=0o700, exist_ok=True)
        # Chosen here, so that the sandbox is found again when it was made and the answer does not arrive.
        id, mark = wanted.name if wanted.name is not None else secrets.token_hex(6), secrets.token_hex(16)
        try:
            try:
                text = _ffi.encode(json.dumps(sandbox_options(wanted, built, id, mark)))
                made = await AsyncSandbox._begun("berth_sandbox_create", text)
            except BerthError as e:
                raise in_our_words(e) from None
            self._id, self._record, self._handles = made._id, made._record, made._handles
            self._read_labels()
            if wanted.snapshot is None and lacks_workdir(wanted, built):
                await self._make_workdir()
            self._workdir = built.workdir if wanted.snapshot is not None else self._workdir
            if wanted.wait_for_docker and wanted.docker_enabled:
                await self.docker.wait_until_ready()
            await self._operate("berth_sandbox_hand_over")
        except BaseException:
            self._id, self._record = "", {}
            self._handles.clear()
            await to_its_end(_remove_marked(id, mark))
            raise
        return self

    async def _make_workdir(self) -> None:
        """As Docker does for a container; the image is never written to."""
        process = await self.start(["mkdir", "-p", "--", self._workdir], cwd="/", pipe=False)
        # 127: an image without mkdir; it has the directory, or the first command tells that it has not.
        if await process.wait() not in (0, 127):
            words = process.text_of(STDERR).strip()
            raise ImageError(f"the image's workdir cannot be made: {words[-500:]}", path=self._workdir)

    async def exec(
        self,
        *argv: PathName,
        cwd: PathName | None = None,
        env: Mapping[str, str] | None = None,
        timeout: Seconds | None = None,
        user: str | int | None = None,
        stdin: Input | None = None,
    ) -> AsyncProcess:
        """Starts a command inside; no shell is involved. Returns as soon as it runs, or has taken its `stdin`.

        timeout: seconds until it is killed. user: "uid[:gid]" or a name. stdin: all of its input, in place of a stream;
        a path or an open file is this host's, and read to its end. `docker` waits here for no daemon, which comes up
        after create(): use `sandbox.docker`, or Sandbox(wait_for_docker=True).
        """
        words, limit = words_of(argv), seconds("timeout", timeout)
        where = None if cwd is None else path_name("cwd", cwd)
        who = None if user is None else str(user)
        data = input_of(stdin)
        try:
            return await self.start(words, cwd=where, env=env, timeout=limit, user=who, stdin=data)
        finally:
            if isinstance(data, Source):
                data.close()

    async def start(
        self,
        argv: builtins.list[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        user: str | None = None,
        stdin: bytes | Source | None = None,
        pipe: bool = True,
        process: AsyncProcess | None = None,
    ) -> AsyncProcess:
        """As exec(), with all that a command may be given. pipe: whether its stdin is open."""
        runtime, handle = await self.attached()
        process = process or AsyncProcess(runtime, argv, timeout)
        with self._asking():
            await process.begin(
                "berth_sandbox_exec", handle, cwd=cwd or self._workdir, env=env, user=user, stdin=stdin, pipe=pipe
            )
        return process

    async def start_detached(
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
        where = (None if cwd is None else path_name("cwd", cwd)) or self._workdir
        options = command_options(words_of(argv), where, env, None if user is None else str(user))
        options["log"] = os.path.abspath(path_name("log", log))
        text = _ffi.encode(json.dumps(options, ensure_ascii=False))
        return int(json.loads((await self._operate("berth_sandbox_start_detached", text, len(text))).payload)["pid"])

    async def _told(self) -> SandboxStatus:
        """What the library has of it."""
        runtime, handle = await self.attached()
        with self._asking():
            event = await runtime.run(_ffi.start, "berth_sandbox_state", handle)
        told: SandboxStatus = json.loads(event.payload)
        return told

    async def state(self) -> str:
        """One of "running", "paused", "asleep", "hibernated", "unresponsive", "stopped", "creating" and "lost"."""
        return (await self._told())["state"]

    async def exit_reason(self) -> str | None:
        """Why it runs no more: "out_of_memory", when it was killed at its memory limit, else "ended". None while it
        runs."""
        return (await self._told())["exit_reason"] or None

    async def memory_kills(self) -> int:
        """How many programs the kernel has killed at the sandbox's memory limit, also while it goes on. Where it grew
        while a command ran that ended with 137, that is why."""
        return (await self._told())["memory_kills"]

    async def status(self) -> SandboxStatus:
        """All that is known of it, as `berth status --json` has it (docs/reference/managed.md), but for whether its
        firewall rules are there."""
        return await self._told()

    async def pause(self) -> None:
        """Stops everything inside where it is, until resume(), by whatever process: nothing runs there or takes CPU
        time, its memory stays, and what is connected to it waits. Commands are refused meanwhile. One that is paused
        stays so."""
        await self._operate("berth_sandbox_pause")

    async def hibernate(self) -> None:
        """Saves all that runs inside to the disk and ends it there: it takes no memory until its next use, of whatever
        process, or resume(), goes on from there."""
        await self._operate("berth_sandbox_hibernate")

    async def resume(self) -> None:
        """Everything inside goes on, also of one that is hibernated; another runs on."""
        await self._operate("berth_sandbox_resume")

    async def snapshot(self, name: str, *, stop: bool = False) -> Snapshot:
        """Saves it as it runs, memory and file systems, Docker and its containers, under a name:
        Sandbox(snapshot=name) goes on from there, as often as wanted. Everything inside stands still meanwhile;
        connections to Docker are cut. While a command runs in it nothing is saved: BerthError. stop: it ends when it
        is saved."""
        runtime, handle = await self.attached()
        text = json.dumps({"name": name, "leave_running": not stop}).encode()
        with self._asking():
            event = await runtime.run(_ffi.start, "berth_sandbox_snapshot", handle, text, len(text))
        return Snapshot.of(json.loads(event.payload))

    async def clone(
        self,
        count: int = 1,
        *,
        timeout: Seconds | None = None,
        egress: EgressRules | None = None,
        ends_with_process: bool = False,
        idle_timeout: Seconds | None = None,
        hibernate: bool = False,
    ) -> builtins.list[AsyncSandbox]:
        """Copies of it that go on from where it is now, each under an id and address of its own, by one snapshot that
        is removed again. It goes on too; while a command runs in it, there is none: BerthError. All or none.

        timeout, egress, ends_with_process, idle_timeout, hibernate: of the copies, as Sandbox has them."""
        _, handle = await self.attached()
        own = own_options(
            labels_of(self._record.get("annotations", {}), self.docker_enabled),
            checked_lifetime(timeout),
            None if egress is None else checked_egress(egress),
            ends_with_process,
            checked_lifetime(idle_timeout),
            hibernate,
        )
        text = json.dumps({"count": count, **own}).encode()
        runtime = current()
        operation, _ = runtime.start(_ffi.start, "berth_sandbox_clone", handle, text, len(text))
        ids: builtins.list[str] = []
        try:
            with self._asking():
                try:
                    event = await runtime.outcome(operation)
                finally:
                    if operation.done.done() and (done := operation.done.result()).error is None:
                        ids = json.loads(done.payload)["ids"]
            return [await AsyncSandbox.connect(id) for id in json.loads(event.payload)["ids"]]
        except BaseException:
            for id in ids:
                await to_its_end(_remove(id))
            raise

    @classmethod
    async def _begun(cls, function: str, options: bytes) -> AsyncSandbox:
        """One that an operation of the library's gives."""
        runtime = current()
        operation, handle = runtime.start(
            lambda **o: _ffi.start_for_handle(
                "berth_sandbox", function, runtime.handle, None, 0, options, len(options), **o
            )
        )
        attached = Attached(handle)
        try:
            event = await runtime.outcome(operation)
        except BaseException:
            # The answer may have been on its way when this was given up.
            if operation.done.done() and (done := operation.done.result()).error is None:
                await to_its_end(_remove(json.loads(done.payload)["id"]))
            raise
        record = json.loads(event.payload)
        made = cls(None, record["id"], record)._read_labels()
        made._handles[runtime] = attached
        return made

    async def events(self) -> builtins.list[SandboxEvent]:
        """What happened in it so far, at most the last 64: containers killed over their memory limit, dockerd ready,
        ended and started again, failed, stopped. A sandbox without Docker has none; AsyncSandbox.watch_events() goes on
        with what comes."""
        found: builtins.list[SandboxEvent] = []
        await self._listen(found.append, follow=False)
        return found

    async def watch_events(self) -> AsyncIterator[SandboxEvent]:
        """The same, and then each as it comes, until the sandbox ends or nobody asks any more."""
        queue: asyncio.Queue[SandboxEvent | None] = asyncio.Queue()
        listening = asyncio.ensure_future(self._listen(queue.put_nowait, follow=True))
        listening.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (event := await queue.get()) is not None:
                yield event
            listening.result()
        finally:
            listening.cancel()
            await asyncio.wait({listening})

    async def _listen(self, tell: Callable[[SandboxEvent], None], *, follow: bool) -> None:
        runtime, handle = await self.attached()

        def take(event: _ffi.Event) -> None:
            if event.kind == c.BERTH_EVENT_SANDBOX:
                tell(SandboxEvent.of(json.loads(event.payload)))

        try:
            with self._asking():
                await runtime.run(_ffi.start, "berth_sandbox_events", handle, int(follow), on_event=take)
        except SandboxError as e:
            if not follow or e.code != c.BERTH_E_SANDBOX_NOT_RUNNING:
                raise

    async def published_ports(self) -> PublishedPorts:
        """By which ports it is reached: those of this host that lead to it, and those of its own that its containers
        publish."""
        return PublishedPorts.of(json.loads((await self._operate("berth_sandbox_ports")).payload))

    async def container_stats(self) -> tuple[ContainerStats, ...]:
        """What each of its containers that run takes; ``docker stats`` has zeros in a sandbox."""
        told = json.loads((await self._operate("berth_sandbox_container_stats")).payload)
        return tuple(ContainerStats(**one) for one in told)

    async def egress(self) -> Egress:
        """Where it may begin connections to, and what was refused for it."""
        return Egress.of(json.loads((await self._operate("berth_sandbox_egress")).payload))

    async def diagnose(self) -> builtins.list[Finding]:
        """What is wrong with it, by its status, logs, cgroup and the versions of runsc and Docker: the most telling
        first, nothing where nothing is known."""
        found = json.loads((await self._operate("berth_sandbox_diagnose")).payload)
        return [Finding(**{**one, "remedy": in_own_words(one["remedy"])}) for one in found["findings"]]

    async def set_egress(self, rules: EgressRules) -> None:
        """Changes that, at once and wholly: "none", "all", or a list as Sandbox(egress=…) takes. What is open and not
        allowed any more is refused from its next packet on; answers to who reaches the sandbox are not held to it."""
        text = _ffi.encode(json.dumps(checked_egress(rules)))
        await self._operate("berth_sandbox_set_egress", text, len(text))

    async def logs(self, which: LogName = "command", *, limit: int = 65536) -> str:
        """The end of what was printed, at most `limit` bytes: by the command that it keeps, by dockerd ("daemon"), or
        by its first process and runsc ("init"). It is the sandbox's text; what is no UTF-8 in it is U+FFFD."""
        if limit <= 0:
            raise InvalidError("limit is not a number of bytes above 0")
        text = _ffi.encode(which)
        said = json.loads((await self._operate("berth_sandbox_logs", text, len(text), limit)).payload)
        return str(said["text"])

    async def annotate(self, key: str, value: str) -> None:
        """Sets an annotation, which `berth ls` and others can ask for; an empty value takes it away."""
        k, v = _ffi.encode(key), _ffi.encode(value)
        await self._operate("berth_sandbox_annotate", k, len(k), v, len(v))

    async def wait_stopped(self, timeout: Seconds | None = None) -> None:
        """Waits until it runs no more: its command has ended, it was stopped or killed. What is left of it stays until
        terminate(). timeout: seconds, after which it is a WaitTimeoutError."""
        limit = seconds("timeout", timeout)
        runtime, handle = await self.attached()
        with self._asking():
            await runtime.run(_ffi.start, "berth_sandbox_wait_stopped", handle, timeout=limit)

    async def export(self, file: PathName) -> None:
        """Writes what it changed in its root file system to a new file of this host, as a tar in the terms of
        overlayfs's upper directories: a layer for an image. What is in it is the sandbox's: unpack it with care. A
        failure leaves no file."""
        path = _ffi.encode(os.path.abspath(path_name("file", file)))
        await self._operate("berth_sandbox_export", path, len(path))

    async def commit(
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
        given = {
            "tag": tag, "env": dict(env or {}), "workdir": workdir, "entrypoint": list(entrypoint),
            "command": list(command), "author": author, "message": message, "umoci": umoci,
        }  # fmt: skip
        options = {name: value for name, value in given.items() if value}
        options["layout"] = os.path.abspath(path_name("layout", layout))
        text = _ffi.encode(json.dumps(options, ensure_ascii=False))
        return CommittedImage(**json.loads((await self._operate("berth_sandbox_commit", text, len(text))).payload))

    async def terminate(self, *, force: bool = False, timeout: Seconds | None = None) -> None:
        """Stops what runs inside, Docker's containers and dockerd in order, and removes all of it from this machine.
        Again: does nothing, whoever has its name by now. force: at once, without stopping them first. timeout: how long
        they may take to stop before they are killed, 45 seconds if not given."""
        if not self._id or self._removed:
            return
        how = ending_options(force, timeout)
        with contextlib.suppress(SandboxNotFound):
            await self._operate("berth_sandbox_terminate", how, len(how))
        self._removed = True

    def _within(self) -> None:
        """It is to live as long as a `with`, and so no longer than this process."""
        if self._wanted is not None and self._wanted.ends_with_process is None:
            self._wanted = dataclasses.replace(self._wanted, ends_with_process=True)

    async def __aenter__(self) -> Self:
        self._sigterm = _sigterm.enter()
        try:
            if not self._id:
                self._within()
                await self.create()
        except BaseException:
            self._leave()
            raise
        return self

    def _leave(self) -> None:
        if self._sigterm:
            self._sigterm = False
            _sigterm.leave()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.terminate()
        finally:
            self._leave()

    def _learn(self) -> None:
        self._read_labels()

    def _read_labels(self) -> Self:
        self._workdir = self._label("workdir") or "/"
        if ports := self._label("ports"):
            self._ports = tuple(int(p) for p in ports.split(","))
        return self


def ending_options(force: bool, timeout: Seconds | None) -> bytes:
    """How a sandbox is to end, as the library reads it."""
    if not isinstance(force, bool):
        raise TypeError(f"force is True or False, not {force!r}")
    limit = seconds("timeout", timeout)
    return json.dumps(
        {"force": force} if limit is None else {"force": force, "timeout_ms": round(limit * 1000)}
    ).encode()


async def _remove(id: str) -> None:
    with contextlib.suppress(BerthError):
        await (await AsyncSandbox.connect(id)).terminate(force=True)


async def _remove_marked(id: str, mark: str) -> None:
    """Takes down what a run made that failed or was cancelled. Its name may be another's."""
    try:
        there = await AsyncSandbox.connect(id)
        if there.record["annotations"].get(LABEL + "mark") == mark:
            await there.terminate()
    except (SandboxNotFound, InvalidError):
        pass  # the process that made it took it down; or it is no name
    except BerthError as e:
        logger.warning("the sandbox %s, which could not be made, may be left: %s", id, e)
