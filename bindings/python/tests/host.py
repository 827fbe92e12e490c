# SPDX-License-Identifier: Apache-2.0
"""Commands on this host, by the library: what waits and streams is tested with them, without a sandbox."""

from __future__ import annotations

import weakref

from berth import _ffi
from berth._loop import Runtime

_hosts: weakref.WeakKeyDictionary[Runtime, _ffi.Handle] = weakref.WeakKeyDictionary()


def host_of(runtime: Runtime) -> _ffi.Handle:
    """The executor of this host on a runtime's loop, freed with that."""
    found = _hosts.get(runtime)
    if found is None:
        found = _hosts[runtime] = _ffi.make_handle("berth_executor", "berth_executor_create_host", runtime.handle)
        runtime.owned.append(("berth_executor", found))
    return found
