# SPDX-License-Identifier: Apache-2.0
"""What this machine has of what berth needs."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from . import _ffi
from .errors import InvalidError, in_own_words

if TYPE_CHECKING:
    from .image import Image


@dataclass(frozen=True)
class MachineCheck:
    """One thing that the machine has, lacks, or has in a form that does not do."""

    name: str  #: "kernel", "runsc", "nft", "rootfs dockerd"
    state: Literal["found", "missing", "unfit"]
    needed: bool  #: without it nothing works; otherwise it is an extra
    found: str  #: what is there, or why it does not do
    remedy: str = ""  #: what to do; empty where there is nothing to be done


@dataclass(frozen=True)
class Machine:
    """What check_machine() found."""

    ok: bool  #: all that is needed is found
    checks: tuple[MachineCheck, ...]


def check_machine(rootfs: str | os.PathLike[str] | None = None, *, image: Image | None = None) -> Machine:
    """What this machine has of what berth needs, and, with a root file system or an image, what is to be said of the
    Docker in it. An image is fetched and made as for a sandbox, and kept for that; nothing of it is run but its steps.

    Changes nothing else. Takes half a second the first time, while runsc is asked for its options: from a coroutine,
    by asyncio.to_thread."""
    if image is not None:
        if rootfs is not None:
            raise InvalidError("check_machine() takes a root file system or an image, not both")
        rootfs = image.build().rootfs
    directory = os.fsencode(rootfs) if rootfs is not None else b""
    found = json.loads(_ffi.call_for_buffer("berth_check_machine", None, 0, directory, len(directory)))
    checks = (MachineCheck(**{**one, "remedy": in_own_words(one.get("remedy", ""))}) for one in found["checks"])
    return Machine(found["ok"], tuple(checks))
