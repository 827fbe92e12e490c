# SPDX-License-Identifier: Apache-2.0
"""Sandboxes: made, found again, used and removed."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import dataclasses
import json
import os
import secrets
import weakref
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from . import _declarations as c
from . import _ffi, _sigterm
from ._arguments import Input, PathName, Seconds, Source, input_of, path_name, port_number, seconds, words_of
from ._cancel import to_its_end
from ._loop import Runtime, current, logger, sync
from ._streams import STDERR
from .creation import (
    LABEL,
    EgressRules,
    Volumes,
    Wanted,
    checked,
    checked_egress,
    checked_lifetime,
    checked_path,
    checked_ports,
    checked_strings,
    checked_volumes,
    in_our_words,
    lacks_workdir,
    sandbox_options,
)
from .docker import AsyncDocker, Docker, Finding
from .errors import BerthError, ImageError, InvalidError, NotFoundError, SandboxError, SandboxNotFound, in_own_words
from .fs import AsyncFs, Fs
from .process import AsyncProcess, Process
from .rootfs import Buildable, Built
from .snapshot import Snapshot, snapshots


class _Attached:
    """A handle of the library's, freed with this object: when its sandbox goes, or the event loop that it was for."""

    def __init__(self, handle: _ffi.Handle) -> None:
        self.handle = handle
        weakref.finalize(self, _ffi.free_handle_in, os.getpid(), "berth_sandbox", handle).atexit = False


@dataclasses.dataclass(frozen=True)
class Egress:
    """Where a sandbox may begin connections to."""

    rules: tuple[str, ...]  #: ("all",), ("none",), or what is allowed
    refused: int  #: packets of the sandbox's so far


@dataclasses.dataclass(frozen=True)
class ContainerPorts:
    """A container in a sandbox, and the ports of the sandbox that lead to it."""

    container: str  #: its id in Docker
    name: str
    ports: tuple[str, ...]  #: "0.0.0.0:80:8000/tcp": address and port of the sandbox, port inside


@dataclasses.dataclass(frozen=True)
class PublishedPorts:
    """Those that a sandbox is reached by."""

    ports: tuple[str, ...]  #: of this host, that lead to it: "127.0.0.1:8080:80/tcp", as in its status
    containers: tuple[ContainerPorts, ...]  #: those that publish any, as far as its Docker is ready

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> PublishedPorts:
        containers = (ContainerPorts(one["container"], one["name"], tuple(one["ports"])) for one in said["containers"])
        return cls(tuple(said["ports"]), tuple(containers))


@dataclasses.dataclass(frozen=True)
class SandboxEvent:
    """What happened in a sandbox, as its guest saw it: "container_out_of_memory" (over its memory limit, killed),
    "docker_ready", "docker_ended" (by itself; it is started again), "docker_failed", "docker_stopped"."""

    event: str
    #: Seconds since the epoch, by the sandbox's clock.
    time: float
    #: The container's id in Docker, where it is about one.
    container: str
    message: str

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> SandboxEvent:
        return cls(said["event"], said["at_ms"] / 1000, said["container"], said["message"])


