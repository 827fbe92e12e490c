# SPDX-License-Identifier: Apache-2.0
"""The cache of root file systems, shared safely by threads and processes.

Layout: ``<cache>/rootfs/<key>/{rootfs,image.json}``, ``<cache>/locks/<key>``, ``<cache>/refs.json`` for which content a
name stood for, and ``<cache>/trees/<key>`` for which content a directory of the user's had. A root file system appears
whole, by a rename, and is never changed after.

What is in a root file system keeps its setuid bits and device nodes, and an image's author chose them. So the
directories that hold them are closed to the other users of this machine, whatever the mode of ``<cache>`` itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .._cancel import check
from ..errors import ImageError
from ..rootfs import Built

#: Seconds between two attempts at a lock that somebody else holds.
_LOCK_INTERVAL = 0.05


def content_key(*parts: str) -> str:
    """What identifies a content: a hash over all that went into it, each part with its length."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:32]


def default_cache() -> Path:
    """``$BERTH_IMAGE_CACHE``, else ``berth/images`` in the user's cache directory."""
    if given := os.environ.get("BERTH_IMAGE_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "berth" / "images"


class Store:
    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_cache()

    def _directory(self, name: str) -> Path:
        """One of the store's own directories, closed to others. One of an earlier release is closed now; ImageError
        where somebody else may have written to it."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        _check_owned(self.root, self.root.stat())
        path = self.root / name
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        seen = path.lstat()
        _check_owned(path, seen)
        if seen.st_mode & 0o077:
            path.chmod(0o700)
        return path

    @contextlib.contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """One builder of a key at a time, on this machine. Waiting for another one ends where the work is cancelled."""
        fd = os.open(self._directory("locks") / key, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while not _locked(fd):
                check()
                time.sleep(_LOCK_INTERVAL)
            yield
        finally:
            os.close(fd)

    def find(self, key: str) -> Built | None:
        path = self._directory("rootfs") / key
        try:
            data = json.loads((path / "image.json").read_text())
        except FileNotFoundError:
            return None
        return Built(key, str(path / "rootfs"), data["env"], data["workdir"])

    @contextlib.contextmanager
    def building(self, key: str) -> Iterator[Path]:
        """A directory to make ``rootfs`` in; gone afterwards unless it was published. Old ones of dead builders go too.

        Call with the key's lock held."""
        base = self._directory("rootfs")
        for left in base.glob(f"{key}.building.*"):
            shutil.rmtree(left, ignore_errors=True)
        path = Path(tempfile.mkdtemp(prefix=f"{key}.building.", dir=base))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def publish(self, made: Path, built: Built) -> Built:
        target = self.root / "rootfs" / built.key
        done = Built(built.key, str(target / "rootfs"), built.env, built.workdir)
        (made / "image.json").write_text(done.to_json())
        made.rename(target)
        return done

    def known_digest(self, reference: str) -> str | None:
        try:
            digests = json.loads((self.root / "refs.json").read_text())
        except FileNotFoundError:
            return None
        found = digests.get(reference)
        return found if isinstance(found, str) else None

    def remember_digest(self, reference: str, digest: str) -> None:
        path = self.root / "refs.json"
        with self.lock("refs"):
            try:
                digests = json.loads(path.read_text())
            except FileNotFoundError:
                digests = {}
            digests[reference] = digest
            _replace(path, json.dumps(digests, sort_keys=True))

    def known_tree(self, directory: str, fingerprint: str) -> str | None:
        """The key of a directory's content when it looked like that."""
        try:
            seen, key = (self._directory("trees") / content_key(directory)).read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return key if seen == fingerprint else None

    def remember_tree(self, directory: str, fingerprint: str, key: str) -> None:
        _replace(self._directory("trees") / content_key(directory), f"{fingerprint} {key}\n")


def _check_owned(path: Path, seen: os.stat_result) -> None:
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid not in (0, os.geteuid()) or seen.st_mode & 0o022:
        raise ImageError(
            f"other users can write to the image store: {path}",
            hint="name another by $BERTH_IMAGE_CACHE, or remove this one: images are built again",
        )


def _locked(fd: int) -> bool:
    # Not by a call that waits: nothing would end it before the other builder is done.
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _replace(path: Path, text: str) -> None:
    """Readers see the old or the new content, whole."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as f:
        f.write(text)
    os.replace(f.name, path)
