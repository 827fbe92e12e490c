# SPDX-License-Identifier: Apache-2.0
"""What a sandbox runs on, and who makes it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Built:
    """A root file system that is ready to run, and what its image says about running it."""

    #: Of its content; empty for a directory that somebody else keeps.
    key: str
    rootfs: str
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


class AsyncBuildable(Protocol):
    async def build(self) -> Built: ...


@runtime_checkable
class Buildable(Protocol):
    """What a sandbox takes for an image: `Image` is one."""

    @property
    def aio(self) -> AsyncBuildable: ...

    @property
    def mirror(self) -> str | None:
        """The registry that is asked in place of docker.io, for the Docker inside too."""
        ...


def default_mirror() -> str | None:
    return os.environ.get("BERTH_REGISTRY_MIRROR") or None


def check_variable(name: str) -> None:
    """ValueError where it cannot be that of an environment's variable."""
    if not name or "=" in name or "\0" in name:
        raise ValueError(f"not a name of a variable: {name!r}")
