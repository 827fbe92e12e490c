# SPDX-License-Identifier: Apache-2.0
"""Builds an image from a directory of this machine, and runs it."""

import tempfile
from pathlib import Path

from berth import Image, Sandbox

DOCKERFILE = """
FROM ubuntu:22.04
ARG WHO=world
COPY greet.sh /usr/local/bin/greet
RUN chmod 755 /usr/local/bin/greet && echo "$WHO" >/etc/who
CMD ["greet"]
"""

image = Image.from_registry("ubuntu:22.04").with_docker()

with tempfile.TemporaryDirectory() as directory, Sandbox(image=image, docker_enabled=True) as sandbox:
    context = Path(directory)
    (context / "Dockerfile").write_text(DOCKERFILE)
    (context / "greet.sh").write_text('#!/bin/sh\necho "Hello, $(cat /etc/who)!"\n')

    build = sandbox.docker.build(context, tag="greeter", buildargs={"WHO": "sandbox"})
    for line in build.logs:
        print("build |", line, end="")
    build.check()

    print(sandbox.docker.run("greeter", remove=True).output())
