"""Docker in a sandbox: its commands with docker-py's arguments, docker-py itself, and the address for any other
client."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING, Any, Unpack

from .. import _ffi
from .._loop import sync
from .._streams import STDERR
from ..errors import DockerError
from ..place import Place
from ..progress import logger, say
from . import argv
from . import options as o
from .context import pack_context
from .readiness import DEFAULT_TIMEOUT, DockerStatus, Readiness
from .result import AsyncDockerResult, DockerResult, completed

if TYPE_CHECKING:
    import docker as docker_py


__all__ = ["AsyncDocker", "AsyncDockerResult", "Docker", "DockerResult", "DockerStatus"]


class AsyncDocker:
    """Docker in a sandbox, for code on an event loop; `sandbox.docker.aio`.

    Each command waits by itself until dockerd is ready (30 s), starts, and gives a result that streams; arguments are
    those of docker-py, and one that is not known is a TypeError. Paths and ports are the sandbox's.
    """

    def __init__(self, sandbox: Place) -> None:
        self._sandbox = sandbox
        self._readiness = Readiness(sandbox)
        self._compose_words: list[str] | None = None
        #: Seconds that the first command waits for dockerd.
        self.ready_timeout = DEFAULT_TIMEOUT

    async def status(self) -> DockerStatus:
        """Of dockerd, as its supervisor has it."""
        return await self._readiness.status()

    async def wait_until_ready(self, timeout: float | None = None) -> None:
        """DockerNotReadyError when dockerd does not answer in time, or ended; it carries dockerd's last lines."""
        await self._readiness.wait(self.ready_timeout if timeout is None else timeout)

    async def host(self) -> str:
        """For DOCKER_HOST: "unix:///…/docker.sock". The daemon behind it is the sandbox's: do not trust what it
        says."""
        await self._readiness.check_wanted()
        _, handle = await self._sandbox.attached()
        return _ffi.text(_ffi.call_for_buffer("berth_sandbox_docker_host", handle))

    async def environment(self) -> dict[str, str]:
        """Variables that point docker, docker compose, docker-py's from_env() and testcontainers at this daemon."""
        return {
            "DOCKER_HOST": await self.host(),
            # Where published ports are, and where the daemon's socket lies for containers that talk to it.
            "TESTCONTAINERS_HOST_OVERRIDE": self._sandbox.address,
            "TESTCONTAINERS_DOCKER_SOCKET_OVERRIDE": "/var/run/docker.sock",
        }

    async def client(self, **options: Any) -> docker_py.DockerClient:
        """docker-py's client of this daemon, once it is ready. options: docker.DockerClient's."""
        await self.wait_until_ready()
        # In a thread: it asks the daemon for its version.
        return await asyncio.to_thread(_client, await self.host(), options)

    async def run(
        self, image: str, command: str | Sequence[str] | None = None, **options: Unpack[o.RunOptions]
    ) -> AsyncDockerResult:
        """docker run. ports={"80": "8080"}: the container's port 80 is the sandbox's 8080."""
        return await self._start(argv.run(image, command, options), pipe=bool(options.get("stdin_open")))

    async def pull(
        self, repository: str, tag: str | None = None, **options: Unpack[o.PullOptions]
    ) -> AsyncDockerResult:
        """docker pull, with progress."""
        words = argv.pull(repository, tag, options)
        await self.wait_until_ready()
        name = argv.tagged(repository, tag)
        say(f"Pulling {name}...")
        return await self._start(words, done="Image pulled successfully!", waited=True)

    async def build(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        fileobj: IO[bytes] | None = None,
        sandbox_path: str | None = None,
        **options: Unpack[o.BuildOptions],
    ) -> AsyncDockerResult:
        """docker build. path: a directory of this host, sent as docker-py would, .dockerignore heeded; or fileobj: a
        Dockerfile without a context; or sandbox_path: a directory in the sandbox."""
        if sum(x is not None for x in (path, fileobj, sandbox_path)) != 1:
            raise TypeError("build() takes one of path, fileobj and sandbox_path")
        words = argv.build(sandbox_path or "-", options)
        data: bytes | None = None
        if fileobj is not None:
            data = await asyncio.to_thread(fileobj.read)
        elif path is not None:
            data = await asyncio.to_thread(pack_context, os.fspath(path), options.get("dockerfile"))
        return await self._start(words, stdin=data)

    async def ps(self, **options: Unpack[o.PsOptions]) -> AsyncDockerResult:
        return await self._start(argv.ps(options))

    async def images(self, name: str | None = None, **options: Unpack[o.ImagesOptions]) -> AsyncDockerResult:
        return await self._start(argv.images(name, options))

    async def logs(self, container: str, **options: Unpack[o.LogsOptions]) -> AsyncDockerResult:
        """With follow=True the result streams until the container ends, or it is killed."""
        return await self._start(argv.logs(container, options))

    async def exec(
        self, container: str, cmd: str | Sequence[str], **options: Unpack[o.ExecOptions]
    ) -> AsyncDockerResult:
        """docker exec. With stdin=True the result's stdin is the command's."""
        return await self._start(argv.exec_(container, cmd, options), pipe=bool(options.get("stdin")))

    async def stop(self, container: str | Sequence[str], timeout: int | None = None) -> AsyncDockerResult:
        """timeout: seconds until a container is killed."""
        return await self._start(argv.stop(container, timeout))

    async def rm(self, container: str | Sequence[str], **options: Unpack[o.RmOptions]) -> AsyncDockerResult:
        return await self._start(argv.rm(container, options))

    async def rmi(self, image: str | Sequence[str], **options: Unpack[o.RmiOptions]) -> AsyncDockerResult:
        return await self._start(argv.rmi(image, options))

    async def push(self, repository: str, tag: str | None = None) -> AsyncDockerResult:
        return await self._start(argv.push(repository, tag))

    async def tag(self, image: str, repository: str, tag: str | None = None) -> AsyncDockerResult:
        return await self._start(argv.tag(image, repository, tag))

    async def login(self, username: str, password: str, registry: str | None = None) -> AsyncDockerResult:
        """Inside the sandbox; the password goes over stdin."""
        return await self._start(argv.login(username, registry), stdin=password.encode())

    async def compose_up(self, **options: Unpack[o.ComposeUpOptions]) -> AsyncDockerResult:
        """docker compose up, detached unless detach=False. file and cwd are paths in the sandbox."""
        given: dict[str, Any] = {"detach": True, **options}
        return await self._compose("up", given)

    async def compose_down(self, **options: Unpack[o.ComposeDownOptions]) -> AsyncDockerResult:
        return await self._compose("down", dict(options))

    async def compose_ps(self, **options: Unpack[o.ComposePsOptions]) -> AsyncDockerResult:
        return await self._compose("ps", dict(options))

    async def compose_logs(self, **options: Unpack[o.ComposeLogsOptions]) -> AsyncDockerResult:
        return await self._compose("logs", dict(options))

    async def _compose(self, verb: str, given: dict[str, Any]) -> AsyncDockerResult:
        words = argv.compose(verb, given)
        await self.wait_until_ready()
        program = await self._compose_program()
        cwd, env = given.get("cwd"), given.get("env")
        return await self._begin([*program, *words], cwd=cwd, env=env)

    async def _compose_program(self) -> list[str]:
        """`docker compose`, or the older docker-compose."""
        if self._compose_words is None:
            for words in (["docker", "compose"], ["docker-compose"]):
                with contextlib.suppress(DockerError):
                    await completed(await self._begin([*words, "version"], quiet=True))
                    self._compose_words = words
                    break
            else:
                raise DockerError(
                    "the sandbox's image has no docker compose",
                    layer="docker",
                    hint="with_docker() installs it; so does apt-get install docker-compose",
                )
        return self._compose_words

    async def _start(
        self, words: list[str], *, stdin: bytes | None = None, pipe: bool = False, done: str = "", waited: bool = False
    ) -> AsyncDockerResult:
        if not waited:
            await self.wait_until_ready()
        return await self._begin(["docker", *words], stdin=stdin, pipe=pipe, done=done)

    async def _begin(
        self,
        words: list[str],
        *,
        stdin: bytes | None = None,
        pipe: bool = False,
        cwd: str | None = None,
        env: Any = None,
        done: str = "",
        quiet: bool = False,
    ) -> AsyncDockerResult:
        runtime, _ = await self._sandbox.attached()
        result = AsyncDockerResult(runtime, words)
        if not quiet:
            result.on_end = _announce(result, done)
        await self._sandbox.start(words, stdin=stdin, pipe=pipe, cwd=cwd, env=env, process=result)
        return result


