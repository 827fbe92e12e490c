# SPDX-License-Identifier: Apache-2.0
"""Every program in examples/python, as a user would run it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[4] / "examples" / "python"

CALLS = [
    {"tool": "run", "command": "echo first; exec true"},
    {"tool": "run", "command": 'mkdir -p "it\'s"; cd it*; echo out; exit 3'},
    {"tool": "run", "command": "pwd; cat; if then"},
    {"tool": "run", "command": "cat && cd .."},
    {"tool": "write", "path": "/workspace/a/hello.py", "content": "print('hello')\n"},
    {"tool": "run", "command": "cd a && ls"},
    {"tool": "run", "command": "pwd; false"},
    {"tool": "read", "path": "/none"},
    {"tool": "run", "command": "sleep 100", "timeout": 1},
    {"tool": "run", "command": "docker run --rm ubuntu:22.04 echo nested"},
    {"tool": "rm", "path": "/"},
]

#: name: (stdin, what its output must match)
WANTED: dict[str, tuple[str, str]] = {
    "build_image.py": ("", r"(?s)build \| .*\nHello, sandbox!\n$"),
    "compose.py": ("", r"(?s)web.*HTTP/1\.1 200 OK"),
    "with_testcontainers.py": ("", r"<title>Welcome to nginx"),
    "many_jobs.py": ("", r"(?s)^100 jobs in 8 sandboxes: .*sum of squares: 328350\n$"),
    "agent_shell.py": ("".join(json.dumps(call) + "\n" for call in CALLS), r"(?s).*"),
    # test_contract.py looks at it closely.
    "contract.py": ("", r"nginx:latest"),
}


def run(name: str) -> str:
    text, _ = WANTED[name]
    done = subprocess.run(
        [sys.executable, EXAMPLES / name], input=text, env=os.environ, capture_output=True, text=True, timeout=420
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_all_are_here() -> None:
    assert {p.name for p in EXAMPLES.glob("*.py")} == set(WANTED)


@pytest.mark.parametrize("name", sorted(WANTED))
def test_example(name: str, user_environment: None) -> None:
    printed = run(name)
    assert re.search(WANTED[name][1], printed), printed
    if name == "agent_shell.py":
        answers = [json.loads(line) for line in printed.splitlines()]
        assert answers[0] == {"exit_code": 0, "output": "first\n"}
        assert answers[1] == {"exit_code": 3, "output": "out\n"}
        assert answers[2]["exit_code"] == 2 and "syntax error" in answers[2]["output"]
        assert answers[3] == {"exit_code": 0, "output": ""}
        assert answers[4] == {"written": 15}
        assert answers[5] == {"exit_code": 0, "output": "hello.py\n"}
        assert answers[6] == {"exit_code": 1, "output": "/workspace/a\n"}
        assert "No such file" in answers[7]["error"]
        assert "killed" in answers[8]["error"]
        assert answers[9]["exit_code"] == 0 and answers[9]["output"].endswith("nested\n")
        assert "no such tool" in answers[10]["error"]
