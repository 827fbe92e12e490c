# SPDX-License-Identifier: Apache-2.0
"""Registries"""

import contextlib
from collections.abc import Iterator

from box import Box, has, same, scenario

# admin, secret
USERS = "admin:$2b$05$Yz2iYXbki9BB69jCbs3oW.fp1HtBfzlE8Y5CBjlBbOKleYNZwi/zy\n"


@contextlib.contextmanager
def registry(box: Box, port: int, more: str = "") -> Iterator[str]:
    """Debian's docker-registry in the sandbox, where Docker takes it without TLS."""
    box.file(
        f"/registry/{port}.yml",
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: /registry/{port}}}}}\nhttp: {{addr: 127.0.0.1:{port}}}\n{more}",
    )
    server = box.popen(
        "exec",
        box.id,
        "--",
        "/tools/docker-registry",
        "serve",
        f"/registry/{port}.yml",
        stderr=open(box.work.directory / "registry.log", "a"),
    )
    try:
        box.until("the registry is up", lambda: box.try_inside(f"curl -s http://127.0.0.1:{port}/v2/").code == 0)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(120)


@scenario()
def push_and_pull(box: Box) -> None:
    """`docker push` and `docker pull`, by tag and by digest, of an image with layers above another"""
    with registry(box, 5000) as where:
        box.load("tree:1")
        for name in ("busybox", "tree:1"):
            box.docker(f"tag {name} {where}/some/{name}")
            box.docker(f"push {where}/some/{name}")
        digest = box.docker("inspect -f", "{{index .RepoDigests 0}}", f"{where}/some/tree:1")
        box.docker(f"rmi -f tree:1 {where}/some/tree:1")
        box.loaded.discard("tree:1")
        has(box.docker(f"pull {where}/some/tree:1"), "Downloaded newer image")
        same(box.docker(f"run --rm {where}/some/tree:1 cat /some/kept"), "kept")
        box.docker(f"rmi {where}/some/tree:1")
        same(box.docker(f"run --rm {digest} cat /all/new"), "new")
        done = box.try_docker(f"pull {where}/some/absent")
        same(done.code, 1, "the exit code for an image that is not there")


@scenario()
def login(box: Box) -> None:
    """`docker login` and `logout`: a registry with passwords refuses who has none"""
    box.file("/registry/users", USERS)
    with registry(box, 5001, "auth: {htpasswd: {realm: here, path: /registry/users}}\n") as where:
        box.docker(f"tag busybox {where}/busybox")
        same(box.try_docker(f"push {where}/busybox").code, 1, "the exit code of a push without a password")
        same(box.try_docker(f"login -u admin --password-stdin {where}", input="wrong").code, 1)
        has(box.docker(f"login -u admin --password-stdin {where}", input="secret"), "Login Succeeded")
        box.docker(f"push {where}/busybox")
        box.docker(f"logout {where}")
        same(box.try_docker(f"pull {where}/busybox").code, 1, "the exit code after logout")
