# SPDX-License-Identifier: Apache-2.0
"""What Docker's failures in gVisor mean."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass

from .. import _ffi
from ..errors import BerthError, in_own_words


@dataclass(frozen=True)
class Diagnosis:
    """A known failure and the line that showed it."""

    #: Stable, such as BERTH-FREEZER.
    id: str
    cause: str
    remedy: str
    #: Where it is discussed or mended.
    reference: str
    #: At most 400 bytes of the line.
    evidence: str


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a sandbox, and what shows it."""

    #: Stable, such as BERTH-MEMORY; BERTH-UNKNOWN where nobody knows the cause.
    id: str
    cause: str
    #: Empty where nobody knows one.
    remedy: str
    #: Where it is discussed or described.
    reference: str
    #: The line that proves it, or the last ones.
    evidence: str
    #: The file that it is from, or "record", "cgroup", "versions".
    source: str


def diagnose_docker(output: str | bytes, *, runsc: str = "") -> list[Diagnosis]:
    """Looks for known symptoms in what docker, dockerd, runc or runsc printed: the most telling first, nothing where
    nothing is known. runsc: the binary that the sandbox runs on; without it, what an older release causes is found,
    too. A binary that was not asked before is asked for its release (0.2 s); one that cannot be is as none."""
    text = output.encode("utf-8", "surrogateescape") if isinstance(output, str) else bytes(output)
    with contextlib.ExitStack() as held:
        binary: _ffi.Handle | None = None
        if runsc:
            with contextlib.suppress(BerthError):
                name = runsc.encode("utf-8", "surrogateescape")
                binary = _ffi.make_handle("berth_runsc", "berth_runsc_probe", name, len(name), b"", 0)
                held.callback(_ffi.free_handle, "berth_runsc", binary)
        found = json.loads(_ffi.call_for_buffer("berth_docker_diagnose", text, len(text), binary))
    for row in found:
        row["remedy"] = in_own_words(row["remedy"])
    return [Diagnosis(**{name: str(row[name]) for name in Diagnosis.__dataclass_fields__}) for row in found]
