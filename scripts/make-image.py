#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a docker-load archive of a busybox: make-image.py ROOT NAME OUTPUT.

ROOT holds Debian's busybox and libc6 packages, unpacked. The archive has one layer: busybox with a link for each of its
applets, the libraries it needs, and the files that a name look-up reads. The same input gives the same bytes.
"""

import glob
import hashlib
import io
import json
import os
import platform
import subprocess
import sys
import tarfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


def needed(root: str) -> list[str]:
    """The shared libraries, as paths below root: busybox's own list, and the loader."""
    out = subprocess.run(["ldd", os.path.join(root, "bin/busybox")], check=True, capture_output=True, text=True).stdout
    names = [os.path.basename(word) for line in out.splitlines() for word in line.split()[:1]]
    found = []
    for name in names + ["libnss_dns.so.2", "libnss_files.so.2"]:
        hits = glob.glob(os.path.join(root, "lib*", "**", name), recursive=True)
        found += [os.path.relpath(h, root) for h in hits]
    if not any("libc.so" in f for f in found) or not any("ld-linux" in f for f in found):
        sys.exit(f"make-image.py: {root} lacks the C library that its busybox needs: {names}")
    return sorted(set(found))


def entry(name: str, kind: bytes, mode: int, **more: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime = kind, mode, 0
    for key, value in more.items():
        setattr(info, key, value)
    return info


def layer(root: str) -> bytes:
    applets = subprocess.run([os.path.join(root, "bin/busybox"), "--list"], check=True, capture_output=True, text=True)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        libraries = needed(root)
        directories = {"bin", "dev", "etc", "lib64", "proc", "root", "sys", "tmp", "usr", "var", "var/run"}
        for path in libraries:
            while path := os.path.dirname(path):
                directories.add(path)
        for path in sorted(directories):
            tar.addfile(entry(path, tarfile.DIRTYPE, 0o1777 if path == "tmp" else 0o755))
        for path, text in FILES.items():
            data = text.encode()
            tar.addfile(entry(path, tarfile.REGTYPE, 0o644, size=len(data)), io.BytesIO(data))
        for path in ["bin/busybox", *libraries]:
            real = os.path.join(root, path)
            if os.path.islink(real):
                tar.addfile(entry(path, tarfile.SYMTYPE, 0o777, linkname=os.readlink(real)))
                continue
            with open(real, "rb") as f:
                data = f.read()
            tar.addfile(entry(path, tarfile.REGTYPE, 0o755, size=len(data)), io.BytesIO(data))
        for applet in sorted(applets.stdout.split()):
            if applet != "busybox":
                tar.addfile(entry(f"bin/{applet}", tarfile.SYMTYPE, 0o777, linkname="busybox"))
    return out.getvalue()


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    root, name, output = sys.argv[1:]
    blob = layer(root)
    digest = hashlib.sha256(blob).hexdigest()
    config = json.dumps(
        {
            "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": {"Cmd": ["sh"], "Env": ["PATH=/bin:/usr/bin:/sbin:/usr/sbin"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "busybox of Debian"}],
        }
    ).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [name], "Layers": [f"{digest}/layer.tar"]}]).encode()
    with tarfile.open(output, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(entry(digest, tarfile.DIRTYPE, 0o755))
        for path, data in [(f"{digest}/layer.tar", blob), (config_name, config), ("manifest.json", manifest)]:
            tar.addfile(entry(path, tarfile.REGTYPE, 0o644, size=len(data)), io.BytesIO(data))


if __name__ == "__main__":
    main()
