# SPDX-License-Identifier: Apache-2.0
"""Images: root file systems with what it takes to run them, described step by step and built once."""

from __future__ import annotations

import json
import os
import shlex
import tempfile
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from .._arguments import PathName, path_name
from .._cancel import in_thread
from .._loop import sync
from ..errors import BerthWarning, ImageError
from ..progress import progress
from ..rootfs import Built, check_variable
from ..snapshot import Snapshot
from . import docker_packages
from .build import run_step
from .registry import RegistryOptions, fetch
from .store import Store, content_key
from .tree import tree_key

__all__ = ["Built", "Image", "RegistryOptions", "Store"]


@dataclass(frozen=True)
class _Step:
    kind: Literal["docker", "commands"]
    commands: tuple[str, ...]
    #: As the image said when the step was added; later ones are not for it.
    variables: tuple[tuple[str, str], ...]
    directory_inside: str


@dataclass(frozen=True)
class Image:
    """What a sandbox runs on. Immutable: each method gives a new image. Nothing is fetched or run before ``build``,
    which ``Sandbox.create`` calls. What was built is cached by content, shared by all processes of this user, and
    closed to other users of the machine.

    Steps run inside a gVisor sandbox with network, never on the host.
    """

    reference: str = ""
    directory: str = ""
    registry: RegistryOptions = RegistryOptions()
    pull: Literal["missing", "always"] = "missing"
    steps: tuple[_Step, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    directory_inside: str = ""

    @classmethod
    def from_registry(
        cls,
        ref: str,
        *,
        mirror: str | None = None,
        auth_file: PathName | None = None,
        pull: Literal["missing", "always"] = "missing",
    ) -> Image:
        """An image of a registry, by the name that ``docker pull`` takes.

        mirror: asked in place of docker.io: ``host[:port]``, or ``http://host[:port]`` without TLS; default
        ``$BERTH_REGISTRY_MIRROR``. auth_file: credentials as ``docker login`` writes them; default
        ``$REGISTRY_AUTH_FILE``, then the user's own. Needs skopeo and umoci.
        """
        from .reference import Reference

        Reference.parse(ref)  # a bad name is said here, not at the first use
        given = RegistryOptions.from_environment()
        return cls(
            reference=ref,
            registry=RegistryOptions(
                mirror or given.mirror, path_name("auth_file", auth_file) if auth_file else given.auth_file
            ),
            pull=pull,
        )

    @classmethod
    def from_rootfs(cls, directory: PathName) -> Image:
        """A root file system that lies in a directory. It is never written to; do not change it while it is in use."""
        path = os.path.realpath(directory)
        if not os.path.isdir(path):
            raise ImageError(f"no such directory: {path}")
        return cls(directory=path)

    def with_docker(self) -> Image:
        """Installs Docker by the image's own packages (Debian and Ubuntu), compose v2 and buildx with it, unless Docker
        is there already. BerthWarning where the system is too old for one of the two."""
        return self._and("docker")

    def run_commands(self, *commands: str) -> Image:
        """Runs shell commands as root, in order; one that fails ends the build with its output."""
        if not commands or not all(isinstance(c, str) and c for c in commands):
            raise TypeError("run_commands() takes shell commands, each a non-empty string")
        return self._and("commands", commands)

    def _and(self, kind: Literal["docker", "commands"], commands: tuple[str, ...] = ()) -> Image:
        step = _Step(kind, commands, self.variables, self.directory_inside)
        return replace(self, steps=(*self.steps, step))

    def env(self, variables: Mapping[str, str] | None = None, /, **more: str) -> Image:
        """Adds variables to the environment of all that runs in the image, its later steps included."""
        merged = {**dict(self.variables), **(variables or {}), **more}
        for name in merged:
            check_variable(name)
        return replace(self, variables=tuple(sorted(merged.items())))

    def workdir(self, directory: str) -> Image:
        """Where later steps and commands in a sandbox start, unless they say otherwise. It is made where it is missing:
        by the next step, else by each sandbox for itself."""
        if not directory.startswith("/"):
            raise ValueError(f"workdir() takes an absolute path, not {directory!r}")
        return replace(self, directory_inside=directory)

    def build(self, store: Store | None = None) -> Built:
        """Makes the root file system, or finds it in the cache. Blocks; shows progress; safe to call from anywhere."""
        store = store or Store()
        base = self._base(store)
        built = base
        for step in self.steps:
            built = self._with_step(_set_up(built, base, step), step, store)
        return _set_up(built, base, self)

    def preload(
        self,
        *names: str,
        archives: Iterable[PathName] = (),
        cpu: float | None = None,
        memory: str | int | None = None,
    ) -> Snapshot:
        """A snapshot of a sandbox of this image whose Docker has these images already: ``docker pull`` brings those
        that are named, ``docker load`` those of ``archives``, files of this host. ``Sandbox(snapshot=….name)`` and
        ``SandboxPool`` start from it; cpu and memory are theirs.

        Made once: its name depends on the image, the names and what is in the archives, and where there is one it is
        given as it is. A name that moves, as ``latest``, is not looked up again: ``remove_snapshot`` comes before
        that.
        """
        return sync(self.aio.preload(*names, archives=archives, cpu=cpu, memory=memory))

    @property
    def mirror(self) -> str | None:
        """The registry that is asked in place of docker.io, for the Docker inside too."""
        return self.registry.mirror

    @property
    def aio(self) -> AsyncImage:
        """The same image, for code on an event loop."""
        return AsyncImage(self)

    def _base(self, store: Store) -> Built:
        if self.reference:
            return fetch(self.reference, self.registry, store, self.pull)
        if not self.directory:
            raise ImageError("an image is made by Image.from_registry() or Image.from_rootfs()")
        return Built("", self.directory)

    def _with_step(self, built: Built, step: _Step, store: Store) -> Built:
        if step.kind == "docker":
            if docker_packages.has_docker(built.rootfs):
                return built
            script, title, done = (
                docker_packages.install_script(built.rootfs),
                "Installing Docker...",
                "Docker installed",
            )
        else:
            script = "set -e\n" + "\n".join(step.commands)
            title, done = f"Running {len(step.commands)} command(s)...", "Commands ran"
        # Read only here: without a step that has something to do, nothing is kept of a directory.
        below = built.key or tree_key(built.rootfs, store)
        # The environment and the directory are part of what a step does.
        key = content_key("step", below, script, json.dumps(built.env, sort_keys=True), built.workdir)
        if found := store.find(key):
            return Built(key, found.rootfs, built.env, built.workdir)
        with store.lock(key):
            if found := store.find(key):
                return Built(key, found.rootfs, built.env, built.workdir)
            with progress(title, done) as at, store.building(key) as made:
                with tempfile.TemporaryDirectory(prefix="berth-image-") as work:
                    run_step(
                        replace(built, workdir="/"),
                        _in_directory(built.workdir, script),
                        str(made / "rootfs"),
                        Path(work),
                        at,
                    )
                if step.kind == "docker" and (without := docker_packages.lacking(str(made / "rootfs"))):
                    warnings.warn(_without(without), BerthWarning, stacklevel=2)
                return store.publish(made, Built(key, "", built.env, built.workdir))


def _without(plugins: list[str]) -> str:
    found = " and no ".join(plugins)
    return f"with_docker() found no {found} for this image: take one of Debian 12, Ubuntu 22.04 or newer"


def _set_up(built: Built, base: Built, what: Image | _Step) -> Built:
    """With the environment and the directory of an image, or of one of its steps."""
    env = {**base.env, **dict(what.variables)}
    return replace(built, env=env, workdir=what.directory_inside or base.workdir)


def _in_directory(directory: str, script: str) -> str:
    quoted = shlex.quote(directory)
    return f"mkdir -p -- {quoted} && cd -- {quoted} || exit\n{script}" if directory != "/" else script


class AsyncImage:
    """What of an image waits, for code on an event loop; `Image.aio`."""

    def __init__(self, image: Image) -> None:
        self._image = image

    async def build(self, store: Store | None = None) -> Built:
        """Image.build(). Cancelling ends what runs, and leaves nothing half made."""
        return await in_thread(lambda: self._image.build(store))

    async def preload(
        self,
        *names: str,
        archives: Iterable[PathName] = (),
        cpu: float | None = None,
        memory: str | int | None = None,
    ) -> Snapshot:
        """Image.preload(). Cancelling leaves nothing half made."""
        from ..preload import preload  # it makes sandboxes, which images know nothing of

        return await preload(self._image, names, archives, cpu=cpu, memory=memory)
