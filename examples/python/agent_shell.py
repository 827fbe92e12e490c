# SPDX-License-Identifier: Apache-2.0
"""A coding agent's tools on a sandbox: run a command, read and write files, with Docker at hand.

What a model asks for comes as JSON, one call a line, on stdin; each answer goes out as one line of JSON.

    echo '{"tool": "run", "command": "docker run --rm ubuntu:22.04 uname -a"}' | python agent_shell.py
"""

import contextlib
import json
import sys
from typing import Any

from berth import BerthError, Image, Sandbox

#: A model reads the beginning and the end of a long output, not all of it.
LIMIT = 8000
#: Given the directory and the command, each as a word of its own, so that nothing has to be quoted. The directory is
#: noted however the command ends: by exit, or by an error in its syntax.
SCRIPT = """\
trap 'pwd >/tmp/.directory' EXIT
cd "$1" || exit
eval "$2"
"""


def shortened(text: str) -> str:
    if len(text) <= LIMIT:
        return text
    return f"{text[: LIMIT // 2]}\n… {len(text) - LIMIT} characters left out …\n{text[-LIMIT // 2 :]}"


class Tools:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.directory = "/workspace"
        sandbox.fs.mkdir(self.directory)

    def run(self, command: str, timeout: float = 120) -> dict[str, Any]:
        """A shell command; where it leaves off is where the next one starts."""
        words = ["bash", "-c", SCRIPT, "bash", self.directory, command]
        # No input: what reads it comes to its end, and does not wait for somebody to type.
        process = self.sandbox.exec(*words, timeout=timeout, stdin=b"")
        output = shortened(process.logs.read())
        try:
            code = process.wait()
        except TimeoutError:
            return {"output": output, "error": f"it took longer than {timeout} s and was killed"}
        # Absent where the command replaced the shell, by exec for one.
        with contextlib.suppress(FileNotFoundError):
            self.directory = self.sandbox.fs.read_text("/tmp/.directory").removesuffix("\n")
        return {"exit_code": code, "output": output}

    def read(self, path: str) -> dict[str, Any]:
        return {"content": shortened(self.sandbox.fs.read_text(path))}

    def write(self, path: str, content: str) -> dict[str, Any]:
        self.sandbox.fs.write_text(path, content)
        return {"written": len(content)}

    def call(self, request: dict[str, Any]) -> dict[str, Any]:
        arguments = dict(request)
        tool = arguments.pop("tool", None)
        if tool not in ("run", "read", "write"):
            return {"error": f"no such tool: {tool}"}
        try:
            answer: dict[str, Any] = getattr(self, tool)(**arguments)
            return answer
        except (BerthError, OSError, ValueError, TypeError) as e:
            return {"error": str(e)}


def main() -> None:
    image = Image.from_registry("ubuntu:22.04").with_docker()
    with Sandbox(image=image, docker_enabled=True, cpu=2, memory="2Gi") as sandbox:
        sandbox.docker.wait_until_ready()
        tools = Tools(sandbox)
        for line in sys.stdin:
            print(json.dumps(tools.call(json.loads(line)), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
