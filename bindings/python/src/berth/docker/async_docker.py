# SPDX-License-Identifier: Apache-2.0
"""Docker in a sandbox, for code on an event loop: its commands with docker-py's arguments."""

from __future__ import annotations

import asyncio
import contextlib
import os
import warnings
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING, Any, Unpack

from .. import _ffi
from .._arguments import Seconds, path_name, seconds
from .._loop import sync
from .._streams import STDERR, STDOUT
from ..async_process import AsyncProcess
from ..errors import BerthWarning, DockerError
from ..place import Place
from ..progress import logger, say
from . import argv, paths
from . import options as o
from .async_result import AsyncDockerResult, LineStarts, completed
from .client import make_client
from .context import pack_context
from .readiness import DEFAULT_TIMEOUT, DockerStatus, Readiness

if TYPE_CHECKING:
    import docker as docker_py


#: Seconds that are as good as for ever.
_LONG = 1e6
#: Docker up to 20.10 has BuildKit and asks for it to be asked for; later ones take it where buildx is installed, and
#: would end at once without it if they were told to.
_BUILDKIT = """
if [ -z "${DOCKER_BUILDKIT-}" ]; then
  case $(docker --version 2>/dev/null) in
    *" version 18."* | *" version 19."* | *" version 20."*) export DOCKER_BUILDKIT=1 ;;
  esac
fi
exec "$@"
"""
_WITH_BUILDKIT = ("sh", "-c", _BUILDKIT, "sh")


