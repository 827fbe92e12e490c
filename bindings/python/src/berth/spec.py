# SPDX-License-Identifier: Apache-2.0
"""OCI runtime specs, for workers that run gVisor sandboxes of their own: what Docker needs inside, put into theirs."""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Mapping
from typing import Any, Self

from . import _ffi
from ._arguments import PathName


def find_init() -> str:
    """berth-init on this host, which starts dockerd: for `guest` of Spec.apply_docker in a sandbox of your own.
    NotFoundError, with where it was looked for."""
    return _ffi.call_for_buffer("berth_find_init", None, 0).decode()


class Spec:
    """A config.json, kept without loss: unknown keys, the order of keys and the text of numbers survive.

    A change is all or nothing, and doing it twice changes nothing more. SpecError says where (a JSON pointer) and
    what to do. One thread at a time.
    """

    def __init__(self, spec: str | bytes | Mapping[str, Any]) -> None:
        data = _json(spec)
        self._adopt(_ffi.make_handle("berth_spec", "berth_spec_parse", data, len(data)))

    def _adopt(self, handle: _ffi.Handle) -> None:
        self._handle = handle
        weakref.finalize(self, _ffi.free_handle, "berth_spec", handle).atexit = False

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Reads a file; a symbolic link is refused."""
        name = os.fsencode(path)
        made = cls.__new__(cls)
        made._adopt(_ffi.make_handle("berth_spec", "berth_spec_load", name, len(name)))
        return made

    def copy(self) -> Spec:
        made = Spec.__new__(Spec)
        made._adopt(_ffi.make_handle("berth_spec", "berth_spec_clone", self._handle))
        return made

    def apply_docker(
        self,
        *,
        cgroup: str | None = None,
        data_root: PathName | None = None,
        data_root_path: PathName | None = None,
        raise_limits: bool | None = None,
        guest: PathName | None = None,
    ) -> dict[str, Any]:
        """What a sandbox needs for dockerd inside: capabilities, the cgroup mount, a data root.

        cgroup: "sandbox" (default), "host-bind" (opens the host's cgroups to the sandbox) or "none". data_root:
        "tmpfs", "tmpfs:2Gi" or a directory of the host. raise_limits: CAP_SYS_RESOURCE beside the 17, so that nested
        containers may raise limits. guest: berth-init on the host, bound in at /.berth/init: it starts dockerd.

        Gives what was seen to: {"steps": […], "log": […]}.
        """
        given = {
            "cgroup": cgroup,
            "data_root": data_root,
            "data_root_path": data_root_path,
            "raise_limits": raise_limits,
            "guest": guest,
        }
        options = json.dumps({k: v for k, v in given.items() if v is not None}, default=os.fspath).encode()
        seen_to: dict[str, Any] = json.loads(
            _ffi.call_for_buffer("berth_spec_apply_docker", self._handle, options, len(options))
        )
        return seen_to

    def merge(self, patch: str | bytes | Mapping[str, Any]) -> None:
        """A JSON merge patch (RFC 7396): objects merge, null removes, the rest replaces."""
        data = _json(patch)
        _ffi.call("berth_spec_merge", self._handle, data, len(data))

    def diff(self, after: Spec) -> list[dict[str, Any]]:
        """How `after` differs from this: [{"op", "path", "before", "after"}, …]."""
        found: list[dict[str, Any]] = json.loads(_ffi.call_for_buffer("berth_spec_diff", self._handle, after._handle))
        return found

    def to_json(self) -> str:
        return _ffi.text(_ffi.call_for_buffer("berth_spec_to_json", self._handle))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a file atomically."""
        name = os.fsencode(path)
        _ffi.call("berth_spec_save", self._handle, name, len(name))


def _json(value: str | bytes | Mapping[str, Any]) -> bytes:
    if isinstance(value, bytes):
        return value
    return _ffi.encode(value if isinstance(value, str) else json.dumps(value))
