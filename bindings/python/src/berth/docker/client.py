# SPDX-License-Identifier: Apache-2.0
"""docker-py's client of a sandbox's daemon, which says beforehand what Docker would mount an empty directory for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import paths

if TYPE_CHECKING:
    import docker as docker_py


def make_client(
    host: str, look_for: Callable[[paths.Sources], None], options: dict[str, Any]
) -> docker_py.DockerClient:
    # Imported here: it takes longer than all of the rest.
    import docker as docker_py

    class Api(docker_py.APIClient):
        def create_container_from_config(self, config: Any, *arguments: Any, **named: Any) -> Any:
            look_for(paths.of_config(config))
            create: Any = super().create_container_from_config
            return create(config, *arguments, **named)

    class Client(docker_py.DockerClient):
        def __init__(self, **given: Any) -> None:
            self.api = Api(**given)

    return Client(base_url=host, **options)