class AsyncSandbox:
    """A sandbox, for code on an event loop; `Sandbox.aio`. Usable from several event loops."""

    def __init__(self, wanted: Wanted | None, id: str = "", record: Mapping[str, Any] | None = None) -> None:
        self._wanted = wanted
        self._id = id
        self._record: dict[str, Any] = dict(record or {})
        self._handles: weakref.WeakKeyDictionary[Runtime, _Attached] = weakref.WeakKeyDictionary()
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
    def id(self) -> str:
        """Its id; SandboxError before create()."""
        if not self._id:
            raise SandboxError("the sandbox was not created yet; call create()", code=c.BERTH_E_STATE)
        return self._id

    @property
    def created(self) -> bool:
        return bool(self._id)

    @property
    def address(self) -> str:
        """Its IP address, reachable from this host; empty without a network."""
        return str(self._record.get("network", {}).get("address", ""))

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
        built = await self._built(wanted)
        wanted = self._wanted or wanted  # a snapshot tells whether it has Docker
        if wanted.data_root and not wanted.data_root.startswith("tmpfs"):
            os.makedirs(wanted.data_root, mode=0o700, exist_ok=True)
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

    async def _built(self, wanted: Wanted) -> Built:
        if wanted.image is None:
            if wanted.snapshot is not None:
                return self._saved(wanted)
            if not wanted.rootfs:
                raise InvalidError("a sandbox needs an image", hint="pass image=Image.from_registry(…)")
            return Built("", wanted.rootfs)
        return await wanted.image.aio.build()

    def _saved(self, wanted: Wanted) -> Built:
        """What the snapshot that it is to be restored from is like."""
        saved = next((one for one in snapshots() if one.name == wanted.snapshot), None)
        if saved is None:
            raise NotFoundError(
                f"there is no snapshot {wanted.snapshot!r}", hint="berth.snapshots() lists those there are"
            )
        labels = saved.annotations
        self._wanted = dataclasses.replace(
            wanted,
            docker_enabled=saved.docker,
            ports=wanted.ports or tuple(int(port) for port in labels.get(LABEL + "ports", "").split(",") if port),
        )
        return Built("", saved.rootfs, workdir=labels.get(LABEL + "workdir", "/"))

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
        try:
            await process.begin(
                "berth_sandbox_exec", handle, cwd=cwd or self._workdir, env=env, user=user, stdin=stdin, pipe=pipe
            )
        except NotFoundError as e:
            if e.path == self._id:  # else a user that is not there
                raise self._gone(e) from e
            raise
        return process

    async def _told(self) -> dict[str, Any]:
        """What the library has of it."""
        runtime, handle = await self.attached()
        try:
            event = await runtime.run(_ffi.start, "berth_sandbox_state", handle)
        except NotFoundError as e:
            raise self._gone(e) from e
        told: dict[str, Any] = json.loads(event.payload)
        return told

    async def state(self) -> str:
        """One of "running", "paused", "unresponsive", "stopped", "creating" and "lost"."""
        return str((await self._told())["state"])

    async def exit_reason(self) -> str | None:
        """Why it runs no more: "out_of_memory", when it was killed at its memory limit, else "ended". None while it
        runs."""
        return (await self._told())["exit_reason"] or None

    async def memory_kills(self) -> int:
        """How many programs the kernel has killed at the sandbox's memory limit, also while it goes on. Where it grew
        while a command ran that ended with 137, that is why."""
        return int((await self._told())["memory_kills"])

    async def status(self) -> dict[str, Any]:
        """All that is known of it, as `berth status --json` has it (docs/reference/managed.md), but for whether its
        firewall rules are there."""
        return await self._told()

    async def pause(self) -> None:
        """Stops everything inside where it is, until resume(), by whatever process: nothing runs there or takes CPU
        time, its memory stays, and what is connected to it waits. Commands are refused meanwhile. One that is paused
        stays so."""
        await self._operate("berth_sandbox_pause")

    async def resume(self) -> None:
        """Everything inside goes on; one that is not paused runs on."""
        await self._operate("berth_sandbox_resume")

    async def snapshot(self, name: str, *, stop: bool = False) -> Snapshot:
        """Saves it as it runs, memory and file systems, Docker and its containers, under a name:
        Sandbox(snapshot=name) goes on from there, as often as wanted. Everything inside stands still meanwhile;
        connections to Docker are cut. While a command runs in it nothing is saved: BerthError. stop: it ends when it
        is saved."""
        runtime, handle = await self.attached()
        text = json.dumps({"name": name, "leave_running": not stop}).encode()
        try:
            event = await runtime.run(_ffi.start, "berth_sandbox_snapshot", handle, text, len(text))
        except NotFoundError as e:
            raise self._gone(e) from e
        return Snapshot.of(json.loads(event.payload))

    async def clone(
        self,
        count: int = 1,
        *,
        timeout: Seconds | None = None,
        egress: EgressRules | None = None,
        ends_with_process: bool = False,
    ) -> builtins.list[AsyncSandbox]:
        """Copies of it that go on from where it is now, each under an id and address of its own, by one snapshot that
        is removed again. It goes on too; while a command runs in it, there is none: BerthError. All or none.

        timeout, egress, ends_with_process: of the copies, as Sandbox has them."""
        _, handle = await self.attached()
        own = own_options(
            labels_of(self._record.get("annotations", {}), self.docker_enabled),
            checked_lifetime(timeout),
            None if egress is None else checked_egress(egress),
            ends_with_process,
        )
        text = json.dumps({"count": count, **own}).encode()
        runtime = current()
        operation, _ = runtime.start(_ffi.start, "berth_sandbox_clone", handle, text, len(text))
        ids: builtins.list[str] = []
        try:
            try:
                event = await runtime.outcome(operation)
            finally:
                if operation.done.done() and (done := operation.done.result()).error is None:
                    ids = json.loads(done.payload)["ids"]
            return [await AsyncSandbox.connect(id) for id in json.loads(event.payload)["ids"]]
        except NotFoundError as e:
            raise self._gone(e) from e
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
        attached = _Attached(handle)
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
        ended and started again, failed, stopped. A sandbox without Docker has none."""
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
            await runtime.run(_ffi.start, "berth_sandbox_events", handle, int(follow), on_event=take)
        except NotFoundError as e:
            raise self._gone(e) from e
        except SandboxError as e:
            if not follow or e.code != c.BERTH_E_SANDBOX_NOT_RUNNING:
                raise

    async def published_ports(self) -> PublishedPorts:
        """By which ports it is reached: those of this host that lead to it, and those of its own that its containers
        publish."""
        return PublishedPorts.of(json.loads((await self._operate("berth_sandbox_ports")).payload))

    async def egress(self) -> Egress:
        """Where it may begin connections to, and how many packets were refused for it."""
        now = json.loads((await self._operate("berth_sandbox_egress")).payload)
        return Egress(tuple(now["egress"]), now["refused"])

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

    async def _operate(self, function: str, *arguments: Any) -> _ffi.Event:
        runtime, handle = await self.attached()
        try:
            return await runtime.run(_ffi.start, function, handle, *arguments)
        except NotFoundError as e:
            raise self._gone(e) from e

    async def export(self, file: PathName) -> None:
        """Writes what it changed in its root file system to a new file of this host, as a tar in the terms of
        overlayfs's upper directories: a layer for an image. What is in it is the sandbox's: unpack it with care. A
        failure leaves no file."""
        path = _ffi.encode(os.path.abspath(path_name("file", file)))
        await self._operate("berth_sandbox_export", path, len(path))

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

    async def attached(self) -> tuple[Runtime, _ffi.Handle]:
        runtime = current()
        attached = self._handles.get(runtime)
        if attached is None:
            try:
                attached, record = await _attach(runtime, self.id)
            except NotFoundError as e:
                raise self._gone(e) from e
            if not self._is_this(record):
                raise self._gone(NotFoundError("", code=c.BERTH_E_NOT_FOUND, code_name="not_found"))
            self._record = record
            self._read_labels()
            self._handles[runtime] = attached
        return runtime, attached.handle

    def _is_this(self, record: Mapping[str, Any]) -> bool:
        """Whether a record of the same name is this sandbox's, and not that of one made since."""
        return not self._record or bool(record["damage"]) or record["created"] == self._record["created"]

    def _gone(self, e: BerthError) -> SandboxNotFound:
        return SandboxNotFound(f"no sandbox is called '{self.id}'", code=e.code, code_name=e.code_name)

    @property
    def record(self) -> Mapping[str, Any]:
        return self._record

    def _label(self, name: str) -> str:
        return str(self._record.get("annotations", {}).get(LABEL + name, ""))

    def _read_labels(self) -> Self:
        self._workdir = self._label("workdir") or "/"
        if ports := self._label("ports"):
            self._ports = tuple(int(p) for p in ports.split(","))
        return self


