# SPDX-License-Identifier: Apache-2.0
"""The README's Python, as a reader would run it. The other blocks: tests/integration/readme_test.sh."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[4] / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.S | re.M)


def test_there_are_blocks() -> None:
    assert BLOCKS


@pytest.mark.parametrize("block", BLOCKS)
def test_block(block: str, user_environment: None) -> None:
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, timeout=420)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.match(r"http://10\.[\d.]+:8080 (.*\n)*.*nginx:latest", done.stdout), done.stdout
