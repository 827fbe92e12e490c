# SPDX-License-Identifier: Apache-2.0
"""The root file system that a sandbox is made from: an image's, one that is there, or a snapshot's."""

from __future__ import annotations

import dataclasses

from .creation import LABEL, Wanted
from .errors import InvalidError, NotFoundError
from .rootfs import Built
from .snapshot import snapshots


async def with_rootfs(wanted: Wanted) -> tuple[Wanted, Built]:
    """It, built where it has to be; and what is wanted then, since a snapshot brings some of that along."""
    if wanted.image is not None:
        return wanted, await wanted.image.aio.build()
    if wanted.snapshot is not None:
        return _saved(wanted, wanted.snapshot)
    if not wanted.rootfs:
        raise InvalidError("a sandbox needs an image", hint="pass image=Image.from_registry(…)")
    return wanted, Built("", wanted.rootfs)


def _saved(wanted: Wanted, name: str) -> tuple[Wanted, Built]:
    """What the snapshot that it is to be restored from is like."""
    saved = next((one for one in snapshots() if one.name == name), None)
    if saved is None:
        raise NotFoundError(f"there is no snapshot {name!r}", hint="berth.snapshots() lists those there are")
    labels = saved.annotations
    told = dataclasses.replace(
        wanted,
        docker_enabled=saved.docker,
        ports=wanted.ports or tuple(int(port) for port in labels.get(LABEL + "ports", "").split(",") if port),
    )
    return told, Built("", saved.rootfs, workdir=labels.get(LABEL + "workdir", "/"))
