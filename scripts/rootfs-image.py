#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a docker-load archive of a root file system: rootfs-image.py ROOT NAME CONFIG OUTPUT.

The archive has one layer, ROOT as it is, and the image config's "config" object is CONFIG (JSON). skopeo reads it as
docker-archive:OUTPUT.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
import tarfile
import tempfile

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def main() -> None:
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    root, name, config, output = sys.argv[1:]
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(output))) as work:
        layer = os.path.join(work, "layer.tar")
        subprocess.run(
            [
                "tar",
                "--create",
                "--file",
                layer,
                "--sort=name",
                "--numeric-owner",
                "--one-file-system",
                "-C",
                root,
                ".",
            ],
            check=True,
        )
        digest = hashlib.sha256()
        with open(layer, "rb") as f:
            while block := f.read(1 << 20):
                digest.update(block)
        image = {
            "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": json.loads(config),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest.hexdigest()}"]},
            "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "debootstrap"}],
        }
        text = json.dumps(image).encode()
        image_name = hashlib.sha256(text).hexdigest() + ".json"
        files = {
            image_name: text,
            "manifest.json": json.dumps([{"Config": image_name, "RepoTags": [name], "Layers": ["layer.tar"]}]).encode(),
        }
        for file, data in files.items():
            with open(os.path.join(work, file), "wb") as f:
                f.write(data)
        with tarfile.open(output, "w") as tar:
            for file in ["layer.tar", *files]:
                tar.add(os.path.join(work, file), arcname=file)


if __name__ == "__main__":
    main()
