# SPDX-License-Identifier: Apache-2.0
"""What comes out of an image or a sandbox is out of reach for the other users of the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import berth
import pytest
from berth import Image
from berth.image import Store

#: A shell that makes root of whoever runs it, and a disk that whoever likes may read.
_TRAPS = "cp /bin/dash /rootsh && chmod 4755 /rootsh && mknod -m 666 /disk b 8 0"


@pytest.fixture
def open_directory(machine: Path) -> Iterator[Path]:
    """A directory that every user can enter, which those of tmp_path are not."""
    path = Path(tempfile.mkdtemp(prefix="berth-open-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def as_somebody(*argv: str) -> subprocess.CompletedProcess[str]:
    # By a shell: setpriv itself still has root's capabilities when it looks for what it is to run.
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", 'exec "$@"', "sh", *argv]
    return subprocess.run(words, capture_output=True, text=True, timeout=60)


def assert_shut(directory: Path, *names: str) -> None:
    """That `names` are below the directory, and that somebody else cannot open them."""
    for name in names:
        found = [p for p in directory.rglob(name) if not p.is_symlink()]
        assert found, f"no {name} in {directory}: the test looks at nothing"
        for path in found:
            tried = as_somebody("cat", str(path))
            assert tried.returncode != 0 and "Permission denied" in tried.stderr, (path, tried)


def a_shell_of_root(found: Path) -> bool:
    ran = as_somebody(str(found), "-p", "-c", "id -u")
    return ran.stdout == "0\n"


@pytest.fixture
def store(open_directory: Path, registry: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("BERTH_REGISTRY_MIRROR", registry)
    monkeypatch.setenv("BERTH_IMAGE_CACHE", str(open_directory))
    return Store()


def test_the_image_store_is_closed_and_an_older_one_is_shut(store: Store, open_directory: Path) -> None:
    image = Image.from_registry("ubuntu:22.04").run_commands(_TRAPS)
    built = image.build()
    shell = Path(built.rootfs, "rootsh")
    assert shell.stat().st_mode & 0o7777 == 0o4755 and Path(built.rootfs, "disk").is_block_device()
    assert not a_shell_of_root(shell)
    assert_shut(open_directory, "rootsh", "disk")
    # As stores were before: the same found by a later process is shut at its first use.
    for directory in ("rootfs", "locks", os.path.dirname(os.path.relpath(built.rootfs, open_directory))):
        (open_directory / directory).chmod(0o755)
    assert a_shell_of_root(shell), "the test's own premise"
    assert Image.from_registry("ubuntu:22.04").run_commands(_TRAPS).build().rootfs == built.rootfs
    assert not a_shell_of_root(shell)
    assert_shut(open_directory, "rootsh", "disk")


@pytest.mark.parametrize("spoilt", ["mode", "owner", "link"])
def test_a_store_that_others_could_write_to_is_refused(store: Store, open_directory: Path, spoilt: str) -> None:
    rootfs = open_directory / "rootfs"
    if spoilt == "link":
        (open_directory / "elsewhere").mkdir()
        rootfs.symlink_to("elsewhere")
    else:
        rootfs.mkdir()
        rootfs.chmod(0o777 if spoilt == "mode" else 0o755)
        os.chown(rootfs, 65534 if spoilt == "owner" else 0, -1)
    with pytest.raises(berth.ImageError, match="other users can write to the image store"):
        Image.from_registry("ubuntu:22.04").build()


def test_downloads_are_for_their_user_alone(box: berth.Sandbox, open_directory: Path) -> None:
    box.exec("sh", "-c", "mkdir -p /srv/out/deep && cp /bin/dash /srv/out/deep/rootsh && chmod -R 4777 /srv/out").wait()
    box.fs.download("/srv/out", open_directory / "all")
    box.fs.download("/srv/out", open_directory)  # into a directory of the user's that is open
    box.fs.download("/srv/out/deep/rootsh", open_directory / "one-rootsh")
    assert_shut(open_directory, "rootsh", "one-rootsh")
    assert not (open_directory / "deep/rootsh").stat().st_mode & 0o7077
