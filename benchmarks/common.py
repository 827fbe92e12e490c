# SPDX-License-Identifier: Apache-2.0
"""What benchmarks of sandboxes share."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time


def need(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        sys.exit(f'{name} is not set: run this through `make bench`, or `eval "$(scripts/setup --print)"` first')
    return value


def berth_start(berth: str, rootfs: str, name: str) -> float:
    begin = time.monotonic()
    subprocess.run(
        [berth, "-q", "run", "-d", "--id", name, "--rootfs", rootfs, "--docker", "--wait"],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    return time.monotonic() - begin


def remove(berth: str, name: str) -> None:
    subprocess.run([berth, "-q", "rm", name], check=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def layered(rootfs: str, work: str):
    """The root file system below a layer of its own, as berth has it: runsc makes the mount points that are missing in what it is given."""
    layer, merged = os.path.join(work, "layer"), os.path.join(work, "rootfs")
    os.mkdir(layer)
    os.mkdir(merged)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "layer", layer], check=True)
    try:
        for name in ("upper", "work"):
            os.mkdir(os.path.join(layer, name))
        options = f"lowerdir={rootfs},upperdir={layer}/upper,workdir={layer}/work"
        subprocess.run(["mount", "-t", "overlay", "-o", options, "rootfs", merged], check=True)
        try:
            yield merged
        finally:
            subprocess.run(["umount", "-l", merged], check=False)
    finally:
        subprocess.run(["umount", "-l", layer], check=False)


def unmount_null_netns(root: str) -> None:
    """An empty network namespace for its gofer, which each verb of runsc 2026-09 may have mounted below its root directory."""
    words = ["umount", "-l", os.path.join(root, "null-netns")]
    while subprocess.run(words, stderr=subprocess.DEVNULL).returncode == 0:
        pass


@contextlib.contextmanager
def workplace(berth: str):
    """A directory with a BERTH_ROOT of its own. No sandbox of it is left, whatever ends the benchmark but SIGKILL."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    work = tempfile.mkdtemp(prefix="berth-bench-")
    os.environ["BERTH_ROOT"] = os.path.join(work, "state")
    try:
        yield work
    finally:
        for _ in range(5):  # a machine that many of them keep busy may not be done with one in time
            ids = subprocess.run([berth, "-q", "ls", "--ids"], capture_output=True, text=True).stdout.split()
            if (
                not ids
                or subprocess.run([berth, "-q", "rm", "--force", *ids], stdout=subprocess.DEVNULL).returncode == 0
            ):
                break
        else:
            sys.exit(
                f"not all sandboxes were removed: BERTH_ROOT={work}/state berth ls"
            )  # by their records they can be
        shutil.rmtree(work, ignore_errors=True)


def verdict(name: str, value: float, limit: float, text: str) -> bool:
    print(f"{name}: {text} {'ok' if value <= limit else 'MISSED'}", flush=True)
    return value <= limit
