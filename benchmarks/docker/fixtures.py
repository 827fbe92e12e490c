# SPDX-License-Identifier: Apache-2.0
"""What is built, pulled and started: a repository of packages, a Dockerfile, an image of 200 MB, a compose file."""

import contextlib
import hashlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from archive import Images, layer
from box import Work

PACKAGES = 12
DOCKERFILE = """FROM ubuntu:test
ENV DEBIAN_FRONTEND=noninteractive
RUN rm -rf /etc/apt/sources.list /etc/apt/sources.list.d && echo 'deb [trusted=yes] http://{outside}:7999/apt ./' > /etc/apt/sources.list
RUN apt-get update
{installs}
WORKDIR /made
COPY Dockerfile ./
RUN sha256sum /usr/share/bench-*/0 > sums
RUN wc -l < sums > count
"""
COMPOSE = """services:
  one: &service
    image: traffic:1
    command: traffic serve 80
    healthcheck: {test: traffic call 127.0.0.1 80 0 1, interval: 1s, timeout: 60s, retries: 60}
  two: *service
  three: *service
"""


def package_repository(directory: Path) -> None:
    """Packages of 40 files each, made here: a Debian mirror that a sandbox reaches cannot be counted on."""
    directory.mkdir()
    entries = []
    for number in range(1, PACKAGES + 1):
        name = f"bench-{number}"
        tree = directory / name
        (tree / "DEBIAN").mkdir(parents=True)
        control = f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: berth <berth@localhost>\nDescription: nothing\n"
        (tree / "DEBIAN/control").write_text(control)
        files = tree / "usr/share" / name
        files.mkdir(parents=True)
        for file in range(40):
            (files / str(file)).write_bytes(os.urandom(500) * 100)
        deb = directory / f"{name}.deb"
        subprocess.run(["dpkg-deb", "-Zgzip", "--build", str(tree), str(deb)], check=True, stdout=subprocess.DEVNULL)
        data = deb.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        entries.append(f"{control}Filename: ./{name}.deb\nSize: {len(data)}\nSHA256: {digest}\n")
    (directory / "Packages").write_text("\n".join(entries))


def dockerfile(work: Work) -> str:
    installs = "\n".join(f"RUN apt-get install -y bench-{number}" for number in range(1, PACKAGES + 1))
    text = DOCKERFILE.format(outside=work.outside, installs=installs)
    assert len(text.strip().splitlines()) == 20
    return text


def large_image(images: Images) -> Path:
    """200 MB that do not compress, in four layers."""
    return images.above("large:1", *(layer((f"bytes/{part}", os.urandom(50_000_000))) for part in range(4)))


@contextlib.contextmanager
def inside_namespace(work: Work, *argv: str) -> Iterator[subprocess.Popen]:
    """A program in the namespace that the sandboxes reach."""
    with open(work.directory / (Path(argv[0]).name + ".log"), "w") as log:
        enter = ["setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", work.namespace]
        process = subprocess.Popen([*enter, *argv], stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def registry(work: Work, archive: Path) -> Iterator[str]:
    """Debian's docker-registry with the image in it; its name there."""
    data = work.directory / "registry"
    settings = work.directory / "registry.yml"
    settings.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {data}}}}}\nhttp: {{addr: {work.outside}:5000}}\n"
    )
    with inside_namespace(work, "docker-registry", "serve", str(settings)):
        name = f"{work.outside}:5000/large:1"
        copy = ["skopeo", "copy", "--insecure-policy", "--dest-tls-verify=false", f"docker-archive:{archive}"]
        end = time.monotonic() + 60
        while True:
            done = subprocess.run([*copy, f"docker://{name}"], capture_output=True, text=True)
            if done.returncode == 0:
                break
            if time.monotonic() > end:
                raise SystemExit(f"the registry does not take the image: {done.stderr}")
            time.sleep(0.5)
        yield name
