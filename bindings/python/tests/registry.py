# SPDX-License-Identifier: Apache-2.0
"""A registry for the tests: Debian's docker-registry in a network namespace of its own, with two images in it.

Both are made of Debian packages (scripts/setup registry) and carry the names that users know: `ubuntu:22.04` is a
minimal Debian, `nginx:latest` is Debian's nginx. In a namespace, since sandboxes are kept away from the host's own
addresses; the host's skopeo and the sandboxes' dockerd reach it as they would any other machine.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

USER, PASSWORD = "tester", "a long password"
#: As `htpasswd -B` has it.
_HASH = "$2y$04$f.IjHvncgFyqlaBit5j7UODyrn3Uyb3cTdwNci0/vSEjcoAej71/W"

#: A /30 of this; berth's own networks are 10.211.0.0/16.
_NETWORK = "10.214"


def _run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)} exited with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def _free_subnet() -> str:
    for _ in range(50):
        number = secrets.randbelow(64 * 256)
        first = f"{_NETWORK}.{number // 64}.{number % 64 * 4}"
        if not _run("ip", "-o", "route", "show", f"{first}/30").strip():
            return first
    raise RuntimeError("no free network for the registry")


@contextlib.contextmanager
def serving(images: Path, *, closed: bool = False, authority: Path | None = None) -> Iterator[str]:
    """Gives "http://address:port" of a registry that has library/ubuntu:22.04 and library/nginx:latest.

    closed: one that asks for USER and PASSWORD, and has ubuntu only. authority: a directory; the registry speaks TLS
    then, and the certificate (ca.crt) of whoever signed its own is left there.
    """
    for program in ("docker-registry", "skopeo", "ip"):
        if not shutil.which(program):
            raise RuntimeError(f"{program} is not installed; run scripts/setup packages")
    token = secrets.token_hex(4)
    name, link, inside = f"berth-test-{token}", f"bt{token}h", f"bt{token}n"
    network = _free_subnet()
    base, last = network.rsplit(".", 1)
    host, address = f"{base}.{int(last) + 1}", f"{base}.{int(last) + 2}"
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="berth-registry-"))
        _run("ip", "netns", "add", name)
        stack.callback(_run, "ip", "netns", "delete", name)
        _run("ip", "link", "add", link, "type", "veth", "peer", "name", inside, "netns", name)
        _run("ip", "address", "add", f"{host}/30", "dev", link)
        _run("ip", "link", "set", link, "up")
        for words in (
            ["address", "add", f"{address}/30", "dev", inside],
            ["link", "set", inside, "up"],
            ["link", "set", "lo", "up"],
            ["route", "add", "default", "via", host],
        ):
            _run("ip", "-n", name, *words)
        config = Path(directory) / "config.yml"
        config.write_text(
            "version: 0.1\n"
            "log: {level: warn}\n"
            f"storage: {{filesystem: {{rootdirectory: {directory}/data}}, delete: {{enabled: true}}}}\n"
            f"http: {{addr: '{address}:5000'{_certified(authority, address) if authority else ''}}}\n"
        )
        if closed:
            Path(directory, "users").write_text(f"{USER}:{_HASH}\n")
            with open(config, "a") as f:
                f.write(f"auth: {{htpasswd: {{realm: tests, path: {directory}/users}}}}\n")
        log = stack.enter_context(open(Path(directory) / "log", "wb"))
        server = subprocess.Popen(
            ["ip", "netns", "exec", name, "setpriv", "--pdeathsig", "KILL", "docker-registry", "serve", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        stack.callback(server.wait)
        stack.callback(server.terminate)
        scheme = "https" if authority else "http"
        _wait_until_served(f"{scheme}://{address}:5000/v2/", server, Path(directory) / "log")
        for archive, reference in (("ubuntu.tar", "library/ubuntu:22.04"), ("nginx.tar", "library/nginx:latest")):
            if closed and archive != "ubuntu.tar":
                continue
            push(images / archive, f"{address}:5000/{reference}", closed)
        yield f"{scheme}://{address}:5000"


def _certified(authority: Path, address: str) -> str:
    """A certificate of the address's own, as the registry's configuration has it."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]
    made = {what: str(authority / what) for what in ("ca.key", "ca.crt", "own.key", "own.csr", "own.crt")}
    words = ["-subj", "/CN=authority of the tests", "-days", "2", "-keyout", made["ca.key"], "-out", made["ca.crt"]]
    _run("openssl", "req", "-x509", *key, *words)
    words = ["-subj", "/CN=registry", "-addext", f"subjectAltName=IP:{address}", "-keyout", made["own.key"]]
    _run("openssl", "req", *key, *words, "-out", made["own.csr"])
    words = ["-CA", made["ca.crt"], "-CAkey", made["ca.key"], "-CAcreateserial", "-days", "2"]
    words += ["-copy_extensions", "copy", "-out", made["own.crt"]]
    _run("openssl", "x509", "-req", "-in", made["own.csr"], *words)
    return f", tls: {{certificate: {made['own.crt']}, key: {made['own.key']}}}"


@contextlib.contextmanager
def caching(upstream: str) -> Iterator[str]:
    """Gives "http://address:port" of a pull-through cache on this host, at an address of its own."""
    with contextlib.ExitStack() as stack:
        address = _free_subnet()
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="berth-registry-"))
        _run("ip", "address", "add", f"{address}/32", "dev", "lo")
        stack.callback(_run, "ip", "address", "delete", f"{address}/32", "dev", "lo")
        config = Path(directory) / "config.yml"
        config.write_text(
            "version: 0.1\n"
            "log: {level: warn}\n"
            f"storage: {{filesystem: {{rootdirectory: {directory}/data}}}}\n"
            f"proxy: {{remoteurl: '{upstream}'}}\n"
            f"http: {{addr: '{address}:5000'}}\n"
        )
        log = stack.enter_context(open(Path(directory) / "log", "wb"))
        words = ["setpriv", "--pdeathsig", "KILL", "docker-registry", "serve", str(config)]
        server = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        stack.callback(server.wait)
        stack.callback(server.terminate)
        _wait_until_served(f"http://{address}:5000/v2/", server, Path(directory) / "log")
        yield f"http://{address}:5000"


def push(archive: Path, reference: str, closed: bool = False) -> None:
    credentials = [f"--dest-creds={USER}:{PASSWORD}"] if closed else []
    flags = ["--dest-tls-verify=false", *credentials]
    _run("skopeo", "copy", *flags, f"docker-archive:{archive}", f"docker://{reference}")


def _wait_until_served(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        if server.poll() is not None:
            raise RuntimeError(f"docker-registry ended with {server.returncode}: {log.read_text()}")
        try:
            # Whether others are shown who it is, is what is tested.
            with urllib.request.urlopen(url, timeout=5, context=ssl._create_unverified_context()):
                return
        except urllib.error.HTTPError:
            return  # it asks for a password
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


if __name__ == "__main__":
    # For trying things by hand: serves until it is interrupted.
    with serving(Path(os.environ["BERTH_TEST_REGISTRY_IMAGES"])) as served:
        print(served, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            time.sleep(86400)