async def _attach(runtime: Runtime, id: str) -> tuple[_Attached, dict[str, Any]]:
    name = _ffi.encode(id)
    operation, handle = runtime.start(
        lambda **o: _ffi.start_for_handle(
            "berth_sandbox", "berth_sandbox_attach", runtime.handle, None, 0, name, len(name), **o
        )
    )
    attached = _Attached(handle)
    event = await runtime.outcome(operation)
    return attached, json.loads(event.payload)


def labels_of(annotations: Mapping[str, str], docker: bool) -> dict[str, str]:
    """What a copy says of itself to this package."""
    kept = {LABEL + name: annotations[LABEL + name] for name in ("workdir", "ports") if LABEL + name in annotations}
    return {**kept, LABEL + "docker": "1"} if docker else kept


def own_options(
    labels: Mapping[str, str], lifetime: float | None, egress: tuple[str, ...] | None, ends_with_process: bool
) -> dict[str, Any]:
    """What a sandbox that is taken or copied may have of its own, as the library reads it."""
    options: dict[str, Any] = {"annotations": dict(labels), "ends_with_creator": ends_with_process}
    if lifetime is not None:
        options["lifetime_ms"] = max(1, round(lifetime * 1000))
    if egress is not None:
        options["egress"] = list(egress)
    return options


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


