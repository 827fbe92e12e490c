# SPDX-License-Identifier: Apache-2.0
"""What scenarios are written with: a sandbox with Docker in it, and the words for what must be so."""

import dataclasses
import inspect
import json
import os
import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

# The command's own codes are below this.
KILLED = 137


# By Docker's socket: each call of its client takes some tenths of a second in a sandbox.
CLEAN = r"""
ask() { path=$1; shift; curl -s -f --unix-socket /var/run/docker.sock "http://docker$path" "$@"; }
all() { ask "$1" | grep -o "\"$2\":\"[^\"]*\"" | cut -d'"' -f4; }
for id in $(all '/containers/json?all=1' Id); do ask "/containers/$id?force=1&v=1" -X DELETE; done
ask /networks/prune -X POST >/dev/null
for name in $(all /volumes Name); do ask "/volumes/$name" -X DELETE; done
[ "$(ask '/containers/json?all=1')" = '[]' ] && echo clean
"""


class Failure(Exception):
    """Something is not as it must be."""


class Refused(Exception):
    """It does not work, and berth said so: with the reason."""


@dataclasses.dataclass
class Scenario:
    name: str
    theme: str
    title: str
    run: Callable[["Box"], None]
    cut: bool = False  # runs in CI
    fresh: bool = False  # has a sandbox to itself


scenarios: list[Scenario] = []


def scenario(cut: bool = False, fresh: bool = False) -> Callable:
    def add(run: Callable[["Box"], None]) -> Callable[["Box"], None]:
        module = inspect.getmodule(run)
        assert run.__doc__ and module and module.__doc__
        title = " ".join(run.__doc__.split()).rstrip(".")
        theme = module.__doc__.splitlines()[0].rstrip(".")
        scenarios.append(Scenario(run.__name__.rstrip("_").replace("_", "-"), theme, title, run, cut, fresh))
        return run

    return add


def same(got: object, want: object, what: str = "") -> None:
    if got != want:
        raise Failure(f"{what or 'it'} is {got!r}, and must be {want!r}")


def has(text: str, *parts: str) -> None:
    for part in parts:
        if part not in text:
            raise Failure(f"{part!r} is not in {text!r}")


def has_not(text: str, *parts: str) -> None:
    for part in parts:
        if part in text:
            raise Failure(f"{part!r} is in {text!r}")


@dataclasses.dataclass
class Done:
    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return (self.out + "\n" + self.err).strip()


running: set[subprocess.Popen] = set()


def run(argv: list[str], log: Callable[[str], None], input: str | None = None, timeout: float = 400) -> Done:
    began = time.monotonic()
    log(f"$ {shlex.join(argv)}")
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        running.add(process)
        try:
            out, err = process.communicate(input, timeout)
            done = Done(process.returncode, out.rstrip("\n"), err.rstrip("\n"))
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            done = Done(-1, out, f"{err}\n[killed after {timeout:.0f} s]")
        finally:
            running.discard(process)
    for text in (done.out, done.err):
        if text:
            log(text if len(text) < 6000 else text[:3000] + "\n[…]\n" + text[-3000:])
    log(f"[{done.code}, {time.monotonic() - began:.1f} s]")
    return done


