# SPDX-License-Identifier: Apache-2.0
"""What the tests run in processes of their own, which import it by name."""

from __future__ import annotations

import multiprocessing

from berth import Image


def build_and_report(queue: multiprocessing.Queue[str]) -> None:
    queue.put(Image.from_registry("ubuntu:22.04").run_commands("head -c8 /dev/urandom | od -x >/stamp").build().rootfs)
