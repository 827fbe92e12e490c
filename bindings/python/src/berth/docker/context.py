# SPDX-License-Identifier: Apache-2.0
"""The context of a build, packed as docker-py packs it."""

from __future__ import annotations

import os
from pathlib import Path


def pack_context(path: str, dockerfile: str | os.PathLike[str] | None) -> bytes:
    """A tar of the directory without what .dockerignore names. The Dockerfile must lie in it."""
    from docker.utils.build import tar

    if not os.path.isdir(path):
        raise NotADirectoryError(f"the context of a build is a directory: {path}")
    name = os.fspath(dockerfile) if dockerfile else "Dockerfile"
    if not os.path.isfile(os.path.join(path, name)):
        raise FileNotFoundError(f"no {name} in {path}")
    exclude: list[str] = []
    ignore = os.path.join(path, ".dockerignore")
    if os.path.exists(ignore):
        with open(ignore, encoding="utf-8") as f:
            exclude = [line for line in (raw.strip() for raw in f) if line and not line.startswith("#")]
    # Compressed, since docker's client tells a tar on stdin from a Dockerfile by its first 512 bytes, and takes one
    # that begins with a PAX header for a Dockerfile.
    packed = tar(Path(path), exclude=exclude, dockerfile=(name, None), gzip=True)
    try:
        data: bytes = packed.read(-1)
        return data
    finally:
        packed.close()
