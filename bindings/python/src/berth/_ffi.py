# SPDX-License-Identifier: Apache-2.0
"""The C ABI by ctypes. No other file touches ctypes; the declarations are generated from the headers.

Every call drops the GIL. There are no callbacks: events are polled (see _loop.py).
"""

from __future__ import annotations

import ctypes
import os
import threading
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from dataclasses import dataclass
from typing import Any

from . import _declarations as c
from ._load import library_paths
from .errors import BerthError, error_class

_SCALARS: dict[str, Any] = {
    "void": None,
    "int32_t": c_int32,
    "uint32_t": c_uint32,
    "int64_t": c_int64,
    "uint64_t": c_uint64,
    "size_t": c_size_t,
    "berth_status": c_int32,
    "void*": c_void_p,
    "char*": c_char_p,
}


class Handle(c_void_p):
    """An opaque pointer; each type of the ABI has a class of its own, so that one cannot stand for another."""


HANDLES: dict[str, type[Handle]] = {name: type(name, (Handle,), {}) for name in c.HANDLES}


def _field(kind: str, length: int) -> Any:
    # Handles in structures stay plain pointers: ctypes would give None or int for c_void_p anyway.
    plain = c_void_p if kind.endswith("*") else _SCALARS[kind]
    return plain * length if length else plain


STRUCTURES: dict[str, type[ctypes.Structure]] = {
    name: type(name, (ctypes.Structure,), {"_fields_": [(f, _field(k, n)) for f, k, n in fields]})
    for name, fields in c.STRUCTURES.items()
}


def _type(kind: str) -> Any:
    if kind in _SCALARS:
        return _SCALARS[kind]
    if kind in STRUCTURES:
        return STRUCTURES[kind]
    if kind.endswith("*"):
        inner = kind[:-1]
        return HANDLES[inner] if inner in HANDLES else POINTER(_type(inner))
    raise TypeError(f"no ctypes type for {kind}")


def _open() -> ctypes.CDLL:
    tried = []
    for path in library_paths():
        try:
            library = ctypes.CDLL(path, mode=ctypes.RTLD_LOCAL | os.RTLD_NOW)
        except OSError as e:
            tried.append(f"{path}: {e}")
            continue
        for name, (result, arguments) in c.FUNCTIONS.items():
            # A library of the same ABI may be older and lack some: they are missed when they are used.
            if function := getattr(library, name, None):
                function.restype = _type(result)
                function.argtypes = [_type(a) for a in arguments]
        # As an address: c_char_p would be a copy up to the first NUL.
        library.berth_buffer_data.restype = c_void_p
        if library.berth_abi_check(c.ABI_VERSION, None) != c.BERTH_OK:
            raise ImportError(f"{path} does not serve programs of C ABI version {c.ABI_VERSION}")
        return library
    raise ImportError("libberth.so.0 cannot be loaded. Tried:\n  " + "\n  ".join(tried))


_opened: ctypes.CDLL | None = None
_opening = threading.Lock()


def lib() -> Any:
    """The library, opened at the first use."""
    global _opened
    if _opened is None:
        with _opening:
            if _opened is None:
                _opened = _open()
    return _opened


def text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "replace")


def encode(value: str) -> bytes:
    """UTF-8; what os.fsdecode could not decode goes back to the bytes it was."""
    return value.encode("utf-8", "surrogateescape")


def take_error(handle: int | None, status: int) -> BerthError:
    """The exception for an error of the library, which is freed."""
    library = lib()
    name = text(library.berth_status_name(status))
    if not handle:
        return error_class(status, name)(f"berth failed: {name}", code=status, code_name=name)
    error = HANDLES["berth_error"](handle)
    try:
        return error_class(status, name)(
            text(library.berth_error_message(error)),
            code=status,
            code_name=name,
            layer=text(library.berth_error_layer(error)),
            path=text(library.berth_error_path(error)),
            hint=text(library.berth_error_hint(error)),
            detail=text(library.berth_error_detail(error)),
            errno=library.berth_error_errno(error),
        )
    finally:
        library.berth_error_free(error)