class AsyncDocker:
    """Docker in a sandbox, for code on an event loop; `sandbox.docker.aio`.

    Each command waits by itself until dockerd is ready (30 s), starts, and gives a result that streams; arguments are
    those of docker-py, and one that is not known is a TypeError. Paths and ports are the sandbox's.
    """

    def __init__(self, sandbox: Place) -> None:
        self._sandbox = sandbox
        self._readiness = Readiness(sandbox)
        self._compose_words: list[str] | None = None
        self._compose_is_old = False
        #: Seconds that the first command waits for dockerd.
        self.ready_timeout: Seconds = DEFAULT_TIMEOUT

    async def status(self) -> DockerStatus:
        """Of dockerd, as its supervisor has it."""
        return await self._readiness.status()

    async def wait_until_ready(self, timeout: Seconds | None = None) -> None:
        """DockerNotReadyError when dockerd does not answer in time, or ended; it carries dockerd's last lines."""
        limit = seconds("timeout", self.ready_timeout if timeout is None else timeout)
        await self._readiness.wait(_LONG if limit is None else min(limit, _LONG))

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
        """docker-py's client of this daemon, once it is ready. options: docker.DockerClient's. Paths of volumes are the
        sandbox's: BerthWarning for one of this host that the sandbox does not have."""
        await self.wait_until_ready()
        # In a thread: it asks the daemon for its version.
        return await asyncio.to_thread(make_client, await self.host(), self._look_now, options)

    async def run(
        self, image: str, command: str | Sequence[str] | None = None, **options: Unpack[o.RunOptions]
    ) -> AsyncDockerResult:
        """docker run. ports={"80": "8080"}: the container's port 80 is the sandbox's 8080.

        With remove=True and in the foreground, `docker logs` has nothing of it, unless log_config says so: Docker's log
        holds the output up and may drop its end. BerthWarning: a path of this host that the sandbox does not have."""
        words = argv.run(image, command, options)
        await self.wait_until_ready()
        await self._need("env_file", paths.read(options.get("env_file")))
        await self._look_for(paths.of_run(options))
        return await self._start(words, pipe=bool(options.get("stdin_open")), waited=True)

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
        sandbox_path: str | os.PathLike[str] | None = None,
        **options: Unpack[o.BuildOptions],
    ) -> AsyncDockerResult:
        """docker build, by BuildKit unless the sandbox's environment has DOCKER_BUILDKIT=0, or its Docker (23 or later)
        lacks buildx. path: a directory of this host, sent as docker-py would, .dockerignore heeded; or fileobj: a
        Dockerfile without a context; or sandbox_path: a directory in the sandbox."""
        if sum(x is not None for x in (path, fileobj, sandbox_path)) != 1:
            raise TypeError("build() takes one of path, fileobj and sandbox_path")
        words = argv.build(sandbox_path or "-", options)
        data: bytes | None = None
        if fileobj is not None:
            data = await asyncio.to_thread(fileobj.read)
        elif path is not None:
            data = await asyncio.to_thread(pack_context, os.fspath(path), options.get("dockerfile"))
        await self.wait_until_ready()
        return await self._begin(["docker", *words], stdin=data, by=_WITH_BUILDKIT)

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

    async def stop(self, container: str | Sequence[str], timeout: Seconds | None = None) -> AsyncDockerResult:
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
        """docker compose up, detached unless detach=False. file and cwd are paths in the sandbox. wait=True: ends when
        the services run, or are healthy where they say how to tell."""
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
        where = None if cwd is None else path_name("cwd", cwd)
        await self._need("file", paths.read(given.get("file")), where)
        if verb == "up":
            if self._compose_is_old and given.get("wait"):
                raise DockerError(
                    "wait= needs Docker Compose 2, and this sandbox has docker-compose 1",
                    layer="docker",
                    hint="install docker-compose-plugin or docker-compose-v2 in the image",
                )
            asked = argv.compose_config(given, old=self._compose_is_old)
            model = await self._begin([*program, *asked], cwd=where, env=env, quiet=True)
            # What is wrong with the files is told by the command itself.
            if await _code(model) == 0:
                await self._look_for(paths.of_compose(model.text_of(STDOUT)))
        return await self._begin([*program, *words], cwd=where, env=env, clean=LineStarts())

    async def _look_for(self, sources: paths.Sources) -> None:
        """Says what Docker would mount an empty directory for."""
        for path in await self._missing(sources.worth_a_look()):
            warnings.warn(paths.warning(path), BerthWarning, stacklevel=2)

    async def _need(self, option: str, wanted: list[str], cwd: str | None = None) -> None:
        """SandboxFileNotFound where a file that a command reads is not in the sandbox."""
        for path in await self._missing(wanted, cwd):
            raise paths.not_there(option, path)

    async def _missing(self, wanted: list[str], cwd: str | None = None) -> list[str]:
        if not wanted:
            return []
        looked = await self._sandbox.start(["sh", "-c", paths.LOOK, "sh", *wanted], pipe=False, cwd=cwd)
        await _code(looked)
        return paths.missing(looked.text_of(STDOUT), wanted)

    def _look_now(self, sources: paths.Sources) -> None:
        sync(self._look_for(sources))

    async def _compose_program(self) -> list[str]:
        """`docker compose`, or the older docker-compose."""
        if self._compose_words is None:
            for words in (["docker", "compose"], ["docker-compose"]):
                with contextlib.suppress(DockerError):
                    said = await completed(await self._begin([*words, "version"], quiet=True))
                    self._compose_words = words
                    self._compose_is_old = " version 1." in said
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
        clean: LineStarts | None = None,
        by: Sequence[str] = (),
    ) -> AsyncDockerResult:
        runtime, _ = await self._sandbox.attached()
        result = AsyncDockerResult(runtime, words)
        result.clean, result.by = clean, by
        result.runsc = str(self._sandbox.record.get("runsc", ""))
        if not quiet:
            result.on_end = _announce(result, done)
        await self._sandbox.start(words, stdin=stdin, pipe=pipe, cwd=cwd, env=env, process=result)
        return result


async def _code(process: AsyncProcess) -> int:
    """Its exit code; when the waiter is cancelled, so is the command."""
    try:
        return await process.wait()
    except asyncio.CancelledError:
        await process.runtime.on(process.runtime.cancel(process.operation))
        raise


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
