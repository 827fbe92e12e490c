# SPDX-License-Identifier: Apache-2.0
"""What the tests share. Those in integration/ need root and runsc: without, they fail and say so; they are never
skipped."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import berth
import pytest
import registry as registry_module

SOURCE = Path(__file__).resolve().parents[3]


def needed(variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        pytest.fail(f"{variable} is not set: run scripts/setup, then bindings/python/run-tests", pytrace=False)
    return value


@pytest.fixture(scope="session")
def machine() -> Iterator[Path]:
    """Root, runsc and a state directory of the tests' own; nothing may be left in it at the end."""
    if os.geteuid() != 0:
        pytest.fail("the integration tests need root", pytrace=False)
    needed("BERTH_RUNSC")
    # Short: unix sockets lie below it, whose paths are limited.
    root = Path(tempfile.mkdtemp(prefix="berth-"))
    os.environ["BERTH_ROOT"] = str(root)
    yield root
    left = [s.id for s in berth.Sandbox.list()]
    for sandbox in berth.Sandbox.list():
        sandbox.terminate()
    assert left == [], "sandboxes were left behind"
    shutil.rmtree(root)


@pytest.fixture
def name() -> str:
    return f"pytest-{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
def rootfs() -> str:
    """Debian with Docker in it."""
    return needed("BERTH_TEST_ROOTFS")


@pytest.fixture(scope="session")
def busybox() -> Path:
    """A docker-load archive of busybox:latest."""
    return Path(needed("BERTH_TEST_IMAGE"))


@pytest.fixture(scope="session")
def registry_images() -> Path:
    """Archives of the images that the tests' registries have."""
    return Path(needed("BERTH_TEST_REGISTRY_IMAGES"))


@pytest.fixture(scope="session")
def registry(registry_images: Path) -> Iterator[str]:
    with registry_module.serving(registry_images) as address:
        yield address


@pytest.fixture(scope="session")
def image_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Empty when the first test asks for it: that of the contract, which wants to see an image made."""
    return tmp_path_factory.mktemp("image-cache")


@pytest.fixture
def user_environment(machine: Path, registry: str, image_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user with a registry mirror and an image cache, both set by the environment."""
    monkeypatch.setenv("BERTH_REGISTRY_MIRROR", registry)
    monkeypatch.setenv("BERTH_IMAGE_CACHE", str(image_cache))


@pytest.fixture(scope="session")
def clients() -> Path:
    """bin/docker and config/cli-plugins/docker-compose."""
    return Path(needed("BERTH_TEST_CLIENTS"))


@pytest.fixture(scope="module")
def box(machine: Path, rootfs: str) -> Iterator[berth.Sandbox]:
    """A sandbox without Docker, shared by a module's tests."""
    with berth.Sandbox(rootfs=rootfs, env={"FROM_SANDBOX": "a b"}) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def docker_box(machine: Path, rootfs: str, busybox: Path) -> Iterator[berth.Sandbox]:
    """A sandbox with Docker and busybox:latest in it, shared by a module's tests."""
    with berth.Sandbox(rootfs=rootfs, docker_enabled=True) as sandbox:
        sandbox.exec("docker", "version", timeout=60)
        sandbox.docker.wait_until_ready()
        loaded = sandbox.exec("docker", "load", stdin=busybox.read_bytes(), timeout=120)
        assert loaded.wait() == 0, loaded.logs.read()
        yield sandbox


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Side by side run what shares nothing: a file has its sandboxes, several have images that the first of them makes.
    with_images = {item.path for item in items if "user_environment" in getattr(item, "fixturenames", ())}
    for item in items:
        item.add_marker(pytest.mark.xdist_group("images" if item.path in with_images else item.path.stem))
    items.sort(key=lambda item: (item.path.parent.name != "unit", item.path.name != "test_contract.py"))
    # A failed one on the real thing is run once more, and the summary names it (RERUN): they start sandboxes on a
    # machine whose other load nobody here sees.
    for item in items:
        if item.path.parent.name == "integration":
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Why the first attempt failed of what passed at the second: a cause that nobody sees is never mended."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.section(f"first attempt of {report.nodeid}")
        terminalreporter.write_line(report.longreprtext[-8000:])