class _ProcessNamespace:
    """`sandbox.process.exec(…)`, as some know it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.exec = sandbox.exec


class Sandbox:
    """A gVisor sandbox of its own root file system, network and, if asked for, Docker.

    cpu: how many CPUs it may use. memory: as "2Gi", or bytes. image: an Image. docker_enabled: starts dockerd inside.
    name: its id, else one is made up. env: for all that runs inside. ports: those that `ports` lists. network:
    "sandbox", "none", or the path of a network namespace. timeout: seconds from its creation after which it stops by
    itself; terminate() still removes it. volumes: of the host, "SOURCE:DESTINATION[:ro]", a path that is the same
    inside, or docker-py's {"/here": {"bind": "/there", "mode": "ro"}}. registry_mirror: for the Docker inside, else the
    image's. data_root: where Docker keeps its images: "tmpfs[:SIZE]" or a directory of the host, where they outlive the
    sandbox. dockerd_args: further ones. rootfs: a directory in place of an image. snapshot: the name of a
    saved sandbox to go on from, in place of an image: then only name, ports, network where it is a path, egress,
    timeout, wait_for_docker and ends_with_process may be given. wait_for_docker: create() returns
    when Docker is ready, or fails. max_connections: how many flows it may hold in the host's connection
    tracking; 0: no limit. egress: where it may begin connections to: "all", "none", or a list of
    "ADDRESS[/PREFIX][:PORT[-PORT]][/tcp|/udp]", where a port alone is one of TCP, and "dns" for its name servers;
    set_egress() changes it. ends_with_process: it is removed when this process ends, whatever ends that; by default so
    where `with` makes it.

    Nothing happens before create(), or `with`, which removes it at the end.
    """

    def __init__(
        self,
        cpu: float | None = None,
        memory: str | int | None = None,
        image: Buildable | None = None,
        docker_enabled: bool = False,
        name: str | None = None,
        env: Mapping[str, str] | None = None,
        ports: Iterable[int] = (),
        network: PathName = "sandbox",
        timeout: Seconds | None = None,
        *,
        volumes: Volumes = (),
        registry_mirror: str | None = None,
        data_root: PathName | None = None,
        dockerd_args: Iterable[str] = (),
        rootfs: PathName | None = None,
        snapshot: str | None = None,
        wait_for_docker: bool = False,
        max_connections: int | None = None,
        egress: EgressRules | None = None,
        ends_with_process: bool | None = None,
    ) -> None:
        wanted = Wanted(
            cpu, memory, image, checked_path("rootfs", rootfs), snapshot, docker_enabled, name, env,
            checked_ports(ports), path_name("network", network), checked_lifetime(timeout), checked_volumes(volumes),
            registry_mirror, checked_path("data_root", data_root), checked_strings("dockerd_args", dockerd_args),
            wait_for_docker, max_connections, None if egress is None else checked_egress(egress), ends_with_process,
        )  # fmt: skip
        self._use(AsyncSandbox(checked(wanted)))

    def _use(self, sandbox: AsyncSandbox) -> None:
        self._aio = sandbox
        self.fs = Fs(sandbox.fs)
        self.docker = Docker(sandbox.docker)
        self.process = _ProcessNamespace(self)

    @classmethod
    def _of(cls, sandbox: AsyncSandbox) -> Self:
        made = cls.__new__(cls)
        made._use(sandbox)
        return made

    @classmethod
    def connect(cls, id: str) -> Self:
        """A sandbox that runs already, made by whichever process. SandboxNotFound when there is none of this id."""
        return cls._of(sync(AsyncSandbox.connect(id)))

    from_id = connect

    @classmethod
    def list(cls) -> list[Self]:
        """All sandboxes of this machine's berth, in order of creation."""
        return [cls._of(found) for found in sync(AsyncSandbox.list())]

    @property
    def aio(self) -> AsyncSandbox:
        """The same sandbox with coroutines."""
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
        made_before = self._aio.created
        try:
            sync(self._aio.create())
        except BaseException:
            # Ctrl-C may come when it has just been made, and who called would not know of it.
            if not made_before:
                self.terminate()
            raise
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

    def state(self) -> str:
        """One of "running", "paused", "unresponsive", "stopped", "creating" and "lost"."""
        return sync(self._aio.state())

    def exit_reason(self) -> str | None:
        """Why it runs no more: "out_of_memory", when it was killed at its memory limit, else "ended". None while it
        runs."""
        return sync(self._aio.exit_reason())

    def memory_kills(self) -> int:
        """How many programs the kernel has killed at the sandbox's memory limit, also while it goes on. Where it grew
        while a command ran that ended with 137, that is why."""
        return sync(self._aio.memory_kills())

    def status(self) -> dict[str, Any]:
        """All that is known of it, as `berth status --json` has it (docs/reference/managed.md), but for whether its
        firewall rules are there."""
        return sync(self._aio.status())

    def pause(self) -> None:
        """Stops everything inside where it is, until resume(), by whatever process: nothing runs there or takes CPU
        time, its memory stays, and what is connected to it waits. Commands are refused meanwhile. One that is paused
        stays so."""
        sync(self._aio.pause())

    def resume(self) -> None:
        """Everything inside goes on; one that is not paused runs on."""
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
    ) -> builtins.list[Sandbox]:
        """Copies of it that go on from where it is now, each under an id and address of its own, by one snapshot that
        is removed again. It goes on too; while a command runs in it, there is none: BerthError. All or none.

        timeout, egress, ends_with_process: of the copies, as Sandbox has them."""
        made = sync(self._aio.clone(count, timeout=timeout, egress=egress, ends_with_process=ends_with_process))
        return [Sandbox._of(one) for one in made]

    def events(self) -> builtins.list[SandboxEvent]:
        """What happened in it so far, at most the last 64: containers killed over their memory limit, dockerd ready,
        ended and started again, failed, stopped. A sandbox without Docker has none; `aio.watch_events()` goes on with
        what comes."""
        return sync(self._aio.events())

    def published_ports(self) -> PublishedPorts:
        """By which ports it is reached: those of this host that lead to it, and those of its own that its containers
        publish."""
        return sync(self._aio.published_ports())

    def egress(self) -> Egress:
        """Where it may begin connections to, and how many packets were refused for it."""
        return sync(self._aio.egress())

    def diagnose(self) -> builtins.list[Finding]:
        """What is wrong with it, by its status, logs, cgroup and the versions of runsc and Docker: the most telling
        first, nothing where nothing is known."""
        return sync(self._aio.diagnose())

    def set_egress(self, rules: EgressRules) -> None:
        """Changes that, at once and wholly: "none", "all", or a list as Sandbox(egress=…) takes. What is open and not
        allowed any more is refused from its next packet on; answers to who reaches the sandbox are not held to it."""
        sync(self._aio.set_egress(rules))

    def export(self, file: PathName) -> None:
        """Writes what it changed in its root file system to a new file of this host, as a tar in the terms of
        overlayfs's upper directories: a layer for an image. What is in it is the sandbox's: unpack it with care. A
        failure leaves no file."""
        sync(self._aio.export(file))

    def terminate(self, *, force: bool = False, timeout: Seconds | None = None) -> None:
        """Stops what runs inside, Docker's containers and dockerd in order, and removes all of it from this machine.
        Again: does nothing. force: at once, without stopping them first. timeout: how long they may take to stop before
        they are killed, 45 seconds if not given."""
        sync(self._aio.terminate(force=force, timeout=timeout))

    def __enter__(self) -> Self:
        self._aio._sigterm = _sigterm.enter()
        try:
            if not self._aio.created:
                self._aio._within()
                self.create()
        except BaseException:
            self._aio._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.terminate()
        finally:
            self._aio._leave()

    async def __aenter__(self) -> AsyncSandbox:
        return await self._aio.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._aio.__aexit__(kind, error, trace)

    def __repr__(self) -> str:
        return f"<Sandbox {self._aio.id if self._aio.created else 'not created'}>"