def call(name: str, *arguments: Any) -> None:
    """A function that returns a status and takes a trailing error: raises what it fails with."""
    error = HANDLES["berth_error"]()
    status = getattr(lib(), name)(*arguments, byref(error))
    if status != c.BERTH_OK:
        raise take_error(error.value, status)


def _take_buffer(handle: int | None) -> bytes:
    if not handle:
        return b""
    buffer = HANDLES["berth_buffer"](handle)
    library = lib()
    try:
        address = library.berth_buffer_data(buffer)
        return ctypes.string_at(address, library.berth_buffer_size(buffer)) if address else b""
    finally:
        library.berth_buffer_free(buffer)


def call_for_buffer(name: str, *arguments: Any) -> bytes:
    """As call(), of one whose last output is a buffer."""
    buffer = HANDLES["berth_buffer"]()
    call(name, *arguments, byref(buffer))
    return _take_buffer(buffer.value)


@dataclass(frozen=True)
class Event:
    kind: int
    op: int
    user_data: int
    status: int
    code: int
    error: BerthError | None
    payload: bytes


_BATCH = 64


class Loop:
    """A berth_loop: a thread of the library's, and its queue of events."""

    def __init__(self, log_level: int, output_limit: int = 0) -> None:
        options: Any = STRUCTURES["berth_loop_options"]()
        lib().berth_loop_options_init(byref(options), ctypes.sizeof(options))
        options.log_level = log_level
        options.output_limit = output_limit
        self.handle = HANDLES["berth_loop"]()
        call("berth_loop_create", byref(options), byref(self.handle))
        descriptor = c_int32()
        call("berth_loop_fd", self.handle, byref(descriptor))
        self.fd: int = descriptor.value
        self._events = (STRUCTURES["berth_event"] * _BATCH)()

    def poll(self) -> tuple[list[Event], bool]:
        """Events that wait, oldest first, and whether there may be more. Does not block."""
        count = c_size_t()
        call("berth_loop_poll", self.handle, self._events, _BATCH, byref(count))
        taken = []
        for i in range(count.value):
            raw: Any = self._events[i]
            error = take_error(raw.err, raw.status) if raw.err or raw.status else None
            taken.append(Event(raw.kind, raw.op, raw.user_data, raw.status, raw.code, error, _take_buffer(raw.payload)))
        ctypes.memset(self._events, 0, ctypes.sizeof(self._events))  # what was in them is freed
        return taken, count.value == _BATCH

    def cancel(self, op: int) -> None:
        call("berth_op_cancel", self.handle, op)

    def free(self) -> None:
        lib().berth_loop_free(self.handle)


def start(name: str, *arguments: Any, user_data: int, deadline_ns: int = 0) -> int:
    """A function that starts an operation: (…, op_options, op*, err). Gives the op's id."""
    op = c_uint64()
    call(name, *arguments, _op_options(user_data, deadline_ns), byref(op))
    return op.value


def start_for_handle(kind: str, name: str, *arguments: Any, user_data: int, deadline_ns: int = 0) -> tuple[Handle, int]:
    """As start(), of one that gives a handle in front of the op."""
    op = c_uint64()
    handle = HANDLES[kind]()
    call(name, *arguments, _op_options(user_data, deadline_ns), byref(handle), byref(op))
    return handle, op.value


def make_handle(kind: str, name: str, *arguments: Any) -> Handle:
    handle = HANDLES[kind]()
    call(name, *arguments, byref(handle))
    return handle


def free_handle(kind: str, handle: Handle) -> None:
    getattr(lib(), f"{kind}_free")(handle)


def free_handle_in(pid: int, kind: str, handle: Handle) -> None:
    """As free_handle(), in the process that made it; a child after fork leaves it be."""
    if os.getpid() == pid:
        free_handle(kind, handle)


def now_ns() -> int:
    now: int = lib().berth_now_ns()
    return now


def _op_options(user_data: int, deadline_ns: int) -> Any:
    options: Any = STRUCTURES["berth_op_options"]()
    options.struct_size = ctypes.sizeof(options)
    options.user_data = user_data
    options.deadline_ns = deadline_ns
    return byref(options)
