# SPDX-License-Identifier: Apache-2.0
"""Docker in a sandbox: pull nginx, run it with a published port, list the containers."""

from berth import Image, Sandbox

image = Image.from_registry("ubuntu:22.04").with_docker()
sandbox = Sandbox(cpu=1, memory="2Gi", image=image, docker_enabled=True).create()

process = sandbox.docker.pull("nginx:latest")
process.wait()
process = sandbox.docker.run("nginx:latest", detach=True, ports={"80": "8080"})
process.wait()
ps_result = sandbox.docker.ps()
ps_result.wait()
print(ps_result.stdout.read())
sandbox.terminate()
