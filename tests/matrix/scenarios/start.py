# SPDX-License-Identifier: Apache-2.0
"""Docker in the sandbox"""

from box import Box, Failure, has, same, scenario


@scenario(cut=True)
def ready(box: Box) -> None:
    """`berth run -d --docker --wait` returns when Docker is ready, with overlay as its storage"""
    has(box.docker("version --format {{.Server.Version}}"), box.version)
    driver = box.docker("info --format {{.Driver}}")
    if driver not in ("overlay2", "overlayfs"):
        raise Failure(f"the storage driver is {driver}")
    same(box.status()["docker"]["state"], "ready")
