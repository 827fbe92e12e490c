# SPDX-License-Identifier: Apache-2.0
"""The promised example, word for word but for the import, against the tests' registry; nginx's page from the host."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import berth
import pytest

SOURCE = Path(__file__).resolve().parents[4]
EXAMPLE = SOURCE / "examples/python/contract.py"

PROMISED = """\
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
"""


def test_the_example_is_the_promised_one() -> None:
    assert EXAMPLE.read_text().endswith("from berth import Image, Sandbox\n\n" + PROMISED)


def test_the_example_runs_and_says_what_was_promised(user_environment: None) -> None:
    # On a terminal, since progress is for terminals.
    script = f"import berth, runpy; berth.show_progress(True); runpy.run_path({str(EXAMPLE)!r})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=420)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\bnginx:latest\b.*0\.0\.0\.0:8080->80/tcp", done.stdout), done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if "Docker" in line or "ull" in line]
    wanted = [
        r"Pulling ubuntu:22\.04\.\.\.",
        r"✓ Image pulled successfully!",
        r"Installing Docker\.\.\.",
        r"✓ Docker installed",
        r"Waiting for Docker daemon to be ready \(timeout: 30s\)\.\.\.",
        r"Docker daemon is ready \(took \d+\.\ds\)",
        r"Pulling nginx:latest\.\.\.",
        r"✓ Image pulled successfully!",
    ]
    assert len(lines) == len(wanted), lines
    for line, pattern in zip(lines, wanted, strict=True):
        assert re.fullmatch(pattern, line), line


def test_the_page_is_served_to_the_host(user_environment: None) -> None:
    image = berth.Image.from_registry("ubuntu:22.04").with_docker()
    with berth.Sandbox(cpu=1, memory="2Gi", image=image, docker_enabled=True, ports=[8080]) as sandbox:
        sandbox.docker.pull("nginx:latest").check()
        run = sandbox.docker.run("nginx:latest", detach=True, ports={"80": "8080"})
        assert re.fullmatch(r"[0-9a-f]{64}\n", run.logs.read())
        assert run.success and run.exit_code == 0
        url = sandbox.url(8080)
        assert sandbox.ports == {8080: url}
        assert b"nginx" in fetch(url)


def fetch(url: str) -> bytes:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                body: bytes = answer.read()
                return body
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_the_contracts_log_lines_reach_the_logger(machine: Path, rootfs: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "berth")
    berth.show_progress(False)
    try:
        with berth.Sandbox(rootfs=rootfs, docker_enabled=True) as sandbox:
            sandbox.docker.ps().check()
    finally:
        berth.show_progress(None)
    said = [(r.levelname, r.getMessage()) for r in caplog.records if r.name == "berth"]
    wanted = [
        ("INFO", r"added docker capabilities for sandbox container"),
        ("INFO", r"added cgroup mount for docker-in-docker"),
        ("INFO", r"preparing to start docker daemon"),
        ("INFO", r"docker daemon process started - waiting for daemon to be ready pid=\d+"),
        ("DEBUG", r"socket exists, checking daemon with 'docker info'\.\.\."),
        ("INFO", r"docker daemon is ready and accepting commands retry_count=\d+"),
    ]
    # Docker starts with the sandbox, and is waited for beside that.
    waiting = [
        ("INFO", r"Waiting for Docker daemon to be ready \(timeout: 30s\)\.\.\."),
        ("INFO", r"Docker daemon is ready \(took \d+\.\ds\)"),
    ]
    for lines in (wanted, waiting):
        rest = iter(said)
        for level, pattern in lines:
            assert any(lv == level and re.fullmatch(pattern, text) for lv, text in rest), (pattern, said)
