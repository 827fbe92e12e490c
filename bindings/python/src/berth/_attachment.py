# SPDX-License-Identifier: Apache-2.0
"""A sandbox by its id: the library's handles of it, and what its record says."""

from __future__ import annotations

import contextlib
import json
import os
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

from . import _declarations as c
from . import _ffi
from ._loop import Runtime, current
from .creation import LABEL
from .errors import BerthError, NotFoundError, SandboxError, SandboxNotFound


class Attached:
    """A handle of the library's, freed with this object: when its sandbox goes, or the event loop that it was for."""

    def __init__(self, handle: _ffi.Handle) -> None:
        self.handle = handle
        weakref.finalize(self, _ffi.free_handle_in, os.getpid(), "berth_sandbox", handle).atexit = False


class Attachment:
    """What a sandbox is reached by: a handle for each event loop that it is used from, made when it is needed."""

    def __init__(self, id: str, record: Mapping[str, Any] | None) -> None:
        self._id = id
        self._record: dict[str, Any] = dict(record or {})
        self._handles: weakref.WeakKeyDictionary[Runtime, Attached] = weakref.WeakKeyDictionary()

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

    async def attached(self) -> tuple[Runtime, _ffi.Handle]:
        runtime = current()
        attached = self._handles.get(runtime)
        if attached is None:
            try:
                attached, record = await attach(runtime, self.id)
            except NotFoundError as e:
                raise self._gone(e) from e
            if not self._is_this(record):
                raise self._gone(NotFoundError("", code=c.BERTH_E_NOT_FOUND, code_name="not_found"))
            self._record = record
            self._learn()
            self._handles[runtime] = attached
        return runtime, attached.handle

    def _is_this(self, record: Mapping[str, Any]) -> bool:
        """Whether a record of the same name is this sandbox's, and not that of one made since."""
        return not self._record or bool(record["damage"]) or record["created"] == self._record["created"]

    def _gone(self, e: BerthError) -> SandboxNotFound:
        return SandboxNotFound(f"no sandbox is called '{self.id}'", code=e.code, code_name=e.code_name)

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """What is not there may be the sandbox itself, or a file or a program that the caller has named."""
        try:
            yield
        except NotFoundError as e:
            own = str(self._record.get("directory", ""))
            if e.path in ("", self.id) or (own and f"{e.path}/".startswith(f"{own}/")):
                raise self._gone(e) from e
            raise

    @property
    def record(self) -> Mapping[str, Any]:
        return self._record

    def _label(self, name: str) -> str:
        return str(self._record.get("annotations", {}).get(LABEL + name, ""))

    def _learn(self) -> None:
        """The record is there."""

    async def _operate(self, function: str, *arguments: Any) -> _ffi.Event:
        runtime, handle = await self.attached()
        with self._asking():
            return await runtime.run(_ffi.start, function, handle, *arguments)


async def attach(runtime: Runtime, id: str) -> tuple[Attached, dict[str, Any]]:
    name = _ffi.encode(id)
    operation, handle = runtime.start(
        lambda **o: _ffi.start_for_handle(
            "berth_sandbox", "berth_sandbox_attach", runtime.handle, None, 0, name, len(name), **o
        )
    )
    attached = Attached(handle)
    event = await runtime.outcome(operation)
    return attached, json.loads(event.payload)