class Box:
    """A managed sandbox of one pair of runsc and Docker, for one scenario after another."""

    def __init__(self, berth: str, runsc: str, rootfs: str, work: "Work", docker: str):
        self.berth = [berth, "-q", "--runsc", runsc]
        self.rootfs, self.work, self.version = rootfs, work, docker
        self.id = ""
        self.loaded: set[str] = set()
        self.remarks: list[str] = []
        self.lines: list[str] = []

    # The sandbox.

    def start(self, *options: str, timeout: float = 400) -> Done:
        self.loaded.clear()
        argv = [*self.berth, "run", "-d", "--rootfs", self.rootfs, "--docker", "--wait", "--timeout", "300"]
        done = run([*argv, *self.work.volumes(), *options], self.log, timeout=timeout)
        self.id = done.out.strip() if done.code == 0 else ""
        return done

    def another(self) -> "Box":
        """A sandbox of the same pair, not started; its log is in this one's."""
        other = Box(self.berth[0], self.berth[3], self.rootfs, self.work, self.version)
        other.lines = self.lines
        return other

    def remove(self) -> None:
        if self.id:
            run([*self.berth, "rm", "-f", self.id], self.log)
            self.id = ""

    def log(self, text: str) -> None:
        self.lines.append(text)

    def status(self) -> dict:
        return json.loads(self._run(["status", "--json", self.id]).out)

    @property
    def address(self) -> str:
        return self.status()["network"]["address"]

    def daemon_log(self) -> str:
        return self._run(["logs", self.id, "--daemon"]).out

    def _run(self, words: list[str], **options: object) -> Done:
        return run([*self.berth, *words], self.log, **options)

    # Commands.

    def try_docker(self, words: str, *more: str, **options: object) -> Done:
        """words are split as a shell does, more is passed on as it is."""
        return self._run(["docker", self.id, "--inside", "--", *shlex.split(words), *more], **options)

    def docker(self, words: str, *more: str, code: int = 0, **options: object) -> str:
        done = self.try_docker(words, *more, **options)
        if done.code != code:
            raise Failure(f"docker {words} {shlex.join(more)}: exit code {done.code}, not {code}: {done.said[-1500:]}")
        return done.out

    def try_inside(self, script: str, *arguments: str, **options: object) -> Done:
        return self._run(["exec", self.id, "--", "sh", "-c", script, "sh", *arguments], **options)

    def inside(self, script: str, *arguments: str, code: int = 0, **options: object) -> str:
        done = self.try_inside(script, *arguments, **options)
        if done.code != code:
            raise Failure(f"{script!r} in the sandbox: exit code {done.code}, not {code}: {done.said[-1500:]}")
        return done.out

    def host(self, *argv: str, **options: object) -> Done:
        return run(list(argv), self.log, **options)

    def file(self, path: str, text: str) -> None:
        self.inside('mkdir -p "$(dirname "$1")" && cat > "$1"', path, input=text)

    def popen(self, *words: str, **options: object) -> subprocess.Popen:
        self.log(f"$ berth {shlex.join(words)} &")
        return subprocess.Popen([*self.berth, *words], **{"stdout": subprocess.DEVNULL, **options})

    def until(self, what: str, true: Callable[[], object], timeout: float = 240) -> None:
        end = time.monotonic() + timeout
        while not true():
            if time.monotonic() > end:
                raise Failure(f"not within {timeout:.0f} s: {what}")
            time.sleep(0.8)

    # Images.

    def load(self, name: str) -> None:
        """busybox:latest, peer:1, tree:1 or layers:N."""
        if name not in self.loaded:
            with open(self.work.archive(name), "rb") as archive:
                self.log(f"$ berth docker -- load < {name}")
                done = subprocess.run(
                    [*self.berth, "docker", self.id, "--inside", "--", "load"],
                    stdin=archive,
                    capture_output=True,
                    text=True,
                    timeout=300,
                )
            self.log(done.stdout + done.stderr)
            if done.returncode != 0:
                raise Failure(f"docker load of {name}: {(done.stdout + done.stderr)[-1500:]}")
            self.loaded.add(name)

    def serve(self, name: str, *options: str, port: int = 80) -> str:
        """A container that answers TCP and UDP with its own name; its id."""
        self.load("peer:1")
        words = f"run -d --name {name} --hostname {name}"
        made = self.docker(words, *options, "peer:1", "peer", "serve", str(port))
        self.until(f"{name} serves", lambda: "serving" in self.try_docker(f"logs {name}").out)
        return made

    def reaches(self, container: str, name: str, port: int = 80, kind: str = "tcp", count: int = 1) -> str:
        """What the container is answered at name, with how many of how many answers; empty where it reaches nobody."""
        done = self.try_docker(
            f"exec {container} timeout {60 + count} peer call {kind} {name} {port} {count}", timeout=3000
        )
        return done.out.splitlines()[-1] if done.code == 0 else ""

    def cut_off(self, container: str, name: str, port: int = 80) -> None:
        done = self.try_docker(f"exec {container} timeout 6 peer call tcp {name} {port}")
        if done.code == 0 or " of 1" in done.out.replace("0 of 1", ""):
            raise Failure(f"{container} reaches {name}:{port}: {done.out}")

    # Judgements.

    def by(self, what: str, so: object) -> None:
        """It works by what berth does, of which so is the proof."""
        if not so:
            raise Failure(f"it works, but not by this: {what}")
        self.remarks.append(what)

    def said_by_berth(self, part: str) -> bool:
        """dockerd's log has a line of berth's with that in it."""
        return any("berth: " in line and part in line for line in self.daemon_log().splitlines())

    def refused(self, hint: str, done: Done, otherwise: str = "") -> None:
        """A command that fails with that hint of berth's; nothing where it did not fail."""
        if done.code != 0:
            for line in done.said.splitlines():
                if line.startswith("berth: ") and f"[{hint}" in line:
                    raise Refused(line.removeprefix("berth: ") + otherwise)
            raise Failure(f"it failed, and no hint {hint} came with it: {done.said[-1500:]}")

    def clean(self) -> bool:
        """Nothing of the last scenario is left; whether the sandbox is fit for another."""
        done = self.try_inside(CLEAN)
        return done.code == 0 and done.out == "clean"


