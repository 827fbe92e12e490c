# SPDX-License-Identifier: Apache-2.0
"""What a docker command comes to, for code without an event loop."""

from __future__ import annotations

from .._blocking.docker_result import BlockingDockerResult
from .async_result import AsyncDockerResult

__all__ = ["AsyncDockerResult", "DockerResult"]


class DockerResult(BlockingDockerResult):
    """As AsyncDockerResult, for code without an event loop."""
