#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a docker-load archive with more layers: add_layers.py ARCHIVE NAME COUNT OUTPUT.

The new image NAME:latest is that of ARCHIVE with layers on top, each with one file, until it has COUNT: /layers/N holds N.
"""

import hashlib
import io
import json
import sys
import tarfile


def one_file(path: str, text: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo(path)
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def main() -> None:
    archive, name, count, output = sys.argv[1:]
    with tarfile.open(archive) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}
    [image] = json.loads(files["manifest.json"])
    config = json.loads(files[image["Config"]])
    layers = {path: files[path] for path in image["Layers"]}
    for number in range(len(layers), int(count)):
        data = one_file(f"layers/{number}", str(number))
        layers[f"{number}/layer.tar"] = data
        config["rootfs"]["diff_ids"].append("sha256:" + hashlib.sha256(data).hexdigest())
        config.setdefault("history", []).append({"created_by": f"layer {number}"})
    text = json.dumps(config).encode()
    config_name = hashlib.sha256(text).hexdigest() + ".json"
    manifest = [{"Config": config_name, "RepoTags": [f"{name}:latest"], "Layers": list(layers)}]
    with tarfile.open(output, "w") as tar:
        for path, data in {**layers, config_name: text, "manifest.json": json.dumps(manifest).encode()}.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


main()
