# SPDX-License-Identifier: Apache-2.0
"""A command's standard input, for code without an event loop."""

from __future__ import annotations

from ._blocking.stdin import BlockingStdin


class Stdin(BlockingStdin):
    """As AsyncStdin, for code without an event loop."""