def _announce(result: AsyncDockerResult, done: str) -> Callable[[], None]:
    """Says how a command ended: nobody may be waiting for it."""

    def ended() -> None:
        if result.returncode == 0:
            if done:
                say(f"✓ {done}")
            return
        words = result.text_of(STDERR).strip().rpartition("\n")[2]
        text = f"{' '.join(result.argv[:2])} ended with {result.returncode}: {words}"
        if done:
            say(f"✗ {text}")
        else:
            logger.info("%s", text)

    return ended


def _client(host: str, options: dict[str, Any]) -> docker_py.DockerClient:
    # Imported here: it takes longer than all of the rest.
    import docker as docker_py

    return docker_py.DockerClient(base_url=host, **options)


class Docker:
    """Docker in a sandbox.

    Each command waits by itself until dockerd is ready (30 s), starts, and gives a result that streams; arguments are
    those of docker-py, and one that is not known is a TypeError. Paths and ports are the sandbox's.
    """

    def __init__(self, docker: AsyncDocker) -> None:
        self.aio = docker

    @property
    def ready_timeout(self) -> float:
        """Seconds that the first command waits for dockerd."""
        return self.aio.ready_timeout

    @ready_timeout.setter
    def ready_timeout(self, seconds: float) -> None:
        self.aio.ready_timeout = seconds

    def status(self) -> DockerStatus:
        """Of dockerd, as its supervisor has it."""
        return sync(self.aio.status())

    def wait_until_ready(self, timeout: float | None = None) -> None:
        """DockerNotReadyError when dockerd does not answer in time, or ended; it carries dockerd's last lines."""
        sync(self.aio.wait_until_ready(timeout))

    @property
    def host(self) -> str:
        """For DOCKER_HOST: "unix:///…/docker.sock". The daemon behind it is the sandbox's: do not trust what it
        says."""
        return sync(self.aio.host())

    @property
    def environment(self) -> dict[str, str]:
        """Variables that point docker, docker compose, docker-py's from_env() and testcontainers at this daemon."""
        return sync(self.aio.environment())

    def client(self, **options: Any) -> docker_py.DockerClient:
        """docker-py's client of this daemon, once it is ready. options: docker.DockerClient's."""
        self.wait_until_ready()
        return _client(self.host, options)

    def run(
        self, image: str, command: str | Sequence[str] | None = None, **options: Unpack[o.RunOptions]
    ) -> DockerResult:
        """docker run. ports={"80": "8080"}: the container's port 80 is the sandbox's 8080."""
        return DockerResult(sync(self.aio.run(image, command, **options)))

    def pull(self, repository: str, tag: str | None = None, **options: Unpack[o.PullOptions]) -> DockerResult:
        """docker pull, with progress."""
        return DockerResult(sync(self.aio.pull(repository, tag, **options)))

    def build(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        fileobj: IO[bytes] | None = None,
        sandbox_path: str | None = None,
        **options: Unpack[o.BuildOptions],
    ) -> DockerResult:
        """docker build. path: a directory of this host, sent as docker-py would, .dockerignore heeded; or fileobj: a
        Dockerfile without a context; or sandbox_path: a directory in the sandbox."""
        return DockerResult(sync(self.aio.build(path, fileobj=fileobj, sandbox_path=sandbox_path, **options)))

    def ps(self, **options: Unpack[o.PsOptions]) -> DockerResult:
        return DockerResult(sync(self.aio.ps(**options)))

    def images(self, name: str | None = None, **options: Unpack[o.ImagesOptions]) -> DockerResult:
        return DockerResult(sync(self.aio.images(name, **options)))

    def logs(self, container: str, **options: Unpack[o.LogsOptions]) -> DockerResult:
        """With follow=True the result streams until the container ends, or it is killed."""
        return DockerResult(sync(self.aio.logs(container, **options)))

    def exec(self, container: str, cmd: str | Sequence[str], **options: Unpack[o.ExecOptions]) -> DockerResult:
        """docker exec. With stdin=True the result's stdin is the command's."""
        return DockerResult(sync(self.aio.exec(container, cmd, **options)))

    def stop(self, container: str | Sequence[str], timeout: int | None = None) -> DockerResult:
        """timeout: seconds until a container is killed."""
        return DockerResult(sync(self.aio.stop(container, timeout)))

    def rm(self, container: str | Sequence[str], **options: Unpack[o.RmOptions]) -> DockerResult:
        return DockerResult(sync(self.aio.rm(container, **options)))

    def rmi(self, image: str | Sequence[str], **options: Unpack[o.RmiOptions]) -> DockerResult:
        return DockerResult(sync(self.aio.rmi(image, **options)))

    def push(self, repository: str, tag: str | None = None) -> DockerResult:
        return DockerResult(sync(self.aio.push(repository, tag)))

    def tag(self, image: str, repository: str, tag: str | None = None) -> DockerResult:
        return DockerResult(sync(self.aio.tag(image, repository, tag)))

    def login(self, username: str, password: str, registry: str | None = None) -> DockerResult:
        """Inside the sandbox; the password goes over stdin."""
        return DockerResult(sync(self.aio.login(username, password, registry)))

    def compose_up(self, **options: Unpack[o.ComposeUpOptions]) -> DockerResult:
        """docker compose up, detached unless detach=False. file and cwd are paths in the sandbox."""
        return DockerResult(sync(self.aio.compose_up(**options)))

    def compose_down(self, **options: Unpack[o.ComposeDownOptions]) -> DockerResult:
        return DockerResult(sync(self.aio.compose_down(**options)))

    def compose_ps(self, **options: Unpack[o.ComposePsOptions]) -> DockerResult:
        return DockerResult(sync(self.aio.compose_ps(**options)))

    def compose_logs(self, **options: Unpack[o.ComposeLogsOptions]) -> DockerResult:
        return DockerResult(sync(self.aio.compose_logs(**options)))
