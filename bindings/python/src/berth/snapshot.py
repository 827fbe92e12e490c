# SPDX-License-Identifier: Apache-2.0
"""Saved sandboxes: `Sandbox.snapshot` makes them, `Sandbox(snapshot=NAME)` goes on from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from . import _ffi


@dataclass(frozen=True)
class Snapshot:
    """A saved sandbox. It holds what was in memory, secrets too, and only its owner reads it."""

    name: str
    directory: str
    #: Why it cannot be read; then the rest is not known.
    damage: str = ""
    #: Unix time.
    created_ms: int = 0
    took_ms: int = 0
    bytes: int = 0
    #: With a dockerd that is ready.
    docker: bool = False
    #: The one that was saved.
    sandbox: str = ""
    rootfs: str = ""
    memory_bytes: int = 0
    cpus: float = 0
    network: str = ""
    #: The release that can restore it.
    runsc: str = ""
    berth: str = ""
    annotations: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> Self:
        names = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in known.items() if name in names})


def snapshots() -> list[Snapshot]:
    """All of this machine's berth, by name. Reads small files."""
    return [Snapshot.of(one) for one in json.loads(_ffi.call_for_buffer("berth_snapshot_list", None, 0))]


def remove_snapshot(name: str) -> None:
    """Removes one: sandboxes that were made from it need it no more. NotFoundError where there is none."""
    text = _ffi.encode(name)
    _ffi.call("berth_snapshot_remove", None, 0, text, len(text))
