# SPDX-License-Identifier: Apache-2.0
"""testcontainers-python on a sandbox's Docker: integration tests without the host's. Needs `pip install
testcontainers`."""

import os
import time
import urllib.request

from berth import Image, Sandbox

image = Image.from_registry("ubuntu:22.04").with_docker()

with Sandbox(image=image, docker_enabled=True, memory="2Gi") as sandbox:
    sandbox.docker.wait_until_ready()
    # DOCKER_HOST, and where published ports are. Set before testcontainers is imported.
    os.environ.update(sandbox.docker.environment)
    # Its reaper cleans up after tests that crash; here the sandbox goes, and all with it.
    os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"
    from testcontainers.core.container import DockerContainer

    with DockerContainer("nginx:latest").with_exposed_ports(80) as nginx:
        url = f"http://{nginx.get_container_host_ip()}:{nginx.get_exposed_port(80)}/"
        for _ in range(100):
            try:
                page = urllib.request.urlopen(url, timeout=5).read().decode()
                break
            except OSError:
                time.sleep(0.1)
        print(page[page.index("<title>") :].split("\n")[0])
