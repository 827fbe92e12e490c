# SPDX-License-Identifier: Apache-2.0
"""Names of images, as Docker's users write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import ImageError

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:(?P<registry>localhost(?::\d+)?|[A-Za-z0-9.-]+\.[A-Za-z0-9.-]+(?::\d+)?|[A-Za-z0-9-]+:\d+|\[[0-9a-f:]+\](?::\d+)?)/)?"
    rf"(?P<repository>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)

DEFAULT_REGISTRY = "docker.io"


@dataclass(frozen=True)
class Reference:
    """``[registry/]repository[:tag][@digest]``; ``ubuntu`` means ``docker.io/library/ubuntu:latest``."""

    registry: str
    repository: str
    tag: str
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Reference:
        found = _REFERENCE.fullmatch(text)
        if not found:
            raise ImageError(f"not the name of an image: {text!r}", hint="write it as [registry/]repository[:tag]")
        registry = found["registry"] or DEFAULT_REGISTRY
        if registry == "index.docker.io":
            registry = DEFAULT_REGISTRY
        repository = found["repository"]
        if registry == DEFAULT_REGISTRY and "/" not in repository:
            repository = "library/" + repository
        return cls(registry, repository, found["tag"] or "latest", found["digest"] or "")

    @property
    def suffix(self) -> str:
        """``:tag`` or ``@digest``; a digest wins, as for Docker."""
        return "@" + self.digest if self.digest else ":" + self.tag

    def at(self, registry: str) -> str:
        """The same image on another registry, for skopeo."""
        return f"docker://{registry}/{self.repository}{self.suffix}"

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}{self.suffix}"
