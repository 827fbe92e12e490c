# SPDX-License-Identifier: Apache-2.0
"""Files of a sandbox, for code without an event loop."""

from __future__ import annotations

from ._answers import FileInfo
from ._blocking.fs import BlockingFs
from .async_fs import AsyncFs

__all__ = ["AsyncFs", "FileInfo", "Fs"]


class Fs(BlockingFs):
    """As AsyncFs (which is its `aio`), for code without an event loop."""