class Work:
    """What all sandboxes of a run share: images, programs for the inside, and a host to talk to."""

    def __init__(self, directory: Path, images: object, tools: Path):
        self.directory, self.images, self.tools = directory, images, tools
        self.namespace = f"bmx{os.getpid()}"
        number = os.getpid() * 4 & 0xFFFF
        self.outside = f"198.18.{number >> 8}.{(number & 0xFC) + 2}"
        self.server: subprocess.Popen | None = None

    def volumes(self) -> list[str]:
        return ["--volume", f"{self.tools}:/tools:ro"]

    def archive(self, name: str) -> Path:
        if name == "busybox:latest":
            return self.images.busybox
        if name == "peer:1":
            return self.images.peer_image()
        if name == "tree:1":
            return self.images.tree()
        return self.images.many_layers(int(name.removeprefix("layers:")))

    def open(self) -> None:
        """A host behind this one: sandboxes do not reach this one's own addresses. It serves HTTP at port 7999."""
        (self.directory / "www").mkdir(exist_ok=True)
        (self.directory / "www/index.html").write_text("from outside\n")
        near = self.outside.rpartition(".")[0] + "." + str(int(self.outside.rpartition(".")[2]) - 1)
        link, space = self.namespace + "h", self.namespace
        for words in (
            f"ip netns add {space}",
            f"ip link add {link} type veth peer name eth0 netns {space}",
            f"ip addr add {near}/30 dev {link}",
            f"ip link set {link} up",
            f"ip -n {space} addr add {self.outside}/30 dev eth0",
            f"ip -n {space} link set eth0 up",
        ):
            subprocess.run(words.split(), check=True)
        serve = ["python3", "-m", "http.server", "-d", str(self.directory / "www"), "7999"]
        with open(self.directory / "outside.log", "w") as log:
            self.server = subprocess.Popen(["ip", "netns", "exec", space, *serve], stdout=log, stderr=log)

    def close(self) -> None:
        if self.server:
            self.server.kill()
            self.server.wait()
        for words in (f"ip link del {self.namespace}h", f"ip netns del {self.namespace}"):
            subprocess.run(words.split(), capture_output=True)
