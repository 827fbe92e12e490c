# SPDX-License-Identifier: Apache-2.0
"""Two services that talk by name, by docker compose inside a sandbox."""

from berth import Image, Sandbox

COMPOSE = """
version: "3"
services:
  web:
    image: nginx:latest
    ports: ["8080:80"]
  client:
    image: ubuntu:22.04
    depends_on: [web]
    # No curl is in there, but bash can speak to a port.
    command:
      - bash
      - -c
      - |
        until exec 3<>/dev/tcp/web/80; do sleep 0.2; done 2>/dev/null
        printf 'GET / HTTP/1.0\\r\\nHost: web\\r\\n\\r\\n' >&3
        head -n 1 <&3
"""

image = Image.from_registry("ubuntu:22.04").with_docker()

with Sandbox(image=image, docker_enabled=True, memory="2Gi") as sandbox:
    sandbox.fs.write_text("/app/docker-compose.yml", COMPOSE)
    sandbox.docker.compose_up(cwd="/app").check()
    print(sandbox.docker.compose_ps(cwd="/app").output())
    for line in sandbox.docker.compose_logs(cwd="/app", services=["client"], follow=True).stdout:
        print(line, end="")
    sandbox.docker.compose_down(cwd="/app").check()
