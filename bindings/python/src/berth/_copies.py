# SPDX-License-Identifier: Apache-2.0
"""What a sandbox may have of its own that is taken out of a pool, or is a copy of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .creation import LABEL


def labels_of(annotations: Mapping[str, str], docker: bool) -> dict[str, str]:
    """What a copy says of itself to this package."""
    kept = {LABEL + name: annotations[LABEL + name] for name in ("workdir", "ports") if LABEL + name in annotations}
    return {**kept, LABEL + "docker": "1"} if docker else kept


def own_options(
    labels: Mapping[str, str],
    lifetime: float | None,
    egress: tuple[str, ...] | None,
    ends_with_process: bool,
    idle_timeout: float | None,
    hibernate: bool,
) -> dict[str, Any]:
    """What a sandbox that is taken or copied may have of its own, as the library reads it."""
    options: dict[str, Any] = {
        "annotations": dict(labels),
        "ends_with_creator": ends_with_process,
        "hibernate": hibernate,
    }
    for name, length in (("lifetime_ms", lifetime), ("idle_timeout_ms", idle_timeout)):
        if length is not None:
            options[name] = max(1, round(length * 1000))
    if egress is not None:
        options["egress"] = list(egress)
    return options
