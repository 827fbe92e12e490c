# SPDX-License-Identifier: Apache-2.0
"""The peer of Docker in a sandbox: the same dockerd out of the same root file system, with runc on this machine."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from box import Box, Done, Failure, Work, run

# In a mount namespace of its own, so that all of it goes with its processes.
START = r"""
set -e
rootfs=$1 work=$2 tools=$3 parent=$4 driver=$5
mount --make-rprivate /
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
root=$work/root
mount -t overlay overlay -o "lowerdir=$rootfs,upperdir=$work/upper,workdir=$work/work" "$root"
mkdir -p "$root/tools" "$root/var/lib/docker"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/var/lib/docker"
mount --bind "$tools" "$root/tools"
ip link set lo up
# Not chroot: what enters a container's namespaces, as docker exec does, begins at their root, which would be the host's.
cd "$root"
mkdir .old
pivot_root . .old
umount -l /.old
exec dockerd --iptables=false --ip6tables=false --cgroup-parent="/$parent" --storage-driver="$driver" \
  --insecure-registry=198.18.0.0/15 --host=unix:///run/docker.sock
"""


class HostDocker(Box):
    """Docker in the network namespace of the host that the sandboxes reach; its data is on a tmpfs, as a sandbox's is."""

    def __init__(self, rootfs: str, work: Work):
        super().__init__("", "", rootfs, work, "")
        self.process: subprocess.Popen | None = None
        self.cgroups = f"berth-bench-{os.getpid()}"
        self.inner = 0

    def start(self, *_: str, driver: str = "overlay2", **__: object) -> Done:
        """A code other than 0 where it cannot run here, and what was said."""
        self.directory = tempfile.mkdtemp(prefix="host-docker-", dir=self.work.directory)
        output = os.path.join(self.work.directory, "host-docker.log")
        # A session of its own: Ctrl-C is for the benchmark, which then ends this in order. And where it is killed, so is this.
        argv = ["setpriv", "--pdeathsig", "KILL", "nsenter", f"--net=/run/netns/{self.work.namespace}"]
        argv += ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", START, "sh", self.rootfs]
        with open(output, "w") as log:
            self.process = subprocess.Popen(
                [*argv, self.directory, str(self.work.tools), self.cgroups, driver],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < end:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            if children:
                self.inner = int(children[0])
                if self.try_docker("version").code == 0:
                    return Done(0, "", "")
            time.sleep(0.1)
        said = Path(output).read_text(errors="replace").strip().splitlines()[-3:]
        self.remove()
        return Done(1, "", " ".join(said))

    def _enter(self, *words: str, **options: object) -> Done:
        enter = ["nsenter", f"--target={self.inner}", "--mount", "--net", "--pid", "--root", "--wd"]
        return run([*enter, *words], self.log, **options)

    def _run(self, words: list[str], **options: object) -> Done:
        if words[0] == "docker":
            return self._enter("docker", *words[words.index("--") + 1 :], **options)
        if words[0] == "exec":
            return self._enter(*words[words.index("--") + 1 :], **options)
        raise Failure(f"no sandbox: berth {' '.join(words)}")

    def remove(self) -> None:
        if not self.process:
            return
        if self.inner and self.process.poll() is None:
            try:
                os.kill(self.inner, signal.SIGKILL)  # the first of its pid namespace: all others end with it
            except ProcessLookupError:
                pass
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process, self.inner = None, 0
        shutil.rmtree(self.directory, ignore_errors=True)
        for group in Path("/sys/fs/cgroup").glob(f"**/{self.cgroups}"):
            remove_groups(group)


def remove_groups(group: Path) -> None:
    for below in [path for path in group.iterdir() if path.is_dir()]:
        remove_groups(below)
    until(lambda: gone(group))


def gone(group: Path) -> bool:
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError:  # its last process is not reaped yet
        return False
    return True


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
